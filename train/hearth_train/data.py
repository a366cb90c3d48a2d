"""Stage 4c: batches without end from shards of features."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hearth_core.errors import InputError
from hearth_core.log_mel import MELS, STACK

from . import place, shard
from .pronounce import Word, said
from .shard import Shard

# How often a corpus is drawn beside its size. Half of speechocean762 are children and all learnt English as a second
# language; kathleen is one speaker; the phrases of the recordings of words are few and learnt by heart. Those with the
# most speakers or the longest recordings for one draw are drawn more.
WEIGHTS: Final = {
    "librispeech-excerpts": 2.5,
    "librispeech-251-speakers-untranscribed": 4.0,
    "an4-train": 1.5,
    "kathleen": 0.6,
    "speechocean762-train": 0.4,
    "speech-commands-words": 0.4,
    "wake-phrases": 0.5,
    "custom-phrases": 0.5,
    "kokoro": 2.0,
    "rhvoice": 0.7,
    "pico": 0.7,
    "flite": 0.7,
    "espeak": 0.5,
    "festival": 0.5,
}
JOIN_BELOW: Final = 300  # mel frames: shorter ones may be joined, so that pauses and other contexts are learnt
JOIN_CHANCE: Final = 0.5
LONGEST: Final = 1600
SILENCE: Final = -23.0  # logarithm of next to no power
POOL: Final = 3000  # utterances that are sorted by length at a time


@dataclass(frozen=True, slots=True)
class Batch:
    """Utterances of about one length.

    Attributes:
        mel: shape (batch, mel frames, MELS), no floor.
        background: the same shape.
        frames: shape (batch,), encoder frames.
        phones: all targets, one after the other.
        phone_counts: shape (batch,).
        words: of each utterance, the phones of each of its words; together they are its targets.
    """

    mel: Tensor
    background: Tensor
    frames: Tensor
    phones: Tensor
    phone_counts: Tensor
    words: tuple[tuple[Word, ...], ...]


@dataclass(frozen=True, slots=True)
class _Item:
    shard: Shard
    index: int
    frames: int
    words: tuple[Word, ...]

    def mel(self) -> NDArray[np.float32]:
        return self.shard.piece(self.index).astype(np.float32)


def batches(seed: int, seconds: float, only: str = "") -> Iterator[Batch]:
    """Yield batches of so many padded seconds, for ever; of one corpus if it is named."""
    rng = np.random.default_rng(seed)
    items, weights = _items(place.FEATURES, only)
    background = shard.read(shard.path_of(place.FEATURES, "background"))
    while True:
        drawn = [items[i] for i in rng.choice(len(items), POOL, p=weights)]
        joined = sorted(_joined(drawn, rng), key=lambda parts: sum(part.frames for part in parts))
        groups: list[list[list[_Item]]] = [[]]
        for parts in joined:
            frames = sum(part.frames for part in parts) + 60
            if groups[-1] and frames * (len(groups[-1]) + 1) > seconds * 100:
                groups.append([])
            groups[-1].append(parts)
        for group in rng.permutation(len(groups)):
            yield _batch(groups[group], background, rng)


def _items(folder: Path, only: str) -> tuple[list[_Item], NDArray[np.float64]]:
    items, weights = [], []
    pattern = f"{only}-0.json" if only else "*.json"
    for index in sorted([*(folder / "real").glob(pattern), *(folder / "synthetic").glob(pattern)]):
        of = shard.read(index)
        for number, utterance in enumerate(of.utterances):
            frames = int(of.starts[number + 1] - of.starts[number])
            if utterance.phones and frames <= LONGEST and fits(frames // STACK, utterance.phones):
                items.append(_Item(of, number, frames, said(utterance)))
                # Longer recordings cost more and teach more; each is drawn as one.
                weights.append(WEIGHTS.get(utterance.corpus, 1.0))
    if not items:
        raise InputError(f"{folder}: nothing to learn from", remedy="Run train/run.sh, which makes the features")
    total = np.array(weights)
    return items, total / total.sum()


def fits(frames: int, phones: tuple[int, ...]) -> bool:
    """Return whether CTC can say the phones in so many frames, with one to spare between equal ones."""
    repeats = sum(a == b for a, b in pairwise(phones))
    return frames > len(phones) + repeats + 2


def _joined(items: list[_Item], rng: np.random.Generator) -> Iterator[list[_Item]]:
    parts: list[_Item] = []
    for item in items:
        parts.append(item)
        if sum(part.frames for part in parts) >= JOIN_BELOW or rng.random() >= JOIN_CHANCE:
            yield parts
            parts = []
    if parts:
        yield parts


def _batch(group: list[list[_Item]], background: Shard, rng: np.random.Generator) -> Batch:
    mels = []
    for parts in group:
        pieces: list[NDArray[Any]] = [_silence(rng)]
        for part in parts:
            pieces += [part.mel(), _silence(rng)]
        mels.append(np.concatenate(pieces))
    longest = max(len(mel) for mel in mels)
    longest += -longest % STACK
    mel = np.full((len(mels), longest, MELS), SILENCE, np.float32)
    behind = np.full_like(mel, SILENCE)
    for row, each in enumerate(mels):
        mel[row, : len(each)] = each
        sound = background.piece(int(rng.integers(len(background)))).astype(np.float32)
        behind[row] = np.resize(np.roll(sound, -int(rng.integers(len(sound))), axis=0), behind[row].shape)
    words = tuple(tuple(word for part in parts for word in part.words) for parts in group)
    return Batch(
        torch.from_numpy(mel),
        torch.from_numpy(behind),
        torch.tensor([len(each) // STACK for each in mels]),
        *targets(words),
        words,
    )


def targets(words: Iterable[Sequence[Word]]) -> tuple[Tensor, Tensor]:
    """Return the phones of all utterances, one after the other, and how many each has."""
    phones = [[phone for word in each for phone in word] for each in words]
    return torch.tensor([phone for each in phones for phone in each]), torch.tensor([len(each) for each in phones])


def _silence(rng: np.random.Generator) -> NDArray[np.float32]:
    return np.full((int(rng.integers(0, 25)), MELS), SILENCE, np.float32)
