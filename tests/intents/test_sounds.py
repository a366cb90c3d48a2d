"""How near texts sound."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_intents.sentences import languages
from hearth_intents.sounds import VOWELS, Code, Codes, distances, sounds

ENGLISH = sounds("en")


@pytest.mark.parametrize(
    ("language", "one", "other", "most"),
    [
        ("en", "kitchen", "kichen", 0.0),
        ("en", "light", "lite", 0.0),
        ("en", "eight", "ate", 0.0),
        ("en", "two", "too", 0.0),
        ("en", "bed", "bet", 0.5),
        ("en", "lamp", "lamb", 1.0),
        ("en", "bedroom", "bedloom", 1.0),
        ("de", "küche", "küsche", 1.0),
        ("de", "licht", "lichd", 0.5),
        ("fr", "chambre", "chambres", 0.0),
        ("fr", "lumière", "lumiaire", 0.5),
        ("nl", "keuken", "keuke", 0.0),
        ("es", "cocina", "cosina", 0.0),
        ("ru", "кухня", "куфня", 2.0),
        ("zh-CN", "客", "可", 0.5),  # other characters, one syllable
    ],
)
def test_what_sounds_alike_is_near(language: str, one: str, other: str, most: float) -> None:
    known = sounds(language)
    assert known.distance(known.word(one), known.word(other)) <= most


@pytest.mark.parametrize(("one", "other"), [("on", "off"), ("open", "close"), ("kitchen", "bedroom"), ("up", "down")])
def test_what_means_something_else_is_far(one: str, other: str) -> None:
    assert ENGLISH.distance(ENGLISH.word(one), ENGLISH.word(other)) >= 1.0


def test_like_sounds_cost_half_of_others() -> None:
    like = ENGLISH.distance(ENGLISH.word("pin"), ENGLISH.word("bin"))
    other = ENGLISH.distance(ENGLISH.word("pin"), ENGLISH.word("sin"))
    assert (like, other) == (0.5, 1.0)


@given(st.text(max_size=60))
def test_any_text_has_a_code(text: str) -> None:
    code = ENGLISH.word(text)
    assert code.fine.isascii()
    assert len(code.coarse) <= len(code.fine)
    assert not any(a in VOWELS and b in VOWELS for a, b in zip(code.coarse, code.coarse[1:], strict=False))


@given(st.lists(st.text(st.characters(codec="ascii", categories=["Ll"]), max_size=8), min_size=1, max_size=6))
def test_the_table_of_distances_is_what_each_pair_is_apart(words: list[str]) -> None:
    codes = [ENGLISH.word(word) for word in words]
    found = {(row, column): cost for row, column, cost in distances(codes, Codes(codes), 0.5)}
    for row, one in enumerate(codes):
        for column, other in enumerate(codes):
            apart = ENGLISH.distance(one, other)
            near = apart <= 0.5 * max(len(one.fine), len(other.fine))
            assert found.get((row, column)) == (apart if near else None)


def test_nothing_is_near_to_nothing() -> None:
    assert list(distances([], Codes([Code("a", "a")]), 1.0)) == []
    assert list(distances([Code("a", "a")], Codes([]), 1.0)) == []


@pytest.mark.parametrize("language", languages())
def test_every_language_has_sounds(language: str) -> None:
    assert sounds(language).word("lamp 1").fine
