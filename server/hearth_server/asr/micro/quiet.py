"""Since when nobody speaks, by the loudness of the frames: sooner than a voice detector, surer than silent phones."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hearth_core.log_mel import HOP, Mel
from hearth_core.quantile import quantiles

FRAME_S: Final = HOP / 16_000
# What is so far below the loud frames is no part of a word, nor is what is hardly above the quiet ones.
BELOW_SPEECH_DB: Final = 25.0
ABOVE_NOISE_DB: Final = 6.0
# With less between loud and quiet, loudness does not say who speaks.
LEAST_RANGE_DB: Final = 12.0
# A click of so many frames is not speech that goes on; one of 5 ms is in three windows.
CLICK_FRAMES: Final = 3


class Quiet:
    """Follows the loudness of one utterance, in frames of 10 ms."""

    def __init__(self) -> None:
        self._parts: list[NDArray[np.float64]] = []
        self._loudest = -np.inf
        self._silence_s: float | None = 0.0  # as far as it was heard; None if not looked

    def hear(self, mel: Mel) -> None:
        """Take the next frames, shape (n, MELS)."""
        if len(mel):
            levels = 10 * np.log10(np.exp(mel.astype(np.float64)).sum(axis=1))
            self._loudest = max(self._loudest, float(levels.max()))
            self._parts.append(levels)
            self._silence_s = None

    def silence_s(self) -> float:
        """Return for how long it is quiet now; 0 too if loudness does not tell speech from what is behind it."""
        if self._silence_s is None:
            self._silence_s = self._look()
        return self._silence_s

    def _look(self) -> float:
        if self._parts[-1][-CLICK_FRAMES - 1 :].min() > self._loudest - LEAST_RANGE_DB:
            return 0.0  # most of the time: somebody speaks
        levels = np.concatenate(self._parts)
        self._parts = [levels]
        noise, speech = quantiles(levels, 0.1, 0.9)
        if speech - noise < LEAST_RANGE_DB:
            return 0.0
        threshold = max(noise + ABOVE_NOISE_DB, speech - BELOW_SPEECH_DB)
        loud = levels >= threshold
        if len(loud) > CLICK_FRAMES:  # a frame is loud if those before it are
            run = np.convolve(loud, np.ones(CLICK_FRAMES + 1, np.int64))[: len(loud)]
            loud = run > CLICK_FRAMES
        last = np.flatnonzero(loud)
        return float(len(levels) - (last[-1] + 1 if len(last) else 0)) * FRAME_S
