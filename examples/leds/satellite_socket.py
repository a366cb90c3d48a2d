"""A client of the satellite's control socket: what happens in, commands out. Needs nothing but Python."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RETRY_S = 2.0


class SatelliteSocket:
    """The satellite's control socket, connected again whenever the satellite was away.

    Args:
        path: of the unix socket, `satellite.control.socket.path`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: socket.socket | None = None

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield everything that the satellite tells, for ever; `{"event": "away"}` when it has gone."""
        while True:
            try:
                with socket.socket(socket.AF_UNIX) as connection:
                    connection.connect(str(self._path))
                    self._connection = connection
                    with connection.makefile("r", encoding="utf-8") as lines:
                        for line in lines:
                            yield json.loads(line)
            except OSError:
                pass
            self._connection = None
            yield {"event": "away"}
            time.sleep(RETRY_S)

    def command(self, name: str, **values: Any) -> None:
        """Send a command; nothing if the satellite is away. May be called from any thread."""
        connection = self._connection
        if connection is not None:
            with contextlib.suppress(OSError):  # `events` connects again
                connection.sendall(json.dumps({"command": name, **values}).encode() + b"\n")


def colour(event: dict[str, Any], muted: bool) -> tuple[int, int, int] | None:
    """Return the light for what happened, as red, green and blue of 0 to 255; None leaves it as it is."""
    match event:
        case {"event": "away"} | {"event": "not-connected"} | {"event": "error"}:
            return (80, 0, 0)
        case {"event": "timer-ringing"}:
            return (120, 60, 0)
        case {"event": "timer-silenced"}:
            return (0, 0, 0)
        case {"event": "settings", "mute": bool(mute)}:
            return (30, 0, 0) if mute else (0, 0, 0)
        case {"event": "hello" | "state", "state": str(state)}:
            lights = {"streaming": (0, 0, 120), "answering": (60, 0, 100), "playing": (0, 80, 0)}
            return lights.get(state, (30, 0, 0) if muted else (0, 0, 0))
    return None


def is_muted(event: dict[str, Any], before: bool) -> bool:
    """Return whether the microphone is muted after this event."""
    mute = event.get("mute")
    return mute if isinstance(mute, bool) else before
