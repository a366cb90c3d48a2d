"""Scores that stay below their threshold: when they are worth a question."""

from __future__ import annotations

import pytest

from hearth_core.command import Detection
from hearth_satellite.wake import WakeWords, Word
from tests.satellite.test_wake_words import Scores

STEP = bytes(1024)  # 32 ms


def heard(scores: list[float], *, unsure: bool = True, debounce_s: float = 0.2) -> list[tuple[int, float, bool]]:
    """Return at which step what was detected, how sure; the threshold is 0.8."""
    words = {"a": Word(threshold=0.8, facts={"area": "Kitchen"})}
    wake = WakeWords([Scores({"a": scores})], words, debounce_s=debounce_s, unsure=unsure)
    found = []
    for step in range(len(scores)):
        detection = wake.feed(STEP)
        if isinstance(detection, Detection):
            assert detection.facts == {"area": "Kitchen"}
            found.append((step, detection.score or 0.0, detection.sure))
    return found


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0.0, 0.1, 0.19, 0.1], []),
        ([0.0, 0.3, 0.5, 0.5, 0.4, 0.0], [(3, 0.5, False)]),
        ([0.3, 0.0], [(1, 0.3, False)]),
        ([0.3, 0.5, 0.9, 0.5, 0.3, 0.0], [(2, 0.9, True)]),
        ([0.3, 0.5, 0.4, 0.6, 0.3, 0.5, 0.1], [(2, 0.5, False)]),
        ([0.5, 0.4, 0.9, 0.0], [(1, 0.5, False), (2, 0.9, True)]),
        ([0.5, 0.4] + [0.0] * 8 + [0.6, 0.0], [(1, 0.5, False), (11, 0.6, False)]),
    ],
    ids=["low", "peak", "alone", "sure", "once", "surer", "twice"],
)
def test_a_peak_is_told_when_it_is_over_and_not_while_it_may_become_sure(
    scores: list[float], expected: list[tuple[int, float, bool]]
) -> None:
    assert heard(scores) == expected


def test_a_word_that_is_never_to_wake_is_never_unsure() -> None:
    wake = WakeWords([Scores({"a": [0.3, 0.9, 0.1]})], {"a": Word(sensitivity=0.0)}, unsure=True)
    assert [wake.feed(STEP) for _ in range(4)] == [None] * 4


def test_nothing_is_unsure_unless_that_is_wanted() -> None:
    assert heard([0.3, 0.7, 0.1, 0.9, 0.0], unsure=False) == [(3, 0.9, True)]
