"""Stage 4d: what else might have been said, for learning to tell it apart: one word taken for another, lost or made up.

Commands that are misheard differ from what was said in a word, so the encoder is asked for the right words among rivals
that do. These are made of the dictionary, not of any home's sentences: half of the words put in sound nearly alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hearth_core.phones import PHONES, numbers

from .pronounce import Word, dictionary
from .texts import vocabulary

WORDS: Final = 5000  # the most frequent, which rivals are made of
NEAREST: Final = 24  # of them that a word is taken for, those that sound most alike
LOST: Final = 4  # phones that a word may have which is overheard
KINDS: Final = ("near", "any", "lost", "made up")
CHANCES: Final = (0.5, 0.2, 0.15, 0.15)

# Phones of a group are taken for each other more easily.
_GROUPS: Final = (
    "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW",
    "B D G P T K",
    "F TH S SH V DH Z ZH HH CH JH",
    "M N NG",
    "L R W Y",
)
_ALIKE: Final = 0.5


class Rivals:
    """Makes rivals of what was said.

    Args:
        rng: their chances.

    Attributes:
        words: pronunciations of the frequent words.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self.words, self._small = _frequent()

    def of(self, said: Sequence[Word], count: int) -> list[Word]:
        """Return so many other sequences of phones, each one change away from the words that were said."""
        right = tuple(phone for word in said for phone in word)
        found: list[Word] = []
        for _ in range(count * 2):  # some are the same after all
            if len(found) == count:
                break
            words = self._changed(list(said))
            rival = tuple(phone for word in words for phone in word)
            if rival and rival != right:
                found.append(rival)
        return found

    def _changed(self, words: list[Word]) -> list[Word]:
        rng = self._rng
        at = int(rng.integers(len(words)))
        kind = KINDS[int(rng.choice(len(KINDS), p=CHANCES))]
        if kind == "made up":
            words.insert(at + int(rng.integers(2)), self._small[int(rng.integers(len(self._small)))])
        elif kind == "lost" and len(words[at]) <= LOST and len(words) > 1:
            del words[at]
        elif kind == "any":
            words[at] = self.words[int(rng.integers(len(self.words)))]
        else:
            near = nearest(words[at])
            words[at] = self.words[near[int(rng.integers(len(near)))]]
        return words


@cache
def nearest(word: Word) -> tuple[int, ...]:
    """Return which of the frequent words sound most like a word, but not the same."""
    words, _ = _frequent()
    apart = distances(word, *_table())
    apart[[number for number, other in enumerate(words) if other == word]] = np.inf
    return tuple(np.argpartition(apart, NEAREST)[:NEAREST].tolist())


def distances(word: Word, table: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how many phones have to change to make a word each of others; phones of one group count half.

    Args:
        word: its phones.
        table: those of the others, shape (words, most phones), padded.
        sizes: how many each has, shape (words,).
    """
    costs = _costs()
    rows = np.arange(table.shape[1] + 1, dtype=np.float64)[None].repeat(len(table), 0)
    for phone in word:
        new = rows + 1  # the phone is left out
        changed = rows[:, :-1] + costs[phone][table]
        for column in range(table.shape[1]):
            new[:, column + 1] = np.minimum(np.minimum(new[:, column + 1], changed[:, column]), new[:, column] + 1)
        rows = new
    return np.asarray(rows[np.arange(len(table)), sizes])


@lru_cache(maxsize=1)
def _frequent() -> tuple[tuple[Word, ...], tuple[Word, ...]]:
    """Return the pronunciations of the frequent words, each once, and the small ones among the most frequent."""
    words = vocabulary()[:WORDS]
    known = tuple(dict.fromkeys(dictionary()[word][0] for word in words))
    small = tuple(dict.fromkeys(p for word in words[:300] if len(p := dictionary()[word][0]) < LOST))
    return known, small


@lru_cache(maxsize=1)
def _table() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    words, _ = _frequent()
    sizes = np.array([len(word) for word in words])
    table = np.zeros((len(words), int(sizes.max())), np.int64)
    for row, word in zip(table, words, strict=True):
        row[: len(word)] = word
    return table, sizes


@lru_cache(maxsize=1)
def _costs() -> NDArray[np.float64]:
    costs = np.ones((len(PHONES) + 1, len(PHONES) + 1))
    for group in _GROUPS:
        members = numbers(group)
        costs[np.ix_(members, members)] = _ALIKE
    np.fill_diagonal(costs, 0)
    return costs
