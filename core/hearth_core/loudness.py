"""How loud sound is, frame by frame, measured alike in every part so that the figures can be compared.

The level is that of the sound after a first difference, which takes away what no word needs: hum of fridges and mains,
rumble, an offset of the converter. So it reads about 8 dB below the plain level for speech, and 26 dB below for a hum
of 100 Hz.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from .audio import RATE

FRAME_S: Final = 0.02
FRAME_SAMPLES: Final = int(FRAME_S * RATE)
SILENT_DBFS: Final = -96.0
"""The least level: about one bit of 16."""

_PREEMPHASIS: Final = 0.97  # the usual coefficient; 1 would leave nothing of the lowest speech


class FrameLevels:
    """Streaming PCM, 16 kHz s16le mono, to the level of each frame of 20 ms; cut anywhere, the frames are the same."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, np.float32)
        self._last = 0.0

    def feed(self, pcm: bytes) -> NDArray[np.float32]:
        """Take an even number of bytes; return the levels of the frames that are whole, shape (frames,), dBFS."""
        if not pcm:
            return np.zeros(0, np.float32)
        samples = np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)
        before = np.concatenate((np.array([self._last], np.float32), samples[:-1]))
        sharp = np.asarray(samples - np.float32(_PREEMPHASIS) * before, np.float32)
        self._last = float(samples[-1])
        sharp = np.concatenate((self._rest, sharp))
        whole = len(sharp) // FRAME_SAMPLES * FRAME_SAMPLES
        self._rest = sharp[whole:]
        return dbfs(np.mean(np.square(sharp[:whole].reshape(-1, FRAME_SAMPLES)), axis=1))


def dbfs(power: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return powers, full scale 1, in dB; no less than `SILENT_DBFS`."""
    return np.asarray(np.maximum(10.0 * np.log10(np.maximum(power, 1e-12)), SILENT_DBFS), np.float32)


def power(levels: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return levels in dB as powers, full scale 1."""
    return np.asarray(np.power(10.0, np.asarray(levels) / 10.0), np.float32)
