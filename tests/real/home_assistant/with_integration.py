"""A Home Assistant that gets Hearth's integration as people do: the folder copied, the rest installed by itself."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp

from ..python314 import call, uv
from .client import Client
from .running import HomeAssistant

ROOT = Path(__file__).parents[3]
CODE = re.compile(r"code (\d{3}) (\d{3})")
WAIT_S = 180.0  # a server starts in seconds; on a machine whose cores are all taken it took a minute
FLOWS = "/api/config/config_entries/flow"
# What every configuration has that a person did not write: automations made in the browser, and what is found nearby.
CONFIGURATION = """
automation: !include automations.yaml
script: !include scripts.yaml
zeroconf:
"""


def with_integration(folder: Path) -> HomeAssistant:
    """Return a Home Assistant, not set up yet, whose configuration has the integration and nothing else of Hearth.

    Its packages are those of the tests' installation, seen through an environment of its own; what the integration
    requires it installs there itself, from a wheel of this tree.

    Raises:
        InstallError: it cannot be had here.
    """
    home_assistant = HomeAssistant(folder)
    installed = home_assistant.hass.parent.parent
    venv = folder / "venv"
    python = (installed / "bin/python").resolve()
    call([uv(), "venv", "--quiet", "--python", str(python), str(venv)])
    (site,) = venv.glob("lib/python3.*/site-packages")
    (packages,) = installed.glob("lib/python3.*/site-packages")
    (site / "installed.pth").write_text(f"{packages}\n")
    (venv / "bin/uv").symlink_to(installed / "bin/uv")
    call([uv(), "build", "--quiet", "--wheel", "--out-dir", str(folder / "dist"), str(ROOT)])
    component = folder / "config/custom_components/hearth"
    shutil.copytree(
        ROOT / "custom_components/hearth", component, ignore=shutil.ignore_patterns("__pycache__", ".mypy_cache")
    )
    for made in ("automations.yaml", "scripts.yaml"):
        (folder / "config" / made).touch()
    home_assistant.configuration += CONFIGURATION
    home_assistant.command = [str(venv / "bin/python"), "-m", "homeassistant"]
    home_assistant.env = {
        "UV_FIND_LINKS": str(folder / "dist"),
        "VIRTUAL_ENV": str(venv),
        "PATH": f"{venv}/bin:{installed}/bin:/usr/bin:/bin",
    }
    return home_assistant


async def rest(house: HomeAssistant, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """Return what Home Assistant answers to its owner."""
    headers = {"Authorization": f"Bearer {house.token}"}
    timeout = aiohttp.ClientTimeout(300)  # the first flow installs what the integration requires
    async with (
        aiohttp.ClientSession(house.base, headers=headers, timeout=timeout) as session,
        session.request(method, path, json=body) as answer,
    ):
        return await answer.json()


async def go_on(house: HomeAssistant, flow: Mapping[str, Any], **data: Any) -> Any:
    """Give a config flow what it asks for; return what it says next."""
    return await rest(house, "POST", f"{FLOWS}/{flow['flow_id']}", data)


async def until(holds: Callable[[], Awaitable[Any]], wait_s: float = WAIT_S) -> Any:
    """Return what a coroutine function returns, as soon as that is true."""
    async with asyncio.timeout(wait_s):
        while not (found := await holds()):
            await asyncio.sleep(0.2)
    return found


async def pair(house: HomeAssistant, server: HearthServer) -> None:
    """Add the server as a person does, if it is not there."""
    if await rest(house, "GET", "/api/config/config_entries/entry?domain=hearth"):
        return
    flow = await go_on(
        house, await rest(house, "POST", FLOWS, {"handler": "hearth"}), host="127.0.0.1", port=server.port
    )
    done = await go_on(house, flow, code=await asyncio.to_thread(server.code))
    assert done["type"] == "create_entry", done


async def entities(observer: Client) -> dict[str, str]:
    """Return the integration's entities: their ids by unique id without the server's."""
    entries = await observer.command("config/entity_registry/list")
    return {e["unique_id"].partition("/")[2]: e["entity_id"] for e in entries if e["platform"] == "hearth"}


async def act(observer: Client, action: str, *, response: bool = False, **data: Any) -> Any:
    """Call one of the integration's actions; return its response."""
    fields = {"service_data": data, "return_response": response}
    answer = await observer.command("call_service", domain="hearth", service=action, **fields)
    return answer["response"] if response else None


async def say(observer: Client, text: str) -> Mapping[str, Any]:
    """Let a text be done; return what became of it."""
    answer: Mapping[str, Any] = await act(observer, "say_as_text", response=True, text=text)
    return answer


class HearthServer:
    """A server of its own process, folder and port."""

    def __init__(self, folder: Path, port: int, config: str = "") -> None:
        self.folder = folder
        self.port = port
        self.state = folder / "state"
        self.log = folder / "server.log"
        self._config = folder / "hearth.yaml"
        self._options = config
        self.listen_on("127.0.0.1")
        self._process: subprocess.Popen[bytes] | None = None

    def listen_on(self, host: str) -> None:
        """Let it listen on another address from its next start on; the network is told of one beyond loopback."""
        companion = f"  companion:\n    state: {self.state}\n"
        self._config.write_text(f"server:\n  host: {host}\n  port: {self.port}\n{companion}{self._options}")

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of its owner."""
        return [str(Path(sys.executable).with_name("hearth")), "--config", str(self._config), *arguments]

    def start(self) -> None:
        """Start it and wait until it listens."""
        with self.log.open("ab") as log:
            since = log.tell()
            self._process = subprocess.Popen(
                self.command("-v", "server"),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._until(lambda text: "listening on" in text[since:])

    def kill(self) -> None:
        """End it at once."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def code(self) -> str:
        """Return the pairing code that it shows, as soon as it does."""
        self._until(lambda text: CODE.search(text) is not None)
        found = CODE.findall(self.log.read_text())
        return "".join(found[-1])

    def _until(self, holds: object) -> None:
        assert callable(holds)
        deadline = time.monotonic() + WAIT_S
        while not (self.log.exists() and holds(self.log.read_text(errors="replace"))):
            if time.monotonic() > deadline or (self._process is not None and self._process.poll() is not None):
                raise AssertionError(f"the server did not do what was awaited: {self.log.read_text()[-2000:]}")
            time.sleep(0.05)
