"""After which sentences of a home nothing can follow that would change them, or nothing that an author wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from hearth_core.home import Area, Entity, Floor, Home
from hearth_intents.compile import compile_grammar
from hearth_intents.grammar import Grammar
from hearth_intents.sentences import load_sentences

SENTENCES = """
language: en
skip_words: [please, "for me"]
intents:
  HassTurnOn:
    data:
      - sentences:
          - "turn on {name}"
          - "turn on {name} in [the] {area}"
          - "turn on the lights [in [the] {area}]"
  Brew:
    data:
      - sentences: ["brew (tea|coffee [with milk])", "warm the (cup [right now]|pot [now|well]|milk [now] [please])"]
"""

HOME = Home.of(
    [Floor("ground", "Ground Floor", level=0)],
    [Area("kitchen", "Kitchen", floor_id="ground"), Area("hall", "Hall", floor_id="ground")],
    [
        Entity("light.lava", "lava lamp", area_id="kitchen"),
        Entity("light.one", "lamp", area_id="kitchen"),
        Entity("light.two", "lamp", area_id="hall"),
    ],
)


@pytest.fixture(scope="module")
def grammar(tmp_path_factory: pytest.TempPathFactory) -> Grammar:
    folder: Path = tmp_path_factory.mktemp("sentences")
    (folder / "own.yaml").write_text(SENTENCES, encoding="utf-8")
    sentences = load_sentences("en", [folder], builtin=False)
    assert sentences.problems == ()
    return compile_grammar(sentences, HOME)


def state_after(grammar: Grammar, sentence: str) -> int:
    state = 0
    for word in sentence.split():
        number = grammar.graph.words.index(word)
        (state,) = (int(to) for _, to, said in grammar.graph.leaving(state) if said == number)
    return state


@pytest.mark.parametrize(
    ("sentence", "closed"),
    [
        ("brew tea", True),
        ("brew tea please", True),
        ("please brew tea", True),
        ("brew tea for me", True),
        ("brew tea for", False),
        ("brew coffee", False),
        ("brew coffee with", False),
        ("brew coffee with milk", True),
        ("turn on the lights", False),
        ("turn on the lights in the kitchen", True),
        ("turn on the lights in the", False),
        ("turn on lava lamp", True),  # there is no other, so its room tells nothing
        ("turn on lava lamp in", False),
        ("turn on lava lamp in the kitchen", True),
        ("turn on lamp", False),  # the room tells which
        ("turn on lamp in the hall", True),
        ("brew", False),
        ("warm the cup", True),  # "right now" adds nothing
        ("warm the cup right", False),
        ("warm the cup right now", True),
        ("warm the cup please", True),
        ("warm the pot", False),  # "well" does
        ("warm the pot now", True),
        ("warm the milk", True),  # nor do "now" and one more "please"
    ],
)
def test_what_can_follow(sentence: str, closed: bool, grammar: Grammar) -> None:
    assert (state_after(grammar, sentence) in grammar.closing) is closed


@pytest.mark.parametrize(
    ("sentence", "goes_on"),
    [
        ("turn on the lights", False),  # "in the kitchen" is Home Assistant's
        ("turn on lamp", False),
        ("turn on the", True),  # "disco", where nobody stops
        ("turn on the disco", True),
        ("turn on the disco please", False),
        ("turn on the disco slowly", False),
        ("turn off the lights", True),  # "of the whole street", though Home Assistant knows it without
        ("please turn off the lights", True),
        ("turn off the lights in the kitchen", False),
    ],
)
def test_where_an_authors_sentence_goes_on(sentence: str, goes_on: bool, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        """
language: en
intents:
  Disco:
    data:
      - sentences: ["turn on the disco [slowly]", "turn off the lights of the whole street"]
""",
        encoding="utf-8",
    )
    grammar = compile_grammar(load_sentences("en", [tmp_path]), HOME)
    assert (state_after(grammar, sentence) in grammar.authored) is goes_on


def test_who_is_done_may_stop(grammar: Grammar) -> None:
    assert grammar.closing <= set(grammar.graph.finals.tolist())
