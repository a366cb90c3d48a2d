"""A Home Assistant of its own folder and port on loopback: set up, started, killed, started again."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import aiohttp

from ..python314 import InstallError
from .client import Client, connected
from .house import CONFIGURATION, furnish
from .install import install

START_S = 120.0  # 5 s warm on two cores; the first start of an installation compiles bytecode
STOP_S = 30.0


class HomeAssistant:
    """One Home Assistant.

    Attributes:
        base: its address, e.g. http://127.0.0.1:18123.
        token: a long-lived access token of its owner.
        log: the file that its output goes to.
        command: what starts it, before the options that say where its configuration is.
        env: what its environment has beside the tests' own.
        configuration: its configuration.yaml.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hass = install()
        self.command = [str(self.hass), "--skip-pip"]
        self.env: dict[str, str] = {}
        self.configuration = CONFIGURATION
        self.port = _free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.token = ""
        self.log = folder / "output.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._since = 0

    def set_up(self) -> None:
        """Write the configuration, onboard, furnish the house; leave it stopped, everything on disk."""
        storage = self.folder / "config/.storage"
        storage.mkdir(parents=True)
        (self.folder / "config/configuration.yaml").write_text(self.configuration)
        for key, content in _seeds(self.port).items():
            (storage / key).write_text(json.dumps(content))
        self.start()
        self.token = asyncio.run(_onboard(self.base))
        self.stop()

    def start(self) -> None:
        """Start it and wait until it has set up every integration.

        Raises:
            InstallError: it does not come up; the message ends with what it said last.
        """
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start it. To be called on the main thread: it dies with the thread that starts it."""
        if self._process is not None:
            raise RuntimeError("Home Assistant runs already")
        # It must not outlive the tests, even if they are killed.
        tied = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        command = [*tied, *self.command, "--config", str(self.folder / "config"), "--log-no-color"]
        with self.log.open("ab") as log:
            self._since = log.tell()
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={
                    **os.environ,
                    "PATH": os.pathsep.join([str(self.hass.parent), os.environ.get("PATH", "")]),
                    **self.env,
                },
            )

    def wait(self) -> None:
        """Wait until it has set up every integration.

        Raises:
            InstallError: as `start`.
        """
        deadline = time.monotonic() + START_S
        while not self._initialized():
            if not self.running or time.monotonic() > deadline:
                self.kill()
                raise InstallError(f"Home Assistant did not start: {' | '.join(self._said()[-5:])}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Ask it to end and wait; everything is on disk afterwards."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Stop it in the middle of what it does, its sockets open, as a machine that hangs."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after a pause."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    @property
    def running(self) -> bool:
        """True while its process lives."""
        return self._process is not None and self._process.poll() is None

    def observer(self) -> AbstractAsyncContextManager[Client]:
        """Return a connection of the tests' own client, to see what Home Assistant sees."""
        return connected(self.base, self.token)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        process.send_signal(signal.SIGCONT)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_S)

    def _initialized(self) -> bool:
        if not any("Home Assistant initialized" in line for line in self._said()):
            return False
        try:
            urllib.request.urlopen(self.base + "/api/", timeout=5).close()
        except urllib.error.HTTPError as error:  # 401 is an answer
            error.close()
            return True
        except OSError:
            return False
        return True

    def _said(self) -> list[str]:
        """Return what it said since it was launched."""
        with self.log.open("rb") as log:
            log.seek(self._since)
            return log.read().decode(errors="replace").splitlines()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _seeds(port: int) -> dict[str, dict[str, Any]]:
    """Return the stored files that bind it to loopback for good, and leave only the user's step of onboarding.

    The same in YAML would be pending only, and revert after five minutes without a confirmation in the browser.
    """
    http = {
        "server_port": port,
        "server_host": ["127.0.0.1"],
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": False,
        "ssl_profile": "intermediate_v6",
        "use_x_frame_options": True,
        "created_at": "2026-01-01T00:00:00+00:00",
        "error": None,
        "error_message": None,
    }
    onboarding = {"done": ["core_config", "analytics", "integration"]}
    return {
        "http": {
            "version": 3,
            "minor_version": 1,
            "key": "http",
            "data": {"stable": http, "pending": None, "yaml_migration_done": True},
        },
        "onboarding": {"version": 4, "minor_version": 1, "key": "onboarding", "data": onboarding},
    }


async def _onboard(base: str) -> str:
    """Make the owner, furnish the house, return a long-lived token."""
    client_id = base + "/"
    user = {"name": "Test", "username": "test", "password": "test-pass-1234", "client_id": client_id, "language": "en"}
    async with aiohttp.ClientSession(base, raise_for_status=True, timeout=aiohttp.ClientTimeout(30)) as session:
        async with session.post("/api/onboarding/users", json=user) as answer:
            code = (await answer.json())["auth_code"]
        grant = {"grant_type": "authorization_code", "code": code, "client_id": client_id}
        async with session.post("/auth/token", data=grant) as answer:
            token = (await answer.json())["access_token"]
    async with connected(base, token) as client:
        await furnish(client)
        return str(await client.command("auth/long_lived_access_token", client_name="tests", lifespan=30))
