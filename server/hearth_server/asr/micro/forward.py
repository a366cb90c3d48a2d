"""How likely it is that some phones were said and nothing else, over all the ways in which they may lie in time.

Source: the forward algorithm of CTC, Graves et al. 2006.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hearth_core.phones import BLANK


def log_probability(log_probs: NDArray[np.floating], phones: Sequence[int]) -> float:
    """Return the natural log of the chance that just these phones were said; minus infinity if they cannot have been.

    Args:
        log_probs: natural log posteriors of the phone model, shape (frames, 40), blank first.
        phones: their numbers, at least one.
    """
    symbols = np.full(2 * len(phones) + 1, BLANK)
    symbols[1::2] = phones
    skips = np.zeros(len(symbols))  # from one phone right into the next; equal ones need the blank between them
    skips[3::2] = symbols[3::2] != symbols[1:-2:2]
    given = np.exp(log_probs.astype(np.float64)[:, symbols])
    ways = np.zeros(len(symbols))
    ways[0] = 1.0  # before the first frame nothing was said
    total = 0.0
    for frame in given:
        reached = ways.copy()
        reached[1:] += ways[:-1]
        reached[2:] += ways[:-2] * skips[2:]
        reached *= frame
        # Kept near 1, as a product of so many chances has no number.
        size = float(reached.sum())
        if size == 0.0:
            return -math.inf
        total += math.log(size)
        ways = reached / size
    ended = float(ways[-1] + ways[-2])
    return total + math.log(ended) if ended > 0.0 else -math.inf
