"""Stage 4b: what is new in every pass: voices, levels, microphones, noise and masks, on a batch of features.

Everything grows with `strength`, 0 to 1: a model that gets the full noise at once learns little (curriculum).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from hearth_core.log_mel import FLOOR, MELS

from .model import MEAN

DB: Final = 0.2302585  # natural logarithm of power, of one decibel


@dataclass(frozen=True, slots=True)
class Strengths:
    """The full strengths; chances are of an utterance."""

    warp: float = 0.12  # most stretch of the frequency axis, for other vocal tracts
    tilt_db: float = 6.0  # most change of level from the lowest to the highest band
    bumps_db: float = 3.0  # spread of a smooth curve over the bands
    level_db: tuple[float, float] = (-5.0, 32.0)  # of the speech as `level`; recordings have 12 to 34, the floor -38
    noise_chance: float = 0.75
    snr_db: tuple[float, float] = (0.0, 28.0)
    mildest: float = 0.2  # least share of the masks that an utterance gets
    time_masks: int = 2
    time_mask: int = 20  # most mel frames
    band_masks: int = 2
    band_mask: int = 6  # most bands


def augment(
    mel: Tensor, background: Tensor, generator: torch.Generator, strength: float, full: Strengths = Strengths()
) -> Tensor:
    """Return what the encoder is to hear, log-mel with floor.

    Args:
        mel: shape (batch, frames, MELS), log-mel without floor.
        background: the same, what may be put behind each.
        generator: of the chances, on the features' device.
        strength: 0 for none of it but the floor.
    """

    device = mel.device

    def uniform(low: float, high: float, *size: int) -> Tensor:
        return torch.rand(*size, generator=generator, device=device) * (high - low) + low

    batch, frames, _ = mel.shape
    share = strength * uniform(full.mildest, 1, batch, 1)  # of the masks, which cost a small model most
    mel = warped(mel, 1 + strength * full.warp * uniform(-1, 1, batch))
    colour = _colour(uniform, batch, full)
    mel = mel + strength * DB * colour
    speech = level(mel)
    low, high = full.level_db
    aim = uniform(low, high, batch) * DB
    mel = mel + (strength * (aim - speech))[:, None, None]
    speech = level(mel)
    snr = uniform(*full.snr_db, batch) + (1 - strength) * 20
    noisy = uniform(0, 1, batch) < full.noise_chance * strength
    gain = torch.where(noisy, speech - level(background) - snr * DB, -50.0)
    behind = background + DB * _colour(uniform, batch, full) + gain[:, None, None]
    mel = torch.logaddexp(torch.logaddexp(mel, behind), torch.tensor(FLOOR, device=device).log())
    for _ in range(full.time_masks):
        size = uniform(0, 1, batch, 1) * share * full.time_mask
        first = uniform(0, 1, batch, 1) * (frames - size)
        number = torch.arange(frames, device=device)[None]
        mel = torch.where(((number >= first) & (number < first + size)).unsqueeze(-1), MEAN, mel)
    for _ in range(full.band_masks):
        size = uniform(0, 1, batch, 1) * share * full.band_mask
        first = uniform(0, 1, batch, 1) * (MELS - size)
        number = torch.arange(MELS, device=device)[None]
        mel = torch.where(((number >= first) & (number < first + size)).unsqueeze(1), MEAN, mel)
    return mel


def warped(mel: Tensor, factor: Tensor) -> Tensor:
    """Return the spectra stretched along the bands by a factor for each, shape (batch,); shapes as `augment`'s."""
    bands = torch.arange(MELS, device=mel.device)
    place = (bands[None, :] * factor[:, None]).clamp(0, MELS - 1)  # where each new band comes from
    weight = (1 - (place[:, None, :] - bands[None, :, None]).abs()).clamp(min=0)
    return torch.bmm(mel, weight)


def level(mel: Tensor) -> Tensor:
    """Return the level of what is loud, shape (batch,): logarithm of the mean power of the loudest third of frames."""
    loudness = torch.logsumexp(mel, -1)
    count = max(1, mel.shape[1] // 3)
    return torch.logsumexp(loudness.topk(count, 1).values, 1) - math.log(count)


def _colour(uniform: Callable[..., Tensor], batch: int, full: Strengths) -> Tensor:
    """Return how microphones differ, in dB, shape (batch, 1, MELS)."""
    slope = uniform(-1, 1, batch, 1)
    bands = torch.linspace(-0.5, 0.5, MELS, device=slope.device)
    tilt = slope * full.tilt_db * bands
    waves = torch.zeros(batch, MELS, device=slope.device)
    for n in (2, 3, 5):
        phase = uniform(0, 6.3, batch, 1)
        waves = waves + uniform(-1, 1, batch, 1) * torch.cos(torch.pi * n * (bands + 0.5) + phase)
    return (tilt + full.bumps_db * waves)[:, None, :]
