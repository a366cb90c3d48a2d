"""What the speech models hear: log-mel spectra, the same in training and at home, whole or as the audio arrives."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from .audio import RATE

WINDOW: Final = 400  # samples, 25 ms
HOP: Final = 160  # samples, 10 ms
MELS: Final = 40
STACK: Final = 3  # frames in one frame of the encoder, 30 ms
LOWEST_HZ: Final = 60.0  # below is mains hum and wind
HIGHEST_HZ: Final = 7600.0  # above, codecs and cheap microphones have nothing
# Power of white noise of 2 of 32,768 in a band: below every microphone, and digital silence gets a logarithm.
FLOOR: Final = 4e-6

_FFT: Final = 512
_SCALE: Final = np.float32(1 / 32768)

Mel = NDArray[np.float32]


def log_mel(pcm: NDArray[np.int16], floor: float = FLOOR) -> Mel:
    """Return the log-mel spectrogram of speech.

    Args:
        pcm: shape (samples,), 16 kHz, full scale +-32768.
        floor: power added to every band, so that silence has a logarithm.

    Returns:
        Shape (frames, MELS), one frame per 10 ms, frame i over samples [160 i, 160 i + 400): natural log of the power
        of the samples at full scale +-1 under a Hann window; no frames of less than a window.

    Source: Davis and Mermelstein 1980; triangular bands on HTK's mel scale, 2595 log10(1 + f / 700).
    """
    count = (len(pcm) - WINDOW) // HOP + 1
    if count <= 0:
        return np.zeros((0, MELS), np.float32)
    step = pcm.strides[0]
    # What sliding_window_view gives, without its checks, which take a part of the time of a small chunk.
    windows = np.lib.stride_tricks.as_strided(pcm, (count, WINDOW), (HOP * step, step), writeable=False)
    spectra = np.fft.rfft(windows * _TAPER, _FFT)
    power = spectra.real**2 + spectra.imag**2
    bands: Mel = np.log(power.astype(np.float32) @ _BANDS + np.float32(floor))
    return bands


class LogMel:
    """The same of a stream, whatever the size of its chunks."""

    def __init__(self) -> None:
        self._held = np.zeros(0, np.int16)

    def feed(self, pcm: bytes) -> Mel:
        """Take the next audio, 16 kHz s16le mono, whole samples; return the frames that it completes."""
        self._held = np.concatenate((self._held, np.frombuffer(pcm, "<i2")))
        frames = log_mel(self._held)
        self._held = self._held[len(frames) * HOP :]
        return frames


def mel_bands() -> NDArray[np.float32]:
    """Return the weight of each frequency in each band, shape (257, MELS)."""
    lowest, highest = 2595 * np.log10(1 + np.array([LOWEST_HZ, HIGHEST_HZ]) / 700)
    edges = 700 * (10 ** (np.linspace(lowest, highest, MELS + 2) / 2595) - 1)
    hertz = np.arange(_FFT // 2 + 1)[:, None] * RATE / _FFT
    rising = (hertz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hertz) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


_TAPER: Final = (np.hanning(WINDOW + 1)[:WINDOW] * _SCALE).astype(np.float32)
_BANDS: Final = mel_bands()
