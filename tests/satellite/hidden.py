"""Packages as if they were not installed, for this process or for one that a test starts."""

from __future__ import annotations

import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

import pytest

_PROGRAM = """\
import atexit, json, sys
from importlib.machinery import PathFinder
from pathlib import Path

find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *more: None if name in {hidden!r} else find(name, *more)
atexit.register(lambda: Path({loaded!r}).write_text(json.dumps(sorted(sys.modules))))
"""


def hide(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """Let a package be missing until the test ends."""
    find = PathFinder.find_spec

    def find_spec(name: str, *more: Any) -> ModuleSpec | None:
        return None if name == package else find(name, *more)

    monkeypatch.setattr(PathFinder, "find_spec", find_spec)
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)


def environment(folder: Path, *packages: str) -> tuple[dict[str, str], Path]:
    """Return an environment in which Python lacks these packages, and the file to which it writes what it had loaded.

    Args:
        folder: an empty one, for what hides them.
        packages: what is hidden; none: all are there.
    """
    folder.mkdir()
    loaded = folder / "loaded.json"
    (folder / "sitecustomize.py").write_text(_PROGRAM.format(hidden=set(packages) or (), loaded=str(loaded)))
    path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH", ""))))
    return {**os.environ, "PYTHONPATH": path}, loaded
