"""Was a phrase said somewhere in a sound, whatever stands around it? How its phones fit there beside free phones.

A grammar would have to explain the whole sound. A wake word stands behind other talk, and a command may follow at once,
so here the phrase may begin and end anywhere.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hearth_core.phones import BLANK, numbers

from ..pronounce import guessed, pronounce
from .scores import FLOOR

# Names among the wake words that the dictionary has not, in words that it has.
_NAMES: Final = {"nabu": "nah boo", "mycroft": "my croft"}
# More ways to say a phrase than these are looked at no further: two words have seldom more than two each.
_MOST_WAYS: Final = 16


@lru_cache(maxsize=64)
def said_as(phrase: str, dictionary: Path) -> tuple[tuple[str, ...], ...]:
    """Return for each word of a phrase how it is said; nothing if it has a word that the dictionary has not.

    A guess would turn down whoever says the word right.
    """
    words = re.findall(r"[a-z']+", phrase.lower())
    if guessed(words, _NAMES, dictionary):
        return ()
    said = pronounce(words, _NAMES, dictionary)
    return tuple(tuple(said[word]) for word in words)


def fit(log_probs: NDArray[np.floating], words: Sequence[Sequence[str]]) -> float:
    """Return how the best way to say a phrase fits at its best place, in nats a phone; 0 is as well as free phones.

    Args:
        log_probs: natural log posteriors of the phone model, shape (frames, 40), blank first.
        words: for each word of the phrase its pronunciations, phones of CMUdict separated by blanks.

    Raises:
        KeyError: a pronunciation has what is no phone of CMUdict.

    Source: keyword against filler, Rohlicek et al. 1989; CTC's topology and best path as in `decoder`.
    """
    given = np.maximum(log_probs.astype(np.float64), FLOOR)
    beside = given - given.max(axis=1, keepdims=True) if len(given) else given
    ways = itertools.islice(itertools.product(*words), _MOST_WAYS)
    return max((_best(beside, numbers(" ".join(way))) for way in ways), default=-math.inf)


def _best(beside: NDArray[np.float64], phones: Sequence[int]) -> float:
    """Return the best path through the phones, with or without blanks between them, in nats a phone."""
    symbols = np.full(2 * len(phones) - 1, BLANK)
    symbols[::2] = phones
    skips = np.zeros(len(symbols), dtype=np.bool_)  # from one phone right into the next; equal ones need the blank
    skips[2::2] = symbols[2::2] != symbols[:-2:2]
    scores = np.full(len(symbols), -np.inf)
    best = -math.inf
    for frame in beside:
        before = scores.copy()
        before[1:] = np.maximum(before[1:], scores[:-1])
        before[2:] = np.where(skips[2:], np.maximum(before[2:], scores[:-2]), before[2:])
        before[0] = max(before[0], 0.0)  # it may begin in any frame
        scores = before + frame[symbols]
        best = max(best, float(scores[-1]))
    return best / len(phones)
