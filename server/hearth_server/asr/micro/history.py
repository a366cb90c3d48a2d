"""The phones that lie behind each path of the decoder."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

NO_STEP = -1
# So many are kept whether or not anybody stands on them, half a megabyte: two thousand tokens have about five thousand
# behind them, and unclear speech adds two thousand a frame.
FEW_STEPS = 20_000
_FIRST = 1024


class Step(NamedTuple):
    """A path entered a node.

    Attributes:
        before: number of the step before, `NO_STEP` if there is none.
        node: of the phone graph.
        word: id of the word that it completed by that; `NO_WORD` within a word.
        frame: the first frame of the node's phone.
        score: of the path before that frame, with the bonus of the word completed.
    """

    before: int
    node: int
    word: int
    frame: int
    score: float


class History:
    """Steps, each with the number of the one before, 24 bytes each."""

    def __init__(self) -> None:
        self._used = 0
        self._at_most = FEW_STEPS
        self._facts = np.zeros((4, _FIRST), dtype=np.int32)
        self._scores = np.zeros(_FIRST)

    def __len__(self) -> int:
        return self._used

    def copy(self) -> History:
        """Return a history of its own."""
        other = History.__new__(History)
        other._used, other._at_most = self._used, self._at_most
        other._facts = self._facts.copy()
        other._scores = self._scores.copy()
        return other

    def add(
        self,
        before: NDArray[np.int32],
        node: NDArray[np.int32],
        word: NDArray[np.int32],
        frame: int,
        score: NDArray[np.float64],
    ) -> NDArray[np.int32]:
        """Add steps that were taken in one frame, given as in `Step`; return their numbers, shape (steps,)."""
        first, self._used = self._used, self._used + len(node)
        if self._used > len(self._scores):
            more = max(self._used, 2 * first) - len(self._scores)
            self._facts = np.concatenate((self._facts, np.zeros((4, more), dtype=np.int32)), axis=1)
            self._scores = np.concatenate((self._scores, np.zeros(more)))
        here = slice(first, self._used)
        self._facts[0, here] = before
        self._facts[1, here] = node
        self._facts[2, here] = word
        self._facts[3, here] = frame
        self._scores[here] = score
        return np.arange(first, self._used, dtype=np.int32)

    def forget(self, living: NDArray[np.int32]) -> NDArray[np.int32]:
        """Drop the steps behind which no token lies, once there are many; return the living ones by their new numbers.

        Args:
            living: the steps of tokens, any shape.
        """
        if self._used <= self._at_most:
            return living
        kept = np.zeros(self._used + 1, dtype=np.bool_)  # the last stands for no step
        at = np.unique(living)
        while len(at) and at[-1] != NO_STEP:
            kept[at] = True
            at = np.unique(self._facts[0, at[at != NO_STEP]])
            at = at[~kept[at]]
        kept[NO_STEP] = False
        number = np.cumsum(kept, dtype=np.int32) - 1
        number[NO_STEP] = NO_STEP
        self._facts = self._facts[:, : self._used][:, kept[:-1]]
        self._facts[0] = number[self._facts[0]]
        self._scores = self._scores[: self._used][kept[:-1]]
        self._used = len(self._scores)
        self._at_most = max(FEW_STEPS, 2 * self._used)
        return number[living]

    def path(self, step: int) -> list[Step]:
        """Return all steps up to one, the first first."""
        steps = []
        while step != NO_STEP:
            before, node, word, frame = self._facts[:, step].tolist()
            steps.append(Step(before, node, word, frame, float(self._scores[step])))
            step = before
        return steps[::-1]
