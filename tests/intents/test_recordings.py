"""What is said in the recordings of home commands and coffee orders can be said, and is understood.

The texts of the home commands stand here; those of the recordings, and the coffee orders' labels, are in tests/data.
"""

from __future__ import annotations

import csv
import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from hearth_core.command import Context
from hearth_core.home import Home
from hearth_intents.compile import compile_grammar
from hearth_intents.matcher import Matcher
from hearth_intents.sentences import Sentences, load_sentences
from tests.intents.homes import speech_home

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
BARISTA = ROOT / "examples" / "barista" / "sentences"
OFFICE = Context(area_id="office")

# said in the office
COMMANDS: list[tuple[str, str, dict[str, Any]]] = [
    ("activate Mood Lighting", "HassTurnOn", {"name": "scene.mood_lighting"}),
    ("is the Front Door locked", "HassGetState", {"name": "lock.front_door", "state": "locked"}),
    ("lock the Front Door", "HassTurnOn", {"name": "lock.front_door"}),
    ("set Bed Light brightness to 50 percent", "HassLightSet", {"name": "light.bed_light", "brightness": 50}),
    ("set Kitchen lights to green", "HassLightSet", {"area": "kitchen", "domain": "light", "color": "green"}),
    ("set a timer for 5 minutes", "HassStartTimer", {"minutes": 5}),
    ("turn off lights in the Office", "HassTurnOff", {"area": "office", "domain": "light"}),
    ("turn on Standing Light", "HassTurnOn", {"name": "light.standing_light"}),
    ("what time is it", "HassGetCurrentTime", {}),
    ("cancel timer", "HassCancelTimer", {}),
    ("run Party Time", "HassTurnOn", {"name": "script.party_time"}),
    ("close the Kitchen windows", "HassTurnOff", {"area": "kitchen", "device_class": "window", "domain": "cover"}),
    ("close the Sliding Door", "HassTurnOff", {"name": "cover.sliding_door"}),
    (
        "close the windows in the Office",
        "HassTurnOff",
        {"area": "office", "device_class": "window", "domain": "cover"},
    ),
    ("create a timer for 4 and a half hours", "HassStartTimer", {"hours": 4, "minutes": 30}),
    ("create a timer for 5 and a half minutes", "HassStartTimer", {"minutes": 5, "seconds": 30}),
    ("create a timer for 5 minutes", "HassStartTimer", {"minutes": 5}),
    ("create timer for 6 hours and 20 minutes", "HassStartTimer", {"hours": 6, "minutes": 20}),
    ("how much time is left on my timer", "HassTimerStatus", {}),
    ("is the Front Door unlocked", "HassGetState", {"name": "lock.front_door", "state": "unlocked"}),
    ("is the Sliding Door closed", "HassGetState", {"name": "cover.sliding_door", "state": "closed"}),
    ("is the Sliding Door open", "HassGetState", {"name": "cover.sliding_door", "state": "open"}),
    ("next on TV", "HassMediaNext", {"name": "media_player.tv_office"}),
    ("next track", "HassMediaNext", {"area": "office"}),
    ("open the Office curtains", "HassTurnOn", {"area": "office", "device_class": "curtain", "domain": "cover"}),
    ("open the Sliding Door in the Office", "HassTurnOn", {"name": "cover.sliding_door", "area": "office"}),
    ("open the Sliding Door", "HassTurnOn", {"name": "cover.sliding_door"}),
    ("open the blinds in the Office", "HassTurnOn", {"area": "office", "device_class": "blind", "domain": "cover"}),
    ("pause the TV", "HassMediaPause", {"name": "media_player.tv_office"}),
    ("resume TV", "HassMediaUnpause", {"name": "media_player.tv_office"}),
    ("resume the timer", "HassUnpauseTimer", {}),
    ("run Party Time script", "HassTurnOn", {"name": "script.party_time"}),
    ("set Bed Light brightness to 75 percent", "HassLightSet", {"name": "light.bed_light", "brightness": 75}),
    ("set Bed Light color to orange", "HassLightSet", {"name": "light.bed_light", "color": "orange"}),
    (
        "set Kitchen brightness to 100 percent",
        "HassLightSet",
        {"area": "kitchen", "brightness": 100, "domain": "light"},
    ),
    ("set Kitchen lights to white", "HassLightSet", {"area": "kitchen", "domain": "light", "color": "white"}),
    ("set a timer for 1 hour and 1 minute", "HassStartTimer", {"hours": 1, "minutes": 1}),
    ("set a timer for 1 hour", "HassStartTimer", {"hours": 1}),
    ("set brightness of the Bed Light to 10 percent", "HassLightSet", {"name": "light.bed_light", "brightness": 10}),
    ("set brightness to 50 percent", "HassLightSet", {"brightness": 50, "domain": "light", "area": "office"}),
    ("set color of lights to green", "HassLightSet", {"color": "green", "domain": "light", "area": "office"}),
    (
        "set color of the Kitchen lights to blue",
        "HassLightSet",
        {"area": "kitchen", "domain": "light", "color": "blue"},
    ),
    ("set lights in the Kitchen to yellow", "HassLightSet", {"area": "kitchen", "color": "yellow", "domain": "light"}),
    ("set lights to red", "HassLightSet", {"color": "red", "domain": "light", "area": "office"}),
    (
        "set the brightness of the Kitchen to 25 percent",
        "HassLightSet",
        {"area": "kitchen", "brightness": 25, "domain": "light"},
    ),
    ("set the color of the Bed Light to yellow", "HassLightSet", {"name": "light.bed_light", "color": "yellow"}),
    ("set timer for 1 minute and 45 seconds", "HassStartTimer", {"minutes": 1, "seconds": 45}),
    ("skip this song", "HassMediaNext", {"area": "office"}),
    ("skip track on the TV", "HassMediaNext", {"name": "media_player.tv_office"}),
    ("start a timer for 1 hour and 8 minutes", "HassStartTimer", {"hours": 1, "minutes": 8}),
    ("start a timer for 1 minute", "HassStartTimer", {"minutes": 1}),
    ("start a timer for 10 minutes and 20 seconds", "HassStartTimer", {"minutes": 10, "seconds": 20}),
    ("start timer for 3 hours", "HassStartTimer", {"hours": 3}),
    ("status of the timers", "HassTimerStatus", {}),
    ("stop all of my timers", "HassCancelAllTimers", {}),
    ("stop my timer", "HassCancelTimer", {}),
    ("turn Bed Light off", "HassTurnOff", {"name": "light.bed_light"}),
    ("turn Bed Light on", "HassTurnOn", {"name": "light.bed_light"}),
    ("turn off TV", "HassTurnOff", {"name": "media_player.tv_office"}),
    ("turn off all of the Kitchen lights", "HassTurnOff", {"area": "kitchen", "domain": "light"}),
    ("turn off all of the lights in the Kitchen", "HassTurnOff", {"area": "kitchen", "domain": "light"}),
    ("turn off the TV in the Office", "HassTurnOff", {"name": "media_player.tv_office", "area": "office"}),
    ("turn off the lights in here", "HassTurnOff", {"domain": "light", "area": "office"}),
    ("turn on lights in the Kitchen", "HassTurnOn", {"area": "kitchen", "domain": "light"}),
    ("turn on the Kitchen lights", "HassTurnOn", {"area": "kitchen", "domain": "light"}),
    ("turn on the TV in the Kitchen", "HassTurnOn", {"name": "media_player.tv_kitchen", "area": "kitchen"}),
    ("turn on the TV", "HassTurnOn", {"name": "media_player.tv_office"}),
    ("turn on the lights", "HassTurnOn", {"domain": "light", "area": "office"}),
    ("turn the Standing Light in the Office off", "HassTurnOff", {"name": "light.standing_light", "area": "office"}),
    ("turn the Standing Light in the Office on", "HassTurnOn", {"name": "light.standing_light", "area": "office"}),
    ("turn the lights off in here", "HassTurnOff", {"domain": "light", "area": "office"}),
    ("turn the lights on", "HassTurnOn", {"domain": "light", "area": "office"}),
    ("unlock the Front Door", "HassTurnOff", {"name": "lock.front_door"}),
    ("what is the EcoBee temperature", "HassClimateGetTemperature", {"name": "climate.ecobee"}),
    ("what is the temperature", "HassClimateGetTemperature", {"area": "office"}),
    ("what is the value of Outdoor Humidity", "HassGetState", {"name": "sensor.outdoor_humidity"}),
    ("what is today's date", "HassGetCurrentDate", {}),
    ("what's the New York weather", "HassGetWeather", {"name": "weather.new_york"}),
    ("what's the Office temp", "HassClimateGetTemperature", {"area": "office"}),
    ("what's the temp of the EcoBee", "HassClimateGetTemperature", {"name": "climate.ecobee"}),
    ("what's the temp", "HassClimateGetTemperature", {"area": "office"}),
    ("what's the temperature in the Kitchen", "HassClimateGetTemperature", {"area": "kitchen"}),
    ("what's the time", "HassGetCurrentTime", {}),
    ("what's the weather in New York", "HassGetWeather", {"name": "weather.new_york"}),
]


@pytest.fixture(scope="module")
def english() -> Sentences:
    return load_sentences("en", [BARISTA])


def _rows(*corpora: str) -> list[dict[str, str]]:
    with (DATA / "labels.tsv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file, delimiter="\t") if row["corpus"] in corpora]


def test_home_commands_are_understood(english: Sentences) -> None:
    matcher = Matcher(english, speech_home())
    for text, intent, slots in COMMANDS:
        (match,) = matcher.match(text, OFFICE)
        assert (match.intent, {name: slot.value for name, slot in match.slots.items()}) == (intent, slots), text


def test_home_commands_can_be_said(english: Sentences) -> None:
    grammar = compile_grammar(english, speech_home())
    matcher = Matcher(english, speech_home())
    for text, intent, _ in COMMANDS:
        words = english.speech.words(text)
        assert grammar.graph.accepts(words), text
        (match,) = matcher.match(" ".join(words), OFFICE)  # as a recogniser writes it
        assert match.intent == intent, text


def test_the_home_commands_are_those_of_the_recordings() -> None:
    rows = _rows("home-commands", "home-commands-dev")
    assert {row["text"] for row in rows if not row["text"].startswith("oov_")} == {text for text, _, _ in COMMANDS}


def _order(carrier: str, article: str, slots: dict[str, str]) -> str:
    before = [slots[name] for name in slots if name in ("size", "roast", "numberOfShots")]
    after = " and ".join(slots[name] for name in slots if name in ("milkAmount", "sugarAmount"))
    return " ".join([carrier, article, *before, slots["coffeeDrink"], *(["with", after] if after else [])])


@pytest.mark.parametrize("builtin", [False, True], ids=["alone", "with-all-others"])
def test_coffee_orders_of_the_recordings(builtin: bool) -> None:
    sentences = load_sentences("en", [BARISTA], builtin=builtin)
    home = speech_home() if builtin else Home()
    matcher, graph = Matcher(sentences, home), compile_grammar(sentences, home).graph
    labels = [json.loads(row["text"]) for row in _rows("barista-dev")]
    assert len(labels) == 189
    grammar = yaml.safe_load((DATA / "barista-grammar.yaml").read_text(encoding="utf-8"))
    ways = itertools.cycle(itertools.product(grammar["carrier"], grammar["article"]))
    for label in labels:
        text = _order(*next(ways), label["slots"])
        assert graph.accepts(text.split()), text
        (match,) = matcher.match(text, OFFICE)
        found = {name: slot.value for name, slot in match.slots.items()}
        assert (match.intent, found) == (label["intent"], label["slots"]), text


def test_every_value_of_the_coffee_grammar() -> None:
    grammar = yaml.safe_load((DATA / "barista-grammar.yaml").read_text(encoding="utf-8"))
    sentences = load_sentences("en", [BARISTA], builtin=False)
    matcher, graph = Matcher(sentences, Home()), compile_grammar(sentences, Home()).graph
    for slot, values in grammar["slots"].items():
        for value in values:
            slots = {"coffeeDrink": "latte"} | {slot: value}
            text = _order("get me", "a", slots)
            assert graph.accepts(text.split()), text
            (match,) = matcher.match(text, OFFICE)
            assert {name: found.value for name, found in match.slots.items()} == slots, text
    # sizes, roasts and shots in any order, each at most once; milk and sugar in either order, one or both
    before = sum(
        len(list(itertools.permutations(kinds))) * _product(grammar["slots"], kinds)
        for count in range(4)
        for kinds in itertools.combinations(("size", "roast", "numberOfShots"), count)
    )
    milk, sugar = len(grammar["slots"]["milkAmount"]), len(grammar["slots"]["sugarAmount"])
    after = 1 + milk + sugar + 2 * milk * sugar
    carriers = len(grammar["carrier"]) * len(grammar["article"])
    assert graph.sentence_count() == carriers * before * len(grammar["slots"]["coffeeDrink"]) * after


def _product(slots: dict[str, list[str]], kinds: tuple[str, ...]) -> int:
    count = 1
    for kind in kinds:
        count *= len(slots[kind])
    return count


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        ("I'd like an americano, please.", {"coffeeDrink": "americano"}),
        ("can i get a large latte with a bit of milk", {"size": "large", "coffeeDrink": "latte"}),
        ("could you make me a twelve ounce coffee for me", {"size": "twelve ounce", "coffeeDrink": "coffee"}),
        ("make me a 12 ounce coffee", {"size": "twelve ounce", "coffeeDrink": "coffee"}),
    ],
)
def test_coffee_is_ordered_among_all_other_sentences(text: str, slots: dict[str, str], english: Sentences) -> None:
    (match,) = Matcher(english, speech_home()).match(text, OFFICE)
    assert match.intent == "orderDrink"
    assert {name: match.value(name) for name in slots} == slots
    assert match.action is not None
    assert match.action["service"] == "script.turn_on"
    assert match.action["entity_id"] == ["script.coffee_machine"]
    assert "orderDrink" in english.responses


def test_the_code_in_the_examples_readme_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = (BARISTA.parent / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})
