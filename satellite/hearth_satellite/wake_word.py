"""What every engine for wake words agrees on: it gives scores, and someone else judges them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

OR_BUTTON: Final = "or set satellite.wake.words to [] for a satellite that listens only when a button starts it"
"""The other remedy where a wake word's package is missing."""


class Trigger(StrEnum):
    """What of all that is heard begins a command; a button and the driver can in any case."""

    WAKE_WORD = "wake-word"
    SPEECH = "speech"  # whatever is said
    BUTTON = "button"  # nothing


@dataclass(frozen=True, slots=True)
class WakePhrase:
    """What a wake word is to people: how it is said, and in which languages it was trained."""

    name: str
    phrase: str
    languages: tuple[str, ...] = ("en",)


@dataclass(frozen=True, slots=True)
class Model:
    """A wake word as an engine offers it; `threshold` is the score that its makers ask for."""

    phrase: WakePhrase
    threshold: float


class WakeEngine(Protocol):
    """Scores the sound for several wake words at once.

    Attributes:
        models: the words that it scores, in the order of the scores.
        latency_s: how long after a word's last sound its score may pass the threshold, at the most.
    """

    models: tuple[Model, ...]
    latency_s: float

    def feed(self, chunk: bytes) -> list[tuple[float, ...]]:
        """Take the next sound, 16 kHz s16le mono, any even number of bytes; return 0 to 1 for each model, per step."""

    def reset(self) -> None:
        """Forget the sound so far: what comes next does not continue it."""
