"""Stage 5: phone error rates on development recordings, by the best symbol of each frame.

    python -m hearth_train.evaluate [MODEL.pt]

Words have several pronunciations and dictionaries know one accent, so these figures are for comparison only; what
counts is commands (bench/commands.py).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from hearth_core.log_mel import FLOOR, log_mel
from hearth_core.phones import BLANK

from . import place, saved, shard
from .gather import DEV
from .model import Encoder, stacked


def main() -> None:
    """Print a table."""
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else place.RUNS / "micro" / "model.pt"
    from rich.console import Console
    from rich.progress import track

    encoder = saved.read(file)
    for corpus in DEV:
        heard = track(development(corpus), corpus, console=Console(stderr=True))
        print(f"per {corpus}: {_rate(encoder, heard):.1f} %")


def phone_errors(encoder: Encoder, most: int | None = None) -> dict[str, float]:
    """Return the phone error rate of each development corpus in per cent, of its first recordings."""
    return {f"per {corpus}": _rate(encoder, development(corpus, most)) for corpus in DEV}


def learnt(encoder: Encoder, corpus: str, most: int = 50) -> dict[str, float]:
    """Return the phone error rate in per cent on recordings of a training corpus, unchanged but for the floor."""
    features = shard.read(shard.path_of(place.FEATURES / "real", f"{corpus}-0"))
    floor = np.float32(np.log(FLOOR))
    heard = [
        (np.logaddexp(features.piece(number).astype(np.float32), floor), features.utterances[number].phones)
        for number in range(0, len(features), max(1, len(features) // most))
    ]
    return {f"per {corpus}": _rate(encoder, heard)}


def _rate(encoder: Encoder, heard: Iterable[tuple[NDArray[np.float32], tuple[int, ...]]]) -> float:
    encoder.eval()
    errors = total = 0
    for mel, said in heard:
        with torch.no_grad():
            features = stacked(torch.from_numpy(mel).to(next(encoder.parameters()).device))[None]
            best = encoder(features, torch.tensor([features.shape[1]]))[0][0].argmax(-1).tolist()
        errors += distance(collapsed(best), said)
        total += len(said)
    encoder.train()
    return round(100 * errors / max(1, total), 2)


@lru_cache(maxsize=8)
def development(corpus: str, most: int | None = None) -> list[tuple[NDArray[np.float32], tuple[int, ...]]]:
    """Return features and phones of a development corpus."""
    audio = shard.read(shard.path_of(place.PCM / "dev", corpus))
    step = max(1, len(audio) // most) if most else 1
    silence = np.zeros(3200, np.int16)
    return [
        (log_mel(np.concatenate((audio.piece(number), silence))), audio.utterances[number].phones)
        for number in range(0, len(audio), step)
    ]


def collapsed(symbols: Iterable[int]) -> list[int]:
    """Return what a CTC path says: no repeats, no blanks."""
    said, last = [], BLANK
    for symbol in symbols:
        if symbol not in (last, BLANK):
            said.append(symbol)
        last = symbol
    return said


def distance(heard: list[int], said: tuple[int, ...]) -> int:
    """Return how many phones are put in, left out or wrong (Levenshtein)."""
    row = np.arange(len(said) + 1)
    wanted = np.array(said)
    for number, phone in enumerate(heard, start=1):
        changed = np.minimum(row[1:] + 1, row[:-1] + (wanted != phone))
        new = np.concatenate(([number], changed))
        row = np.minimum.accumulate(new - np.arange(len(new))) + np.arange(len(new))
    return int(row[-1])


if __name__ == "__main__":
    main()
