"""Misheard sentences, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hearth_core.command import Context, Hypothesis, Transcription
from hearth_core.home import Area, Entity, Home
from hearth_intents.index import Index
from hearth_intents.matcher import ACCEPT, Matcher, likelihood
from hearth_intents.search import MAX_WORDS, Search
from hearth_intents.sentences import load_sentences

HOME = Home.of(
    (),
    [Area("kitchen", "Kitchen"), Area("bedroom", "Bedroom")],
    [
        Entity("light.ceiling", "Ceiling Light", area_id="kitchen"),
        Entity("light.sofa", "Sofa Lamp", area_id="bedroom"),
        Entity("media_player.tv", "TV", area_id="bedroom"),
        Entity("lock.front", "Front Door"),
        Entity("light.red", "Red Lamp"),
        Entity("light.bed", "Bed Lamp"),
        Entity("switch.rtl", "مروحة"),
        Entity("switch.fire", "Fireplace"),
    ],
)
SENTENCES = load_sentences("en")
MATCHER = Matcher(SENTENCES, HOME)
INDEX = Index(SENTENCES, HOME)
HERE = Context(area_id="kitchen")


@pytest.mark.parametrize(
    ("text", "intent", "slots"),
    [
        ("tern on the ceeling light", "HassTurnOn", {"name": "light.ceiling"}),
        ("turn of the sofa lamp", "HassTurnOff", {"name": "light.sofa"}),
        ("turn off the sofalamp", "HassTurnOff", {"name": "light.sofa"}),
        ("turnoff the sofa lamp", "HassTurnOff", {"name": "light.sofa"}),
        ("turn off the kitchenlights", "HassTurnOff", {"area": "kitchen", "domain": "light"}),
        ("pleaze turn off the kitchin lights", "HassTurnOff", {"area": "kitchen", "domain": "light"}),
        ("turn on the tee vee", "HassTurnOn", {"name": "media_player.tv"}),
        ("turn on the fireplaze", "HassTurnOn", {"name": "switch.fire"}),
    ],
)
def test_a_misheard_sentence_is_understood(text: str, intent: str, slots: dict[str, str]) -> None:
    assert MATCHER.match(text, HERE) == ()
    clause = MATCHER.nearest(text, HERE)
    assert [match.intent for match in clause.matches] == [intent]
    assert {name: slot.value for name, slot in clause.matches[0].slots.items()} == slots
    assert ACCEPT <= clause.matches[0].score < 1.0
    assert not clause.rivals


def test_two_names_as_near_are_rivals() -> None:
    clause = MATCHER.nearest("turn on the ned lamp", HERE)
    meant = {match.value("name") for match in (*clause.matches, *clause.rivals)}
    assert clause.rivals
    assert {"light.red", "light.bed"} <= meant


def test_on_and_off_as_near_are_rivals() -> None:
    clause = MATCHER.nearest("turn o the sofa lamp", HERE)
    assert {match.intent for match in (*clause.matches, *clause.rivals)} == {"HassTurnOn", "HassTurnOff"}


@pytest.mark.parametrize(
    "text",
    [
        *("turn on the microwave", "turn on the garden light", "unlock the pantry"),
        "do not turn on the ceiling light",
        *("never turn off the sofa lamp", "he turned around and left", "lock", "the", "", "um", "off", "kitchen"),
        *("what a lovely evening it was", "close your eyes", "x" * 900, "🔥", "\u202eturn on"),
        *("ЖЖЖ", "12345678901234567890"),
        "a " * 400,
    ],
)  # fmt: skip
def test_what_is_no_command_is_not_understood(text: str) -> None:
    assert not MATCHER.understand(Transcription((Hypothesis(text),), "text"), HERE)


@pytest.mark.parametrize("text", ["turn on the مروحة", "turn on مروحة"])
def test_a_name_of_another_script_is_matched(text: str) -> None:
    assert [match.value("name") for match in MATCHER.match(text, HERE)] == ["switch.rtl"]


def test_a_likelier_reading_of_the_recogniser_is_taken() -> None:
    heard = Transcription((Hypothesis("tern on the zofa lamb", 0.5), Hypothesis("tern on the sofa lamp", 0.5)), "x")
    (clause,) = MATCHER.understand(heard, HERE).clauses
    assert clause.text == "tern on the sofa lamp"


def test_a_sentence_to_the_letter_goes_before_a_near_one() -> None:
    heard = Transcription((Hypothesis("tern on the sofa lamp", 0.9), Hypothesis("turn on the red lamp", 0.4)), "x")
    (clause,) = MATCHER.understand(heard, HERE).clauses
    assert clause.matches[0].value("name") == "light.red"
    assert clause.matches[0].score == pytest.approx(0.4)


def test_the_nearest_comes_first_and_the_same_costs_nothing() -> None:
    found = Search(INDEX, ("turn", "on", "the", "sofa", "lamp")).nearest(2.0)
    assert found[0].cost == 0.0
    assert likelihood(found[0]) == 1.0
    assert [each.cost for each in found] == sorted(each.cost for each in found)
    assert len({each.words for each in found}) == len(found)


@settings(max_examples=60)
@given(
    st.lists(
        st.sampled_from(["turn", "on", "off", "the", "lamp", "zz", "kitchen", "twenty", "and", "play"]), max_size=12
    )
)
def test_any_text_is_searched_within_bounds(words: list[str]) -> None:
    for found in Search(INDEX, tuple(words)).nearest(1.0):
        assert found.blocks
        assert found.cost >= 0.0
        assert 0.0 <= likelihood(found) <= 1.0


def test_a_very_long_text_is_cut() -> None:
    assert Search(INDEX, ("lamp",) * (MAX_WORDS * 3)).exact() == []
