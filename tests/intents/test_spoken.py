"""How names and numbers are said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_intents.spoken import MAX_VARIANTS, speech

ENGLISH = speech("en")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Bedroom 2", "bedroom two"),
        ("Bedroom2", "bedroom two"),
        ("2nd Floor", "second floor"),
        ("21st", "twenty first"),
        ("4K TV", "four k tv"),
        ("TV", "tv"),
        ("50%", "fifty percent"),
        ("EcoBee", "ecobee"),
        ("Heat & Cool", "heat and cool"),
        ("living-room", "living room"),
        ("Anna’s Lamp", "anna's lamp"),
        ("Mr. Coffee", "mr coffee"),
        ("2.5", "two point five"),
        ("10:30", "ten thirty"),
        ("1234567890", "one two three four five six seven eight nine zero"),
        ("007", "seven"),
        ("Café", "café"),
        ("Lamp (old)", "lamp old"),
        ("  what's   up ", "what's up"),
    ],
)
def test_names_are_said_as_people_say_them(text: str, said: str) -> None:
    assert " ".join(ENGLISH.words(text)) == said


@pytest.mark.parametrize("text", ["", " ", "💡", "💡\ufe0f", "--", "'", "!?", "\u200d"])
def test_of_signs_alone_nothing_is_said(text: str) -> None:
    assert ENGLISH.variants(text) == ()


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("TV", {"tv": "t v"}),
        ("kitchen tv", {"tv": "t v"}),
        ("LED Strip", {"led": "l e d"}),
        ("BED LIGHT", {}),  # capitals for all words mean nothing
        ("Bed Light", {}),
        ("Mr. Coffee", {"mr": "mister"}),
        ("Bedroom 2", {}),
        ("sky", {}),
    ],
)
def test_abbreviations_are_spelled(text: str, spelled: dict[str, str]) -> None:
    assert ENGLISH.spelled(text) == spelled


def test_a_number_has_the_ways_of_its_language() -> None:
    assert ENGLISH.number(25) == (("twenty", "five"),)
    assert speech("fr").number(21) == (("vingt", "et", "un"), ("vingt", "et", "une"))


def test_an_unknown_language_says_digits() -> None:
    assert speech("xx").number(21) == (("21",),)
    assert speech("xx").words("Lamp 21") == ("lamp", "21")


def test_a_language_is_looked_up_by_its_family() -> None:
    assert speech("en-GB").words("50%") == ("fifty", "percent")
    assert speech("../en").symbols == {}


def test_ways_to_say_a_name_are_bounded() -> None:
    assert len(speech("fr").variants("21 21 21 21 21 21")) == MAX_VARIANTS


@given(st.text(max_size=60))
def test_any_text_gives_clean_words(text: str) -> None:
    for words in ENGLISH.variants(text):
        assert words
        for word in words:
            assert word == word.lower() or not word.isascii()
            assert not any(c.isspace() or c in "-_/%" for c in word)
            assert any(c.isalnum() for c in word)
