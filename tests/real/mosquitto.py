"""A real MQTT broker on loopback, with a password file, that a test can kill and start again."""

from __future__ import annotations

import getpass
import signal
import socket
import subprocess
import time
from pathlib import Path

from hearth_core.config_mqtt import BrokerConfig

from .parts import program

USER, PASSWORD = "hearth", "correct horse battery"
START_S = 10.0


def free_port() -> int:
    """Return a TCP port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Mosquitto:
    """A broker; what it retains survives its death, as on a real one.

    Args:
        folder: where its files go.
        extra: further lines of its configuration, for the listener.
    """

    def __init__(self, folder: Path, extra: str = "") -> None:
        self._program = program("mosquitto", "mosquitto")
        self.port = free_port()
        passwords = folder / "passwords"
        passwords.touch(0o600)
        subprocess.run(
            [program("mosquitto_passwd", "mosquitto"), "-b", passwords, USER, PASSWORD],
            check=True,
            capture_output=True,
            timeout=20,
        )
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"user {getpass.getuser()}\nlistener {self.port} 127.0.0.1\nallow_anonymous false\n"
            f"password_file {passwords}\npersistence true\npersistence_location {folder}/\n"
            f"autosave_on_changes true\nautosave_interval 1\n{extra}\n"
        )
        self.log = folder / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def config(self) -> BrokerConfig:
        """How a client reaches it; it comes back fast, so that tests do not wait."""
        return BrokerConfig.model_validate(
            {"host": "127.0.0.1", "port": self.port, "username": USER, "password": PASSWORD, "retry_s": (0.05, 0.2)}
        )

    def start(self) -> None:
        """Start it, and wait until it listens."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([self._program, "-c", self._config], stdout=log, stderr=log)
        until = time.monotonic() + START_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1.0).close()
                return
            except OSError:
                if time.monotonic() > until or self._process.poll() is not None:
                    raise AssertionError(f"mosquitto did not start:\n{self.log.read_text()}") from None
                time.sleep(0.02)

    def kill(self) -> None:
        """End it at once, as a power failure would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def freeze(self) -> None:
        """Let it hold its connections and do nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)
