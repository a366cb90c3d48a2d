"""A language of tones: a speech model to which each phone is the tone in the middle of one of the mel bands.

So a test can say any sentence, and the whole engine hears it: features, encoder, decoder, and when it is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hearth_core.log_mel import HIGHEST_HZ, LOWEST_HZ, MELS
from hearth_core.phones import PHONES, numbers

from .tiny import INPUTS, OUTPUTS, Floats, Tiny

RATE: Final = 16_000
PHONE_S: Final = 0.09
_GAP_S: Final = 0.06  # between two phones that are the same


@dataclass(frozen=True)
class Tones(Tiny):
    """The model: its layers pass on what they get, late."""

    channels: int = MELS
    ahead: tuple[int, ...] = (2, 2)
    # A tone's power in its band is some e^5, that of silence e^-12; half-way is heard.
    threshold: float = -2.0
    sure: float = 2.0

    def weights(self) -> dict[str, Floats]:
        w_in = np.zeros((INPUTS, MELS))
        for frame in range(3):
            w_in[frame * MELS : (frame + 1) * MELS] = np.eye(MELS) / 3
        w_out = np.zeros((MELS, OUTPUTS))
        w_out[: len(PHONES), 1:] = np.eye(len(PHONES)) * self.sure
        b_out = np.zeros(OUTPUTS)
        b_out[0] = 4 * self.sure
        made = {"w_in": w_in, "b_in": np.full(MELS, -self.threshold), "w_out": w_out, "b_out": b_out}
        for number, ahead in enumerate(self.ahead):
            kernel = np.zeros((MELS, MELS, 2 * ahead + 1))
            kernel[:, :, ahead] = np.eye(MELS)
            made |= {f"w{number}": kernel, f"b{number}": np.zeros(MELS)}
        return {name: array.astype(np.float32) for name, array in made.items()}


def say(pronunciation: str, amplitude: float = 8000.0) -> bytes:
    """Return phones as tones, 16 kHz s16le mono, e.g. of "L AE1 M P"."""
    parts: list[NDArray[np.float64]] = []
    before = 0
    for number in numbers(pronunciation):
        if number == before:
            parts.append(np.zeros(int(_GAP_S * RATE)))
        t = np.arange(int(PHONE_S * RATE)) / RATE
        parts.append(amplitude * np.sin(2 * np.pi * _hertz(number - 1) * t))
        before = number
    pcm: bytes = np.concatenate(parts or [np.zeros(0)]).astype("<i2").tobytes()
    return pcm


def _hertz(band: int) -> float:
    lowest, highest = 2595 * np.log10(1 + np.array([LOWEST_HZ, HIGHEST_HZ]) / 700)
    mel = np.linspace(lowest, highest, MELS + 2)[band + 1]
    return float(700 * (10 ** (mel / 2595) - 1))
