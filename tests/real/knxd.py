"""A real KNX/IP interface (knxd), that a test can kill and start again; only to be run in a network namespace.

knxd listens on every address and joins multicast groups on every network that it finds, whatever it is told.
"""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

from xknx.io import ConnectionConfig, ConnectionType

from .parts import program

PORT = 3671
START_S = 10.0
# A DESCRIPTION_REQUEST that says "answer to where this came from" (KNX 03.08.02, 7.7.3).
_DESCRIPTION_REQUEST = bytes.fromhex("0610 0203 000e 0801 0000 0000 0000".replace(" ", ""))


class Knxd:
    """The interface, with a bus on which there is nobody but its clients.

    Args:
        folder: where its log goes.
    """

    def __init__(self, folder: Path) -> None:
        self._program = program("knxd", "knxd")
        self.log = folder / "knxd.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [self._program, "-e", "1.0.1", "-E", "1.0.2:8", "-I", "lo", "-D", "-T", "-S", "224.0.23.12:3671"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([*command, "-b", "dummy:"], stdout=log, stderr=log)
        until = time.monotonic() + START_S
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(0.1)
            while True:
                try:
                    client.sendto(_DESCRIPTION_REQUEST, ("127.0.0.1", PORT))
                    client.recv(1024)
                    return
                except OSError:
                    if time.monotonic() > until or self._process.poll() is not None:
                        raise AssertionError(f"knxd did not start:\n{self.log.read_text()}") from None

    def kill(self) -> None:
        """End it at once, as a power failure would: no tunnel is told."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None


def tunnel() -> ConnectionConfig:
    """Return a tunnel of a device's own."""
    return ConnectionConfig(
        connection_type=ConnectionType.TUNNELING, gateway_ip="127.0.0.1", gateway_port=PORT, local_ip="127.0.0.1"
    )
