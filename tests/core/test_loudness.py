"""Levels of frames, beside a plain computation of the same."""

from __future__ import annotations

import numpy as np
import pytest

from hearth_core.loudness import FRAME_SAMPLES, SILENT_DBFS, FrameLevels, dbfs, power


def test_levels_are_those_of_the_differences_however_the_sound_is_cut() -> None:
    samples = np.random.default_rng(1).integers(-8000, 8000, 10 * FRAME_SAMPLES + 7).astype("<i2")
    plain = [float(v) / 32768 for v in samples]
    sharp = [v - 0.97 * (plain[i - 1] if i else 0.0) for i, v in enumerate(plain)]
    expected = [
        10 * np.log10(sum(v * v for v in sharp[at : at + FRAME_SAMPLES]) / FRAME_SAMPLES)
        for at in range(0, 10 * FRAME_SAMPLES, FRAME_SAMPLES)
    ]
    for size in (2, 98, 640, 100_000):
        pcm, frames = samples.tobytes(), FrameLevels()
        found = np.concatenate([frames.feed(pcm[at : at + size]) for at in range(0, len(pcm), size)])
        assert found == pytest.approx(expected, abs=0.01)


def test_silence_has_the_least_level() -> None:
    assert FrameLevels().feed(bytes(FRAME_SAMPLES * 4)).tolist() == [SILENT_DBFS, SILENT_DBFS]
    assert len(FrameLevels().feed(b"")) == 0


def test_power_and_level_are_each_other_s_inverse() -> None:
    assert dbfs(power(np.array([-50.0, -3.0]))) == pytest.approx([-50.0, -3.0], abs=0.01)
