"""What a decoder reads: sentences with the times of their words and how likely each is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a reading.

    Attributes:
        text: as in the grammar.
        begin, end: its first and last frame in which a phone was heard.
        phones: how many phones it has.
        fit: how its frames, until the next word, fit beside free phones, in nats; 0 is as well, less is worse.
        gain: how much better its frames fit it than silence, in nats.
        posterior: chance, 0 to 1, that it was said there, if what was said is one of the readings at all.
    """

    text: str
    begin: int
    end: int
    phones: int
    fit: float
    gain: float
    posterior: float = 1.0


@dataclass(frozen=True, slots=True)
class Reading:
    """A sentence of the grammar, the log score of its best path, and its chance among the readings (`posterior`)."""

    words: tuple[Word, ...]
    score: float
    posterior: float = 1.0

    @property
    def text(self) -> str:
        """The words."""
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the best path stands.

    Attributes:
        words: the words that it has left behind or just completed.
        complete: whether a sentence may end here.
        extendable: whether the grammar has longer sentences that begin so.
        inside_word: whether it stands in the middle of a word.
        lead: how much better, in nats, it is than the best path with other words; infinite if there is none.
        frames: how many frames were heard.
        silent_frames: how many frames ago its last phone was heard.
    """

    words: tuple[str, ...] = ()
    complete: bool = False
    extendable: bool = False
    inside_word: bool = False
    lead: float = math.inf
    frames: int = 0
    silent_frames: int = 0

    @property
    def text(self) -> str:
        """The words."""
        return " ".join(self.words)


@dataclass(frozen=True, slots=True)
class Result:
    """The sentences that may have been said if the utterance ended now, best first; and where the best path stands."""

    readings: tuple[Reading, ...]
    standing: Standing


def weighed(readings: Sequence[Reading]) -> tuple[Reading, ...]:
    """Return readings with their posteriors and those of their words, from their scores."""
    if not readings:
        return ()
    best = max(reading.score for reading in readings)
    shares = [math.exp(reading.score - best) for reading in readings]
    total = math.fsum(shares)
    posteriors = [share / total for share in shares]
    return tuple(
        replace(
            reading,
            posterior=posterior,
            words=tuple(replace(word, posterior=_chance(word, readings, posteriors)) for word in reading.words),
        )
        for reading, posterior in zip(readings, posteriors, strict=True)
    )


def _chance(word: Word, readings: Sequence[Reading], posteriors: Sequence[float]) -> float:
    """Return the share of the readings that have the word at about the same time."""
    there = (
        posterior
        for reading, posterior in zip(readings, posteriors, strict=True)
        if any(w.text == word.text and w.begin <= word.end and word.begin <= w.end for w in reading.words)
    )
    return min(1.0, math.fsum(there))
