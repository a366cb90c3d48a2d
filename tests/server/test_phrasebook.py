"""What is said: the data's words, with the state after the action, and the truth about what failed."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import resources
from typing import Any

import pytest
import yaml

from hearth_core.command import Context, IntentMatch, Outcome, OutcomeStatus, ResponseKind
from hearth_core.home import Home, State
from hearth_server.demo_home import load_demo_house
from hearth_server.execute import execute
from hearth_server.house import House
from hearth_server.phrasebook import Phrasebook
from hearth_server.plan import plan
from hearth_server.templates import render
from tests.house_fakes import DataTexts, FaultyHome, data_texts, said, there

HOME = load_demo_house().home
BOOK = Phrasebook(data_texts())
DONE, FAILED, UNCONFIRMED, UNREACHABLE = (
    OutcomeStatus.DONE,
    OutcomeStatus.FAILED,
    OutcomeStatus.UNCONFIRMED,
    OutcomeStatus.UNREACHABLE,
)


async def answer(match: IntentMatch, **faults: str) -> tuple[str, ResponseKind]:
    """Carry the sentence out in a demo home; faults as light__bed_light="silent"."""
    house = House([FaultyHome({name.replace("__", "."): fault for name, fault in faults.items()})])
    await house.start()
    context = Context(area_id="office", now=datetime(2026, 11, 2, 0, 5, tzinfo=UTC))
    made = plan([match], house.home, context)
    response = BOOK.respond(made, await execute(made, house, 0.05), house.home, context)
    return response.text, response.kind


@pytest.mark.parametrize(
    ("match", "text"),
    [
        (said("HassTurnOn", name=("light.bed_light", "bed light")), "Turned on the light"),
        (said("HassTurnOff", name=("switch.kettle", "kettle")), "Turned off the switch"),
        (said("HassTurnOff", "lights_area", domain="light", area=("kitchen", "kitchen")), "Turned off the lights"),
        (
            said("HassTurnOn", "cover_device_class", domain="cover", device_class=("curtain", "curtains")),
            "Opening the curtains",
        ),
        (said("HassTurnOn", "lock", name="lock.front_door"), "Locking"),
        (said("HassTurnOn", "scene", name="scene.mood_lighting"), "Activated"),
        (said("HassTurnOn", "script", name="script.party_time"), "Started"),
        (said("HassLightSet", "color", domain="light", color=("red", "red")), "Color set"),
        (
            said("HassClimateSetTemperature", name="climate.ecobee", temperature=(21, "21")),
            "Temperature set to 21 degrees",
        ),
        (said("HassVacuumCleanArea", area=("kitchen", "kitchen")), "Cleaning kitchen"),
        (said("HassVacuumCleanArea", area="kitchen"), "Cleaning Kitchen"),
        (said("HassMediaNext"), "Playing next"),
        (said("HassNevermind"), ""),
    ],
    ids=lambda value: getattr(value, "intent", ""),
)
async def test_what_was_done_is_said_in_the_words_of_the_data(match: IntentMatch, text: str) -> None:
    said_text, kind = await answer(match)
    assert said_text == text
    assert kind is (ResponseKind.ANSWER if match.intent == "HassNevermind" else ResponseKind.DONE)


@pytest.mark.parametrize(
    ("match", "text"),
    [
        (said("HassGetState", "one", name=("sensor.outdoor_humidity", "outdoor humidity")), "Outdoor humidity is 54 %"),
        (said("HassGetState", "one_yesno", name="lock.front_door", state="locked"), "No, unlocked"),
        (said("HassGetState", "one_yesno", name="lock.front_door", state="unlocked"), "Yes"),
        (
            said("HassGetState", "one_yesno", name="binary_sensor.bathroom_window", state="on"),
            "No, closed",
        ),
        (
            said("HassGetState", "any", domain="light", state="on"),
            "Yes, Desk Lamp, Floor Lamp and Office Ceiling Light",
        ),
        (said("HassGetState", "which", domain="lock", state="unlocked"), "Front Door"),
        (said("HassGetState", "how_many", domain="light", state="on"), "3"),
        (
            said("HassGetState", "all", domain="lock", state=("locked", "locked")),
            "No, Front Door is not locked",
        ),
        (said("HassGetState", "where", name=("person.ben", "ben")), "Ben is away"),
        (said("HassGetWeather"), "16 °C and sunny"),
        (said("HassClimateGetTemperature", name="climate.ecobee"), "21.5 degrees"),
        (said("HassClimateGetTemperature"), "20.5 degrees"),
        (said("HassGetCurrentTime"), "12:05 AM"),
        (said("HassGetCurrentDate"), "November 2nd, 2026"),
        (said("HassRespond", "hello"), "Hello from Hearth"),
    ],
    ids=lambda value: f"{value.intent}-{value.response}" if isinstance(value, IntentMatch) else "",
)
async def test_question_gets_its_answer(match: IntentMatch, text: str) -> None:
    assert await answer(match) == (text, ResponseKind.ANSWER)


@pytest.mark.parametrize(
    ("match", "text"),
    [
        (said("HassTurnOn", name=("light.gone", "old lamp")), "Sorry, I am not aware of any device called old lamp"),
        (
            said("HassTurnOn", domain="fan", area=("kitchen", "kitchen")),
            "Sorry, I am not aware of any fan in the Kitchen area",
        ),
        (said("HassStartTimer"), "Sorry, timers are not supported on this device"),
        (said("HassBroadcast"), "Sorry, I cannot do that yet"),
        (
            said("HassClimateSetTemperature", name="climate.ecobee", temperature=40),
            "Sorry, that must be between 7 and 30",
        ),
        (said("HassMediaPause", name="media_player.stereo"), "Sorry, no device is playing"),
    ],
    ids=lambda value: getattr(value, "intent", ""),
)
async def test_refusal_says_why(match: IntentMatch, text: str) -> None:
    assert await answer(match) == (text, ResponseKind.FAILED)


LIGHTS = said("HassTurnOn", "lights_area", domain="light", area=("kitchen", "kitchen"))


@pytest.mark.parametrize(
    ("faults", "text"),
    [
        ({"light__counter_light": "refuses"}, "Turned on the lights, but the Counter Light did not do it"),
        ({"light__counter_light": "silent"}, "Turned on the lights, but the Counter Light did not confirm"),
        (
            {"light__counter_light": "refuses", "light__kitchen_lights": "refuses"},
            "The Ceiling Lights and the Counter Light did not do it",
        ),
        (
            {"light__counter_light": "silent", "light__kitchen_lights": "silent"},
            "I sent it, but the Ceiling Lights and the Counter Light did not confirm",
        ),
        (
            {"light__counter_light": "silent", "light__kitchen_lights": "refuses"},
            "I sent it, but the Ceiling Lights did not do it and the Counter Light did not confirm",
        ),
    ],
)
async def test_failure_is_told_and_never_taken_for_done(faults: dict[str, str], text: str) -> None:
    assert await answer(LIGHTS, **faults) == (text, ResponseKind.FAILED)


def respond(match: IntentMatch, outcomes: list[Outcome], book: Phrasebook = BOOK, home: Home = HOME) -> str:
    return book.respond(plan([match], HOME, there()), outcomes, home, there()).text


def test_blinds_that_are_away_did_not_answer() -> None:
    match = said("HassTurnOn", "cover", name="cover.blinds")
    assert respond(match, [Outcome("cover.blinds", UNREACHABLE)]) == "The Roller Blind did not answer"


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (Outcome("knx:1/2/3", UNREACHABLE), "The KNX bus did not answer"),
        (Outcome("knx:1/2/3", OutcomeStatus.UNCONFIGURED), "The KNX bus is not connected to Hearth"),
        (Outcome("mqtt:a/b", OutcomeStatus.UNCONFIRMED), "I sent it, but the MQTT broker did not confirm"),
        (Outcome("home_assistant:notify.x", OutcomeStatus.FAILED), "My Home Assistant did not do it"),
    ],
)
def test_what_is_written_to_a_bus_is_told_by_the_bus(outcome: Outcome, text: str) -> None:
    match = said("Ring", action={"mqtt": {"topic": "bell"}})
    assert respond(match, [outcome]) == text


def test_many_failures_are_counted_not_listed() -> None:
    match = said("HassTurnOff", "light_all", domain="light")
    lights = [entity_id for entity_id in HOME.entities if entity_id.startswith("light.")]
    text = respond(match, [Outcome(lights[0], DONE), *(Outcome(i, UNREACHABLE) for i in lights[1:])])
    assert text == (
        "Turned off all of the lights, but the Wardrobe Light, the Standing Light, the Office Ceiling Light"
        f" and {len(lights) - 4} more did not answer"
    )


def test_state_is_the_one_after_the_action() -> None:
    texts = DataTexts(
        "en",
        {
            "Warm": {
                "default": "{{ state.name }} is {{ state.state_with_unit }}, {{ state_attr(state.entity_id, 'a') }}"
            }
        },
        {},
    )
    match = said("Warm", action={"service": "light.turn_on", "entity_id": "light.bed_light"})
    after = HOME.with_states({"light.bed_light": State("on", {"a": 5, "unit_of_measurement": "lm"})})
    assert respond(match, [Outcome("light.bed_light", DONE)], Phrasebook(texts), after) == "Bed Light is on lm, 5"


@pytest.mark.parametrize(
    ("responses", "response", "text"),
    [
        ({}, None, "Done"),
        ({"Order": {"default": "One {{ slots.drink }}\n coming"}}, None, "One latte coming"),
        ({"Order": {"default": "no", "hot": "Hot {{ slots.drink }}"}}, "hot", "Hot latte"),
        ({"Order": {"default": "yes"}}, "unknown", "yes"),
        ({"Order": {"default": "{{ 1 / 0 }}"}}, None, "Done"),
        ({"Order": {"default": "{% for i in range(999) %}{{ 'a' * 999 }}{% endfor %}"}}, None, "Done"),
    ],
)
def test_author_has_the_say_about_the_own_sentence(responses: Any, response: str | None, text: str) -> None:
    match = said("Order", response, action={"service": "script.coffee_machine"}, drink=("latte", "latte"))
    book = Phrasebook(DataTexts("en", responses, {}))
    assert respond(match, [Outcome("script.coffee_machine", DONE)], book) == text


def test_not_understood_and_too_long_are_told() -> None:
    assert BOOK.not_understood().text == "Sorry, I couldn't understand that"
    assert BOOK.not_understood().kind is ResponseKind.NOT_UNDERSTOOD
    assert BOOK.failure().kind is ResponseKind.FAILED
    assert BOOK.too_long(15.0).text == "Sorry, that was longer than 15 seconds"


def test_language_without_phrases_of_ours_answers_from_the_data(caplog: pytest.LogCaptureFixture) -> None:
    book = Phrasebook(data_texts("da"))
    match = said("HassTurnOn", "lights_area", domain="light", area="kitchen")
    assert (
        respond(match, [Outcome("light.counter_light", DONE)], book)
        == data_texts("da").responses["HassTurnOn"]["lights_area"]
    )
    assert "in English" in caplog.text


@pytest.mark.parametrize("language", ["de", "es", "fr", "nl"])
def test_every_text_of_ours_is_there_in_the_other_languages_too(language: str) -> None:
    english, other = _own_texts("en"), _own_texts(language)
    for part in english.keys() - {"states"}:  # words for states are needed where the language's differ from the data's
        assert _keys(english[part]) <= _keys(other[part])


@pytest.mark.parametrize("language", ["de", "en", "es", "fr", "nl"])
def test_every_text_of_ours_is_a_template_that_renders(language: str) -> None:
    filled = {"names": ["A", "B"], "more": 2, "first": "x", "rest": "y", "seconds": "3", "entity": "lamp"}
    texts = _own_texts(language)
    for text in (*texts["errors"].values(), *texts["phrases"].values()):
        assert render(text, filled).strip()
    names = {"names": ["A", "B", "C"], "more": 2}
    assert [each in render(texts["phrases"]["names"], names) for each in "ABC2"] == [True] * 4


def _own_texts(language: str) -> dict[str, Any]:
    file = resources.files("hearth_server") / "phrases" / f"{language}.yaml"
    texts: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return texts


def _keys(texts: dict[str, Any]) -> set[str]:
    return {f"{key}.{inner}" for key, value in texts.items() for inner in (value if isinstance(value, dict) else ("",))}
