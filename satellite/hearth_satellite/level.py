"""How loud the room is, and whether the microphone lives: it may die without an error, and deliver silence for ever."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from hearth_core.audio import BYTES_PER_SECOND

_WINDOW_BYTES: Final = BYTES_PER_SECOND  # a second: speech is not one loud syllable
_SILENT_S: Final = 3.0  # without any sound: even a slow USB device delivers several times a second
# Every converter has noise of some bits; zeros and nothing else for so long come from a device that is gone or muted.
_ZEROS_S: Final = 5.0
FLOOR_DBFS: Final = -96.0


class LevelMeter:
    """Measures what the microphone hears.

    Args:
        clock: monotonic seconds.
        alive: whether a microphone that delivers nothing, or only zeros, is dead; a recording is not.
    """

    def __init__(self, clock: Callable[[], float], *, alive: bool) -> None:
        self._clock = clock
        self._alive = alive
        self._heard_at = self._sound_at = clock()
        self._second = bytearray()
        self.dbfs: float | None = None
        """Mean level of the last whole second, in dB of a full-scale square; None before there was one."""

    def feed(self, pcm: bytes) -> None:
        """Take what was heard, 16 kHz s16le mono."""
        self._heard_at = now = self._clock()
        if pcm != bytes(len(pcm)):
            self._sound_at = now
        self._second += pcm
        if len(self._second) >= _WINDOW_BYTES:  # once a second: for each chunk the call alone would cost more
            samples = np.frombuffer(bytes(self._second), "<i2").astype(np.float32)
            self.dbfs = dbfs(float(np.dot(samples, samples)) / len(samples))
            self._second.clear()

    def returned(self) -> None:
        """Take note that a microphone that was dead delivers sound again."""
        self._heard_at = self._sound_at = self._clock()
        self._second.clear()
        self.dbfs = None  # how loud it was before says nothing of the room now

    @property
    def ok(self) -> bool:
        """True if sound arrives that is no dead silence."""
        now = self._clock()
        return not self._alive or (now - self._heard_at < _SILENT_S and now - self._sound_at < _ZEROS_S)


def dbfs(mean_square: float) -> float:
    """Return the level of 16-bit samples of this mean square, not below `FLOOR_DBFS`."""
    return round(max(FLOOR_DBFS, 10 * math.log10(max(mean_square, 1e-9) / 32768.0**2)), 1)
