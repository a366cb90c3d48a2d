"""Templates are checked before they are used."""

from __future__ import annotations

import pytest
from hassil.intents import Intents
from home_assistant_intents import get_intents
from hypothesis import given
from hypothesis import strategies as st

from hearth_core.errors import SentenceError
from hearth_intents.template import TemplateCheck, parse_template

RULES = {
    "the": "(the|my)",
    "self": "a [<self>]",
    "ping": "a <pong>",
    "pong": "b <ping>",
    "long": " ".join(["word"] * 400),
    "longer": " ".join(["<long>"] * 20),
    "many": "[[a] [b]] " * 8,
}


def _check(text: str) -> None:
    rules = {name: parse_template(rule) for name, rule in RULES.items()}
    TemplateCheck(rules, frozenset({"name", "level"})).check(parse_template(text))


@pytest.mark.parametrize(
    "text",
    [
        "turn on [<the>] {name}",
        "(on;[now];{name}) {level:other} {1..5:count}",
        " ".join(f"[word{n}]" for n in range(100)),
        "a " * 300,
        "((((((a))))))",
    ],
)
def test_sensible_templates_pass(text: str) -> None:
    _check(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("turn (on", "cannot parse"),
        ("turn on]", "cannot parse"),
        ("{}", "cannot parse"),
        ("{nme}", "no list {nme}"),
        ("<them>", "no rule <them>"),
        ("<self>", "contains itself: <self> <self>"),
        ("go <ping>", "contains itself: <ping> <pong> <ping>"),
        ("<longer>", "too large"),
        ("(a;b;c;d;e;f;g)", "any order"),
        ("((a;b;c;d) or (e;f;g;h;i))", "any order"),
        ("[a] " * 30, "too many ways"),
        ("([a]|[b]|[c]) " * 12, "too many ways"),
        ("[{name}] " * 30, "too many ways"),
        ("(" * 200 + "a" + ")" * 200, ""),
        ("(" * 900 + "a" + ")" * 900, ""),
    ],
)
def test_others_are_errors(text: str, message: str) -> None:
    with pytest.raises(SentenceError) as caught:
        _check(text)
    assert message in caught.value.message
    assert len(caught.value.message) < 300


@pytest.mark.parametrize("language", ["en", "de", "fr", "nl", "pl"])
def test_the_sentences_of_home_assistant_pass(language: str) -> None:
    intents = Intents.from_dict(get_intents(language) or {})
    check = TemplateCheck(intents.expansion_rules, frozenset(intents.slot_lists) | {"name", "area", "floor"})
    for intent in intents.intents.values():
        for block in intent.data:
            for sentence in block.sentences:
                check.check(sentence)


@given(st.text(alphabet="ab ()[]{}<>|;:\\.,1-é", max_size=40))
def test_any_text_parses_or_is_an_error(text: str) -> None:
    try:
        _check(text)
    except SentenceError as error:
        assert error.message  # noqa: PT017  (either way is right; another exception is not)
