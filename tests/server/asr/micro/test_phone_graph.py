"""The phone graph says exactly what the word graph says, and shares what can be shared."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hearth_core.errors import EngineError
from hearth_core.g2p import guess
from hearth_core.phones import BLANK, numbers
from hearth_server.asr.micro import phone_graph
from hearth_server.asr.micro.phone_graph import NO_WORD, PhoneGraph, compile_phones, spans

from .small import HOME, pronounced, word_graph

_SAID = st.lists(st.sampled_from(["T", "AA", "N", "S"]), min_size=1, max_size=3).map(" ".join)
_VOCABULARY = st.fixed_dictionaries({word: st.lists(_SAID, min_size=1, max_size=3) for word in "abcd"})
_GRAMMAR = st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=3), min_size=1, max_size=8)


def said(graph: PhoneGraph) -> Iterator[tuple[tuple[int, ...], tuple[str, ...]]]:
    """Yield all that can be said: phones and words."""

    def walk(
        node: int, phones: tuple[int, ...], words: tuple[str, ...]
    ) -> Iterator[tuple[tuple[int, ...], tuple[str, ...]]]:
        for end in range(graph.end_start[node], graph.end_start[node + 1]):
            if graph.final[graph.end_state[end]]:
                yield phones, (*words, graph.words[graph.end_word[end]])
        for arc in range(graph.arc_start[node], graph.arc_start[node + 1]):
            word, to = int(graph.arc_word[arc]), int(graph.arc_node[arc])
            assert graph.arc_phone[arc] == graph.phone[to] != BLANK
            more = () if word == NO_WORD else (graph.words[word],)
            yield from walk(to, (*phones, int(graph.phone[to])), (*words, *more))

    yield from walk(int(graph.root[0]), (), ())


@given(_VOCABULARY, _GRAMMAR)
@settings(max_examples=60)
def test_says_what_the_words_say(vocabulary: dict[str, list[str]], grammar: list[list[str]]) -> None:
    found = set(said(compile_phones(word_graph(grammar), vocabulary)))
    expected = {(phones, tuple(words)) for words in grammar for phones in pronounced(words, vocabulary)}
    assert found == expected


def test_words_that_begin_alike_are_one_path_and_so_are_equal_ends() -> None:
    graph = compile_phones(word_graph(["light", "lights", "the light", "the lights"]), HOME)
    # two roots (before and after "the"), DH AH/IY once, L AY T S once; the end of all has a root without arcs
    assert graph.nodes == 3 + 3 + 4
    assert np.count_nonzero(graph.arc_phone == numbers("AY")) == 1


def test_a_word_without_a_pronunciation_is_guessed_and_told() -> None:
    graph = compile_phones(word_graph(["turn on zyx", "blub on"]), {**HOME, "zyx": [" "]})
    assert graph.guessed == ("blub", "zyx")
    assert (numbers(f"T ER N AA N {guess('zyx')}"), ("turn", "on", "zyx")) in set(said(graph))


def test_stress_makes_no_other_pronunciation() -> None:
    graph = compile_phones(word_graph(["on"]), {"on": ["AA1 N", "AA0 N"]})
    assert list(said(graph)) == [(numbers("AA N"), ("on",))]


def test_a_phone_that_english_does_not_have() -> None:
    with pytest.raises(EngineError, match="'on' has no English phone 'XX'"):
        compile_phones(word_graph(["on"]), {"on": ["XX N"]})


def test_a_grammar_without_sentences() -> None:
    with pytest.raises(EngineError, match="no sentence"):
        compile_phones(word_graph([]), {})


def test_a_grammar_that_is_too_large_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone_graph, "MAX_ARC_PHONES", 10)
    with pytest.raises(EngineError, match=r"has 14 phones.*Leave sentences or names out"):
        compile_phones(word_graph(["turn on the light", "turn on"]), HOME)


def test_the_same_words_give_the_same_arrays() -> None:
    sentences = ["turn on the light", "turn off the lamp", "lights on"]
    one, other = (compile_phones(word_graph(sentences), HOME) for _ in range(2))
    for name in ("phone", "arc_start", "arc_node", "arc_word", "end_start", "end_word", "end_state", "root", "final"):
        assert np.array_equal(getattr(one, name), getattr(other, name))
    assert one.bytes == other.bytes > 0


def test_spans() -> None:
    owner, members = spans(np.array([5, 9, 2]), np.array([2, 0, 3]))
    assert owner.tolist() == [0, 0, 2, 2, 2]
    assert members.tolist() == [5, 6, 2, 3, 4]
