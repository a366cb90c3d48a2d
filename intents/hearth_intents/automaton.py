"""Minimal acyclic automata that share everything they have in common.

An automaton is a number: the node it starts in. A node is never changed, and no two nodes are equal, so automata that
accept the same are the same number, each is deterministic and minimal, and results can be remembered by number.

Source: hash-consing of acyclic automata, Daciuk et al. 2000, as decision diagrams do it (Bryant 1986).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from hearth_core.errors import SentenceError

NOTHING = 0  # accepts no sequence
EMPTY = 1  # accepts the empty sequence alone

Arcs = Mapping[int, int]


class Automata:
    """A family of automata over symbols that are numbers.

    Args:
        max_nodes: where to give up; a grammar of 1,000 entities needs a twentieth of the default.
    """

    def __init__(self, max_nodes: int = 1_000_000) -> None:
        self._max_nodes = max_nodes
        # By whether a sequence may end there, and the arcs: symbol, target, symbol, target … A tuple for each arc would
        # be half of all memory, and so would a dictionary for each node.
        self._numbers: tuple[dict[tuple[int, ...], int], ...] = {(): NOTHING}, {(): EMPTY}
        self._final: list[bool] = [False, True]
        self._arcs: list[tuple[int, ...]] = [(), ()]
        self._unions: dict[tuple[int, ...], int] = {}
        self._chains: dict[tuple[int, int], int] = {}

    def __len__(self) -> int:
        return len(self._arcs)

    def final(self, node: int) -> bool:
        """Return whether a sequence may end here."""
        return self._final[node]

    def arcs(self, node: int) -> Arcs:
        """Return the node after each symbol."""
        return dict(self._pairs(node))

    def flat(self, node: int) -> tuple[int, ...]:
        """Return the arcs in the order of their symbols: symbol, target, symbol, target …"""
        return self._arcs[node]

    def _pairs(self, node: int) -> Iterator[tuple[int, int]]:
        flat = iter(self._arcs[node])
        return zip(flat, flat, strict=True)

    def node(self, final: bool, arcs: Arcs) -> int:
        """Return the node with these arcs; those that lead to nothing are left out.

        Raises:
            SentenceError: there are more nodes than allowed.
        """
        if NOTHING in arcs.values():
            arcs = {symbol: target for symbol, target in arcs.items() if target != NOTHING}
        key = tuple(chain.from_iterable(sorted(arcs.items())))
        number = self._numbers[final].get(key)
        if number is None:
            number = len(self._arcs)
            if number >= self._max_nodes:
                raise SentenceError(
                    f"the sentences make a grammar of more than {self._max_nodes} nodes",
                    remedy="Split templates with many optional parts into several, or leave sentences out",
                )
            self._numbers[final][key] = number
            self._final.append(final)
            self._arcs.append(key)
        return number

    def after(self, symbol: int, node: int) -> int:
        """Return what accepts the symbol and then what the node accepts."""
        return self.node(False, {symbol: node})

    def union(self, nodes: Iterable[int]) -> int:
        """Return what accepts everything that any of the nodes accepts."""
        members = tuple(sorted({*nodes} - {NOTHING}))  # a frozenset takes five times the memory
        if len(members) < 2:
            return members[0] if members else NOTHING
        known = self._unions.get(members)
        if known is None:
            targets: dict[int, set[int]] = {}
            for member in members:
                for symbol, target in self._pairs(member):
                    targets.setdefault(symbol, set()).add(target)
            arcs = {symbol: self.union(reached) for symbol, reached in targets.items()}
            known = self._unions[members] = self.node(any(self._final[m] for m in members), arcs)
        return known

    def chain(self, first: int, then: int) -> int:
        """Return what accepts a sequence of `first` followed by one of `then`."""
        if first in (NOTHING, EMPTY) or then == EMPTY:
            return first if then == EMPTY or first == NOTHING else then
        known = self._chains.get((first, then))
        if known is None:
            arcs = {symbol: self.chain(target, then) for symbol, target in self._pairs(first)}
            known = self.node(False, arcs)
            if self._final[first]:
                known = self.union((known, then))
            self._chains[first, then] = known
        return known

    def of_sequences(self, sequences: Iterable[Iterable[int]]) -> int:
        """Return what accepts these sequences and no other."""
        return self._of_sorted([tuple(sequence) for sequence in sequences])

    def _of_sorted(self, sequences: list[tuple[int, ...]]) -> int:
        rest: dict[int, list[tuple[int, ...]]] = {}
        final = False
        for sequence in sequences:
            if sequence:
                rest.setdefault(sequence[0], []).append(sequence[1:])
            else:
                final = True
        return self.node(final, {symbol: self._of_sorted(tails) for symbol, tails in rest.items()})

    def reachable(self, *starts: int) -> list[int]:
        """Return the nodes of an automaton, its start first, in the order of a breadth-first walk; or of several."""
        order = list(starts)
        seen = set(starts)
        for node in order:
            for target in self._arcs[node][1::2]:
                if target not in seen:
                    seen.add(target)
                    order.append(target)
        return order
