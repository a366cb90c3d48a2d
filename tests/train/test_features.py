"""What is done to a waveform: lines are narrow, codecs coarse, and rooms ring for as long as was asked."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hearth_core.audio import RATE
from hearth_train import features
from hearth_train.features import Samples


class Drawn(np.random.Generator):
    """Chance of which is known what it gives first, and which of several it takes."""

    def __init__(self, first: float, taken: int = 0) -> None:
        super().__init__(np.random.PCG64(0))
        self._first, self._taken = first, taken

    def random(self, *_: Any, **__: Any) -> Any:
        return self._first

    def choice(self, a: Any, *_: Any, **__: Any) -> Any:
        return a[self._taken]


LINE, CODEC = 0.0, 0.9


def power_db(samples: Samples, low: float, high: float) -> float:
    """Return the power between two frequencies, in dB."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    return float(10 * np.log10(spectrum[(hertz >= low) & (hertz < high)].sum()))


@pytest.mark.parametrize(("taken", "edge"), [(0, 4000.0), (1, 5512.5)])
def test_a_line_has_nothing_above_half_its_rate_and_keeps_what_is_below(taken: int, edge: float) -> None:
    noise = np.random.default_rng(1).normal(0, 3000, 2 * RATE).astype(np.float32)
    heard = features.narrow(noise, Drawn(LINE, taken))
    assert len(heard) == len(noise)
    assert power_db(heard, edge * 1.03, 8000) < power_db(noise, edge * 1.03, 8000) - 50
    assert power_db(heard, 50, edge * 0.9) == pytest.approx(power_db(noise, 50, edge * 0.9), abs=0.1)
    assert np.corrcoef(heard, features.narrow(heard, Drawn(LINE, taken)))[0, 1] > 0.999, "and nothing is late"


def test_a_codec_has_as_many_steps_as_eight_bits_and_finer_ones_where_it_is_quiet() -> None:
    # G.711 (ITU-T 1988): 255 levels, 38 dB between a sound and its error at full scale, hardly less when 20 dB down.
    time = np.arange(RATE) / RATE
    for down_db, least in ((0.5, 35), (20, 33), (40, 24)):
        tone = (32768 * 10 ** (-down_db / 20) * np.sin(2 * np.pi * 437.3 * time)).astype(np.float32)
        heard = features.narrow(tone, Drawn(CODEC))
        assert len(np.unique(heard)) <= 255
        assert 10 * np.log10((tone**2).mean() / ((heard - tone) ** 2).mean()) > least
        # Half a step of the law, whose slope is 255 / (ln 256 (1 + 255 |x|)).
        most = 32768 * 0.5 / 127 * np.log(256) / 255 * (1 + 255 * np.abs(tone) / 32768)
        assert (np.abs(heard - tone) < most * 1.03).all()
    assert not features.narrow(np.zeros(100, np.float32), Drawn(CODEC)).any()
    clipped = features.narrow(np.array([-50_000, 50_000], np.float32), Drawn(CODEC))
    np.testing.assert_allclose(clipped, [-32768, 32768])


def decay_s(response: Samples, first_db: float, last_db: float) -> float:
    """Return how long 60 dB take, from where the sound has decayed by the first to where it has by the last.

    Source: Schroeder 1965, backward integration; ISO 3382.
    """
    after = response[int(np.argmax(np.abs(response))) :].astype(np.float64)
    left = np.cumsum((after**2)[::-1])[::-1]
    level = 10 * np.log10(left / left[0] + 1e-12)
    between = np.flatnonzero((level <= first_db) & (level >= last_db))
    slope = np.polyfit(between / RATE, level[between], 1)[0]
    return float(-60 / slope)


def ringing(size: tuple[float, float, float], reverberation_s: float) -> Samples:
    at: NDArray[np.float64] = np.array(size) * 0.3
    return features.room(np.array(size), reverberation_s, at, at + np.array((1.2, 0.9, 0.1)))


@pytest.mark.parametrize("size", [(3.0, 3.0, 2.5), (4.0, 5.0, 2.5), (6.0, 5.0, 2.7)])
def test_a_room_rings_as_long_as_was_asked(size: tuple[float, float, float], monkeypatch: pytest.MonkeyPatch) -> None:
    early = [decay_s(ringing(size, asked), 0, -10) for asked in (0.2, 0.3, 0.5, 0.7)]
    assert early[:2] == pytest.approx([0.2, 0.3], rel=0.3)
    assert all(b > 1.05 * a for a, b in pairwise(early)), "a livelier one rings longer"
    monkeypatch.setattr(features, "ORDER", 100)  # to the end
    for asked in (0.2, 0.3):
        assert decay_s(ringing(size, asked), -5, -25) == pytest.approx(asked, rel=0.2)  # T20


def test_walls_mirror_the_speaker() -> None:
    size, microphone, source = np.array((5.0, 4.0, 2.6)), np.array((1.0, 1.5, 1.2)), np.array((2.6, 2.4, 1.5))
    response = features.room(size, 0.3, microphone, source)
    direct = int(np.argmax(np.abs(response)))
    assert response[direct] == pytest.approx(1, abs=1e-6)
    mirrored = np.array([source * (1, 1, -1), source * (-1, 1, 1), 2 * size * (0, 1, 0) + source * (1, -1, 1)])
    far = np.linalg.norm(mirrored - microphone, axis=1)
    near = float(np.linalg.norm(source - microphone))
    # Sabine's formula: the walls' energy coefficient; a mirrored speaker is weaker by what they leave and by the way.
    surface = 2 * (size[0] * size[1] + size[0] * size[2] + size[1] * size[2])
    left = np.sqrt(1 - 24 * np.log(10) / 343 * size.prod() / (surface * 0.3))
    for late, weaker in zip((far - near) / 343 * RATE, left * near / far, strict=True):
        tap = direct + round(late)
        assert np.abs(response[tap - 2 : tap + 3]).max() == pytest.approx(weaker, rel=0.35)


def test_rooms_are_the_same_every_time_and_the_speaker_is_the_loudest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "ROOMS", 4)
    features.rooms.cache_clear()
    first = features.rooms()
    features.rooms.cache_clear()
    second = features.rooms()
    features.rooms.cache_clear()
    assert len(first) == len(second) == 4
    for one, again in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, again)
        assert np.abs(one).max() == 1
        assert RATE // 50 < len(one) <= RATE // 2
    assert len({float(decay_s(each, 0, -10)) for each in first}) == 4
