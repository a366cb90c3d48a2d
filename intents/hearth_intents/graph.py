"""A word graph: the finite automaton of everything that can be said, as a decoder needs it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class WordGraph:
    """A finite automaton over words without empty arcs and without circles; state 0 is its start.

    `compile_grammar` makes it deterministic and minimal: from no state do two arcs with one word leave.

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

    def leaving(self, state: int) -> NDArray[np.int32]:
        """Return the arcs that leave a state, shape (arcs, 3)."""
        first, last = np.searchsorted(self.arcs[:, 0], (state, state + 1))
        return self.arcs[first:last]

    def accepts(self, words: Iterable[str]) -> bool:
        """Return whether a sentence can be said: words of the vocabulary, from the start to a final state."""
        number = {word: index for index, word in enumerate(self.words)}
        reached = {0}
        for word in words:
            index = number.get(word, -1)
            reached = {int(to) for state in reached for _, to, said in self.leaving(state) if said == index}
            if not reached:
                return False
        return not reached.isdisjoint(self.finals.tolist())

    def sample(self, rng: Random, count: int) -> list[tuple[str, ...]]:
        """Return sentences of a random walk that takes each way on, and stopping, with equal chance."""
        if not len(self.finals):
            return []
        return [self._walk(rng) for _ in range(count)]

    def _walk(self, rng: Random) -> tuple[str, ...]:
        finals = set(self.finals.tolist())
        state = 0
        said: list[str] = []
        while True:
            ways = self.leaving(state)
            choice = rng.randrange(len(ways) + (state in finals))
            if choice == len(ways):
                return tuple(said)
            _, state, word = (int(each) for each in ways[choice])
            said.append(self.words[word])

    def sentence_count(self) -> int:
        """Return how many sentences can be said, exactly if the graph is deterministic (else how many paths)."""
        finals = set(self.finals.tolist())
        counts: dict[int, int] = {}
        targets = [self.leaving(state)[:, 1].tolist() for state in range(self.states)]
        stack = [0]
        while stack:
            state = stack[-1]
            missing = [target for target in targets[state] if target not in counts]
            if missing:
                stack.extend(missing)
            else:
                counts[stack.pop()] = (state in finals) + sum(counts[target] for target in targets[state])
        return counts[0]
