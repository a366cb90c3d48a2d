"""What people have set, kept over a restart: one small file that is whole at any moment."""

from __future__ import annotations

import json
import logging
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from hearth_core.control_event import SettingsChange
from hearth_core.errors import InputError

_LOG = logging.getLogger(__name__)
_MAX_BYTES: Final = 64 * 1024  # it has some hundred


class Memory:
    """The file of one satellite. A fault of it is told, and never stops the satellite.

    Args:
        path: where; None remembers nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def load(self) -> SettingsChange:
        """Return what was set; nothing if there is no file, or none that can be read, which is put aside."""
        if self._path is None:
            return SettingsChange()
        try:
            with self._path.open("rb") as file:
                raw = file.read(_MAX_BYTES + 1)
        except FileNotFoundError:
            return SettingsChange()
        except OSError as error:
            _LOG.warning("%s cannot be read (%s): nothing is remembered", self._path, error.strerror)
            return SettingsChange()
        try:
            if len(raw) > _MAX_BYTES:
                raise InputError(f"it is over {_MAX_BYTES} bytes")
            values: Any = json.loads(raw)
            return SettingsChange.of(values)
        except (ValueError, RecursionError, InputError) as error:
            self._put_aside(error)
            return SettingsChange()

    def save(self, settings: SettingsChange) -> None:
        """Write what is set; blocks for a moment."""
        if self._path is None:
            return
        text = json.dumps(settings.model_dump(mode="json", exclude_none=True), indent=2) + "\n"
        new = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with new.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())  # else a power cut after the rename may leave an empty file
            new.replace(self._path)
        except OSError as error:
            _LOG.warning("%s cannot be written (%s): it will not be remembered", self._path, error.strerror)
            with suppress(OSError):
                new.unlink(missing_ok=True)

    def _put_aside(self, error: Exception) -> None:
        assert self._path is not None
        aside = self._path.with_name(f"{self._path.name}.broken-{int(time.time())}")
        _LOG.warning("%s is broken (%s); it is kept as %s, and the configuration counts", self._path, error, aside)
        try:
            self._path.replace(aside)
        except OSError as trouble:
            _LOG.warning("it cannot be put aside (%s)", trouble.strerror)


def usual_place() -> Path:
    """Return where a satellite keeps what it remembers: what systemd gives a service, else the user's own place."""
    if state := os.environ.get("STATE_DIRECTORY"):
        return Path(state.partition(":")[0]) / "satellite.json"
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "hearth" / "satellite.json"
