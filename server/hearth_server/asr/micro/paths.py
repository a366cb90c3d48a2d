"""A path of the decoder read as words: when each was said, and how it fits beside free phones."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hearth_core.phones import BLANK, PHONES

from .history import NO_STEP, Step
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
        fits, gains = 0.0, 0.0
        for number in range(first, last):
            after = path[number + 1] if number + 1 < last else ended
            # The first phone answers for the silence before it.
            frame, score = (path[number].frame, path[number].score) if number else (0, 0.0)
            scored = after.score - score - float(self.word_bonus[after.word]) - self.phone_bonus
            fits += min(0.0, scored - self.heard.free(frame, after.frame))
            gains += scored - self.heard.silent(frame, after.frame)
        end = self.heard.last_frame(self.graph, path, last)
        return Word(self.graph.words[ended.word], path[first].frame, end, last - first, fits, gains)
