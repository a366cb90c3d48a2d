"""Made-up noises are loud, finite and never the same; talkers are as many as were asked."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from hearth_core.audio import RATE
from hearth_train import noises, place, shard
from hearth_train.shard import Utterance

VOICES = 200


@pytest.mark.parametrize("make", [noises.coloured, noises.clatter, noises.hum, noises.music])
def test_a_made_noise(make: Callable[[int, np.random.Generator], noises.Samples]) -> None:
    rng = np.random.default_rng(1)
    first, second = make(16_000, rng), make(16_000, rng)
    for sound in (first, second):
        assert sound.shape == (16_000,)
        assert np.isfinite(sound).all()
        assert sound.std() == pytest.approx(1000, rel=1e-3)
    assert np.abs(np.corrcoef(first, second)[0, 1]) < 0.9


@pytest.fixture
def voices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Recordings of a second, each a tone of its own, from faint to loud: they can be told apart in a mixture."""
    monkeypatch.setattr(place, "PCM", tmp_path)
    noises._sounds.cache_clear()
    time = np.arange(RATE) / RATE
    levels = np.random.default_rng(1).uniform(50, 20_000, VOICES)
    said = Utterance("voice", "made", "", "", ())
    tones = [level * np.sin(2 * np.pi * (300 + 20 * n) * time) for n, level in enumerate(levels)]
    shard.write(tmp_path / "voices", "made", [(said, tone.astype(np.int16)) for tone in tones])
    yield
    noises._sounds.cache_clear()


@pytest.mark.parametrize("count", [1, 2, 4, 8])
def test_babble_is_so_many_recordings_each_within_6_db(voices: None, count: int) -> None:
    differing = 0
    for seed in range(20):
        mixed = noises.talkers(2 * RATE, np.random.default_rng(seed), count)  # longer than a recording: it goes on
        assert mixed.shape == (2 * RATE,)
        rms = np.abs(np.fft.rfft(mixed))[600 : 600 + 40 * VOICES : 40] / RATE / np.sqrt(2)
        heard = rms[rms > 100]
        if len(heard) == count:  # the same voice may be drawn again
            differing += 1
            decibels = 20 * np.log10(heard / 1000)
            assert (np.abs(decibels) < 6.1).all(), "however loud the recordings were"
            assert mixed.std() ** 2 == pytest.approx((heard**2).sum(), rel=0.01), "and nothing else"
        else:
            assert len(heard) < count
    assert differing >= 15


def test_talkers_start_anywhere_in_their_recordings(voices: None) -> None:
    mixed = [noises.talkers(RATE, np.random.default_rng(seed), 1) for seed in range(20)]
    phases = {round(float(np.angle(np.fft.rfft(each)[np.abs(np.fft.rfft(each)).argmax()])), 2) for each in mixed}
    assert len(phases) > 5
