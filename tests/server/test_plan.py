"""Every intent: what the sentence comes to in the demo home."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from hearth_core.command import Action, Context, IntentMatch, ResponseKind
from hearth_core.home import Area, Entity, Home, State
from hearth_server.demo_home import load_demo_house
from hearth_server.plan import plan
from tests.house_fakes import said, there

from .plan_cases import ACTIONS, OFFICE_TV, QUESTIONS, REFUSALS, STEREO

HOME = load_demo_house().home


@pytest.mark.parametrize(("match", "calls"), ACTIONS, ids=lambda value: getattr(value, "intent", ""))
def test_command_becomes_service_calls(match: IntentMatch, calls: list[tuple[Any, ...]]) -> None:
    made = plan([match], HOME, there("office"))
    assert made.refusal is None
    assert made.actions == tuple(Action(*call) for call in calls)
    assert made.kind is ResponseKind.DONE
    assert made.matched == tuple(entity_id for action in made.actions for entity_id in action.entity_ids)


def test_all_of_the_lights_are_those_of_the_whole_house() -> None:
    made = plan([said("HassTurnOff", "light_all", domain="light")], HOME, there("office"))
    assert set(made.matched) == {entity_id for entity_id in HOME.entities if entity_id.startswith("light.")}


@pytest.mark.parametrize(("match", "matched", "unmatched"), QUESTIONS, ids=lambda value: getattr(value, "intent", ""))
def test_question_is_answered_from_the_states(match: IntentMatch, matched: set[str], unmatched: set[str]) -> None:
    made = plan([match], HOME, there("office"))
    assert (set(made.matched), set(made.unmatched)) == (matched, unmatched)
    assert (made.kind, made.actions, made.refusal) == (ResponseKind.ANSWER, (), None)


def test_time_and_date_are_those_of_the_speaker() -> None:
    context = Context(now=datetime(2026, 3, 1, 17, 5, tzinfo=UTC))
    assert plan([said("HassGetCurrentTime")], HOME, context).slots == {"time": time(17, 5)}
    assert plan([said("HassGetCurrentDate")], HOME, context).slots == {"date": date(2026, 3, 1)}


@pytest.mark.parametrize(("match", "area", "key", "values"), REFUSALS, ids=lambda value: getattr(value, "intent", ""))
def test_what_cannot_be_done_says_why(match: IntentMatch, area: str | None, key: str, values: dict[str, str]) -> None:
    made = plan([match], HOME, there(area))
    assert made.refusal is not None
    assert made.refusal.key == key
    assert values.items() <= made.refusal.values.items()
    assert (made.kind, made.actions) == (ResponseKind.FAILED, ())


def test_thermometer_that_knows_nothing_is_not_quoted() -> None:
    home = HOME.with_states({"weather.new_york": State("unavailable")})
    made = plan([said("HassGetWeather")], home, there())
    assert made.refusal is not None
    assert made.refusal.key == "no_state"


def test_reading_that_can_be_done_goes_before_its_equal_that_cannot() -> None:
    readings = [said("HassMediaPause", name=(STEREO, "")), said("HassMediaPause", name=(OFFICE_TV, ""))]
    assert plan(readings, HOME, there()).matched == (OFFICE_TV,)
    assert plan(readings, HOME, there()).match is readings[1]


def test_another_text_is_never_done_in_place_of_the_best() -> None:
    wrong = said("HassMediaPause", name=(STEREO, ""))
    other = IntentMatch("HassTurnOn", wrong.slots, "another text")
    worse = IntentMatch("HassTurnOn", wrong.slots, wrong.text, score=0.8)
    assert plan([wrong, other, worse], HOME, there()).refusal is not None


def test_unavailable_light_is_asked_too_so_that_its_silence_is_told() -> None:
    home = HOME.with_states({"light.counter_light": State("unavailable")})
    made = plan([said("HassTurnOn", "lights_area", domain="light", area="kitchen")], home, there())
    assert "light.counter_light" in made.matched


def test_names_are_compared_without_case_and_through_aliases() -> None:
    home = Home.of(
        [],
        [Area("a", "A"), Area("b", "B")],
        [Entity("light.one", "Lamp", area_id="a"), Entity("light.two", "Other", ("LAMP",), area_id="b")],
    )
    assert plan([said("HassTurnOn", name=("light.one", "lamp"))], home, there("b")).matched == ("light.two",)


def test_thermostat_at_its_limit_says_so() -> None:
    hot = State("heat", {"temperature": 28, "min_temp": 5, "max_temp": 28})
    home = HOME.with_states({"climate.radiator": hot})
    made = plan([said("HearthAdjustTemperature", area="bedroom", temperature_step="up")], home, there())
    assert made.refusal is not None
    assert (made.refusal.key, made.refusal.values["high"]) == ("out_of_range", "28")


def test_only_light_that_is_on_already_needs_nothing_done() -> None:
    home = HOME.with_states({"light.office_ceiling": State("off")})
    made = plan([said("HearthLeaveOn", domain="light", name="light.desk_lamp")], home, there())
    assert (made.kind, made.actions, made.matched) == (ResponseKind.DONE, (), ("light.desk_lamp",))


def test_what_is_not_known_is_told_and_not_compared() -> None:
    home = HOME.with_states({"sensor.outdoor_humidity": State("unavailable")})
    for match in (
        said("HassGetState", "one", name="sensor.outdoor_humidity"),
        said("HassGetState", "measured", domain="sensor", device_class="humidity"),
        said("HearthCompareState", device_class="humidity", comparison="below", value=60),
    ):
        made = plan([match], home, there())
        assert made.refusal is not None
        assert made.refusal.key == "no_state"


def test_readings_that_come_to_the_same_are_one() -> None:
    home = Home.of(
        [],
        [],
        [
            Entity("binary_sensor.battery", "Phone", device_class="battery", state=State("off")),
            Entity("binary_sensor.plug", "Phone", device_class="plug", state=State("on")),
        ],
    )
    readings = [
        said("HassGetState", "one_yesno", name=(i, "phone"), domain="binary_sensor", device_class="plug", state="on")
        for i in home.entities
    ]
    assert plan(readings, home, there(None)).matched == ("binary_sensor.plug",)


LISTS = Home.of([], [], [Entity("todo.shopping_list", "Groceries"), Entity("todo.chores", "Chores")])


@pytest.mark.parametrize(
    ("match", "service", "entity_id", "data"),
    [
        (said("HassShoppingListAddItem", item="milk"), "todo.add_item", "todo.shopping_list", {"item": "milk"}),
        (
            said("HassShoppingListCompleteItem", item=" milk "),
            "todo.update_item",
            "todo.shopping_list",
            {"item": "milk", "status": "completed"},
        ),
        (
            said("HassListAddItem", name=("todo.chores", "chores"), item="sweep"),
            "todo.add_item",
            "todo.chores",
            {"item": "sweep"},
        ),
        (
            said("HassListRemoveItem", name=("todo.chores", "chores"), item="sweep"),
            "todo.remove_item",
            "todo.chores",
            {"item": ["sweep"]},
        ),
    ],
    ids=lambda value: getattr(value, "intent", ""),
)
def test_lists_are_written_by_home_assistant(
    match: IntentMatch, service: str, entity_id: str, data: dict[str, Any]
) -> None:
    assert plan([match], LISTS, there(None)).actions == (Action(service, (entity_id,), data),)


@pytest.mark.parametrize("item", ["", "   ", "x" * 201])
def test_nothing_empty_or_endless_goes_on_a_list(item: str) -> None:
    made = plan([said("HassShoppingListAddItem", item=item)], LISTS, there(None))
    assert made.refusal is not None
    assert made.refusal.key == "no_item"
