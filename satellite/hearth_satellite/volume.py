"""Loudness of the satellite's own voice: PCM of any format, made softer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hearth_core.audio import PcmFormat


class Volume:
    """Makes one sound softer; chunks may be cut anywhere, even within a sample.

    Args:
        audio: the sound's format, which stays.
    """

    def __init__(self, audio: PcmFormat) -> None:
        self._width = audio.width
        self._rest = b""

    def feed(self, pcm: bytes, volume: float) -> bytes:
        """Return the sound at a volume of 0 silent to 1 as it is; what is cut of a sample is held back."""
        if self._rest:
            pcm = self._rest + pcm
        whole = len(pcm) - len(pcm) % self._width
        pcm, self._rest = pcm[:whole], pcm[whole:]
        return pcm if volume >= 1.0 else _scaled(pcm, self._width, gain(volume))


def gain(volume: float) -> float:
    """Return the factor of a volume: its square, which people hear as even steps better than the factor itself."""
    return max(0.0, min(1.0, volume)) ** 2


def _scaled(pcm: bytes, width: int, factor: float) -> bytes:
    values: NDArray[Any]
    if width == 1:
        values = np.rint((np.frombuffer(pcm, np.uint8) - 128.0) * factor + 128.0).astype(np.uint8)
        return bytes(values.tobytes())
    if width == 3:
        # numpy has no 24-bit type: the three bytes go to the top of four.
        wide = np.zeros((len(pcm) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(pcm, np.uint8).reshape(-1, 3)
        values = np.rint(wide.view("<i4")[:, 0] * factor).astype("<i4")
        return bytes(values.view(np.uint8).reshape(-1, 4)[:, 1:].tobytes())
    kind = f"<i{width}"
    return bytes(np.rint(np.frombuffer(pcm, kind) * factor).astype(kind).tobytes())
