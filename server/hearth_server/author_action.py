"""The action of an author's own sentence: one step or `{steps: […]}`, its strings templates over the slots.

    action:
      service: script.turn_on
      entity_id: script.coffee_machine
      data:
        variables:
          drink: "{{ drink }}"
          size: "{{ size }}"

A step is a service call, a KNX write or an MQTT message; `hearth_intents.action_block` has their forms. A slot is
there by its name and as `slots.name`; that of a label is the list of the things that carry it, and its name within
longer text. A string that is one expression gives its value as it is, so a number stays a number; if it is over a slot
that was not said, its key is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from hearth_core.command import Action, IntentMatch
from hearth_core.config_knx import group_address
from hearth_core.errors import SentenceError
from hearth_core.home import Home
from hearth_intents.action_block import MAX_STEPS, is_template, topic

from .bus import write_id
from .targets import Refusal
from .templates import UNDEFINED, evaluate

_SERVICE = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+")
_SCRIPT_SERVICES = frozenset({"reload", "toggle", "turn_off", "turn_on"})
# Domains whose services do nothing without an entity; others (notify, rest_command…) are called as they are.
_OF_ENTITIES = frozenset(
    (
        *("automation", "button", "climate", "cover", "fan", "humidifier", "lawn_mower", "light", "lock"),
        *("media_player", "number", "scene", "script", "select", "siren", "switch", "vacuum", "valve", "water_heater"),
    )
)
# A mapping in a mapping is as deep as services go; this is against files that never end.
MAX_DEPTH = 8
MAX_ENTITIES = 200


def author_actions(match: IntentMatch, home: Home) -> tuple[Action, ...] | Refusal:
    """Return what the sentence's action comes to, or the refusal that names the entity that the home lacks.

    Raises:
        SentenceError: a part is missing or has the wrong form, a template fails, or two steps are for one entity,
            which they would reach in no order.
    """
    action = match.action or {}
    steps = action.get("steps", [action])
    if not isinstance(steps, list) or len(steps) > MAX_STEPS or not all(isinstance(step, Mapping) for step in steps):
        raise SentenceError(f"intent {match.intent}: steps is not a list of steps", remedy=f"{MAX_STEPS} are the most")
    slots = {name: _Labelled.of(slot.value, home) or slot.value for name, slot in match.slots.items()}
    variables = {**slots, "slots": slots}
    done: list[Action] = []
    seen: set[str] = set()
    for step in steps:
        found = _step(match, step, variables, home)
        if isinstance(found, Refusal):
            return found
        for twice in seen.intersection(found.entity_ids):
            raise SentenceError(
                f"intent {match.intent}: two steps are for {twice}, and steps have no order",
                remedy="Make them one step, or a script",
            )
        seen.update(found.entity_ids)
        done.append(found)
    return tuple(done)


class _Labelled(list[str]):
    """The ids of the things that carry a label; as text it is the label's name, which people read."""

    name = ""

    @classmethod
    def of(cls, value: object, home: Home) -> _Labelled:
        """Return those of the label that is this value of a slot, none if it is no label."""
        found = cls(entity.entity_id for entity in home.labelled(value))
        found.name = next((label.name for label in home.labels.values() if label.value == value), "")
        return found

    def __str__(self) -> str:
        return self.name


def needs_home_assistant(step: Mapping[str, Any]) -> bool:
    """Return whether a step is a service that no entity has, which only a Home Assistant can call."""
    domain = str(step.get("service", "")).partition(".")[0]
    told = step.get("entity_id") or step.get("area_id") or step.get("floor_id")
    return bool(domain) and not told and domain not in _OF_ENTITIES and not is_template(domain)


def _step(match: IntentMatch, step: Mapping[str, Any], variables: Mapping[str, Any], home: Home) -> Action | Refusal:
    try:
        if "knx" in step:
            return _knx_write(_rendered(step["knx"], variables))
        if "mqtt" in step:
            return _mqtt_publish(_rendered(step["mqtt"], variables))
    except (ValueError, TypeError) as error:  # of a template that came to something else than it should
        raise SentenceError(f"intent {match.intent}: {error}", remedy="Mend the step's template") from error
    return _service(match, step, variables, home)


def _knx_write(step: Any) -> Action:
    address = str(_needed(step, "address", "a KNX write"))
    group_address(address)
    data = {"address": address, "dpt": str(step.get("dpt", "1.001")), "value": _needed(step, "value", "a KNX write")}
    return Action("knx.write", (write_id("knx", address),), data)


def _mqtt_publish(step: Any) -> Action:
    where = topic(str(_needed(step, "topic", "an MQTT message")))
    payload = step.get("payload", "")
    text = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
    data = {"topic": where, "payload": text, "qos": int(step.get("qos", 1)), "retain": bool(step.get("retain"))}
    return Action("mqtt.publish", (write_id("mqtt", where),), data)


def _needed(step: Any, key: str, what: str) -> Any:
    """Return a value; one over a slot that was not said is not there."""
    if not isinstance(step, dict) or step.get(key) in (None, ""):
        raise ValueError(f"{what} has no {key}")
    return step[key]


def _service(match: IntentMatch, step: Mapping[str, Any], variables: Mapping[str, Any], home: Home) -> Action | Refusal:
    unknown = step.keys() - {"service", "entity_id", "area_id", "floor_id", "data"}
    if unknown:
        raise SentenceError(
            f"intent {match.intent}: an action has no {sorted(map(str, unknown))[0]!r}",
            remedy="It has service, entity_id and data",
        )
    service = _rendered(step.get("service"), variables)
    if not isinstance(service, str) or not _SERVICE.fullmatch(service):
        raise SentenceError(f"intent {match.intent}: {service!r} is not a service", remedy="Write e.g. light.turn_on")
    data = _rendered(step.get("data") or {}, variables)
    if not isinstance(data, dict):
        raise SentenceError(f"intent {match.intent}: data is not a mapping", remedy="Write key: value under data")
    domain, _, name = service.partition(".")
    named = _ids(match, "entity_id", _rendered(step.get("entity_id"), variables))
    entity_ids = tuple(_able(named, domain, match, home))
    if named and not entity_ids:
        return Refusal("feature_not_supported")
    for key in ("area_id", "floor_id"):
        if places := _ids(match, key, _rendered(step.get(key), variables)):
            inside = tuple(_inside(key, places, domain, home))
            if not inside:
                return Refusal("no_area", {"area": places[0]})
            entity_ids = tuple(dict.fromkeys((*entity_ids, *inside)))
    if not entity_ids and domain == "script" and name not in _SCRIPT_SERVICES:
        # `script.coffee_machine` is a service of its own, its data the script's variables.
        entity_ids, service, data = (service,), "script.turn_on", {"variables": data}
    if not entity_ids and domain in _OF_ENTITIES:
        raise SentenceError(f"intent {match.intent}: the action names no entity", remedy="Add entity_id")
    if not entity_ids:
        return Action(service, (write_id("home_assistant", service),), data)
    for entity_id in entity_ids:
        if entity_id not in home.entities:
            return Refusal("no_entity", {"entity": entity_id})
    return Action(service, entity_ids, data)


def _inside(key: str, places: tuple[str, ...], domain: str, home: Home) -> Iterator[str]:
    """Yield the entities of a kind in areas or on floors, which are named by id or by name."""
    if key == "area_id":
        areas = {area.area_id for place in places if (area := home.area_named(place)) is not None}
    else:
        floors = {
            floor.floor_id
            for floor in home.floors.values()
            if {floor.floor_id.casefold(), *(n.casefold() for n in (floor.name, *floor.aliases))}
            & {place.casefold() for place in places}
        }
        areas = {area_id for floor_id in floors for area_id in home.on_floor(floor_id)}
    for entity in home.entities.values():
        if entity.area_id in areas and entity.domain == domain:
            yield entity.entity_id


def _able(entity_ids: tuple[str, ...], domain: str, match: IntentMatch, home: Home) -> Iterator[str]:
    """Yield these without what carries a label that was said and is of another kind than the service."""
    labelled = [entity for slot in match.slots.values() for entity in home.labelled(slot.value)]
    others = {e.entity_id for e in labelled if e.domain != domain} if domain in _OF_ENTITIES else set()
    yield from (entity_id for entity_id in entity_ids if entity_id not in others)


def _ids(match: IntentMatch, key: str, value: Any) -> tuple[str, ...]:
    if value is None or value is UNDEFINED:
        return ()
    found = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    if not isinstance(found, list | tuple) or len(found) > MAX_ENTITIES or not all(isinstance(i, str) for i in found):
        raise SentenceError(f"intent {match.intent}: {key} is not a list of ids", remedy="Write e.g. light.desk")
    return tuple(dict.fromkeys(part for part in found if part))


def _rendered(value: Any, variables: Mapping[str, Any], depth: int = 0) -> Any:
    if depth > MAX_DEPTH:
        raise SentenceError(f"an action is more than {MAX_DEPTH} levels deep")
    if isinstance(value, str):
        return evaluate(value, variables) if "{" in value else value
    if isinstance(value, Mapping):
        items = {str(key): _rendered(item, variables, depth + 1) for key, item in value.items()}
        return {key: item for key, item in items.items() if item is not UNDEFINED}
    if isinstance(value, list | tuple):
        found = [_rendered(item, variables, depth + 1) for item in value]
        return [item for item in found if item is not UNDEFINED]
    return value
