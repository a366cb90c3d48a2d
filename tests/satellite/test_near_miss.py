"""Near misses: what counts as one, how many are kept, and what they say about a threshold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hearth_core.config import SatelliteConfig
from hearth_satellite import cli
from hearth_satellite.cli import Choices, build
from hearth_satellite.near_miss import NearMiss, NearMisses, Verdict, advise
from hearth_satellite.news import Happening, Told
from hearth_satellite.wake import WakeWords

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def heard(scores: list[float], *, threshold: float = 0.9, step_ms: int = 100, most: int = 100) -> NearMisses:
    now = iter(NOON + timedelta(seconds=n) for n in range(10_000))
    misses = NearMisses(most, now=lambda: next(now))
    for index, score in enumerate(scores):
        misses.score("alexa", score, threshold, index * step_ms)
    return misses


QUIET = [0.0] * 11  # 1.1 s


def test_one_word_is_one_near_miss_with_its_highest_score() -> None:
    (miss,) = heard([0.1, 0.5, 0.7, 0.2, 0.6, *QUIET]).kept
    assert (miss.wake_word, miss.score, miss.threshold, miss.timestamp_ms) == ("alexa", 0.7, 0.9, 200)
    assert miss.at == NOON


def test_two_tries_are_two() -> None:
    assert [miss.score for miss in heard([0.6, *QUIET, 0.8, *QUIET]).kept] == [0.6, 0.8]


def test_what_is_far_from_the_threshold_is_none() -> None:
    assert heard([0.44, *QUIET] * 5).kept == ()


def test_the_rise_to_a_detection_is_none() -> None:
    misses = heard([0.5, 0.8])
    misses.detected()
    for index in range(12):
        misses.score("alexa", 0.0, 0.9, 200 + 100 * index)
    assert misses.kept == ()


def test_only_the_latest_are_kept_and_none_if_none_is_wanted() -> None:
    scores = [score for n in range(10) for score in (0.5 + n / 100, *QUIET)]
    assert [miss.score for miss in heard(scores, most=3).kept] == pytest.approx([0.57, 0.58, 0.59])
    assert heard(scores, most=0).kept == ()


def test_each_is_told_as_it_is_found() -> None:
    told: list[NearMiss] = []
    misses = NearMisses(told=told.append)
    for index, score in enumerate([0.6, *QUIET]):
        misses.score("alexa", score, 0.9, index * 100)
    assert [miss.score for miss in told] == [0.6]


@pytest.mark.parametrize(
    ("scores", "verdict", "threshold", "would_wake"),
    [
        ([0.8] * 4, Verdict.TOO_FEW, 0.9, 0),
        ([0.5, 0.5, 0.5, 0.5, 0.8], Verdict.KEEP, 0.9, 0),
        ([0.5, 0.8, 0.82, 0.84, 0.86], Verdict.LOWER, 0.83, 2),
        ([0.77] * 9, Verdict.LOWER, 0.76, 9),
    ],
)
def test_advice(scores: list[float], verdict: Verdict, threshold: float, would_wake: int) -> None:
    misses = [NearMiss("alexa", score, 0.9, 0, NOON) for score in scores]
    misses += [NearMiss("okay_nabu", 0.89, 0.9, 0, NOON)] * 50  # another word's say nothing
    advice = advise("alexa", 0.9, misses)
    assert (advice.verdict, advice.would_wake, advice.near_misses) == (verdict, would_wake, len(scores))
    assert advice.threshold == pytest.approx(threshold)


def test_advice_never_goes_below_where_everything_wakes() -> None:
    misses = [NearMiss("alexa", 0.40, 0.41, 0, NOON)] * 20
    assert advise("alexa", 0.41, misses).threshold >= 0.4
    assert advise("alexa", 0.4, misses).verdict is Verdict.KEEP


def test_the_log_tells_of_each_and_of_a_better_threshold(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    heard([0.81, *QUIET] * 5)
    assert caplog.messages[:4] == ["almost heard alexa: 0.81 of the 0.90 it takes"] * 4
    assert caplog.messages[4:] == [
        "almost heard alexa: 0.81 of the 0.90 it takes; a threshold of 0.80 had woken at 5 of the last 5"
    ]


def test_a_satellite_tells_its_listeners() -> None:
    config = SatelliteConfig.model_validate({"wake": {"words": ["alexa"]}, "microphone": {"source": "stdin"}})
    running, _ = build(config, Choices())
    told: list[Told] = []
    running.news.listen(told.append)
    anew: list[NearMiss] = []
    make = cli._wake_choice(config, anew.append).make
    assert make is not None
    for wake in (running.session._attention._wake, make(["alexa"], 0.5)):
        assert isinstance(wake, WakeWords)
        for index, score in enumerate([0.81, *QUIET]):
            wake.near_misses.score("alexa", score, 0.9, index * 100)
    facts = {"wake_word": "alexa", "score": 0.81, "threshold": 0.9}
    assert [(each.happening, each.facts) for each in told] == [(Happening.NEAR_MISS, facts)]
    assert [miss.score for miss in anew] == [0.81], "also when the words are chosen anew"
