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
        gain: how much better its frames fit it than silence, in nats.
        posterior: chance, 0 to 1, that it was said there, if what was said is one of the readings at all.
    """

    text: str
    begin: int
    end: int
    phones: int
    gain: float
    posterior: float = 1.0


@dataclass(frozen=True, slots=True)
class Reading:
    """A sentence of the grammar.

    Attributes:
        words: in order.
        score: the log score of its best path.
        posterior: its chance among the readings, 0 to 1.
        log_probability: natural log of the chance that its phones were said and nothing else, by all paths
            (`forward`); told of the best reading, minus infinity for the others.
    """

    words: tuple[Word, ...]
    score: float
    posterior: float = 1.0
    log_probability: float = -math.inf

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
        ahead: how much better, in nats, it is than the best path where a sentence may end; infinite if there is none.
        whole: how much better the best path where a sentence may end is than all others but those that pause within a
            word; their words do not matter.
        enough: the same for paths from which no author's sentence goes on.
        settled: the same for paths after which nothing but politeness follows.
        frames: how many frames were heard.
        silent_frames: how many frames ago its last phone was heard.
    """

    words: tuple[str, ...] = ()
    complete: bool = False
    extendable: bool = False
    inside_word: bool = False
    lead: float = math.inf
    ahead: float = math.inf
    whole: float = -math.inf
    enough: float = -math.inf
    settled: float = -math.inf
    frames: int = 0
    silent_frames: int = 0

    @property
    def text(self) -> str:
        """The words."""
        return " ".join(self.words)


@dataclass(frozen=True, slots=True)
class Result:
    """What may have been said if the utterance ended now.

    Attributes:
        readings: the sentences, best first.
        standing: where the best path stands.
        enough: the share, 0 to 1, of the sentences from which no author's goes on.
        closed: the share of those after which nothing but politeness follows.
    """

    readings: tuple[Reading, ...]
    standing: Standing
    enough: float = 0.0
    closed: float = 0.0


def shared(readings: Sequence[Reading], scores: Sequence[float]) -> tuple[Reading, ...]:
    """Return readings with their posteriors, their share among all the scores that there are."""
    if not readings:
        return ()
    best = max(scores)
    total = math.fsum(math.exp(score - best) for score in scores)
    return tuple(replace(reading, posterior=math.exp(reading.score - best) / total) for reading in readings)


def weighed(readings: Sequence[Reading], limit: int | None = None) -> tuple[Reading, ...]:
    """Return the first readings, all if no limit is given, with their posteriors and those of their words by all."""
    readings = shared(readings, [reading.score for reading in readings])
    posteriors = [reading.posterior for reading in readings]
    times: dict[str, list[tuple[int, int, int]]] = {}
    for number, reading in enumerate(readings):
        for word in reading.words:
            times.setdefault(word.text, []).append((number, word.begin, word.end))
    return tuple(
        replace(
            reading,
            words=tuple(replace(word, posterior=_chance(word, times[word.text], posteriors)) for word in reading.words),
        )
        for reading in readings[:limit]
    )


def _chance(word: Word, times: Sequence[tuple[int, int, int]], posteriors: Sequence[float]) -> float:
    """Return the share of the readings that have the word at about the same time; times are number, begin and end."""
    there = {number for number, begin, end in times if begin <= word.end and word.begin <= end}
    return min(1.0, math.fsum(posteriors[number] for number in there))
