"""The examples and recordings that come with Hearth: in a wheel beside the code, in a checkout in `examples/`."""

from __future__ import annotations

from pathlib import Path

from hearth_core.errors import InputError


def examples() -> Path:
    """Return the folder with the examples.

    Raises:
        InputError: the installation lacks them.
    """
    here = Path(__file__).resolve().parent
    for folder in (here / "examples", here.parents[1] / "examples"):
        if folder.is_dir():
            return folder
    raise InputError("the bundled examples are missing", remedy="Install hearth-voice again")
