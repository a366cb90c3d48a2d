"""Small files that outlive the server: written whole or not at all, and readable by its user alone."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any, Final

from hearth_core.errors import ConfigError

MAX_BYTES: Final = 1024 * 1024


def read(path: Path) -> Any:
    """Return what the file holds, None if there is none.

    Raises:
        ConfigError: it cannot be read, or was not written by us.
    """
    try:
        with path.open("rb") as opened:
            raw = opened.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise ValueError("too long")
        return json.loads(raw)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", remedy="Remove it, and pair again") from error


def write(path: Path, content: Any) -> None:
    """Replace the file; whoever reads it meanwhile sees the old content or the new.

    Raises:
        ConfigError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mode 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as opened:
                json.dump(content, opened, ensure_ascii=False, indent=1)
                opened.flush()
                os.fsync(opened.fileno())
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        remedy = "Set server: companion: state: to a folder that the server may write"
        raise ConfigError(f"{path} cannot be written: {error.strerror}", remedy=remedy) from error


def remove(path: Path) -> None:
    """Remove the file if it is there."""
    path.unlink(missing_ok=True)
