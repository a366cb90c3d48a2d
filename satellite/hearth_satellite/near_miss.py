"""Wake words that were almost heard, and what their scores say about the threshold."""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

_LOG = logging.getLogger(__name__)

# Below half of the threshold are music and other words, far too many to be looked at.
NEAR: Final = 0.5
# A score is a peak's until it has been low for so long: the parts of one word are one near miss, two tries are two.
_PEAK_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A peak that did not reach its threshold; `timestamp_ms` counts the sound heard, as a detection's does."""

    wake_word: str
    score: float
    threshold: float
    timestamp_ms: int
    at: datetime


@dataclass(slots=True)
class _Peak:
    score: float
    at_ms: int
    last_ms: int


class NearMisses:
    """The latest near misses, bounded.

    Args:
        most: how many are kept; 0 keeps none.
        now: the time of day that is noted with each.
        told: called with each as it is found.
    """

    def __init__(
        self,
        most: int = 100,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        told: Callable[[NearMiss], None] = lambda miss: None,
    ) -> None:
        self._kept: deque[NearMiss] = deque(maxlen=most)
        self._now = now
        self._told = told
        self._peaks: dict[str, _Peak] = {}

    @property
    def kept(self) -> tuple[NearMiss, ...]:
        """The near misses so far, oldest first."""
        return tuple(self._kept)

    def score(self, wake_word: str, score: float, threshold: float, now_ms: int) -> None:
        """Take the score of a word that was not detected; one that stays away from its threshold ends a peak."""
        peak = self._peaks.get(wake_word)
        if score >= NEAR * threshold:
            if peak is None:
                self._peaks[wake_word] = _Peak(score, now_ms, now_ms)
            else:
                peak.last_ms = now_ms
                if score > peak.score:
                    peak.score, peak.at_ms = score, now_ms
        elif peak is not None and now_ms - peak.last_ms >= _PEAK_S * 1000:
            del self._peaks[wake_word]
            if self._kept.maxlen:
                miss = NearMiss(wake_word, peak.score, threshold, peak.at_ms, self._now())
                self._kept.append(miss)
                _LOG.info(
                    "almost heard %s: %.2f of the %.2f it takes%s", wake_word, peak.score, threshold, self._advice(miss)
                )
                self._told(miss)

    def _advice(self, miss: NearMiss) -> str:
        found = advise(miss.wake_word, miss.threshold, self._kept)
        if found.verdict is not Verdict.LOWER:
            return ""
        return f"; a threshold of {found.threshold:.2f} had woken at {found.would_wake} of the last {found.near_misses}"

    def detected(self) -> None:
        """Forget what is rising: it was the beginning of a detection, or another word's echo of it."""
        self._peaks.clear()


class Verdict(StrEnum):
    """What the near misses say."""

    TOO_FEW = "too-few"  # not enough of them to say anything
    KEEP = "keep"  # the threshold is right: what is near it is far below
    LOWER = "lower"  # most peaks lie closely below: wake words, most likely


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about a word's threshold.

    Attributes:
        wake_word: the word.
        verdict: what to do.
        threshold: the one to set; the present one unless it is to be lowered.
        would_wake: how many of the near misses would have been detections with it.
        near_misses: how many there were.
    """

    wake_word: str
    verdict: Verdict
    threshold: float
    would_wake: int
    near_misses: int


_ENOUGH: Final = 5  # fewer are chance
_CLOSE: Final = 0.85  # of the threshold: nearer to it than to what other words reach
_FLOOR: Final = 0.4  # under this score every other sentence wakes; only the user's own hand goes lower


def advise(wake_word: str, threshold: float, near_misses: Iterable[NearMiss]) -> Advice:
    """Return what near misses say about the threshold of a word.

    It is lowered to wake at half of the peaks that came close, if those are the most; never below 0.4, and never by
    more than a quarter at a time, because each step is to be lived with before the next.
    """
    scores: Sequence[float] = sorted(miss.score for miss in near_misses if miss.wake_word == wake_word)
    close = [score for score in scores if score >= _CLOSE * threshold]
    if len(scores) < _ENOUGH:
        return Advice(wake_word, Verdict.TOO_FEW, threshold, 0, len(scores))
    lowest = max(_FLOOR, 0.75 * threshold)
    if 2 * len(close) < len(scores) or lowest >= threshold:
        return Advice(wake_word, Verdict.KEEP, threshold, 0, len(scores))
    # Rounded down, so that the score it is made from passes it.
    lowered = max(lowest, math.floor(close[len(close) // 2] * 100 - 1) / 100)
    if lowered >= threshold:
        return Advice(wake_word, Verdict.KEEP, threshold, 0, len(scores))
    return Advice(wake_word, Verdict.LOWER, lowered, sum(score > lowered for score in scores), len(scores))
