"""A path of the decoder read as words: when each was said, and how much better than silence."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hearth_core.phones import BLANK

from .history import NO_STEP, Step
from .phone_graph import NO_WORD, PhoneGraph
from .readings import Word
from .scores import FLOOR, SYMBOLS

_Scores = NDArray[np.float64]


class Heard:
    """The scores of all frames so far, their posteriors, and what silence, CTC's blank in each frame, has in them."""

    def __init__(self) -> None:
        self.frames = 0
        self._parts: list[_Scores] = []
        self._given: list[_Scores] = []
        self._silent: list[float] = [0.0]

    def copy(self) -> Heard:
        """Return one of its own."""
        other = Heard()
        other.frames, other._parts, other._given = self.frames, self._parts.copy(), self._given.copy()
        other._silent = self._silent.copy()
        return other

    def add(self, scores: _Scores, log_probs: NDArray[np.floating]) -> None:
        """Keep further frames: their scores and log posteriors, both of shape (frames, 40)."""
        self._parts.append(scores)
        self._given.append(np.maximum(log_probs.astype(np.float64), FLOOR))
        self.frames += len(scores)
        # One by one, so that the sums do not depend on how the frames were cut.
        self._silent = _longer(self._silent, scores[:, BLANK])

    @property
    def scores(self) -> _Scores:
        """All frames, shape (frames, 40)."""
        return _joined(self._parts)

    @property
    def given(self) -> _Scores:
        """The log posteriors of all frames as the model gave them, shape (frames, 40)."""
        return _joined(self._given)

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


def _joined(parts: list[_Scores]) -> _Scores:
    """Return all frames of parts, which become one."""
    if len(parts) != 1:
        parts[:] = [np.concatenate(parts) if parts else np.zeros((0, SYMBOLS))]
    return parts[0]


def _longer(sums: list[float], scores: _Scores) -> list[float]:
    return [*sums[:-1], *itertools.accumulate(scores.tolist(), initial=sums[-1])]


@dataclass(slots=True, eq=False)
class Reader:
    """Reads paths that end in the same frame as words. Words that several have in common are looked at once.

    Attributes:
        graph: in which they went.
        heard: what they were said in.
        word_bonus: shape (words + 1,), nats given for each word, 0 in the end for no word.
        phone_bonus: nats given for each phone.
    """

    graph: PhoneGraph
    heard: Heard
    word_bonus: _Scores
    phone_bonus: float
    _known: dict[int, Word] = field(default_factory=dict)  # by the step that completed it

    def words(self, path: Sequence[Step], last: int, word: int, score: float) -> tuple[Word, ...]:
        """Return the words of a path.

        Args:
            path: its steps, at least one.
            last: number of the last step.
            word: id of the word that it ends with.
            score: of the whole path, with that word's bonus.
        """
        # A step's number is told by the one after it. The end is no step, so its word is of this path alone.
        numbers = [*(step.before for step in path[1:]), last]
        ended = Step(last, NO_STEP, word, self.heard.frames, score)
        found: list[Word] = []
        first = 0
        for number in range(1, len(path) + 1):
            step = path[number] if number < len(path) else ended
            if step.word == NO_WORD:
                continue
            said = self._known.get(numbers[number]) if number < len(path) else None
            if said is None:
                said = self._word(path, first, number, step)
                if number < len(path):
                    self._known[numbers[number]] = said
            found.append(said)
            first = number
        return tuple(found)

    def _word(self, path: Sequence[Step], first: int, last: int, ended: Step) -> Word:
        """Return the word of the steps from `first` on before `last`, which `ended` is."""
        gains = 0.0
        for number in range(first, last):
            after = path[number + 1] if number + 1 < last else ended
            # The first phone answers for the silence before it.
            frame, score = (path[number].frame, path[number].score) if number else (0, 0.0)
            scored = after.score - score - float(self.word_bonus[after.word]) - self.phone_bonus
            gains += scored - self.heard.silent(frame, after.frame)
        end = self.heard.last_frame(self.graph, path, last)
        return Word(self.graph.words[ended.word], path[first].frame, end, last - first, gains)
