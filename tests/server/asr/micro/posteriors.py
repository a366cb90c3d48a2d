"""Posteriors as a phone model trained by CTC gives them: a spike a phone, blanks between, confusions, noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hearth_core.phones import BLANK, NUMBER, numbers

SYMBOLS = len(NUMBER) + 1

# Phones that a small model takes for each other.
_ALIKE = (
    *("P B", "T D", "K G", "F TH", "S Z", "SH ZH", "SH CH", "CH JH", "M N", "N NG", "V DH", "L W", "R ER"),
    *("IY IH", "EH AE", "AA AO", "AH UH", "AH IH", "OW AO", "UW UH", "EY EH", "AY AA", "AW AA"),
)


def likeness() -> NDArray[np.float64]:
    """Return how much of a phone's probability goes to each other one in a typical confusion, shape (40, 40)."""
    alike = np.full((SYMBOLS, SYMBOLS), 0.2 / SYMBOLS)
    for pair in _ALIKE:
        one, other = numbers(pair)
        alike[one, other] = alike[other, one] = 1.0
    alike[:, BLANK] = 0.0
    np.fill_diagonal(alike, 0.0)
    alike /= alike.sum(axis=1, keepdims=True)
    return alike


_LIKENESS = likeness()


def spoken(
    phones: Sequence[int],
    rng: np.random.Generator,
    *,
    clear: float = 0.9,
    missed: float = 0.03,
    silence: int = 10,
) -> NDArray[np.float32]:
    """Return log posteriors of phones that are spoken, shape (frames, 40), about 12 phones a second.

    Args:
        phones: their numbers.
        rng: source of chance.
        clear: mean share of a spike that goes to the phone itself.
        missed: chance that a phone is heard as blank for the most part.
        silence: frames before and after.
    """
    frames = [_blank(rng) for _ in range(silence)]
    for phone in phones:
        frames += [_blank(rng) for _ in range(rng.integers(1, 3))]
        share = 0.1 if rng.random() < missed else float(rng.beta(8 * clear, 8 * (1 - clear)))
        frames += [_spike(phone, share, rng) for _ in range(rng.integers(1, 3))]
    frames += [_blank(rng) for _ in range(silence)]
    return np.log(np.array(frames)).astype(np.float32)


def noise(frames: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return log posteriors of noise: blank for the most part, and now and then something like a phone."""
    rows = [
        _spike(int(rng.integers(1, SYMBOLS)), 0.4, rng) if rng.random() < 0.15 else _blank(rng) for _ in range(frames)
    ]
    return np.log(np.array(rows)).astype(np.float32)


def phones_of(words: Sequence[str], pronunciations: Mapping[str, Sequence[str]]) -> list[int]:
    """Return the phones of a sentence in its words' first pronunciations."""
    return [phone for word in words for phone in numbers(pronunciations[word][0])]


def _blank(rng: np.random.Generator) -> NDArray[np.float64]:
    row = rng.dirichlet(np.full(SYMBOLS, 0.1)) * 10 ** rng.uniform(-5.0, -1.3)
    row[BLANK] = 0.0
    row[BLANK] = 1.0 - row.sum()
    return _floored(row)


def _spike(phone: int, share: float, rng: np.random.Generator) -> NDArray[np.float64]:
    rest = 1.0 - share
    blank = rest * float(rng.beta(2.0, 2.0))
    row = (rest - blank) * (0.7 * _LIKENESS[phone] + 0.3 * rng.dirichlet(np.full(SYMBOLS, 0.1)))
    row[phone] += share
    row[BLANK] += blank
    return _floored(row)


def _floored(row: NDArray[np.float64]) -> NDArray[np.float64]:
    row = row + 1e-6
    row /= row.sum()
    return row
