"""The short sounds of a satellite, made of sines: heard you, done, a timer, nobody is there, did not work."""

from __future__ import annotations

from enum import Enum

import numpy as np

CHIME_RATE = 22050  # Hz, the rate of most voices, so that a device is opened at one rate only

_FADE_S = 0.01  # without a fade the ends of a tone click
_AMPLITUDE = 0.25  # of full scale: audible beside a voice, never louder than it


class Chime(Enum):
    """What a chime says: its tones as (hertz, seconds); 0 Hz is a rest."""

    WAKE = ((880.0, 0.06), (1318.5, 0.08))  # A5, E6: rising, "I listen"
    DONE = ((1046.5, 0.10),)  # C6: one note, "done"
    RING = ((1046.5, 0.12), (0.0, 0.06), (1046.5, 0.12), (0.0, 0.06), (1046.5, 0.12))  # three of C6: a timer
    NOT_CONNECTED = ((659.3, 0.12), (523.3, 0.12), (392.0, 0.2))  # E5, C5, G4: falling, "nobody is there"
    ERROR = ((440.0, 0.12), (311.1, 0.18))  # A4, Eb4: a falling tritone, "did not work"


def render(chime: Chime) -> bytes:
    """Return the chime as PCM, s16le mono at `CHIME_RATE`."""
    return b"".join(_tone(hertz, seconds) for hertz, seconds in chime.value)


def _tone(hertz: float, seconds: float) -> bytes:
    time_s = np.arange(round(seconds * CHIME_RATE)) / CHIME_RATE
    envelope = np.minimum(1.0, np.minimum(time_s, time_s[::-1]) / _FADE_S)
    wave = _AMPLITUDE * envelope * np.sin(2 * np.pi * hertz * time_s)
    return np.round(wave * 32767).astype("<i2").tobytes()
