"""The phones that lie behind each path of the decoder."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

NO_STEP = -1
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
    """Steps, each with the number of the one before. It only grows: by some dozen a frame of speech, 24 bytes each."""

    def __init__(self) -> None:
        self._used = 0
        self._facts = np.zeros((4, _FIRST), dtype=np.int32)
        self._scores = np.zeros(_FIRST)

    def __len__(self) -> int:
        return self._used

    def copy(self) -> History:
        """Return a history of its own."""
        other = History.__new__(History)
        other._used = self._used
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
        while self._used > len(self._scores):
            self._facts = np.concatenate((self._facts, np.zeros_like(self._facts)), axis=1)
            self._scores = np.concatenate((self._scores, np.zeros_like(self._scores)))
        here = slice(first, self._used)
        self._facts[0, here] = before
        self._facts[1, here] = node
        self._facts[2, here] = word
        self._facts[3, here] = frame
        self._scores[here] = score
        return np.arange(first, self._used, dtype=np.int32)

    def path(self, step: int) -> list[Step]:
        """Return all steps up to one, the first first."""
        steps = []
        while step != NO_STEP:
            before, node, word, frame = self._facts[:, step].tolist()
            steps.append(Step(before, node, word, frame, float(self._scores[step])))
            step = before
        return steps[::-1]
