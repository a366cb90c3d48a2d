"""The word graph by itself."""

from __future__ import annotations

from random import Random

import numpy as np

from hearth_intents.graph import WordGraph

# on | off | (a|b) on, where "on" leaves the start twice
ARCS = [(0, 1, 0), (0, 1, 1), (0, 2, 2), (0, 2, 3), (2, 1, 0)]
GRAPH = WordGraph(
    words=("on", "off", "a", "b"), arcs=np.array(ARCS, dtype=np.int32), finals=np.array([1], dtype=np.int32), states=3
)
NONE = WordGraph(words=(), arcs=np.zeros((0, 3), dtype=np.int32), finals=np.zeros(0, dtype=np.int32), states=1)


def test_accepts_whole_sentences_only() -> None:
    for said in ("on", "off", "a on", "b on"):
        assert GRAPH.accepts(said.split())
    for said in ("", "a", "a off", "on on", "unknown"):
        assert not GRAPH.accepts(said.split())


def test_counts_sentences() -> None:
    assert GRAPH.sentence_count() == 4


def test_samples_are_accepted_and_come_to_every_sentence() -> None:
    samples = GRAPH.sample(Random(1), 100)
    assert len(samples) == 100
    assert set(samples) == {("on",), ("off",), ("a", "on"), ("b", "on")}


def test_a_graph_of_nothing() -> None:
    assert NONE.sample(Random(1), 3) == []
    assert NONE.sentence_count() == 0
    assert not NONE.accepts([])
