"""A Home Assistant that gets Hearth's integration as people do: the folder copied, the rest installed by itself."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from ..python314 import call, uv
from .running import HomeAssistant

ROOT = Path(__file__).parents[3]
CODE = re.compile(r"code (\d{3}) (\d{3})")
WAIT_S = 60.0


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
    home_assistant.command = [str(venv / "bin/python"), "-m", "homeassistant"]
    home_assistant.env = {
        "UV_FIND_LINKS": str(folder / "dist"),
        "VIRTUAL_ENV": str(venv),
        "PATH": f"{venv}/bin:{installed}/bin:/usr/bin:/bin",
    }
    return home_assistant


class HearthServer:
    """A server of its own process, folder and port."""

    def __init__(self, folder: Path, port: int, config: str = "") -> None:
        self.folder = folder
        self.port = port
        self.state = folder / "state"
        self.log = folder / "server.log"
        self._config = folder / "hearth.yaml"
        companion = f"  companion:\n    state: {self.state}\n"
        self._config.write_text(f"server:\n  host: 127.0.0.1\n  port: {port}\n{companion}{config}")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        with self.log.open("ab") as log:
            since = log.tell()
            self._process = subprocess.Popen(
                [Path(sys.executable).with_name("hearth"), "-v", "--config", str(self._config), "server"],
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
