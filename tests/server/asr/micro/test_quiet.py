"""Since when it is quiet, by the loudness of frames."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from hearth_core.log_mel import log_mel
from hearth_server.asr.micro.quiet import Quiet

RATE = 16_000


def noise(seconds: float, level: float, seed: int = 0) -> NDArray[np.int16]:
    return np.random.default_rng(seed).normal(0, level, round(seconds * RATE)).astype(np.int16)


def silence_s(*parts: NDArray[np.int16], size: int = 7) -> float:
    """Return what is said of the parts one after the other, told in so many frames at a time."""
    quiet, mel = Quiet(), log_mel(np.concatenate(parts))
    for start in range(0, len(mel), size):
        quiet.hear(mel[start : start + size])
    return quiet.silence_s()


@pytest.mark.parametrize("room", [0, 3, 30])
@pytest.mark.parametrize("pause_s", [0.1, 0.3, 1.0])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_pause_after_speech(room: int, pause_s: float, size: int) -> None:
    told = silence_s(noise(0.5, room), noise(1.0, 2000), noise(pause_s, room, seed=1), size=size)
    assert told == pytest.approx(pause_s, abs=0.03)


def test_a_soft_end_of_a_word_is_no_pause() -> None:
    told = silence_s(noise(0.5, 3), noise(1.0, 2000), noise(0.2, 200), noise(0.1, 3))  # 20 dB softer
    assert told == pytest.approx(0.1, abs=0.03)


def test_a_click_is_no_speech() -> None:
    told = silence_s(noise(0.5, 3), noise(1.0, 2000), noise(0.2, 3), noise(0.005, 8000), noise(0.2, 3))
    assert told >= 0.2


def test_while_somebody_speaks() -> None:
    assert silence_s(noise(0.5, 3), noise(1.0, 2000)) == pytest.approx(0.0, abs=0.01)


def test_where_loudness_says_nothing() -> None:
    assert silence_s(noise(1.0, 1000), noise(1.0, 2000), noise(0.5, 1000)) == 0.0
    assert Quiet().silence_s() == 0.0
    quiet = Quiet()
    quiet.hear(log_mel(np.zeros(0, np.int16)))
    assert quiet.silence_s() == 0.0
