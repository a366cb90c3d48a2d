"""A path of the decoder read as words: when each was said, and how it fits beside free phones."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hearth_core.phones import BLANK, PHONES

from .history import Step
from .phone_graph import NO_WORD, PhoneGraph
from .readings import Word

_Scores = NDArray[np.float64]


class Heard:
    """The scores of all frames so far, and what free phones and what silence would have in them.

    Free phones may say anything: CTC lets any symbol follow any other one, so the best they can have is the sum of the
    best symbol of each frame. No sentence has more. Silence is CTC's blank in each frame.
    """

    def __init__(self) -> None:
        self.frames = 0
        self._parts: list[_Scores] = []
        self._free: list[float] = [0.0]
        self._silent: list[float] = [0.0]

    def copy(self) -> Heard:
        """Return one of its own."""
        other = Heard()
        other.frames, other._parts = self.frames, self._parts.copy()
        other._free, other._silent = self._free.copy(), self._silent.copy()
        return other

    def add(self, scores: _Scores) -> None:
        """Keep further frames, shape (frames, 40)."""
        self._parts.append(scores)
        self.frames += len(scores)
        # One by one, so that the sums do not depend on how the frames were cut.
        self._free = _longer(self._free, scores.max(axis=1))
        self._silent = _longer(self._silent, scores[:, BLANK])

    @property
    def scores(self) -> _Scores:
        """All frames, shape (frames, 40)."""
        if len(self._parts) != 1:
            self._parts = [np.concatenate(self._parts) if self._parts else np.zeros((0, len(PHONES) + 1))]
        return self._parts[0]

    def free(self, first: int, last: int) -> float:
        """Return what free phones have in the frames from `first` on before `last`."""
        return self._free[last] - self._free[first]

    def silent(self, first: int, last: int) -> float:
        """Return what silence has in the frames from `first` on before `last`."""
        return self._silent[last] - self._silent[first]

    def last_frame(self, graph: PhoneGraph, path: Sequence[Step], step: int) -> int:
        """Return the last frame in which the phone before a step was said; -1 before all phones.

        The best path says the phone until silence is better for all the rest of its frames; only how these follow
        each other is fixed by CTC, so the best frame is found again from the scores.
        """
        if not step:
            return -1
        first = path[step - 1].frame
        phone = int(graph.phone[path[step - 1].node])
        until = self.frames
        if step < len(path):
            until = path[step].frame - (int(graph.phone[path[step].node]) == phone)  # a blank between equal ones
        scores = self.scores[first:until]
        return first + int(np.argmax(np.cumsum(scores[:, phone] - scores[:, BLANK])))


def _longer(sums: list[float], scores: _Scores) -> list[float]:
    return [*sums[:-1], *itertools.accumulate(scores.tolist(), initial=sums[-1])]


def read(
    path: Sequence[Step],
    word: int,
    score: float,
    graph: PhoneGraph,
    heard: Heard,
    word_bonus: _Scores,
    phone_bonus: float,
) -> tuple[Word, ...]:
    """Return the words of a path.

    Args:
        path: its steps, at least one.
        word: id of the word that it ends with.
        score: of the whole path, with that word's bonus.
        graph: in which it went.
        heard: what it was said in.
        word_bonus: shape (words + 1,), nats given for each word, 0 in the end for no word.
        phone_bonus: nats given for each phone.
    """
    frames = [0, *(step.frame for step in path[1:]), heard.frames]  # the first phone answers for the silence before it
    scores = [0.0, *(step.score for step in path[1:]), score]
    completed = [*(step.word for step in path[1:]), word]
    fits, gains = [], []
    for number, done in enumerate(completed):
        scored = scores[number + 1] - scores[number] - float(word_bonus[done]) - phone_bonus
        fits.append(min(0.0, scored - heard.free(frames[number], frames[number + 1])))
        gains.append(scored - heard.silent(frames[number], frames[number + 1]))
    words = []
    first = 0
    for number, said in enumerate(completed, start=1):
        if said == NO_WORD:
            continue
        end = heard.last_frame(graph, path, number)
        fit, gain = sum(fits[first:number]), sum(gains[first:number])
        words.append(Word(graph.words[said], path[first].frame, end, number - first, fit, gain))
        first = number
    return tuple(words)
