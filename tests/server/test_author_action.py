"""Actions that authors write into their sentence files."""

from __future__ import annotations

from typing import Any

import pytest

from hearth_core.command import Action, ResponseKind
from hearth_core.errors import SentenceError
from hearth_server.author_action import author_actions
from hearth_server.demo_home import load_demo_house
from hearth_server.plan import plan
from hearth_server.targets import Refusal
from tests.house_fakes import said, there

HOME = load_demo_house().home
HOME_LIGHTS_OF_OFFICE = {k for k, e in HOME.entities.items() if e.domain == "light" and e.area_id == "office"}
SLOTS: dict[str, Any] = {"drink": ("iced coffee", "iced coffee"), "shots": (3, "triple shot")}


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (
            {"service": "script.turn_on", "entity_id": ["script.coffee_machine"], "data": {}},
            Action("script.turn_on", ("script.coffee_machine",), {}),
        ),
        (
            {
                "service": "script.coffee_machine",
                "data": {"drink": "{{ drink }}", "shots": "{{ slots.shots }}", "milk": "{{ milk }}", "hot": True},
            },
            Action(
                "script.turn_on",
                ("script.coffee_machine",),
                {"variables": {"drink": "iced coffee", "shots": 3, "hot": True}},
            ),
        ),
        (
            {"service": "light.turn_on", "entity_id": "light.bed_light, light.desk_lamp, light.bed_light"},
            Action("light.turn_on", ("light.bed_light", "light.desk_lamp"), {}),
        ),
        (
            {
                "service": "{{ 'light' }}.turn_on",
                "entity_id": "light.bed_light",
                "data": {"list": ["{{ shots }}", "{{ no }}"]},
            },
            Action("light.turn_on", ("light.bed_light",), {"list": [3]}),
        ),
        (
            {
                "service": "light.turn_on",
                "entity_id": "light.bed_light",
                "data": {"text": "{{ shots }} of {{ no }}{{ drink }}"},
            },
            Action("light.turn_on", ("light.bed_light",), {"text": "3 of iced coffee"}),
        ),
    ],
)
def test_templates_become_a_service_call(action: dict[str, Any], expected: Action) -> None:
    assert author_actions(said("OrderDrink", action=action, **SLOTS), HOME) == (expected,)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (
            {"knx": {"address": "1/2/{{ shots }}", "dpt": "9.001", "value": "{{ shots + 0.5 }}"}},
            [Action("knx.write", ("knx:1/2/3",), {"address": "1/2/3", "dpt": "9.001", "value": 3.5})],
        ),
        (
            {"knx": {"address": "1/2/3", "value": True}},
            [Action("knx.write", ("knx:1/2/3",), {"address": "1/2/3", "dpt": "1.001", "value": True})],
        ),
        (
            {"mqtt": {"topic": "bar/{{ drink }}", "payload": {"shots": "{{ shots }}"}, "qos": 2, "retain": True}},
            [
                Action(
                    "mqtt.publish",
                    ("mqtt:bar/iced coffee",),
                    {"topic": "bar/iced coffee", "payload": '{"shots": 3}', "qos": 2, "retain": True},
                )
            ],
        ),
        (
            {"mqtt": {"topic": "bar", "payload": "{{ shots }} x"}},
            [Action("mqtt.publish", ("mqtt:bar",), {"topic": "bar", "payload": "3 x", "qos": 1, "retain": False})],
        ),
        (
            {"service": "notify.kitchen", "data": {"message": "{{ drink }}"}},
            [Action("notify.kitchen", ("home_assistant:notify.kitchen",), {"message": "iced coffee"})],
        ),
        (
            {
                "steps": [
                    {"service": "scene.turn_on", "entity_id": ["scene.mood_lighting"], "data": {}},
                    {"mqtt": {"topic": "bar", "payload": 1}},
                ]
            },
            [
                Action("scene.turn_on", ("scene.mood_lighting",), {}),
                Action("mqtt.publish", ("mqtt:bar",), {"topic": "bar", "payload": "1", "qos": 1, "retain": False}),
            ],
        ),
        (
            {"service": "light.turn_off", "entity_id": [], "area_id": ["{{ room }}"], "data": {}},
            [Action("light.turn_off", tuple(k for k in HOME.entities if k in HOME_LIGHTS_OF_OFFICE), {})],
        ),
    ],
)
def test_steps_become_actions(action: dict[str, Any], expected: list[Action]) -> None:
    found = author_actions(said("OrderDrink", action=action, room=("office", "office"), **SLOTS), HOME)
    assert found == tuple(expected)
    assert all(action.entity_ids for action in expected)


def test_entities_on_a_floor_are_those_of_its_areas() -> None:
    floor = next(iter(HOME.floors.values()))
    match = said("X", action={"service": "light.turn_on", "floor_id": floor.name, "data": {}})
    (action,) = author_actions(match, HOME)  # type: ignore[misc]
    areas = HOME.on_floor(floor.floor_id)
    assert set(action.entity_ids) == {
        k for k, e in HOME.entities.items() if e.domain == "light" and e.area_id in areas
    } != set()  # fmt: skip


def test_place_without_such_things_is_refused() -> None:
    match = said("X", action={"service": "light.turn_on", "area_id": "nowhere", "data": {}})
    assert author_actions(match, HOME) == Refusal("no_area", {"area": "nowhere"})


DEEP: dict[str, Any] = {}
_level = DEEP
for _ in range(20):
    _level["a"] = {}
    _level = _level["a"]


@pytest.mark.parametrize(
    "action",
    [
        {},
        {"service": "light"},
        {"service": 3, "entity_id": "light.bed_light"},
        {"service": "light.turn_on"},
        {"service": "light.turn_on", "entity_id": {"a": 1}},
        {"service": "light.turn_on", "entity_id": [1]},
        {"service": "light.turn_on", "entity_id": "light.bed_light", "data": "brightness"},
        {"service": "light.turn_on", "entity_id": "light.bed_light", "data": {"a": "{{ 1 / 0 }}"}},
        {"service": "light.turn_on", "entity_id": "light.bed_light", "data": DEEP},
        {"service": "light.turn_on", "entity_id": [f"light.l{i}" for i in range(1000)]},
        {"service": "light.turn_on", "entity_id": "light.bed_light", "when": "later"},
        {"steps": "light.turn_on"},
        {"steps": ["light.turn_on"]},
        {"steps": [{"mqtt": {"topic": "a"}}] * 2},
        {"steps": [{"mqtt": {"topic": f"a/{i}"}} for i in range(100)]},
        {"knx": {"address": "1/2/{{ drink }}", "value": 1}},
        {"knx": {"address": "1/2/300", "value": 1}},
        {"knx": {"address": "1/2/3", "value": "{{ no }}"}},
        {"knx": {"address": "1/2/3"}},
        {"knx": "1/2/3"},
        {"mqtt": {"topic": "{{ drink }}/#"}},
        {"mqtt": {"topic": "{{ no }}"}},
        {"mqtt": {"topic": "a", "qos": "much"}},
    ],
)
def test_wrong_action_is_one_error_and_does_nothing(action: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    match = said("OrderDrink", action=action, **SLOTS)
    with pytest.raises(SentenceError):
        author_actions(match, HOME)
    made = plan([match], HOME, there())
    assert (made.kind, made.actions) == (ResponseKind.FAILED, ())
    assert "OrderDrink" in caplog.text


def test_entity_that_the_home_lacks_is_named() -> None:
    match = said("X", action={"service": "light.turn_on", "entity_id": "light.nowhere"})
    assert author_actions(match, HOME) == Refusal("no_entity", {"entity": "light.nowhere"})


def test_slot_value_is_no_template() -> None:
    match = said("X", action={"service": "script.party_time", "data": {"song": "{{ song }}"}}, song="{{ 1 + 1 }}")
    actions = author_actions(match, HOME)
    assert not isinstance(actions, Refusal)
    assert actions[0].data == {"variables": {"song": "{{ 1 + 1 }}"}}
