"""What the benches of the satellite share: recordings, levels, and noise at a ratio that is defined here once.

The level of speech is the mean power of the louder half of its windows of 32 ms, of those within 30 dB of the loudest:
pauses and the silence around a recording do not count. The level of a noise is its mean power; of talkers behind, the
level of their speech. SNR is the difference of the two in dB.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hearth_core.audio import read_recording
from hearth_core.errors import InputError

AUDIO_ENDINGS = {".wav", ".flac", ".ogg", ".opus"}
WINDOW = 512  # samples
Samples = NDArray[np.float32]
Item = TypeVar("Item")

_ROOT = Path(__file__).parent.parent


def at_hand(corpus: str) -> Path:
    """Return a corpus of ../shared/speech by its name, the tree's own recordings where there is none."""
    tar = _ROOT.parent / "shared" / "speech" / f"{corpus}.tar"
    return tar if tar.exists() else _ROOT / "examples" / "recordings"


def find(places: Iterable[Path], unpacked: Path) -> list[Path]:
    """Return the recordings in folders, tars and files, sorted; tars are unpacked into a folder each.

    Raises:
        InputError: a place holds none.
    """
    found: list[Path] = []
    for place in places:
        folder = place
        if place.is_file() and tarfile.is_tarfile(place):
            folder = unpacked / place.stem
            with tarfile.open(place) as tar:
                tar.extractall(folder, filter="data")
        paths = [folder] if folder.is_file() else sorted(folder.rglob("*"))
        paths = [path for path in paths if path.suffix.lower() in AUDIO_ENDINGS]
        if not paths:
            raise InputError(f"no recordings in {place}", remedy="Give a folder or a tar of WAV, FLAC, Ogg or Opus")
        found += paths
    return found


def spread(items: Sequence[Item], most: int | None) -> Sequence[Item]:
    """Return at most so many, spread over all."""
    return items[:: -(-len(items) // most)] if most and items else items


def load(path: Path) -> Samples:
    """Return a recording, 16 kHz mono, full scale +-32768."""
    return np.frombuffer(read_recording(path), "<i2").astype(np.float32)


def pcm(samples: Samples) -> bytes:
    """Return s16le, scaled down as a whole if it would clip."""
    peak = float(np.abs(samples).max(initial=0.0))
    if peak > 32767.0:
        samples = samples * np.float32(32767.0 / peak)
    return np.rint(samples).astype("<i2").tobytes()


def speech_db(samples: Samples) -> float:
    """Return the level of speech in dB, as the module defines it."""
    whole = len(samples) // WINDOW
    powers = (samples[: whole * WINDOW].reshape(whole, WINDOW).astype(np.float64) ** 2).mean(axis=1) + 1e-3
    powers = np.sort(powers[powers > powers.max() / 1000.0])
    return float(10.0 * np.log10(powers[len(powers) // 2 :].mean()))


def noise_db(samples: Samples) -> float:
    """Return the level of noise in dB."""
    return float(10.0 * np.log10((samples.astype(np.float64) ** 2).mean() + 1e-3))


def part(samples: Samples, length: int, seed: int) -> Samples:
    """Return so many samples of a recording, from a place that the seed decides; it is repeated if it is short."""
    offset = int(np.random.default_rng(seed).integers(len(samples)))
    return np.resize(np.roll(samples, -offset), length)


def talkers(paths: Sequence[Path], count: int, length: int, seed: int) -> Samples:
    """Return several people who speak at once, each as loud as the others; level 0 dB each."""
    choice = np.random.default_rng(seed)
    mixed = np.zeros(length, np.float32)
    for _ in range(count):
        chosen = choice.choice(len(paths), 2, replace=False)
        speech = np.concatenate([load(paths[index]) for index in chosen])
        mixed += part(speech, length, int(choice.integers(1 << 31))) / np.float32(10 ** (speech_db(speech) / 20))
    return mixed


def add(speech: Samples, background: Samples, *, speech_level: float, level: float, snr_db: float) -> Samples:
    """Return both, the background brought to `snr_db` below the speech; levels in dB."""
    return speech + background * np.float32(10 ** ((speech_level - snr_db - level) / 20))
