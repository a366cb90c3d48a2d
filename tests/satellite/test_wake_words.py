"""Several wake words of several engines, each judged in its own way, with engines that say what a test wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from hearth_core.config import WakeConfig
from hearth_core.errors import ConfigError
from hearth_satellite.ears import build_wake
from hearth_satellite.near_miss import NearMisses
from hearth_satellite.wake import WakeWords, Word
from hearth_satellite.wake_word import Model, WakePhrase

STEP = bytes(320)  # 10 ms


class Scores:
    """An engine that gives the scores it was made with, one row a chunk; then zeros."""

    def __init__(
        self, scores: Mapping[str, Sequence[float]], *, threshold: float = 0.8, latency_s: float = 0.3
    ) -> None:
        self.models = tuple(Model(WakePhrase(name, name), threshold) for name in scores)
        self.latency_s = latency_s
        self._rows = list(zip(*scores.values(), strict=True))
        self.resets = 0

    def feed(self, chunk: bytes) -> list[tuple[float, ...]]:
        return [self._rows.pop(0) if self._rows else (0.0,) * len(self.models)]

    def reset(self) -> None:
        self.resets += 1


def detected(wake: WakeWords, steps: int) -> list[tuple[int, str]]:
    found = [(index, wake.feed(STEP)) for index in range(steps)]
    return [(index, detection.wake_word) for index, detection in found if detection is not None]


def test_the_surest_of_several_wins_whatever_its_engine() -> None:
    one, two = Scores({"a": [0.0, 0.85], "b": [0.0, 0.9]}), Scores({"c": [0.0, 0.95]})
    assert detected(WakeWords([one, two], {}), 3) == [(1, "c")]


def test_each_word_is_judged_by_its_own_sensitivity_or_threshold() -> None:
    row = [0.75]
    words = {"b": Word(sensitivity=1.0), "c": Word(threshold=0.7), "d": Word(sensitivity=0.0)}
    wake = WakeWords([Scores({"a": row, "b": row, "c": row, "d": row})], words)
    assert wake.thresholds == pytest.approx({"a": 0.8, "b": 0.6, "c": 0.7, "d": 1.0})
    assert detected(wake, 1) == [(0, "b")], "the first of those that are equally sure"


def test_a_word_is_heard_once_until_it_has_been_quiet_for_the_debounce_time() -> None:
    scores = [0.9] * 5 + [0.0] * 8 + [0.9] + [0.0] * 11 + [0.9]
    assert [index for index, _ in detected(WakeWords([Scores({"a": scores})], {}, debounce_s=0.1), 30)] == [0, 25]


def test_the_facts_of_a_word_go_with_its_detection() -> None:
    wake = WakeWords([Scores({"a": [0.9]})], {"a": Word(facts={"language": "de"})})
    detection = wake.feed(STEP)
    assert detection is not None
    assert detection.facts == {"language": "de"}


def test_the_sound_kept_covers_the_latest_detection_and_what_is_wanted_before_the_word_ends() -> None:
    wake = WakeWords([Scores({"a": []}, latency_s=0.2), Scores({"b": []}, latency_s=0.4)], {}, before_s=0.3)
    assert wake.preroll_s == pytest.approx(0.7)


def test_near_misses_are_kept_apart_from_detections_and_their_echo() -> None:
    misses = NearMisses(10)
    scores = [0.6, *[0.0] * 110, 0.6, 0.9, 0.6, *[0.0] * 110]
    wake = WakeWords([Scores({"a": scores})], {}, debounce_s=0.5, near_misses=misses)
    assert detected(wake, 224) == [(112, "a")]
    assert [miss.timestamp_ms for miss in misses.kept] == [10]


def test_a_reset_reaches_every_engine() -> None:
    engines = [Scores({"a": []}), Scores({"b": []})]
    WakeWords(engines, {}).reset()
    assert [engine.resets for engine in engines] == [1, 1]


@pytest.mark.parametrize(
    ("engines", "words", "says"),
    [
        ([], {}, "no wake word"),
        ([Scores({"a": []}), Scores({"a": []})], {}, "'a' is there twice"),
        ([Scores({"a": []})], {"a": Word(sensitivity=1.5)}, "sensitivity of a"),
        ([Scores({"a": []})], {"a": Word(threshold=1.0)}, "threshold of a"),
    ],
)
def test_what_cannot_be_is_told(engines: list[Scores], words: dict[str, Word], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        WakeWords(engines, words)


def test_the_configuration_names_words_plainly_or_with_all_that_is_theirs() -> None:
    config = WakeConfig.model_validate(
        {
            "sensitivity": 0.4,
            "words": ["okay_nabu", {"model": "alexa", "sensitivity": 0.6, "language": "de", "user": "Ann"}],
        }
    )
    wake = build_wake(config)
    assert isinstance(wake, WakeWords)
    assert [phrase.name for phrase in wake.phrases] == ["okay_nabu", "alexa"]
    assert wake.thresholds == pytest.approx({"okay_nabu": 1 - 0.15 * 0.8, "alexa": 1 - 0.1 * 1.2})


def test_without_a_wake_word_any_speech_begins_a_command() -> None:
    assert build_wake(WakeConfig(engine="none")).phrases == ()


@pytest.mark.parametrize("key", ["language", "model"])
def test_a_wrong_word_is_a_mistake_of_the_configuration(key: str) -> None:
    wrong = {"model": "alexa", "language": "not a code"} if key == "language" else {"model": ""}
    with pytest.raises(ValueError, match=key):
        WakeConfig.model_validate({"words": [wrong]})
