"""A client of the satellite's control socket: what happens in, commands out. Needs nothing but Python."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass
class Satellite:
    """What the events so far say of the satellite."""

    state: str = "away"
    muted: bool = False
    ringing: bool = False
    failed: bool = False  # the last command, or nobody is there to take one

    def take(self, event: dict[str, Any]) -> None:
        """Take note of what happened."""
        if isinstance(mute := event.get("mute"), bool):
            self.muted = mute
        match event.get("event"):
            case "away":
                self.state, self.ringing = "away", False
            case "hello" | "state":
                self.state, self.failed = str(event.get("state")), False
            case "not-connected" | "error":
                self.failed = True
            case "timer-ringing":
                self.ringing = True
            case "timer-silenced":
                self.ringing = False

    @property
    def interruptible(self) -> bool:
        """True if there is something to stop: a timer, an answer, a command."""
        return self.ringing or self.state in ("streaming", "playing")

    @property
    def colour(self) -> tuple[int, int, int]:
        """The light that shows it, as red, green and blue of 0 to 255."""
        busy = {"streaming": (0, 0, 120), "answering": (60, 0, 100), "playing": (0, 80, 0)}
        if self.state in busy:
            return busy[self.state]
        if self.ringing:
            return (120, 60, 0)
        if self.failed or self.state == "away":
            return (80, 0, 0)
        return (30, 0, 0) if self.muted else (0, 0, 0)
