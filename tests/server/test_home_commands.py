"""What people say in the recordings, from the text through matcher, plan and demo home to the answer.

The texts stand here; whether they are all those of the recordings is looked up beside the checkout where these are.
"""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from hearth_core.command import Context, OutcomeStatus, Response
from hearth_core.home import Home
from hearth_intents.matcher import Matcher
from hearth_intents.sentences import Sentences, load_sentences
from hearth_server.demo_home import DemoHome, load_demo_house
from hearth_server.execute import execute
from hearth_server.house import House
from hearth_server.phrasebook import Phrasebook
from hearth_server.plan import plan

ROOT = Path(__file__).parents[2]
LABELS = ROOT / "tests" / "data" / "labels.tsv"
BARISTA = ROOT / "examples" / "barista" / "sentences"

OFFICE = ("light.standing_light", "light.office_ceiling", "light.desk_lamp")
KITCHEN = ("light.kitchen_lights", "light.counter_light")
TV = "media_player.office_tv"

# What is said in the office, the answer, and what every one of these entities is afterwards.
COMMANDS: list[tuple[str, str, tuple[str, ...], dict[str, Any]]] = [
    ("activate Mood Lighting", "Activated", ("light.floor_lamp",), {"state": "on", "brightness": 77}),
    ("run Party Time", "Started", ("script.party_time",), {"state": "off"}),
    ("run Party Time script", "Started", ("script.party_time",), {"state": "off"}),
    ("lock the Front Door", "Locking", ("lock.front_door",), {"state": "locked"}),
    ("unlock the Front Door", "Unlocking", ("lock.front_door",), {"state": "unlocked"}),
    (
        "set Bed Light brightness to 50 percent",
        "Brightness set",
        ("light.bed_light",),
        {"state": "on", "brightness": 128},
    ),
    ("set Bed Light brightness to 75 percent", "Brightness set", ("light.bed_light",), {"brightness": 191}),
    ("set brightness of the Bed Light to 10 percent", "Brightness set", ("light.bed_light",), {"brightness": 26}),
    ("set brightness to 50 percent", "Brightness set", OFFICE, {"state": "on", "brightness": 128}),
    ("set Kitchen brightness to 100 percent", "Brightness set", KITCHEN, {"state": "on", "brightness": 255}),
    ("set the brightness of the Kitchen to 25 percent", "Brightness set", KITCHEN, {"brightness": 64}),
    ("set Bed Light color to orange", "Color set", ("light.bed_light",), {"state": "on", "color_name": "orange"}),
    ("set the color of the Bed Light to yellow", "Color set", ("light.bed_light",), {"color_name": "yellow"}),
    ("set Kitchen lights to green", "Color set", KITCHEN, {"state": "on", "rgb_color": [0, 128, 0]}),
    ("set Kitchen lights to white", "Color set", KITCHEN, {"color_name": "white"}),
    ("set color of the Kitchen lights to blue", "Color set", KITCHEN, {"color_name": "blue"}),
    ("set lights in the Kitchen to yellow", "Color set", KITCHEN, {"color_name": "yellow"}),
    ("set color of lights to green", "Color set", OFFICE, {"color_name": "green"}),
    ("set lights to red", "Color set", OFFICE, {"color_name": "red"}),
    ("turn on Standing Light", "Turned on the light", ("light.standing_light",), {"state": "on"}),
    ("turn the Standing Light in the Office on", "Turned on the light", ("light.standing_light",), {"state": "on"}),
    ("turn the Standing Light in the Office off", "Turned off the light", ("light.standing_light",), {"state": "off"}),
    ("turn Bed Light on", "Turned on the light", ("light.bed_light",), {"state": "on"}),
    ("turn Bed Light off", "Turned off the light", ("light.bed_light",), {"state": "off"}),
    ("turn on the lights", "Turned on the lights", OFFICE, {"state": "on"}),
    ("turn the lights on", "Turned on the lights", OFFICE, {"state": "on"}),
    ("turn off the lights in here", "Turned off the lights", OFFICE, {"state": "off"}),
    ("turn the lights off in here", "Turned off the lights", OFFICE, {"state": "off"}),
    ("turn off lights in the Office", "Turned off the lights", OFFICE, {"state": "off"}),
    ("turn on lights in the Kitchen", "Turned on the lights", KITCHEN, {"state": "on"}),
    ("turn on the Kitchen lights", "Turned on the lights", KITCHEN, {"state": "on"}),
    ("turn off all of the Kitchen lights", "Turned off the lights", KITCHEN, {"state": "off"}),
    ("turn off all of the lights in the Kitchen", "Turned off the lights", KITCHEN, {"state": "off"}),
    ("close the Kitchen windows", "Closing the windows", ("cover.kitchen_window",), {"state": "closed"}),
    ("close the windows in the Office", "Closing the windows", ("cover.office_window",), {"state": "closed"}),
    ("open the Office curtains", "Opening the curtains", ("cover.curtains",), {"state": "open"}),
    ("open the blinds in the Office", "Opening the blinds", ("cover.blinds",), {"state": "open"}),
    ("close the Sliding Door", "Closing", ("cover.sliding_door",), {"state": "closed"}),
    ("open the Sliding Door", "Opening", ("cover.sliding_door",), {"state": "open"}),
    ("open the Sliding Door in the Office", "Opening", ("cover.sliding_door",), {"state": "open"}),
    ("next on TV", "Playing next", (TV,), {"media_track": 2}),
    ("next track", "Playing next", (TV,), {"media_track": 2}),
    ("skip this song", "Playing next", (TV,), {"media_track": 2}),
    ("skip track on the TV", "Playing next", (TV,), {"media_track": 2}),
    ("pause the TV", "Paused", (TV,), {"state": "paused"}),
    ("turn on the TV", "Turned on the media player", (TV,), {"state": "on"}),
    ("turn off TV", "Turned off the media player", (TV,), {"state": "off"}),
    ("turn off the TV in the Office", "Turned off the media player", (TV,), {"state": "off"}),
    ("turn on the TV in the Kitchen", "Turned on the media player", ("media_player.kitchen_tv",), {"state": "on"}),
]

# What is said in the office and changes nothing, and what the answer is like.
QUESTIONS: list[tuple[str, str]] = [
    ("is the Front Door locked", "No, unlocked"),
    ("is the Front Door unlocked", "Yes"),
    ("is the Sliding Door closed", "Yes"),
    ("is the Sliding Door open", "No, closed"),
    ("what is the EcoBee temperature", "21.5 degrees"),
    ("what's the temp of the EcoBee", "21.5 degrees"),
    ("what is the temperature", "20.5 degrees"),
    ("what's the temp", "20.5 degrees"),
    ("what's the Office temp", "20.5 degrees"),
    ("what's the temperature in the Kitchen", "22.5 degrees"),
    ("what is the value of Outdoor Humidity", "Outdoor humidity is 54 %"),
    ("what's the New York weather", "16 °C and sunny"),
    ("what's the weather in New York", "16 °C and sunny"),
    ("what time is it", r"\d+:\d\d [AP]M"),
    ("what's the time", r"\d+:\d\d [AP]M"),
    ("what is today's date", r"\w+ \d+(st|nd|rd|th), \d{4}"),
    ("resume TV", "Sorry, no device is paused"),  # it plays
    ("sing me a song about cheese", "Sorry, I couldn't understand that"),
]

TIMERS = [
    "set a timer for 5 minutes",
    "cancel timer",
    "create a timer for 4 and a half hours",
    "create a timer for 5 and a half minutes",
    "create a timer for 5 minutes",
    "create timer for 6 hours and 20 minutes",
    "how much time is left on my timer",
    "resume the timer",
    "set a timer for 1 hour and 1 minute",
    "set a timer for 1 hour",
    "set timer for 1 minute and 45 seconds",
    "start a timer for 1 hour and 8 minutes",
    "start a timer for 1 minute",
    "start a timer for 10 minutes and 20 seconds",
    "start timer for 3 hours",
    "status of the timers",
    "stop all of my timers",
    "stop my timer",
]


@cache
def english() -> tuple[Sentences, Matcher, Phrasebook]:
    sentences = load_sentences("en", [BARISTA])
    assert not sentences.problems
    return sentences, Matcher(sentences, load_demo_house().home), Phrasebook(sentences)


async def hear(text: str) -> tuple[Response, Home]:
    """Say it in the office of a fresh demo home; return the answer and the house afterwards."""
    _, matcher, book = english()
    house = House([DemoHome()])
    await house.start()
    context = Context(area_id="office")
    matches = matcher.match(text, context)
    if not matches:
        return book.not_understood(), house.home
    made = plan(matches, house.home, context)
    outcomes = await execute(made, house, 0.5)
    assert all(outcome.status is OutcomeStatus.DONE for outcome in outcomes)
    return book.respond(made, outcomes, house.home, context), house.home


@pytest.mark.parametrize(("text", "answer", "entity_ids", "expected"), COMMANDS, ids=lambda value: str(value)[:45])
async def test_command_changes_the_home_and_is_answered(
    text: str, answer: str, entity_ids: tuple[str, ...], expected: dict[str, Any]
) -> None:
    response, home = await hear(text)
    assert response.text == answer
    for entity_id in entity_ids:
        state = home.entities[entity_id].state
        assert expected.items() <= {"state": state.value, **state.attributes}.items()


# A scene moves others, a script is seen by when it ran; all the others change what is named and nothing else.
@pytest.mark.parametrize(("text", "entity_ids"), [(c[0], c[2]) for c in COMMANDS if not c[0].startswith("activate")])
async def test_command_leaves_the_rest_of_the_home_alone(text: str, entity_ids: tuple[str, ...]) -> None:
    _, after = await hear(text)
    before = load_demo_house().home
    changed = {k for k, entity in after.entities.items() if entity.state != before.entities[k].state}
    assert changed <= set(entity_ids)


@pytest.mark.parametrize(
    ("text", "answer"), [*QUESTIONS, *((text, "Sorry, timers are not supported on this device") for text in TIMERS)]
)
async def test_question_changes_nothing_and_is_answered(text: str, answer: str) -> None:
    response, home = await hear(text)
    assert re.fullmatch(answer, response.text)
    assert home.entities == load_demo_house().home.entities


async def test_author_s_sentence_orders_coffee() -> None:
    response, home = await hear("can i get a large dark roast latte with a little bit of milk")
    assert response.text
    order = home.entities["script.coffee_machine"].state.attributes["variables"]
    assert {"large", "dark roast", "latte", "a little bit of milk"} <= set(order.values())


def test_every_recorded_command_is_here() -> None:
    with LABELS.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    recorded = {row["text"] for row in rows if row["corpus"].startswith("home-commands")}
    known = {text for text, *_ in COMMANDS} | {text for text, _ in QUESTIONS} | set(TIMERS)
    assert recorded - known == {"oov_1"}  # a recording that is no command
