"""A word graph: the finite automaton of everything that can be said, as a decoder needs it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class WordGraph:
    """A finite automaton over words without empty arcs; state 0 is its start.

    Attributes:
        words: the vocabulary: lower case, as spoken (numbers in words), index = word id.
        arcs: shape (arcs, 3), int32: from state, to state, word id; sorted by from state.
        finals: shape (finals,), int32: the states in which a sentence may end.
        states: number of states.
    """

    words: tuple[str, ...]
    arcs: NDArray[np.int32]
    finals: NDArray[np.int32]
    states: int
