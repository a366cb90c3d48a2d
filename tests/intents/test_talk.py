"""Answers and follow-ups in the recogniser's grammar."""

from __future__ import annotations

from functools import cache

import pytest

from hearth_intents.compile import compile_grammar
from hearth_intents.graph import WordGraph
from hearth_intents.sentences import load_sentences
from tests.intents.homes import speech_home


@cache
def graph(*, talk: bool = True, pin_digits: int = 0, language: str = "en") -> WordGraph:
    return compile_grammar(load_sentences(language), speech_home(), talk=talk, pin_digits=pin_digits).graph


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "no",
        "don't do it",
        "the first one",
        "the left one",
        "the one in the kitchen",
        "turn it off",
        "unlock it",
        "set it to fifty percent",
        "and the office too",
        "and the kettle too",
        "the other one",
        "undo that",
        "no i meant the bed light",
    ],
)
def test_what_is_said_after_a_question_or_a_command_can_be_heard(text: str) -> None:
    assert graph().accepts(text.split())
    assert not graph(talk=False).accepts(text.split())


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("one two three four", 4),
        ("twelve thirty four", 4),
        ("fifty six oh five", 4),
        ("one two three four five", 5),
        ("twelve thirty four five", 5),
        ("one two three four five six seven eight", 8),
    ],
)
def test_as_many_digits_as_a_pin_has_can_be_heard_and_none_without_one(text: str, digits: int) -> None:
    assert graph(pin_digits=digits).accepts(text.split())
    assert not graph(pin_digits=4 if digits == 8 else 8).accepts(text.split())
    assert not graph().accepts(text.split())


@pytest.mark.parametrize(
    ("language", "text"), [("de", "ja bitte"), ("de", "schalte sie aus"), ("nl", "nee"), ("es", "sí"), ("fr", "oui")]
)
def test_other_languages_have_theirs(language: str, text: str) -> None:
    assert graph(language=language).accepts(text.split())


def test_it_costs_little() -> None:
    assert len(graph().arcs) < 1.4 * len(graph(talk=False).arcs)
