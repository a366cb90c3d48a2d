"""How loud, over which noise, and is it the same speech."""

from __future__ import annotations

import numpy as np
import pytest

from hearth_core.audio import read_recording
from hearth_server.rooms_sound import MAX_FRAMES, Envelope, likeness, measure, speaking
from tests.e2e.test_rooms import ROOT

RATE = 16_000
RECORDINGS = sorted((ROOT / "examples" / "recordings").glob("*.flac"))


def recording(index: int) -> np.ndarray:
    return np.frombuffer(read_recording(RECORDINGS[index]), "<i2").astype(np.float64)


def envelope(samples: np.ndarray, noise: float = 10.0, seed: int = 1, size: int = 1024) -> Envelope:
    """Return the curve of a sound over noise, fed in chunks of a size in bytes."""
    noisy = samples + np.random.default_rng(seed).normal(0, noise, len(samples))
    pcm = np.clip(noisy, -32768, 32767).astype("<i2").tobytes()
    found = Envelope()
    for start in range(0, len(pcm), size):
        found.feed(pcm[start : start + size])
    return found


def padded(samples: np.ndarray, before_s: float, after_s: float = 1.0) -> np.ndarray:
    return np.concatenate((np.zeros(int(before_s * RATE)), samples, np.zeros(int(after_s * RATE))))


def test_a_curve_is_the_same_however_the_stream_is_cut() -> None:
    sound = recording(0)[: 2 * RATE]
    whole, cut = envelope(sound, size=10**6), envelope(sound, size=334)
    assert whole.levels == pytest.approx(cut.levels, abs=0.01)
    assert whole.bands == pytest.approx(cut.bands, abs=0.01)


def test_twice_the_gain_is_6_db_of_level_and_of_noise() -> None:
    sound = padded(recording(1) * 0.3, 0.5)
    one, two = measure(envelope(sound, 10.0)), measure(envelope(sound * 2, 20.0))
    assert two.level_dbfs - one.level_dbfs == pytest.approx(6.02, abs=0.3)
    assert two.noise_dbfs - one.noise_dbfs == pytest.approx(6.02, abs=0.5)
    assert two.snr_db == pytest.approx(one.snr_db, abs=0.6)


def test_noise_is_taken_off_the_level() -> None:
    sound = padded(recording(1), 0.5)
    loud = float(np.sqrt(np.mean(np.square(recording(1)))))
    quiet, noisy = measure(envelope(sound, 1.0)), measure(envelope(sound, loud * 0.1))
    assert noisy.level_dbfs == pytest.approx(quiet.level_dbfs, abs=2.0)
    assert noisy.snr_db < quiet.snr_db - 10


def test_silence_and_nothing_have_no_speech_in_them() -> None:
    assert measure(Envelope()).snr_db == 0.0
    assert measure(envelope(np.zeros(2 * RATE), 20.0)).snr_db < 6


def test_the_noise_that_the_satellite_measured_before_counts() -> None:
    sound = padded(recording(1), 0.5)
    assert measure(envelope(sound), -50.0).noise_dbfs == -50.0


@pytest.mark.parametrize("late_s", [0.0, 0.1, 0.5])
def test_the_same_speech_is_alike_though_quieter_later_and_in_noise(late_s: float) -> None:
    for index in range(4):
        near = envelope(padded(recording(index), 0.3))
        far = envelope(padded(recording(index) * 0.1, 0.3 + late_s), noise=12.0, seed=2)
        assert (likeness(near, far) or 0.0) > 0.85


def test_other_speech_is_not_alike() -> None:
    curves = [envelope(padded(recording(index), 0.3), seed=index) for index in range(len(RECORDINGS))]
    alike = [likeness(a, b) or 0.0 for i, a in enumerate(curves) for b in curves[:i]]
    assert np.mean(np.array(alike) < 0.7) >= 0.95


def test_too_little_to_compare_is_said_to_be_so() -> None:
    short = envelope(recording(0)[: int(0.5 * RATE)])
    assert likeness(short, envelope(padded(recording(0), 0.3))) is None
    assert likeness(Envelope(), Envelope()) is None
    assert likeness(envelope(np.zeros(RATE), 0.0), envelope(np.zeros(RATE), 0.0)) is None


def test_who_is_still_speaking_is_told_from_who_has_ended() -> None:
    sound = padded(recording(2), 0.5, 0.0)
    loud_end = int(np.flatnonzero(np.abs(sound) > 0.5 * np.abs(sound).max())[-1])
    assert speaking(envelope(sound[:loud_end]), 0.2)
    assert not speaking(envelope(padded(recording(2), 0.5, 0.6)), 0.2)


def test_a_stream_without_end_is_not_kept() -> None:
    endless = envelope(np.zeros(30 * RATE))
    assert len(endless.levels) <= MAX_FRAMES + 64
