"""Install Home Assistant for tests: `python -m tests.real.home_assistant.install`.

It goes into a folder of its own, ~/.cache/hearth/home-assistant-VERSION or what HEARTH_HOME_ASSISTANT names, with a
Python 3.14 beside it if the machine has none. Done once; a second call finds the stamp and returns at once.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path

from hearth_core.errors import HearthError

from .. import python314
from ..alone import alone
from ..python314 import InstallError, call, uv

VERSION = "2026.11.0"
# What the tests configure, and what Home Assistant sets up uninvited beside its core; `mqtt` imports `hassio`.
COMPONENTS = (
    "analytics", "api", "application_credentials", "assist_pipeline", "assist_satellite", "automation", "backup",
    "config", "conversation", "counter", "demo", "file_upload", "frontend", "hardware", "hassio", "image_upload",
    "infrared", "input_boolean", "labs", "logger", "mobile_app", "mqtt", "network", "onboarding", "person",
    "radio_frequency", "scene", "script", "stream", "system_health", "tag", "template", "timer", "websocket_api",
    "wyoming", "zone",
)  # fmt: skip
RECIPE = 2  # raise it when this file makes something else of the same versions

# Run by Home Assistant's own interpreter: the requirements of components, of what they depend on, and of the platforms
# that the demo fills.
REQUIREMENTS = """
import importlib.util, json, pathlib, sys
root = pathlib.Path(importlib.util.find_spec("homeassistant").submodule_search_locations[0]) / "components"
todo = [*sys.argv[1:], *(file.stem for file in (root / "demo").glob("*.py"))]
seen, requirements = set(), set()
while todo:
    domain = todo.pop()
    manifest = root / domain / "manifest.json"
    if domain in seen or not manifest.exists():
        continue
    seen.add(domain)
    told = json.loads(manifest.read_text())
    requirements.update(told.get("requirements", []))
    todo += told.get("dependencies", [])
print("\\n".join(sorted(requirements)))
"""


def folder() -> Path:
    """Return where Home Assistant is, or will be, installed."""
    named = os.environ.get("HEARTH_HOME_ASSISTANT")
    return Path(named) if named else Path.home() / f".cache/hearth/home-assistant-{VERSION}"


def install(into: Path | None = None) -> Path:
    """Return the path of `hass`, installed if it is not yet.

    Raises:
        InstallError: it cannot be installed here; the remedy says what to do.
    """
    into = (into or folder()).absolute()
    hass = into / "venv/bin/hass"
    with alone(into.with_name(into.name + ".lock")):
        if _stamped(into) and hass.exists():
            return hass
        shutil.rmtree(into, ignore_errors=True)
        into.mkdir(parents=True)
        python = python314.make(into / "python")
        venv = into / "venv"
        call([uv(), "venv", "--quiet", "--python", str(python), str(venv)])
        inside = venv / "bin/python"
        pip = [uv(), "pip", "install", "--quiet", "--python", str(inside)]
        call([*pip, f"homeassistant=={VERSION}"])
        wanted = call([str(inside), "-c", REQUIREMENTS, *COMPONENTS]).split()
        if shutil.which("gcc") is None:
            raise InstallError(
                "Home Assistant's voice parts are compiled, and there is no gcc", remedy="apt-get install gcc g++"
            )
        call([*pip, f"homeassistant=={VERSION}", *wanted], env=python314.headers(python))
        # It turns every spoken answer into what a satellite plays; every Home Assistant that people run has it.
        if shutil.which("ffmpeg") is None:
            call([*pip, "imageio-ffmpeg"])
            found = call([str(inside), "-c", "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())"])
            (venv / "bin/ffmpeg").symlink_to(found.strip())
        _stamp(into).write_text(json.dumps(_recipe()))
        return hass


def _stamp(into: Path) -> Path:
    return into / "installed.json"


def _recipe() -> dict[str, object]:
    return {"version": VERSION, "components": list(COMPONENTS), "recipe": RECIPE}


def _stamped(into: Path) -> bool:
    try:
        return bool(json.loads(_stamp(into).read_text()) == _recipe())
    except (OSError, ValueError):
        return False


def main() -> int:
    """Install, print where."""
    start = time.monotonic()
    try:
        hass = install()
    except HearthError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{hass} ({time.monotonic() - start:.1f} s)")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
