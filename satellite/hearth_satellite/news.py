"""What happens in the satellite, for whoever wants to show it: lights, hooks, the control socket, MQTT, the server."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

_LOG = logging.getLogger(__name__)

Fact: TypeAlias = "str | int | float | bool | list[str] | None"


class Happening(StrEnum):
    """What there is to be told; the names are those of hooks and of the control socket."""

    STATE = "state"  # state
    CONNECTED = "connected"  # driver
    DISCONNECTED = "disconnected"  # driver
    NOT_CONNECTED = "not-connected"  # somebody spoke to a satellite that nobody drives
    WAKE = "wake"  # wake_word, command_id
    NEAR_MISS = "near-miss"  # wake_word, score, threshold
    TRANSCRIPT = "transcript"  # text, command_id
    ANSWER = "answer"  # text, command_id
    ERROR = "error"  # text, code
    SETTINGS = "settings"  # mute, volume, wake_words, sensitivity
    MICROPHONE = "microphone"  # ok
    OUTPUT_BEGAN = "output-began"  # lower or pause whatever else plays
    OUTPUT_ENDED = "output-ended"  # and let it go on
    TIMER_STARTED = "timer-started"  # id, name, seconds
    TIMER_UPDATED = "timer-updated"  # id, seconds, active
    TIMER_CANCELLED = "timer-cancelled"  # id
    TIMER_RINGING = "timer-ringing"  # id, name
    TIMER_SILENCED = "timer-silenced"  # why


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that happened, and its facts."""

    happening: Happening
    facts: Mapping[str, Fact]


@dataclass(slots=True)
class News:
    """Tells every listener what happened, in the order in which it did."""

    _listeners: list[Callable[[Told], None]] = field(default_factory=list)

    def listen(self, listener: Callable[[Told], None]) -> Callable[[], None]:
        """Tell this listener from now on; return what ends that. It must not wait."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def tell(self, happening: Happening, **facts: Fact) -> None:
        """Say what happened; the fault of a listener is its own."""
        told = Told(happening, facts)
        for listener in tuple(self._listeners):
            try:
                listener(told)
            except Exception:
                _LOG.exception("a listener failed on %s", happening)
