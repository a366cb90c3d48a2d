"""Minimal automata, compared with sets of sequences."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_core.errors import SentenceError
from hearth_intents.automaton import EMPTY, NOTHING, Automata

Sequences = set[tuple[int, ...]]

sequences = st.sets(st.lists(st.integers(0, 2), max_size=4).map(tuple), max_size=8)


def _accepted(automata: Automata, node: int) -> Iterator[tuple[int, ...]]:
    if automata.final(node):
        yield ()
    for symbol, target in automata.arcs(node).items():
        yield from ((symbol, *rest) for rest in _accepted(automata, target))


@given(sequences)
def test_accepts_its_sequences_and_no_other(words: Sequences) -> None:
    automata = Automata()
    assert sorted(_accepted(automata, automata.of_sequences(words))) == sorted(words)


@given(sequences, sequences)
def test_union_is_the_union_of_the_sets(first: Sequences, second: Sequences) -> None:
    automata = Automata()
    both = automata.union((automata.of_sequences(first), automata.of_sequences(second)))
    assert both == automata.of_sequences(first | second)


@given(sequences, sequences)
def test_chain_is_every_pair(first: Sequences, second: Sequences) -> None:
    automata = Automata()
    chain = automata.chain(automata.of_sequences(first), automata.of_sequences(second))
    assert chain == automata.of_sequences({a + b for a in first for b in second})


def test_equal_ends_are_shared() -> None:
    automata = Automata()
    start = automata.of_sequences([(1, 9, 9), (2, 9, 9), (3, 9, 9)])
    assert len(automata.reachable(start)) == 4


def test_arcs_to_nothing_are_left_out() -> None:
    automata = Automata()
    assert automata.after(1, NOTHING) == NOTHING
    assert automata.node(True, {1: NOTHING}) == EMPTY
    assert automata.union(()) == NOTHING


def test_more_nodes_than_allowed_are_an_error() -> None:
    automata = Automata(max_nodes=10)
    with pytest.raises(SentenceError, match="more than 10 nodes"):
        automata.of_sequences([(n, n + 1, n + 2) for n in range(10)])
