"""How a phrase fits somewhere in a sound: against all paths tried out, in tones, and on real recordings."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hearth_core.audio import BYTES_PER_SECOND, read_recording
from hearth_core.errors import EngineError
from hearth_core.phones import BLANK, PHONES, numbers
from hearth_server.asr.engine import Verifying
from hearth_server.asr.micro.engine import MicroEngine
from hearth_server.asr.micro.spotting import fit
from hearth_server.wake_check import said

SATELLITE = Path(__file__).parents[3] / "data" / "satellite"
SPOKEN = {"alexa": "Alexa", "okay_nabu": "Okay Nabu", "hey_jarvis": "Hey Jarvis", "hey_mycroft": "Hey Mycroft"}


@pytest.fixture(scope="module")
def engine() -> MicroEngine:
    return MicroEngine()


def posteriors(frames: int, seed: int) -> NDArray[np.float32]:
    logits = np.random.default_rng(seed).normal(0, 2, (frames, len(PHONES) + 1))
    log_probs: NDArray[np.float32] = (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)
    return log_probs


def tried_out(log_probs: NDArray[np.float32], phones: Sequence[int]) -> float:
    """Return the same by trying all that each stretch of frames can say."""
    best = -math.inf
    for begin, end in itertools.combinations(range(len(log_probs) + 1), 2):
        for path in itertools.product({BLANK, *phones}, repeat=end - begin):
            merged = [symbol for symbol, _ in itertools.groupby(path)]
            if BLANK not in (path[0], path[-1]) and [s for s in merged if s != BLANK] == list(phones):
                part = log_probs[begin:end].astype(np.float64)
                best = max(best, float(sum(part[range(len(path)), path] - part.max(axis=1))))
    return best / len(phones)


@pytest.mark.parametrize("pronunciation", ["AH", "L EH", "S S", "K S AH"])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_best_of_all_paths(pronunciation: str, seed: int) -> None:
    log_probs = posteriors(5, seed)
    expected = tried_out(log_probs, numbers(pronunciation))
    assert fit(log_probs, [[pronunciation]]) == pytest.approx(expected)


def test_the_best_way_to_say_each_word_counts() -> None:
    log_probs = posteriors(20, 1)
    ways = {(one, two): fit(log_probs, [[f"{one} {two}"]]) for one in ("HH EY", "AH") for two in ("N OW", "B UW")}
    assert fit(log_probs, [["HH EY", "AH"], ["N OW", "B UW"]]) == max(ways.values())


def test_what_is_shorter_than_the_phrase_does_not_hold_it() -> None:
    assert fit(posteriors(2, 1), [["K S AH"]]) == -math.inf
    assert fit(posteriors(0, 1), [["K S AH"]]) == -math.inf


@pytest.mark.parametrize("word", SPOKEN)
@pytest.mark.parametrize("after", [b"", "command"], ids=["alone", "command"])
def test_the_word_that_was_said_fits_and_no_other(engine: MicroEngine, word: str, after: bytes | str) -> None:
    command = read_recording(SATELLITE / "turn_off_lights_in_the_office.flac")
    pcm = read_recording(SATELLITE / f"{word}-rms.flac") + (command[: BYTES_PER_SECOND // 2] if after else b"")
    fits = {name: engine.phrase_fit(phrase, pcm) for name, phrase in SPOKEN.items()}
    assert {name: value is not None and said(SPOKEN[name], value, sure=False) for name, value in fits.items()} == {
        name: name == word for name in SPOKEN
    }


@pytest.mark.parametrize(
    ("phrase", "fit", "sure", "was_said"),
    [
        ("Alexa", -1.2, False, False),  # much other speech sounds like it
        ("Hey Mycroft", -1.2, False, True),
        ("Hey Mycroft", -1.4, False, False),
        ("Alexa", -2.9, True, True),
        ("Alexa", -3.1, True, False),
    ],
)
def test_how_well_a_word_must_fit(phrase: str, fit: float, *, sure: bool, was_said: bool) -> None:
    assert said(phrase, fit, sure=sure) is was_said


@pytest.mark.parametrize("phrase", ["hey xyzzyq", "", "…"])
def test_a_word_that_nobody_knows_how_to_say_is_not_judged(engine: MicroEngine, phrase: str) -> None:
    assert isinstance(engine, Verifying)
    assert engine.phrase_fit(phrase, bytes(32_000)) is None


def test_half_a_sample_is_an_error_and_no_sound_is_no_word(engine: MicroEngine) -> None:
    with pytest.raises(EngineError, match="within a sample"):
        engine.phrase_fit("Alexa", bytes(3))
    assert engine.phrase_fit("Alexa", b"") == -math.inf
