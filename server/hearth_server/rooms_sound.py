"""What the sound of one satellite says about its room: how loud the speech is, over which noise, and is it the same speech."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hearth_core.loudness import FRAME_S, SILENT_DBFS, FrameLevels, dbfs, power

MAX_FRAMES: Final = 1250
"""25 s: longer than any command may be (15 s), with what goes before it."""

# Speech is on for about a third of a short command; its loud third is what every room still hears of it.
_LOUD_PART: Final = 0.3
# The quietest tenth lies between words and in the silence that ended the command.
_QUIET_PERCENTILE: Final = 10
# Two curves shorter than this are alike by accident.
LEAST_OVERLAP_S: Final = 0.8
# The wake models fire within 0.3 s of each other in two rooms, and the streams begin there; as much again for a slow one.
MAX_LAG_S: Final = 0.6


@dataclass(frozen=True, slots=True)
class Loudness:
    """One command as one satellite heard it; levels as in `hearth_core.loudness`, dBFS.

    Attributes:
        level_dbfs: of the loud part of the speech, the noise taken off.
        noise_dbfs: of the room without speech.
        clarity_db: between the speech and its gaps, which noise and echo fill.
    """

    level_dbfs: float
    noise_dbfs: float
    clarity_db: float

    @property
    def snr_db(self) -> float:
        """Speech over noise."""
        return self.level_dbfs - self.noise_dbfs


class Envelope:
    """The loudness curve of one stream, in frames of 20 ms from its beginning."""

    def __init__(self) -> None:
        self._frames = FrameLevels()
        self._levels: list[NDArray[np.float32]] = []
        self._count = 0

    def feed(self, pcm: bytes) -> None:
        """Take the next audio, 16 kHz s16le mono; what is longer than `MAX_FRAMES` is not looked at."""
        if self._count < MAX_FRAMES:
            levels = self._frames.feed(pcm)
            self._levels.append(levels)
            self._count += len(levels)

    @property
    def levels(self) -> NDArray[np.float32]:
        """The curve so far, shape (frames,), dBFS."""
        if len(self._levels) != 1:
            self._levels = [np.concatenate(self._levels)] if self._levels else [np.zeros(0, np.float32)]
        return self._levels[0]

    @property
    def seconds(self) -> float:
        """Length so far."""
        return self._count * FRAME_S


def measure(envelope: Envelope, noise_dbfs: float | None = None) -> Loudness:
    """Return how loud the speech was.

    Args:
        envelope: of the command.
        noise_dbfs: the room's noise if it is known from before; else the quietest of the command stands for it.
    """
    levels = envelope.levels
    if not len(levels):
        return Loudness(SILENT_DBFS, SILENT_DBFS if noise_dbfs is None else noise_dbfs, 0.0)
    quiet = float(np.percentile(levels, _QUIET_PERCENTILE))
    noise = quiet if noise_dbfs is None else noise_dbfs
    loud = np.sort(levels)[-max(1, int(len(levels) * _LOUD_PART)) :]
    speech = np.mean(power(loud)) - power(np.float32(noise))
    # Where noise is louder than speech, what is left is within the noise's own ups and downs: 10 dB below it.
    level = max(float(dbfs(np.maximum(speech, 1e-12))), noise - 10.0, SILENT_DBFS)
    return Loudness(level, noise, float(np.percentile(levels, 90)) - quiet)


def speaking(envelope: Envelope, last_s: float = 0.4) -> bool:
    """Return whether the end of the stream is as loud as its speech, so that the speaker seems not to have ended."""
    levels = envelope.levels
    last = levels[-max(1, int(last_s / FRAME_S)) :]
    if len(levels) < len(last) * 2:
        return True
    floor, top = np.percentile(levels, (_QUIET_PERCENTILE, 95))
    return bool(np.percentile(last, 80) > (floor + top) / 2)


def likeness(one: Envelope, other: Envelope) -> float | None:
    """Return the best correlation, -1 to 1, of two loudness curves shifted by up to `MAX_LAG_S`; None if too short to tell.

    The same speech in two rooms rises and falls together, however loud or late each hears it; other speech does not.
    """
    a, b = _above_noise(one.levels), _above_noise(other.levels)
    lag_most, least = int(MAX_LAG_S / FRAME_S), int(LEAST_OVERLAP_S / FRAME_S)
    best: float | None = None
    for lag in range(-lag_most, lag_most + 1):
        left, right = (a[lag:], b) if lag >= 0 else (a, b[-lag:])
        size = min(len(left), len(right))
        if size < least:
            continue
        left, right = left[:size] - np.mean(left[:size]), right[:size] - np.mean(right[:size])
        scale = float(np.sqrt(np.sum(left * left) * np.sum(right * right)))
        if scale > 0.0:
            best = max(best if best is not None else -1.0, float(np.sum(left * right)) / scale)
    return best


def _above_noise(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return dB above the noise, nothing below it and smoothed over three frames: the noise's own flicker says nothing."""
    if len(levels) < 3:
        return levels
    floor = np.percentile(levels, 2 * _QUIET_PERCENTILE)
    smooth = np.convolve(levels, np.full(3, 1 / 3, np.float32), "same")
    return np.maximum(smooth - floor, 0.0).astype(np.float32)
