"""Packages that come with an extra of the distribution and are imported where they are used."""

from __future__ import annotations

import importlib
from typing import Any

from .errors import EngineError, HearthError


def load(module: str, *, extra: str, error: type[HearthError] = EngineError) -> Any:
    """Import a package of an extra.

    Raises:
        HearthError: the class given by `error`: it is not installed, or a system library that it needs is not.
    """
    try:
        return importlib.import_module(module)
    except (ImportError, OSError) as problem:  # OSError: ctypes and cffi do not find the library that they wrap
        package = module.partition(".")[0]
        missing = isinstance(problem, ModuleNotFoundError) and problem.name == package
        reason = "is not installed" if missing else f"cannot be loaded: {' '.join(str(problem).split())}"
        raise error(f"the package {package} {reason}", remedy=f"pip install 'hearth-voice[{extra}]'") from problem
