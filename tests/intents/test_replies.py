"""What answers say, in the languages that have them."""

from __future__ import annotations

from importlib import resources

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hearth_intents.replies import Option, replies, tokens

LANGUAGES = ("en", "de", "fr", "nl", "es")
LAMPS = (Option(("Left Lamp",), ("Kitchen",)), Option(("Right Lamp", "Reading Lamp"), ("Office", "Study")))


@pytest.mark.parametrize(
    ("language", "text", "meaning"),
    [
        ("en", "Yes, please.", True),
        ("en", "go ahead", True),
        ("en", "No!", False),
        ("en", "don't", False),
        ("en", "don’t do it", False),
        ("en", "yes no", None),
        ("en", "yesterday", None),
        ("en", "", None),
        ("en", "turn on the light", None),
        ("de", "Ja", True),
        ("de", "Nein, danke", False),
        ("de", "lass es", False),
        ("fr", "Oui", True),
        ("fr", "d'accord", True),
        ("fr", "non merci", False),
        ("nl", "jazeker", True),
        ("nl", "laat maar", False),
        ("es", "Sí, por favor", True),
        ("es", "olvídalo", False),
        ("xx", "yes", None),
    ],
)
def test_yes_and_no_are_known_to_the_letter(language: str, text: str, meaning: bool | None) -> None:
    assert replies(language).yes_or_no(text) is meaning


@pytest.mark.parametrize(
    ("language", "text", "digits"),
    [
        ("en", "one two three four", "1234"),
        ("en", "12 34", "1234"),
        ("en", "1234", "1234"),
        ("en", "twelve thirty-four", "1234"),
        ("en", "my PIN is double seven three oh", "7730"),
        ("en", "one two three four please", "1234"),
        ("en", "one", "1"),
        ("en", "one two and a half", None),
        ("en", "turn it to twelve", None),
        ("en", "", None),
        ("de", "eins zwo drei vier", "1234"),
        ("de", "die PIN ist vierunddreißig zwölf", "3412"),
        ("fr", "quatre-vingts douze", "8012"),
        ("fr", "soixante-dix-huit vingt et un", "7821"),
        ("nl", "een twee drie vier", "1234"),
        ("es", "treinta y cuatro doce", "3412"),
        ("en", "١٢٣٤", "1234"),
    ],
)
def test_digits_are_read_however_they_are_said(language: str, text: str, digits: str | None) -> None:
    assert replies(language).digits(text) == digits


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_digit_of_every_language_is_read(language: str) -> None:
    from hearth_intents.spoken import speech

    for number in range(100):
        for words in speech(language).number(number):
            assert replies(language).digits(" ".join(words)) == str(number), words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one two three four", "…"),
        ("unlock the door twelve thirty four please", "unlock the door … please"),
        ("unlock it 9 8 7 6 5", "unlock it …"),
        ("Set it to twenty-one", "Set it to twenty-one"),
        ("", ""),
    ],
)
def test_runs_of_digits_are_left_out_of_what_others_read(text: str, shown: str) -> None:
    assert replies("en").redacted(text) == shown


@pytest.mark.parametrize(
    ("language", "text", "chosen"),
    [
        ("en", "the left one", (0,)),
        ("en", "right lamp", (1,)),
        ("en", "the reading lamp", (1,)),
        ("en", "the one in the office", (1,)),
        ("en", "the first one", (0,)),
        ("en", "the last", (1,)),
        ("en", "both", (0, 1)),
        ("en", "I mean the right one", (1,)),
        ("en", "lamp", None),
        ("en", "the lift one", None),
        ("en", "the third one", None),
        ("en", "left right", None),
        ("en", " ".join(["left"] * 30), None),
        ("de", "die zweite", (1,)),
        ("de", "beide", (0, 1)),
        ("fr", "la première", (0,)),
        ("fr", "les deux", (0, 1)),
        ("nl", "de laatste", (1,)),
        ("es", "la segunda", (1,)),
        ("xx", "Left Lamp", (0,)),
    ],
)
def test_a_choice_is_a_name_a_place_or_a_number_in_the_row(
    language: str, text: str, chosen: tuple[int, ...] | None
) -> None:
    assert replies(language).choose(text, LAMPS) == chosen


@pytest.mark.parametrize(
    ("language", "text", "may"),
    [
        ("en", "but not the kitchen", True),
        ("en", "don't do that", True),
        ("en", "flumox the garple", False),
        ("de", "aber nicht die Küche", True),
        ("de", "das Garpel flumoxen", False),
        ("fr", "sauf la cuisine", True),
        ("nl", "behalve de keuken", True),
        ("es", "menos mal, salvo la cocina", True),
        ("xx", "anything", True),
    ],
)
def test_words_that_may_take_back_the_rest_are_known(language: str, text: str, may: bool) -> None:
    assert replies(language).may_qualify(text) is may


def test_a_time_is_put_in_the_forms_of_the_language() -> None:
    assert replies("en").moments("nine") == ("nine", "at nine", "in nine")
    assert replies("en").means_now("Right now!")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_is_yes_and_no(language: str) -> None:
    known = replies(language).phrases
    assert known["yes"]
    assert known["no"]
    assert not known["yes"] & known["no"]
    assert all(phrase for phrases in known.values() for phrase in phrases), "a sign alone is no word"


@pytest.mark.parametrize("folder", ["replies", "followups"])
def test_every_file_has_the_same_keys(folder: str) -> None:
    """YAML reads a bare yes or no as true or false: then a key would be missing."""
    files = [f for f in resources.files("hearth_intents").joinpath(folder).iterdir() if f.name.endswith(".yaml")]
    keys = {file.name: set(yaml.safe_load(file.read_text("utf-8"))) for file in files}
    assert len(files) >= 4
    assert len({frozenset(found) for found in keys.values()}) == 1, keys


@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error(text: str) -> None:
    known = replies("en")
    known.yes_or_no(text)
    known.choose(text, LAMPS)
    digits = known.digits(text)
    assert digits is None or digits.isascii()
    assert len(known.redacted(text)) <= 2 * len(text) + 1
    assert tokens(text) == tokens(" ".join(tokens(text)))
