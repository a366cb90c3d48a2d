"""Log-mel spectra and cepstra from their definitions alone: no FFT, no matrices, nothing of the code that is tested."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
WINDOW, HOP, POINTS = 400, 160, 512
BANDS, LOWEST_HZ, HIGHEST_HZ = 40, 60.0, 7600.0

Table = NDArray[np.float64]


def log_mel(pcm: NDArray[np.int16], floor: float) -> Table:
    """Return the natural logarithm of each band's power, shape (frames, BANDS), one frame per 10 ms.

    Source: the discrete Fourier transform by its sum over samples; the window is Hann's, 0.5 - 0.5 cos(2 pi n / N);
    bands are triangles over edges that lie equally far apart in mel, mel = 1127 ln(1 + f / 700) (The HTK Book 3.4,
    eq. 5.13), straight in Hz, 1 at their middle.
    """
    number = np.arange(WINDOW)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * number / WINDOW)
    turns = np.exp(-2j * np.pi * np.outer(number, np.arange(POINTS // 2 + 1)) / POINTS)
    lowest, highest = (1127 * math.log(1 + hertz / 700) for hertz in (LOWEST_HZ, HIGHEST_HZ))
    step = (highest - lowest) / (BANDS + 1)
    edges = [700 * (math.exp((lowest + step * edge) / 1127) - 1) for edge in range(BANDS + 2)]
    found = []
    for start in range(0, len(pcm) - WINDOW + 1, HOP):
        power = np.abs((pcm[start : start + WINDOW] / 32768 * window) @ turns) ** 2
        frame = []
        for low, middle, high in zip(edges, edges[1:], edges[2:], strict=False):
            total = floor
            for point, each in enumerate(power):
                hertz = point * RATE / POINTS
                if low < hertz <= middle:
                    total += each * (hertz - low) / (middle - low)
                elif middle < hertz < high:
                    total += each * (high - hertz) / (high - middle)
            frame.append(math.log(total))
        found.append(frame)
    return np.array(found).reshape(-1, BANDS)


def cepstrum(bands: Table, count: int) -> Table:
    """Return the first cepstral coefficients of each frame, shape (frames, count).

    Source: Davis and Mermelstein 1980; The HTK Book 3.4, eq. 5.14, c_i = sqrt(2 / N) sum m_j cos(pi i / N (j - 0.5)),
    c_0 by sqrt(1 / N) instead, which makes it orthonormal.
    """
    size = bands.shape[1]
    return np.array(
        [
            [
                math.sqrt((2 if i else 1) / size)
                * sum(m * math.cos(math.pi * i / size * (j - 0.5)) for j, m in enumerate(frame, start=1))
                for i in range(count)
            ]
            for frame in bands
        ]
    )


def chirp(seconds: float = 1.0) -> NDArray[np.int16]:
    """Return a tone that climbs from 100 Hz, by 7,000 Hz a second."""
    time = np.arange(round(RATE * seconds)) / RATE
    return (6000 * np.sin(2 * np.pi * (100 * time + 0.5 * 7000 * time**2))).astype(np.int16)
