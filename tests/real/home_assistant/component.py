"""Install what the component's unit tests run in: `python -m tests.real.home_assistant.component`.

pytest-homeassistant-custom-component pins one Home Assistant, older by a month than the one of the live tests: so the
component is tested on both. Kept in ~/.cache/hearth/component-tests-VERSION, or what HEARTH_COMPONENT_TESTS names.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from hearth_core.errors import HearthError

from .. import python314
from ..alone import alone
from ..python314 import call, uv
from . import install as home_assistant
from .install import REQUIREMENTS

HARNESS = "0.13.375"
VERSION = "2026.10.4"  # what the harness pins
# What the component depends on, and what Home Assistant's own tests start beside it.
COMPONENTS = (
    "assist_pipeline", "assist_satellite", "conversation", "demo", "device_automation", "diagnostics", "frontend",
    "http", "repairs", "stt", "system_health", "tts", "update", "websocket_api", "zeroconf",
)  # fmt: skip
RECIPE = 2


def folder() -> Path:
    """Return where the environment is, or will be."""
    named = os.environ.get("HEARTH_COMPONENT_TESTS")
    return Path(named) if named else Path.home() / f".cache/hearth/component-tests-{HARNESS}"


def install() -> Path:
    """Return the Python of the environment, made if it is not there yet.

    Raises:
        InstallError: it cannot be made here; the remedy says what to do.
    """
    into = folder().absolute()
    python = into / "venv/bin/python"
    recipe = {"harness": HARNESS, "components": list(COMPONENTS), "recipe": RECIPE}
    stamp = into / "installed.json"
    with alone(into.with_name(into.name + ".lock")):
        if python.exists() and stamp.exists() and json.loads(stamp.read_text()) == recipe:
            return python
        shutil.rmtree(into, ignore_errors=True)
        into.mkdir(parents=True)
        # The one that the live tests made serves here as well.
        made = home_assistant.folder() / "python"
        base = python314.make(made if made.exists() else into / "python")
        call([uv(), "venv", "--quiet", "--python", str(base), str(into / "venv")])
        pip = [uv(), "pip", "install", "--quiet", "--python", str(python)]
        headers = python314.headers(base)
        call([*pip, f"pytest-homeassistant-custom-component=={HARNESS}", "mypy>=1.15", "types-PyYAML"], env=headers)
        wanted = call([str(python), "-c", REQUIREMENTS, *COMPONENTS]).split()
        call([*pip, f"homeassistant=={VERSION}", "click>=8.1", "wyoming==1.10.2", *wanted], env=headers)
        stamp.write_text(json.dumps(recipe))
    return python


def main() -> int:
    """Install, print where."""
    try:
        print(install())
    except HearthError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
