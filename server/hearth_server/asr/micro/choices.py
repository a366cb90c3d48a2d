"""How much there is to say in a home: among so many sentences other speech finds the one that fits it best."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from itertools import groupby
from typing import Final

import numpy as np

from .phone_graph import PhoneGraph

# Longer sentences count as so long: the homes' grammars hold few that are, and each phone costs a pass over all arcs.
MOST_PHONES: Final = 64


class Choices:
    """Counts the sentences of a grammar by their length, and the numbers in one.

    Args:
        graph: of the grammar.
        numbers: words that are numbers.
    """

    def __init__(self, graph: PhoneGraph, numbers: Collection[str] = ()) -> None:
        self._nats = _nats(graph)
        self._numbers = frozenset(numbers)

    def nats(self, phones: int) -> float:
        """Return the natural logarithm of how many ways there are to say a sentence of at most so many phones."""
        return self._nats[min(phones, len(self._nats) - 1)]

    def numbers(self, words: Iterable[str]) -> int:
        """Return how many numbers are among words; "seventy six" is one."""
        return sum(number for number, _ in groupby(words, self._numbers.__contains__))


def _nats(graph: PhoneGraph) -> list[float]:
    source = np.repeat(np.arange(graph.nodes), np.diff(graph.arc_start))
    target = graph.arc_node.astype(np.intp)  # once, not in each pass
    ends = np.repeat(np.arange(graph.nodes), np.diff(graph.end_start))
    whole = np.bincount(ends[graph.final[graph.end_state]], minlength=graph.nodes).astype(np.float64)
    ways = np.zeros(graph.nodes)  # that lead to each node with as many phones as were counted
    ways[graph.root[0]] = 1.0
    found, nats = 0.0, [0.0]
    for _ in range(MOST_PHONES):
        ways = np.bincount(target, ways[source], graph.nodes).astype(np.float64)
        found += float(ways @ whole)
        nats.append(math.log(max(1.0, found)))
    return nats
