"""A satellite without a wake word: what begins its commands, and what people are told of that."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from hearth_core.command import Detection

from .wake_word import Trigger, WakePhrase

if TYPE_CHECKING:
    from hearth_core.config import ControlConfig

_LOG = logging.getLogger(__name__)

INSTALL: Final = "pip install 'hearth-voice[satellite]'"


class NoWakeWord:
    """Nothing that is heard begins a command, and nothing from before a command is kept.

    Args:
        missing: the package without which there is no wake word; empty if none is wanted.
    """

    trigger = Trigger.BUTTON
    phrases: tuple[WakePhrase, ...] = ()
    preroll_s = 0.0

    def __init__(self, missing: str = "") -> None:
        self.missing = missing

    def feed(self, chunk: bytes) -> Detection | None:
        """Take the next sound, and detect nothing."""
        return None

    def reset(self) -> None:
        """There is nothing to forget."""


def ways(control: ControlConfig) -> list[str]:
    """Return what can begin a command of such a satellite, in words; its driver always can."""
    found = []
    if control.socket.path:
        found.append(f"the control socket {control.socket.path}")
    if control.socket.port is not None:
        found.append(f"the control socket on port {control.socket.port}")
    if control.mqtt is not None:
        found.append("MQTT")
    return [*found, "its driver"]


def explained(wake: NoWakeWord, control: ControlConfig) -> tuple[str, str]:
    """Return the fact that it listens only when it is started, and what to do about it; empty if nothing."""
    starters = ways(control)
    because = f" ({wake.missing} is not installed)" if wake.missing else ""
    fact = f"no wake word{because}: it listens only when {' or '.join(starters)} starts it"
    if wake.missing:
        return fact, f"{INSTALL}, or set satellite.wake.words to [] if that is how it is meant"
    if len(starters) == 1:
        return fact, "Set satellite.control.socket or satellite.control.mqtt for a button at the satellite"
    return fact, ""


def tell(wake: NoWakeWord, control: ControlConfig) -> None:
    """Log that it listens only when it is started: a warning where that was not asked for."""
    fact, remedy = explained(wake, control)
    _LOG.log(logging.WARNING if wake.missing else logging.INFO, "%s", f"{fact}. {remedy}" if remedy else fact)
