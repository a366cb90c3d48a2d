"""Texts are understood as people mean them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hearth_core.command import Context, Hypothesis, IntentMatch, Transcription
from hearth_core.home import Area, Entity, Floor, Home
from hearth_intents.matcher import MAX_TEXT_CHARS, Matcher
from hearth_intents.sentences import load_sentences
from tests.intents.homes import speech_home

MATCHER = Matcher(load_sentences("en"), speech_home())
OFFICE = Context(area_id="office")


def _one(text: str, context: Context = OFFICE, matcher: Matcher = MATCHER) -> IntentMatch:
    (match,) = matcher.match(text, context)
    return match


def _values(match: IntentMatch) -> dict[str, Any]:
    return {name: slot.value for name, slot in match.slots.items()}


@pytest.mark.parametrize(
    ("text", "intent", "slots"),
    [
        ("Turn on the Bed Light.", "HassTurnOn", {"name": "light.bed_light"}),
        ("turn the bed light to off", "HassTurnOff", {"name": "light.bed_light"}),
        ("turn on the lights", "HassTurnOn", {"area": "office", "domain": "light"}),
        ("could you please turn on the lights", "HassTurnOn", {"area": "office", "domain": "light"}),
        ("turn off the kitchen lights", "HassTurnOff", {"area": "kitchen", "domain": "light"}),
        ("turn off the lights upstairs", "HassTurnOff", {"floor": "upper", "domain": "light"}),
        ("turn on the lights in bedroom two", "HassTurnOn", {"area": "bedroom_2", "domain": "light"}),
        ("turn on the lights in bedroom 2", "HassTurnOn", {"area": "bedroom_2", "domain": "light"}),
        ("turn on the guest room lights", "HassTurnOn", {"area": "bedroom_2", "domain": "light"}),
        ("set bed light to 50%", "HassLightSet", {"name": "light.bed_light", "brightness": 50}),
        ("set bed light to fifty percent", "HassLightSet", {"name": "light.bed_light", "brightness": 50}),
        ("set the kitchen lights to 30%", "HassLightSet", {"area": "kitchen", "brightness": 30, "domain": "light"}),
        ("make the office lights green", "HassLightSet", {"area": "office", "color": "green", "domain": "light"}),
        ("open the sliding door", "HassTurnOn", {"name": "cover.sliding_door"}),
        ("set the sliding door to 40%", "HassSetPosition", {"name": "cover.sliding_door", "position": 40}),
        ("close the blinds", "HassTurnOff", {"device_class": "blind", "domain": "cover", "area": "office"}),
        ("lock the front door", "HassTurnOn", {"name": "lock.front_door"}),
        ("unlock the front door", "HassTurnOff", {"name": "lock.front_door"}),
        ("is the front door locked", "HassGetState", {"name": "lock.front_door", "state": "locked"}),
        (
            "set the ecobee to 21 degrees",
            "HassClimateSetTemperature",
            {"name": "climate.ecobee", "temperature": 21},
        ),
        ("set the temperature to 21 and a half", None, {}),
        ("activate mood lighting", "HassTurnOn", {"name": "scene.mood_lighting"}),
        ("run party time", "HassTurnOn", {"name": "script.party_time"}),
        ("pause the tv", "HassMediaPause", {"name": "media_player.tv_office"}),
        ("set the volume to 30 percent", "HassSetVolume", {"volume_level": 30, "area": "office"}),
        ("volume up", "HassSetVolumeRelative", {"volume_step": "up", "area": "office"}),
        ("next track", "HassMediaNext", {"area": "office"}),
        ("what's the weather in new york", "HassGetWeather", {"name": "weather.new_york"}),
        ("what is the outdoor humidity", "HassGetState", {"name": "sensor.outdoor_humidity"}),
        ("are any lights on in the kitchen", "HassGetState", {"area": "kitchen", "domain": "light", "state": "on"}),
        ("what time is it", "HassGetCurrentTime", {}),
        ("what day is it", "HassGetCurrentDate", {}),
        ("set a timer for 5 minutes", "HassStartTimer", {"minutes": 5}),
        ("oov 1", None, {}),
        ("the quick brown fox", None, {}),
        ("turn on the", None, {}),
        ("turn on the bed light in the kitchen", None, {}),  # it is not there
    ],
)
def test_meaning(text: str, intent: str | None, slots: dict[str, Any]) -> None:
    matches = MATCHER.match(text, OFFICE)
    assert [match.intent for match in matches] == ([intent] if intent else [])
    assert [_values(match) for match in matches] == ([slots] if intent else [])


def test_a_match_says_what_was_said() -> None:
    match = _one("Turn on the Bed Light.")
    assert match.slots["name"].text == "Bed Light"
    assert match.text == "Turn on the Bed Light."
    assert (match.score, match.response, match.language, match.action) == (1.0, "default", "en", None)


def test_without_a_satellite_there_is_no_here() -> None:
    assert MATCHER.match("turn on the lights", Context()) == ()
    assert MATCHER.match("turn on the lights", Context(area_id="unknown")) == ()


def test_the_area_decides_between_things_of_one_name() -> None:
    assert _one("turn on the tv").value("name") == "media_player.tv_office"
    assert _one("turn on the tv", Context(area_id="kitchen")).value("name") == "media_player.tv_kitchen"
    assert _one("turn on the tv in the kitchen").value("name") == "media_player.tv_kitchen"
    # no television in these rooms, but one on the same floor
    assert _one("turn on the tv", Context(area_id="living_room")).value("name") == "media_player.tv_kitchen"
    assert _one("turn on the tv", Context(area_id="bedroom_2")).value("name") == "media_player.tv_office"


def test_things_of_one_name_are_all_told_if_nothing_decides() -> None:
    matches = MATCHER.match("turn on the tv", Context())
    assert {match.value("name") for match in matches} == {"media_player.tv_office", "media_player.tv_kitchen"}
    assert {match.intent for match in matches} == {"HassTurnOn"}


def test_names_go_before_places_and_long_names_before_short() -> None:
    areas = [Area("k", "Kitchen")]
    things = [Entity("light.a", "Kitchen Light", area_id="k"), Entity("light.b", "Kitchen", area_id="k")]
    matcher = Matcher(load_sentences("en"), Home.of((), areas, things))
    assert _values(_one("turn on the kitchen light", Context(), matcher)) == {"name": "light.a"}
    assert _values(_one("turn on the kitchen", Context(), matcher)) == {"name": "light.b"}
    assert _values(_one("turn on the kitchen lights", Context(), matcher)) == {"name": "light.b"}


def test_names_with_the_signs_of_templates_are_names() -> None:
    things = [Entity("light.a", "Lamp (old) [x|y] {z}"), Entity("light.b", "Heat & Light"), Entity("light.c", "💡")]
    matcher = Matcher(load_sentences("en"), Home.of((), (), things))
    assert _one("turn on lamp old x y z", Context(), matcher).value("name") == "light.a"
    assert _one("turn on heat and light", Context(), matcher).value("name") == "light.b"
    assert _one("turn on 💡", Context(), matcher).value("name") == "light.c"
    assert matcher.match("turn on", Context()) == ()


def test_floors_with_areas_of_one_name() -> None:
    floors = [Floor("g", "Ground"), Floor("u", "Top")]
    areas = [Area("b1", "Bath", floor_id="g"), Area("b2", "Bath", floor_id="u"), Area("hall", "Hall", floor_id="u")]
    matcher = Matcher(load_sentences("en"), Home.of(floors, areas, [Entity("light.a", "Spot", area_id="b1")]))
    assert _one("turn on the bath lights", Context(area_id="hall"), matcher).value("area") == "b2"
    assert len(matcher.match("turn on the bath lights", Context())) == 2


@pytest.fixture
def own(tmp_path: Path) -> Matcher:
    data = {
        "language": "en",
        "intents": {
            "Tea": {
                "data": [
                    {
                        "sentences": ["i want tea", "what time is it", "write {note} down", "say {note} to {who}"],
                        "action": {"service": "script.turn_on", "entity_id": "script.tea"},
                    }
                ]
            }
        },
        "lists": {"note": {"wildcard": True}, "who": {"values": ["(mum|mother)"]}},
    }
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    return Matcher(load_sentences("en", [tmp_path]), speech_home())


@pytest.mark.parametrize(
    "text", ["i want tea", "I want tea, please.", "could you i want tea for me", "please i want tea please"]
)
def test_skipped_words_may_be_part_of_a_sentence(own: Matcher, text: str) -> None:
    match = _one(text, OFFICE, own)
    assert match.intent == "Tea"
    assert match.action == {"service": "script.turn_on", "entity_id": ["script.tea"], "data": {}}


def test_an_authors_sentence_goes_before_home_assistants(own: Matcher) -> None:
    assert _one("what time is it", OFFICE, own).intent == "Tea"


def test_free_text_lowers_the_score(own: Matcher) -> None:
    match = _one("write buy some milk down", OFFICE, own)
    assert _values(match) == {"note": "buy some milk"}
    assert 0.0 < match.score < 0.5
    assert _values(_one("say hello there to mother", OFFICE, own)) == {"note": "hello there", "who": "mother"}


def _heard(*hypotheses: tuple[str, float | None]) -> Transcription:
    return Transcription(tuple(Hypothesis(text, confidence) for text, confidence in hypotheses), "fake")


def test_the_first_reading_that_means_something_is_taken() -> None:
    (clause,) = MATCHER.understand(_heard(("what rhyme is it", 0.9), ("what time is it", 0.5)), OFFICE).clauses
    (match,) = clause.matches
    assert (match.intent, match.score) == ("HassGetCurrentTime", 0.5)
    (clause,) = MATCHER.understand(_heard(("what time is it", None)), OFFICE).clauses
    assert clause.matches[0].score == 1.0
    assert not MATCHER.understand(_heard(("what rhyme is it", 0.9)), OFFICE)
    assert not MATCHER.understand(_heard(), OFFICE)


@pytest.mark.parametrize(("confidence", "understood"), [(0.001, False), (0.2, False), (0.3, True), (None, True)])
def test_a_reading_far_behind_the_first_is_no_command(confidence: float | None, understood: bool) -> None:
    heard = _heard(("yes", 0.9), ("turn on the bed light", confidence))
    assert bool(MATCHER.understand(heard, OFFICE)) is understood


@pytest.mark.parametrize(
    ("heard", "score", "rivals"),
    [
        # almost as likely, and another thing: it is to be asked which
        ([("turn on the bed light", 0.5), ("turn on the standing light", 0.4)], 0.5, {"light.standing_light"}),
        ([("turn on the bed light", 0.5), ("turn off the bed light", 0.3)], 0.5, {"light.bed_light"}),
        # another way to say the same: surer
        ([("turn on the bed light", 0.5), ("turn the bed light on", 0.4)], 0.9, set()),
        (
            [("turn on bed light", 0.3), ("switch bed light on", 0.2), ("turn off bed light", 0.27)],
            0.5,
            {"light.bed_light"},
        ),
        # a rival of the reading, but not of all that mean the same
        ([("turn on bed light", 0.4), ("switch bed light on", 0.4), ("turn off bed light", 0.3)], 0.8, set()),
        # no rival each, but together
        (
            [
                ("turn on bed light", 0.3),
                ("switch bed light on", 0.2),
                ("turn bed light off", 0.16),
                ("turn off bed light", 0.15),
            ],
            0.5,
            {"light.bed_light"},
        ),
        # far behind, without a confidence, or no command
        ([("turn on the bed light", 0.9), ("turn on the standing light", 0.1)], 0.9, set()),
        ([("turn on the bed light", 0.6), ("turn off the bed light", 0.25)], 0.6, set()),
        ([("turn on the bed light", None), ("turn on the standing light", None)], 1.0, set()),
        ([("turn on the bed light", 0.5), ("turn on the standing light", None)], 0.5, set()),
        ([("turn on the bed light", 0.5), ("turn on the bending light", 0.4)], 0.5, set()),
    ],
)
def test_readings_almost_as_likely_are_rivals(
    heard: list[tuple[str, float | None]], score: float, rivals: set[str]
) -> None:
    (clause,) = MATCHER.understand(_heard(*heard), OFFICE).clauses
    assert [match.score for match in clause.matches] == [pytest.approx(score)]
    assert clause.matches[0].value("name") == "light.bed_light"
    assert {match.value("name") for match in clause.rivals} == rivals
    assert all(match.score < score for match in clause.rivals)


@pytest.mark.parametrize(
    ("heard", "understood"),
    [
        ([("turn on the bed light", 0.7)], True),
        ([("turn on the bed light", 0.6)], False),
        ([("turn on the bed light", 0.4), ("turn the bed light on", 0.3)], True),  # two ways to say the same
        ([("turn on the bed light", 0.4), ("turn off the bed light", 0.3)], True),  # one of the two: asked about
        ([("turn on the bed light", 0.5), ("turn off the bed light", 0.1)], False),  # no rival
        ([("no such thing", 0.5), ("turn on the bed light", 0.4)], False),
        ([("turn on the bed light", None)], True),
    ],
)
def test_what_is_not_likely_enough_to_be_meant_is_not_believed(
    heard: list[tuple[str, float | None]], understood: bool
) -> None:
    assert bool(MATCHER.understand(replace(_heard(*heard), closed=True, least=0.65), OFFICE)) is understood
    assert MATCHER.understand(replace(_heard(*heard), closed=True), OFFICE)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("turn on the bed light", ["light.bed_light"]),
        ("turn on the bad light", []),
        ("turn on bed lights", []),
    ],
)
def test_who_hears_only_sentences_has_not_misheard_one(text: str, meant: list[str]) -> None:
    heard = replace(_heard((text, 0.9)), closed=True)
    assert [c.matches[0].value("name") for c in MATCHER.understand(heard, OFFICE).clauses] == meant
    assert MATCHER.understand(_heard((text, 0.9)), OFFICE)  # who hears any text may have


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "\n\t", "\x00", "\ud800", "...", "💡", "please", "please please", "i want", "{name}", "<turn> on"),
        "turn on " * 1000,
        "in " * (MAX_TEXT_CHARS // 3),
        "(" * MAX_TEXT_CHARS,
        "the " * (MAX_TEXT_CHARS // 4),
        "play " + "x" * MAX_TEXT_CHARS,
    ],
)
def test_what_is_no_command_means_nothing(text: str) -> None:
    assert MATCHER.match(text, OFFICE) == ()


def test_control_characters_part_words() -> None:
    assert _one("turn on\x00the\nbed\tlight\r\n").value("name") == "light.bed_light"


WORDS = ("turn", "on", "the", "bed", "light", "off", "in", "5", "%", ".", "please")


@settings(max_examples=100)
@given(st.text(max_size=80) | st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_any_text_is_answered(text: str) -> None:
    for match in MATCHER.match(text, OFFICE):
        assert 0.0 <= match.score <= 1.0
        assert match.text == text
