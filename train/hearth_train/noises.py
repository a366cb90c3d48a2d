"""What goes on behind a speaker: recorded noises, talkers, and household sounds that are made up."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hearth_core.audio import RATE

from . import place, shard

Samples = NDArray[np.float32]
PIECE_S = 10.0


def background(rng: np.random.Generator) -> Iterator[tuple[str, str, Samples]]:
    """Yield kind, name and sound of everything that is mixed into features; about two hours."""
    size = int(PIECE_S * RATE)
    for index in range(60):
        yield "recorded", f"recorded-{index}", recorded(size, rng)
    for index in range(160):
        yield "talkers", f"talkers-{index}", talkers(size, rng, int(rng.choice((1, 1, 2, 3, 4, 6, 8))))
    for name, make in _MADE.items():
        for index in range(60):
            yield "made", f"{name}-{index}", make(size, rng)


def anything(samples: int, rng: np.random.Generator) -> Samples:
    """Return some background of a length."""
    kind = rng.random()
    if kind < 0.3:
        return recorded(samples, rng)
    if kind < 0.6:
        return talkers(samples, rng, int(rng.choice((1, 2, 4, 6))))
    made = list(_MADE.values())
    return made[rng.integers(len(made))](samples, rng)


def recorded(samples: int, rng: np.random.Generator) -> Samples:
    """Return a part of a recorded noise."""
    sounds = _sounds("noise")
    return _part(sounds[rng.integers(len(sounds))], samples, rng)


def talkers(samples: int, rng: np.random.Generator, count: int) -> Samples:
    """Return people who talk at once, each at a level of their own."""
    voices = _sounds("voices")
    mixed = np.zeros(samples, np.float32)
    for _ in range(count):
        voice = _part(voices[rng.integers(len(voices))], samples, rng)
        mixed += voice / max(float(voice.std()), 1.0) * 1000 * 10 ** (rng.uniform(-6, 6) / 20)
    return mixed


def coloured(samples: int, rng: np.random.Generator) -> Samples:
    """Return noise with a slope and a hump of its own, swelling: fans, wind, traffic, water."""
    spectrum = np.fft.rfft(rng.normal(size=samples))
    hertz = np.maximum(np.fft.rfftfreq(samples, 1 / RATE), 20)
    shape = hertz ** -rng.uniform(0, 1.2) * (1 + 4 * np.exp(-((np.log(hertz / rng.uniform(100, 5000))) ** 2)))
    sound = np.fft.irfft(spectrum * shape, samples)
    swell = 1 + rng.uniform(0, 0.8) * np.sin(2 * np.pi * rng.uniform(0.05, 2) * np.arange(samples) / RATE)
    return _scaled(sound * swell)


def clatter(samples: int, rng: np.random.Generator) -> Samples:
    """Return things that knock against each other: damped modes of plates, pans and cutlery over a soft noise."""
    sound = coloured(samples, rng) / 1000 * rng.uniform(0.02, 0.3)
    time = np.arange(RATE // 2) / RATE
    for _ in range(int(rng.poisson(samples / RATE * rng.uniform(1, 8)))):
        modes = rng.uniform(300, 7500, rng.integers(3, 10))
        decay = rng.uniform(15, 200, len(modes))
        loud = rng.exponential(1, len(modes))
        hit = (loud[:, None] * np.exp(-decay[:, None] * time) * np.sin(2 * np.pi * modes[:, None] * time)).sum(axis=0)
        hit[: RATE // 200] += rng.normal(0, 1, RATE // 200)
        at = int(rng.integers(samples))
        size = min(len(hit), samples - at)
        sound[at : at + size] += hit[:size].astype(np.float32) * rng.exponential(1)
    return _scaled(sound)


def hum(samples: int, rng: np.random.Generator) -> Samples:
    """Return a machine: harmonics of a low tone that wavers, and its noise."""
    base = rng.uniform(40, 250) * (1 + 0.01 * np.sin(2 * np.pi * rng.uniform(0.1, 3) * np.arange(samples) / RATE))
    phase = 2 * np.pi * np.cumsum(base) / RATE
    tones = np.zeros(samples)
    for n in range(1, 20):
        tones += rng.exponential(1) / n * np.sin(n * phase + rng.uniform(0, 6))
    return _scaled(tones + rng.uniform(0.05, 1) * coloured(samples, rng) / 1000)


def music(samples: int, rng: np.random.Generator) -> Samples:
    """Return notes of plucked and held tones with a beat: enough like music that tones are no speech."""
    sound = np.zeros(samples, np.float32)
    beat = rng.uniform(0.2, 0.6)
    for start in np.arange(0, samples / RATE, beat):
        at = int(start * RATE)
        size = min(int(RATE * beat * rng.uniform(1, 3)), samples - at)
        time = np.arange(size) / RATE
        for _ in range(rng.integers(1, 4)):
            note = 110 * 2 ** (rng.integers(0, 36) / 12)
            tone = np.zeros(size)
            for n in range(1, 8):
                tone += rng.exponential(1) / n * np.sin(2 * np.pi * note * n * time)
            sound[at : at + size] += (tone * np.exp(-time * rng.uniform(0.5, 6))).astype(np.float32)
        knock = min(RATE // 20, samples - at)
        sound[at : at + knock] += (rng.normal(0, rng.uniform(0, 3), knock) * np.exp(-np.arange(knock) / 150)).astype(
            np.float32
        )
    return _scaled(sound)


_MADE = {"coloured": coloured, "clatter": clatter, "hum": hum, "music": music}


def _scaled(sound: NDArray[np.floating]) -> Samples:
    return (sound / max(float(np.std(sound)), 1e-9) * 1000).astype(np.float32)


def _part(sound: Samples, samples: int, rng: np.random.Generator) -> Samples:
    return np.resize(np.roll(sound, -int(rng.integers(len(sound)))), samples)


@lru_cache(maxsize=2)
def _sounds(kind: str) -> list[Samples]:
    shards = [shard.read(index) for index in sorted((place.PCM / kind).glob("*.json"))]
    return [s.piece(i).astype(np.float32) for s in shards for i in range(len(s))]
