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
