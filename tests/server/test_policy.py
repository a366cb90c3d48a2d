"""What is done at once, asked about before, or never done by voice."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from hearth_core.command import Action, Context, ResponseKind
from hearth_core.config_policy import PolicyConfig
from hearth_core.home import Area, Entity, Home
from hearth_server.companion.policies import Rule as AssistantRule
from hearth_server.plan import Plan
from hearth_server.policy import BUILTIN, Decision, judge, rules
from tests.house_fakes import said

HOME = Home.of(
    [],
    [Area("hall", "Hall", aliases=("Entrance",)), Area("garage", "Garage")],
    [
        Entity("lock.front", "Front Door", area_id="hall"),
        Entity("lock.shed", "Shed", area_id="garage"),
        Entity("cover.garage", "Garage Door", area_id="garage", device_class="garage"),
        Entity("cover.gate", "Gate", device_class="gate"),
        Entity("cover.blind", "Blind", area_id="hall", device_class="blind"),
        Entity("binary_sensor.garage", "Garage Sensor", device_class="garage_door"),
        Entity("valve.water", "Water"),
        Entity("alarm_control_panel.house", "Alarm"),
        Entity("light.hall", "Hall Light", area_id="hall"),
        Entity("scene.leave", "Leave"),
    ],
)
ALLOW, CONFIRM, PIN, DENY = Decision


def plan(*actions: tuple[str, Any], intent: str = "HassTurnOn") -> Plan:
    made = []
    for service, given in actions:
        ids, data = given if isinstance(given, tuple) else (given, {})
        made.append(Action(service, (ids,) if ids else (), data))
    return Plan(said(intent), ResponseKind.DONE, tuple(made))


@pytest.mark.parametrize(
    ("service", "target", "decision"),
    [
        ("lock.unlock", "lock.front", CONFIRM),
        ("lock.open", "lock.front", CONFIRM),
        ("lock.lock", "lock.front", ALLOW),
        ("homeassistant.toggle", "lock.front", CONFIRM),
        ("homeassistant.turn_off", "lock.front", CONFIRM),
        ("cover.open_cover", "cover.garage", CONFIRM),
        ("cover.toggle", "cover.garage", CONFIRM),
        ("cover.close_cover", "cover.garage", ALLOW),
        ("cover.stop_cover", "cover.gate", ALLOW),
        ("cover.set_cover_position", ("cover.garage", {"position": 0}), ALLOW),
        ("cover.set_cover_position", ("cover.garage", {"position": 1}), CONFIRM),
        ("cover.open_cover", "cover.gate", CONFIRM),
        ("cover.open_cover", "cover.blind", ALLOW),
        ("valve.open_valve", "valve.water", CONFIRM),
        ("valve.close_valve", "valve.water", ALLOW),
        ("alarm_control_panel.alarm_disarm", "alarm_control_panel.house", CONFIRM),
        ("alarm_control_panel.alarm_trigger", "alarm_control_panel.house", CONFIRM),
        ("alarm_control_panel.alarm_arm_away", "alarm_control_panel.house", ALLOW),
        ("homeassistant.update_entity", "binary_sensor.garage", ALLOW),
        ("light.turn_on", "light.hall", ALLOW),
        ("scene.turn_on", "scene.leave", ALLOW),
        # What an author's action names in its data is guarded as well.
        ("homeassistant.turn_off", ("light.hall", {"entity_id": "lock.front"}), CONFIRM),
        ("homeassistant.turn_off", ("light.hall", {"entity_id": ["lock.front"]}), CONFIRM),
        ("homeassistant.turn_off", ("light.hall", {"area_id": "hall"}), CONFIRM),
        ("lock.unlock", ("", {"device_id": "x"}), CONFIRM),
        ("mqtt.publish", ("", {"topic": "x"}), ALLOW),
    ],
)
def test_what_is_dangerous_is_asked_about_by_default(service: str, target: Any, decision: Decision) -> None:
    assert judge(plan((service, target)), HOME, Context()).decision is decision


def test_the_strictest_judgement_holds_and_names_what_it_is_for() -> None:
    both = plan(("light.turn_on", "light.hall"), ("lock.unlock", "lock.front"), ("lock.unlock", "lock.shed"))
    ruling = judge(both, HOME, Context())
    assert (ruling.decision, ruling.rule) == (CONFIRM, "built-in: locks")
    assert (ruling.entity_ids, ruling.services) == (("lock.front", "lock.shed"), ("lock.unlock",))
    assert ruling.reason == "lock.unlock lock.front"


def test_a_plan_that_does_nothing_is_allowed() -> None:
    assert judge(plan(), HOME, Context()).decision is ALLOW


NIGHT = datetime(2026, 11, 21, 23, 30)
SIX = datetime(2026, 11, 22, 6)
NOON = datetime(2026, 11, 21, 12)


@pytest.mark.parametrize(
    ("rule", "context", "decision"),
    [
        ({"entities": ["lock.front"], "decision": "allow"}, Context(), ALLOW),
        ({"entities": ["lock.shed"], "decision": "allow"}, Context(), CONFIRM),
        ({"domains": ["lock"], "decision": "pin"}, Context(), PIN),
        ({"services": ["lock.unlock"], "decision": "deny"}, Context(), DENY),
        ({"intents": ["HassTurnOn"], "decision": "deny"}, Context(), DENY),
        ({"intents": ["HassTurnOff"], "decision": "deny"}, Context(), CONFIRM),
        ({"areas": ["entrance"], "decision": "allow"}, Context(), ALLOW),
        ({"areas": ["hall"], "domains": ["light"], "decision": "allow"}, Context(), CONFIRM),
        ({"device_classes": ["garage"], "decision": "allow"}, Context(), CONFIRM),
        ({"domains": ["lock"], "rooms": ["Hall"], "decision": "allow"}, Context(area_id="hall"), ALLOW),
        ({"domains": ["lock"], "rooms": ["Hall"], "decision": "allow"}, Context(area_id="garage"), CONFIRM),
        ({"domains": ["lock"], "rooms": ["Hall"], "decision": "allow"}, Context(), CONFIRM),
        ({"domains": ["lock"], "satellites": ["hall"], "decision": "allow"}, Context(satellite="hall"), ALLOW),
        ({"domains": ["lock"], "satellites": ["hall"], "decision": "allow"}, Context(), CONFIRM),
        ({"domains": ["lock"], "hours": "22:00-06:00", "decision": "deny"}, Context(now=NIGHT), DENY),
        ({"domains": ["lock"], "hours": "22:00-06:00", "decision": "deny"}, Context(now=SIX), CONFIRM),
        ({"domains": ["lock"], "hours": "8:00-18:00", "decision": "allow"}, Context(now=NOON), ALLOW),
        ({"domains": ["lock"], "hours": "8:00-18:00", "decision": "allow"}, Context(now=NIGHT), CONFIRM),
        ({"decision": "deny"}, Context(), DENY),
    ],
)
def test_a_rule_fits_by_what_it_names_and_where_and_when_it_is_said(
    rule: dict[str, Any], context: Context, decision: Decision
) -> None:
    config = PolicyConfig.model_validate({"rules": [rule], "pin": "1234"})
    assert judge(plan(("lock.unlock", "lock.front")), HOME, context, rules(config)).decision is decision


def test_the_first_rule_that_fits_wins() -> None:
    first = {"name": "mine", "entities": ["lock.front"], "decision": "allow"}
    config = PolicyConfig.model_validate({"rules": [first, {"domains": ["lock"], "decision": "deny"}]})
    made = rules(config)
    assert judge(plan(("lock.unlock", "lock.front")), HOME, Context(), made).rule == "mine"
    assert judge(plan(("lock.unlock", "lock.shed")), HOME, Context(), made).rule == "rule 2"


def test_the_built_in_rules_can_be_turned_off() -> None:
    assert rules(PolicyConfig()) == BUILTIN
    assert rules(PolicyConfig(builtin=False)) == ()


@pytest.mark.parametrize(
    ("rule", "service", "entity_id", "room", "decision"),
    [
        ({"target": "lock.front", "action": "deny"}, "lock.unlock", "lock.front", None, DENY),
        ({"target": "lock.front", "action": "deny"}, "lock.unlock", "lock.shed", None, CONFIRM),
        ({"target": "lock", "action": "confirm"}, "lock.unlock", "lock.front", None, CONFIRM),
        ({"target": "lock", "action": "confirm"}, "lock.lock", "lock.front", None, ALLOW),
        ({"target": "light", "action": "confirm"}, "light.turn_on", "light.hall", None, CONFIRM),
        ({"target": "lock", "action": "allow", "areas": ["hall"]}, "lock.unlock", "lock.front", "hall", ALLOW),
        ({"target": "lock", "action": "allow", "areas": ["hall"]}, "lock.unlock", "lock.front", "garage", CONFIRM),
    ],
)
def test_rules_of_home_assistant_go_before_the_built_in_ones(
    rule: dict[str, Any], service: str, entity_id: str, room: str | None, decision: Decision
) -> None:
    known = rules(PolicyConfig(), (AssistantRule.model_validate(rule),))
    assert judge(plan((service, entity_id)), HOME, Context(area_id=room), known).decision is decision


def test_the_owners_rules_go_before_those_of_home_assistant() -> None:
    config = PolicyConfig.model_validate({"rules": [{"domains": ["lock"], "decision": "deny"}]})
    known = rules(config, (AssistantRule(target="lock", action="allow"),))
    assert judge(plan(("lock.unlock", "lock.front")), HOME, Context(), known).decision is DENY
