"""What is done at once, asked about before, or never done by voice: pure, from a plan and rules to a ruling.

Each entity of each action is judged by the first rule that fits it; the strictest of these judgements holds for the
plan. A scene or a script is judged as the entity that it is, not by what it does inside: one that unlocks a door needs
a rule of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import time
from enum import IntEnum
from typing import Protocol

from hearth_core.command import Action, Context
from hearth_core.config_policy import PolicyConfig, PolicyRuleConfig
from hearth_core.home import Entity, Home

from .plan import Plan


class Decision(IntEnum):
    """What may become of a plan, from the mildest to the strictest."""

    ALLOW = 0
    CONFIRM = 1
    PIN = 2
    DENY = 3

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule; what is empty fits everything.

    Attributes:
        name: for the log.
        decision: what it says.
        entities: ids.
        domains: of the entity or of the service.
        device_classes: of the entity.
        services: e.g. lock.unlock.
        harmless: services that the rule leaves alone, e.g. lock.lock.
        intents: names.
        areas: that the entity is in, by id or name.
        rooms: where it is said, by id or name of the area.
        satellites: to which it is said.
        hours: from and to, the end not included; over midnight where the end is before the beginning.
    """

    name: str
    decision: Decision
    entities: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    device_classes: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    harmless: frozenset[str] = frozenset()
    intents: frozenset[str] = frozenset()
    areas: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()
    satellites: frozenset[str] = frozenset()
    hours: tuple[time, time] | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is decided about a plan.

    Attributes:
        decision: what is to become of it.
        rule: name of the rule that decided, empty if none fitted.
        reason: for the log: the service and the entity that the rule fitted.
        entity_ids: the entities that the decision is for; the others of the plan are milder.
        services: the services that they are guarded against.
    """

    decision: Decision = Decision.ALLOW
    rule: str = ""
    reason: str = "no rule fits"
    entity_ids: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


# Closing, locking and stopping are never dangerous; whatever else can be done to these is asked about.
BUILTIN = (
    Rule("built-in: locks", Decision.CONFIRM, domains=frozenset({"lock"}), harmless=frozenset({"lock.lock"})),
    Rule(
        "built-in: garage doors and gates",
        Decision.CONFIRM,
        device_classes=frozenset({"garage", "garage_door", "gate"}),
        harmless=frozenset({"cover.close_cover", "cover.stop_cover"}),
    ),
    Rule(
        "built-in: alarms",
        Decision.CONFIRM,
        domains=frozenset({"alarm_control_panel"}),
        harmless=frozenset(
            f"alarm_control_panel.alarm_arm_{mode}" for mode in ("away", "home", "night", "vacation", "custom_bypass")
        ),
    ),
    Rule(
        "built-in: valves",
        Decision.CONFIRM,
        domains=frozenset({"valve"}),
        harmless=frozenset({"valve.close_valve", "valve.stop_valve"}),
    ),
)
# A sensor of the same device class, and what is only read, is no door.
_READ_ONLY = frozenset({"binary_sensor", "sensor"})
# Where an author's data names further targets; those that say an entity's room or device cannot be looked into here.
_TARGET_KEYS = ("area_id", "device_id", "floor_id", "label_id")


class AssistantRule(Protocol):
    """A rule that was set from Home Assistant, by the action `hearth.set_policy`."""

    @property
    def target(self) -> str:
        """A domain or an entity."""

    @property
    def action(self) -> str:
        """What to do: allow, confirm or deny."""

    @property
    def areas(self) -> tuple[str, ...]:
        """Where it holds if it is said there; everywhere if empty."""


def rules(config: PolicyConfig, assistant: Sequence[AssistantRule] = ()) -> tuple[Rule, ...]:
    """Return the rules of a configuration, then those set from Home Assistant, then the built-in ones unless off."""
    own = tuple(_rule(rule, number) for number, rule in enumerate(config.rules, 1))
    set_there = tuple(_assistant_rule(rule, number) for number, rule in enumerate(assistant, 1))
    return own + set_there + (BUILTIN if config.builtin else ())


def _assistant_rule(rule: AssistantRule, number: int) -> Rule:
    decision = Decision[rule.action.upper()]
    name = f"Home Assistant's rule {number}"
    if "." in rule.target:
        return Rule(name, decision, entities=frozenset({rule.target}), rooms=rule.areas)
    # To ask before a door is locked helps nobody.
    harmless = frozenset(service for known in BUILTIN if rule.target in known.domains for service in known.harmless)
    spared = harmless if decision is Decision.CONFIRM else frozenset()
    return Rule(name, decision, domains=frozenset({rule.target}), harmless=spared, rooms=rule.areas)


def judge(plan: Plan, home: Home, context: Context, rules: Sequence[Rule] = BUILTIN) -> Ruling:
    """Return what is to become of a plan.

    Args:
        plan: what would be done; one that does nothing is allowed.
        home: whose entities they are.
        context: where and when it was said; only what is known of it makes a rule for rooms or satellites fit.
        rules: in order.
    """
    strictest = Ruling()
    entity_ids: dict[str, None] = {}
    services: dict[str, None] = {}
    for action in plan.actions:
        for entity_id in _targets(action, home):
            rule = _first(rules, action, entity_id, plan.match.intent, home, context)
            if rule is None or rule.decision < strictest.decision:
                continue
            if rule.decision > strictest.decision or not strictest.rule:
                strictest = Ruling(rule.decision, rule.name, f"{action.service} {entity_id or '(no entity)'}")
                entity_ids, services = {}, {}
            if entity_id:
                entity_ids[entity_id] = None
            services[action.service] = None
    return Ruling(strictest.decision, strictest.rule, strictest.reason, tuple(entity_ids), tuple(services))


def _targets(action: Action, home: Home) -> Iterable[str]:
    """Return all that an action is for, those in its data too; the empty id stands for what cannot be told."""
    found = dict.fromkeys(action.entity_ids)
    named = action.data.get("entity_id")
    for entity_id in (named,) if isinstance(named, str) else named if isinstance(named, list | tuple) else ():
        found[str(entity_id)] = None
    if any(key in action.data for key in _TARGET_KEYS):
        domain = action.service.partition(".")[0]
        broad = domain in ("homeassistant", "all")
        found |= dict.fromkeys(e.entity_id for e in home.entities.values() if broad or e.domain == domain)
    return found or ("",)


def _first(
    rules: Sequence[Rule], action: Action, entity_id: str, intent: str, home: Home, context: Context
) -> Rule | None:
    entity = home.entities.get(entity_id)
    for rule in rules:
        if _said_there(rule, home, context) and _fits(rule, action, entity_id, entity, intent, home):
            return rule
    return None


def _fits(rule: Rule, action: Action, entity_id: str, entity: Entity | None, intent: str, home: Home) -> bool:
    domains = {entity_id.partition(".")[0], action.service.partition(".")[0]}
    if rule.harmless and (action.service in rule.harmless or _shuts(action) or not domains.isdisjoint(_READ_ONLY)):
        return False
    return (
        (not rule.entities or entity_id in rule.entities)
        and (not rule.domains or not rule.domains.isdisjoint(domains))
        and (not rule.device_classes or (entity is not None and entity.device_class in rule.device_classes))
        and (not rule.services or action.service in rule.services)
        and (not rule.intents or intent in rule.intents)
        and (not rule.areas or (entity is not None and _is_area(rule.areas, entity.area_id, home)))
    )


def _shuts(action: Action) -> bool:
    return action.service.endswith("_position") and action.data.get("position") == 0


def _said_there(rule: Rule, home: Home, context: Context) -> bool:
    if rule.rooms and not _is_area(rule.rooms, context.area_id, home):
        return False
    if rule.satellites and context.satellite not in rule.satellites:
        return False
    if rule.hours is None:
        return True
    start, end = rule.hours
    now = context.now.time()
    return start <= now < end if start < end else now >= start or now < end


def _is_area(names: Iterable[str], area_id: str | None, home: Home) -> bool:
    return area_id is not None and any((area := home.area_named(n)) and area.area_id == area_id for n in names)


def _rule(config: PolicyRuleConfig, number: int) -> Rule:
    hours = None
    if config.hours is not None:
        start, _, end = config.hours.partition("-")
        hours = (time.fromisoformat(start), time.fromisoformat(end))
    return Rule(
        name=config.name or f"rule {number}",
        decision=Decision[config.decision.upper()],
        entities=frozenset(config.entities),
        domains=frozenset(config.domains),
        device_classes=frozenset(config.device_classes),
        services=frozenset(config.services),
        intents=frozenset(config.intents),
        areas=config.areas,
        rooms=config.rooms,
        satellites=frozenset(config.satellites),
        hours=hours,
    )
