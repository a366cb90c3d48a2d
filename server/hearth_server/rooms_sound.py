"""What a satellite's sound says of its room: how loud the speech is, over which noise, and whose speech it is."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hearth_core.loudness import FRAME_S, FRAME_SAMPLES, SILENT_DBFS, FrameLevels, dbfs, power
from hearth_core.quantile import quantiles

MAX_FRAMES: Final = 1250
"""25 s: longer than any command may be (15 s), with what goes before it."""

# Speech is on for about a third of a short command; its loud third is what every room still hears of it.
_LOUD_PART: Final = 0.3
# The quietest tenth lies between words and in the silence that ended the command.
_QUIET: Final = 0.1
# Two curves shorter than this are alike by accident.
LEAST_OVERLAP_S: Final = 0.8
LEAST_SPEECH_S: Final = 0.25
_MARGIN: Final = 5  # frames of silence beside the speech: where it begins and ends says something, too
# Edges in Hz of the bands whose curves are compared, in bins of 50 Hz: vowels and sibilants rise in different ones.
_BAND_BINS: Final = (4, 12, 24, 48, 80, 140)
_WINDOW: Final = np.hanning(FRAME_SAMPLES).astype(np.float32)
_FLICKER: Final = 2.0  # times its quietest fifth: so high does noise rise by itself, after smoothing
_CLEAR_DB: Final = 12.0  # from here on noise no longer makes the same speech unlike
# The wake models fire within 0.3 s of each other in two rooms, and the streams begin there; as much again for a slow
# one.
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
    """The loudness curve of one stream, in frames of 20 ms from its beginning, whole and in bands."""

    def __init__(self) -> None:
        self._frames = FrameLevels()
        self._rest = np.zeros(0, np.float32)
        self._levels: list[NDArray[np.float32]] = []
        self._bands: list[NDArray[np.float32]] = []
        self._count = 0

    def feed(self, pcm: bytes) -> None:
        """Take the next audio, 16 kHz s16le mono; what is longer than `MAX_FRAMES` is not looked at."""
        if self._count < MAX_FRAMES:
            levels = self._frames.feed(pcm)
            self._levels.append(levels)
            self._count += len(levels)
            self._bands.append(self._in_bands(pcm))

    def _in_bands(self, pcm: bytes) -> NDArray[np.float32]:
        samples = np.concatenate((self._rest, np.frombuffer(pcm, "<i2").astype(np.float32) / 32768.0))
        whole = len(samples) // FRAME_SAMPLES * FRAME_SAMPLES
        self._rest = samples[whole:]
        spectra = np.abs(np.fft.rfft(samples[:whole].reshape(-1, FRAME_SAMPLES) * _WINDOW, axis=1)) ** 2
        powers = [spectra[:, low:high].sum(axis=1) for low, high in itertools.pairwise(_BAND_BINS)]
        return dbfs(np.stack(powers, axis=1) / FRAME_SAMPLES**2)

    @property
    def levels(self) -> NDArray[np.float32]:
        """The curve so far, shape (frames,), dBFS."""
        if len(self._levels) != 1:
            self._levels = [np.concatenate(self._levels)] if self._levels else [np.zeros(0, np.float32)]
        return self._levels[0]

    @property
    def bands(self) -> NDArray[np.float32]:
        """The curves of the bands so far, shape (frames, bands), dB."""
        if len(self._bands) != 1:
            empty = np.zeros((0, len(_BAND_BINS) - 1), np.float32)
            self._bands = [np.concatenate(self._bands)] if self._bands else [empty]
        return self._bands[0]

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
    quiet, loudest = (float(level) for level in quantiles(levels, _QUIET, 0.9))
    noise = quiet if noise_dbfs is None else noise_dbfs
    loud = np.sort(levels)[-max(1, int(len(levels) * _LOUD_PART)) :]
    speech = float(np.mean(power(loud))) - 10.0 ** (noise / 10.0)
    # Where noise is louder than speech, what is left is within the noise's own ups and downs: 10 dB below it.
    level = max(10.0 * math.log10(max(speech, 1e-12)), noise - 10.0, SILENT_DBFS)
    return Loudness(level, noise, loudest - quiet)


def speaking(envelope: Envelope, last_s: float = 0.4) -> bool:
    """Return whether the end of the stream is as loud as its speech, so that the speaker seems not to have ended."""
    levels = envelope.levels
    last = levels[-max(1, int(last_s / FRAME_S)) :]
    if len(levels) < len(last) * 2:
        return True
    floor, top = quantiles(levels, _QUIET, 0.95)
    return bool(quantiles(last, 0.8)[0] > (floor + top) / 2)


def likeness(one: Envelope, other: Envelope, later_s: float = 0.0) -> float | None:
    """Return how alike two streams rise and fall, -1 to 1, at the best shift; None if too short to tell.

    The same speech in two rooms rises and falls together in every band, however loud or late each hears it; other
    speech does not. Only what is speech in one of the two is compared: that both are silent afterwards proves nothing.

    Args:
        one: a stream.
        other: the other stream.
        later_s: by so much later `other` began, give or take `MAX_LAG_S`.
    """
    a, b = _amplitudes(one.bands), _amplitudes(other.bands)
    most, middle = int(MAX_LAG_S / FRAME_S), round(later_s / FRAME_S)
    coarse = {lag: _likeness_at(a, b, lag) for lag in range(middle - most, middle + most + 1, 2)}
    best_lag = max(coarse, key=lambda lag: coarse[lag] or -1.0)
    found = [value for value in (*coarse.values(), *(_likeness_at(a, b, best_lag + by) for by in (-1, 1))) if value]
    return max(found, default=None)


def clearly_other(alike: float, snr_db: float, same_speech: float) -> bool:
    """Return whether two streams hold other speech, so that both are to be answered.

    In noise the same speech is less alike, so less likeness is asked for; at no more than the noise nothing can be
    told.

    Measured on simulated rooms (`bench/rooms_acoustics.py`): of the same command in two rooms, 102 pairs at 12 dB over
    the noise or more had 0.81 or more, 25 at 0 to 12 dB 0.70 or more. Of 120 pairs of different commands at once, each
    in a room of its own, 98 % had 0.65 or less; of 105 that were heard in the other room, too, 95 % had 0.71 or less.

    Args:
        alike: as `likeness` has it.
        snr_db: of the stream that has the less.
        same_speech: the likeness from which clean streams are the same speech.
    """
    return alike < same_speech * min(1.0, max(0.0, snr_db / _CLEAR_DB))


def _likeness_at(a: NDArray[np.float32], b: NDArray[np.float32], lag: int) -> float | None:
    left, right = (a[lag:], b) if lag >= 0 else (a, b[-lag:])
    size = min(len(left), len(right))
    left, right = left[:size], right[:size]
    active = np.flatnonzero((left > 0.0).any(axis=1) | (right > 0.0).any(axis=1))
    if size < LEAST_OVERLAP_S / FRAME_S or len(active) < LEAST_SPEECH_S / FRAME_S:
        return None
    span = slice(max(0, active[0] - _MARGIN), active[-1] + 1 + _MARGIN)
    left, right = left[span] - left[span].mean(axis=0), right[span] - right[span].mean(axis=0)
    scale = np.sqrt(np.sum(left * left, axis=0) * np.sum(right * right, axis=0))
    heard = scale > 0.0
    if not heard.any():
        return None
    return float(np.mean(np.sum(left * right, axis=0)[heard] / scale[heard]))


def _amplitudes(bands: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the amplitude above each band's noise, smoothed over three frames.

    Not in dB: a second speaker 10 dB down fills the gaps of the first, which in dB looks like speech, in amplitude not.
    """
    if len(bands) < 3:
        return np.zeros_like(bands)
    powers = power(bands)
    smooth = (powers + np.roll(powers, 1, axis=0) + np.roll(powers, -1, axis=0)) / 3
    floor = quantiles(smooth, 2 * _QUIET)[0]
    amplitudes: NDArray[np.float32] = np.sqrt(np.maximum(smooth - _FLICKER * floor, 0.0)).astype(np.float32)
    return amplitudes
