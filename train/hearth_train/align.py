"""Stage 3a: which pronunciation was said, where the dictionary has several: what a trained model finds likeliest.

    python -m hearth_train.align --with RUNS/micro/model.pt [--device cuda] [--jobs 2]

Texts become each word's first pronunciation at first, though people say "the" and "either" in two ways. This writes the
phones into the shards of audio anew, but for those that the same model has been through already; the features' shards
are not touched (make them after it).
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from hearth_core.log_mel import FLOOR
from hearth_core.phones import BLANK

from . import place, saved, shard
from .model import Encoder, stacked
from .pronounce import READ, SPELLED, Variants, variants
from .shard import Utterance

UNUSUAL: Final = 1.0  # nats that a pronunciation must be likelier for being chosen before the dictionary's first
SECONDS: Final = 300  # of audio that the encoder hears at a time


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--with", type=Path, dest="model", required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    from rich.progress import track

    encoder = saved.read(options.model).to(options.device)
    by = hashlib.sha256(options.model.read_bytes()).hexdigest()
    indexes = [index for kind in ("real", "synthetic") for index in sorted((place.PCM / kind).glob("*.json"))]
    changed = total = 0
    with get_context("spawn").Pool(options.jobs) as pool:
        for index in track([index for index in indexes if shard.relabelled_by(index) != by], "align"):
            audio = shard.read(index)
            jobs = zip(audio.utterances, posteriors(encoder, audio), strict=True)
            said = list(pool.imap(aligned, jobs, chunksize=8))
            shard.relabel(index, said, by)
            changed += sum(new.phones != old.phones for new, old in zip(said, audio.utterances, strict=True))
            total += len(said)
    print(f"{changed} of {total} utterances were said in another way")


def posteriors(encoder: Encoder, audio: shard.Shard) -> Iterator[NDArray[np.float32]]:
    """Yield the log posteriors of each utterance, shape (frames, SYMBOLS)."""
    from .waves import log_mel

    device = next(encoder.parameters()).device
    found: list[NDArray[np.float32]] = [np.zeros((0, 1), np.float32)] * len(audio)
    sizes = np.diff(audio.starts)
    order = np.argsort(sizes).tolist()
    while order:
        longest = int(sizes[order[-1]])
        group = [order.pop() for _ in range(min(len(order), max(1, SECONDS * 16_000 // max(longest, 1))))]
        wave = torch.zeros(len(group), longest + 3200, device=device)
        for row, number in enumerate(group):
            wave[row, : sizes[number]] = torch.from_numpy(audio.piece(number).astype(np.float32)).to(device)
        with torch.no_grad():
            features = stacked(torch.logaddexp(log_mel(wave), torch.tensor(FLOOR, device=device).log()))
            frames = torch.full((len(group),), features.shape[1])
            heard = encoder(features, frames)[0].cpu().numpy()
        for row, number in enumerate(group):
            found[number] = heard[row, : (sizes[number] + 3200) // 480]
    yield from found


def aligned(job: tuple[Utterance, NDArray[np.float32]]) -> Utterance:
    """Return an utterance with the phones of the pronunciations that were likeliest said."""
    utterance, log_posteriors = job
    known = variants(utterance.text, spelled=utterance.corpus in SPELLED, read=utterance.corpus in READ)
    if not utterance.phones or known is None or all(len(each) == 1 for each in known):
        return utterance
    return replace(utterance, phones=likeliest(known, log_posteriors) or utterance.phones)


def likeliest(words: Sequence[Variants], log_posteriors: NDArray[np.floating]) -> tuple[int, ...]:
    """Return the phones of the best path through the words, one pronunciation each; empty if they do not fit in.

    Args:
        words: pronunciations of each word, the usual one first.
        log_posteriors: shape (frames, SYMBOLS).
    """
    symbols, before, ends, costs = _lattice(words)
    width = max(len(each) for each in before)
    table = np.array([[*each, *[each[0]] * (width - len(each))] for each in before])
    start = (table == -1).any(1)
    score = np.where(start, costs, -np.inf) + log_posteriors[0, symbols]
    back = np.zeros((len(log_posteriors), len(symbols)), np.int64)
    table = np.where(table == -1, len(symbols), table)
    for frame in range(1, len(log_posteriors)):
        reached = np.append(score, -np.inf)[table]
        # A cost is paid where a pronunciation begins, not while it lasts.
        reached = reached + np.where(table == np.arange(len(symbols))[:, None], 0.0, costs[:, None])
        chosen = reached.argmax(1)
        rows = np.arange(len(symbols))
        back[frame] = table[rows, chosen]
        score = reached[rows, chosen] + log_posteriors[frame, symbols]
    state = max(ends, key=lambda end: float(score[end]))
    if not np.isfinite(score[state]):
        return ()
    path = [state]
    for frame in range(len(log_posteriors) - 1, 0, -1):
        state = int(back[frame, state])
        if state != path[-1]:
            path.append(state)
    return tuple(int(symbols[each]) for each in reversed(path) if symbols[each] != BLANK)


def _lattice(
    words: Sequence[Variants],
) -> tuple[NDArray[np.int64], list[list[int]], list[int], NDArray[np.float64]]:
    """Return each state's symbol, the states that may come before it (-1: none, it may be first), those that may be
    last, and what it costs to enter each."""
    symbols, before, costs = [BLANK], [[0, -1]], [0.0]
    gap, lasts = 0, [-1]  # the blank before the word; the last phones of the word before

    def add(symbol: int, come_from: Iterable[int], cost: float = 0.0) -> int:
        number = len(symbols)
        symbols.append(symbol)
        before.append([number, *come_from])
        costs.append(cost)
        return number

    for pronunciations in words:
        new = []
        for rank, pronunciation in enumerate(pronunciations):
            first = pronunciation[0]
            direct = [last for last in lasts if last == -1 or symbols[last] != first]
            state = add(first, [gap, *direct], -UNUSUAL if rank else 0.0)
            for phone in pronunciation[1:]:
                blank = add(BLANK, [state])
                state = add(phone, [blank] if symbols[state] == phone else [blank, state])
            new.append(state)
        gap = add(BLANK, new)
        lasts = new
    return np.array(symbols), before, [gap, *lasts], np.array(costs)


if __name__ == "__main__":
    main()
