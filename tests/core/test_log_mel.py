"""Log-mel spectra are what their definition says and what librosa gives, whole and in pieces."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hearth_core.audio import RATE
from hearth_core.log_mel import FLOOR, HOP, MELS, WINDOW, LogMel, log_mel, mel_bands
from tests import spectra

# Of `spectra.chirp()`, frames 0, 30, 60 and 97, bands 0, 5, 10, 20, 30 and 39, by librosa 0.11.0, where y is
# the samples / 32768 after 56 zeros (its window is in the middle of the transform's 512 samples) and before 512:
#   power = np.abs(librosa.stft(y, n_fft=512, hop_length=160, win_length=400, window="hann", center=False)) ** 2
#   bands = librosa.filters.mel(sr=16000, n_fft=512, n_mels=40, fmin=60, fmax=7600, htk=True, norm=None)
#   np.log(bands @ power + 4e-6)
LIBROSA = [
    [3.302, -2.385, -11.049, -12.382, -12.407, -12.357],
    [-12.413, -12.422, -12.423, -7.524, -12.396, -12.326],
    [-12.427, -12.425, -12.417, -12.419, -5.872, -12.364],
    [-12.418, -12.426, -12.412, -12.422, -12.4, 6.046],
]


def noise(samples: int, level: float = 900) -> NDArray[np.int16]:
    return np.random.default_rng(1).normal(0, level, samples).astype(np.int16)


@pytest.mark.parametrize(
    "pcm",
    [noise(2000), noise(2000, 3), np.zeros(600, np.int16), np.full(600, -32768, np.int16), spectra.chirp(0.2)],
    ids=["loud", "hardly anything", "silence", "full scale", "chirp"],
)
@pytest.mark.parametrize("floor", [FLOOR, 1e-10])
def test_it_is_what_the_definition_says(pcm: NDArray[np.int16], floor: float) -> None:
    # Single precision: what is 80 dB below the loudest band of a frame is right to some per cent only.
    wanted = spectra.log_mel(pcm, floor)
    heard = log_mel(pcm, floor)
    assert heard.dtype == np.float32
    loud = wanted > wanted.max(axis=1, keepdims=True) - 18
    np.testing.assert_allclose(heard[loud], wanted[loud], atol=1e-3)
    np.testing.assert_allclose(np.exp(heard), np.exp(wanted), rtol=1e-3, atol=1e-7 * float(np.exp(wanted).max()))


def test_it_is_what_librosa_gives() -> None:
    heard = log_mel(spectra.chirp())
    assert heard.shape == (98, MELS)
    np.testing.assert_allclose(heard[[0, 30, 60, 97]][:, [0, 5, 10, 20, 30, 39]], LIBROSA, atol=1e-3)


def test_silence_is_the_floor() -> None:
    np.testing.assert_allclose(log_mel(np.zeros(RATE, np.int16)), np.log(FLOOR), rtol=1e-6)


def test_bands_overlap_so_that_together_they_hear_every_frequency_alike() -> None:
    bands = mel_bands()
    hertz = np.arange(len(bands)) * RATE / 512
    middles = hertz[bands.argmax(axis=0)]
    assert (np.diff(middles) > 0).all()
    between = (hertz > middles[0] + 40) & (hertz < middles[-1] - 250)
    np.testing.assert_allclose(bands[between].sum(axis=1), 1, atol=1e-5)
    assert not bands[(hertz < 60) | (hertz > 7600)].any()


@pytest.mark.parametrize("samples", [0, 1, WINDOW - 1, WINDOW, WINDOW + HOP - 1, WINDOW + HOP])
def test_there_are_as_many_frames_as_whole_windows(samples: int) -> None:
    assert len(log_mel(noise(samples))) == len(range(0, samples - WINDOW + 1, HOP))


@given(st.lists(st.integers(0, 700), max_size=12))
def test_a_stream_in_pieces_gives_what_the_whole_gives(sizes: list[int]) -> None:
    pcm = noise(sum(sizes))
    stream, given_frames, at = LogMel(), [np.zeros((0, MELS), np.float32)], 0
    for size in sizes:
        given_frames.append(stream.feed(pcm[at : at + size].astype("<i2").tobytes()))
        at += size
    np.testing.assert_allclose(np.concatenate(given_frames), log_mel(pcm), atol=1e-5)
