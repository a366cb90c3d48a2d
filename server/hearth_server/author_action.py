"""The action of an author's own sentence: `{service, entity_id, data}`, its strings templates over the slots.

    action:
      service: script.turn_on
      entity_id: script.coffee_machine
      data:
        variables:
          drink: "{{ drink }}"
          size: "{{ size }}"

A slot is there by its name and as `slots.name`. A string that is one expression gives its value as it is, so a number
stays a number; if it is over a slot that was not said, its key is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hearth_core.command import Action, IntentMatch
from hearth_core.errors import SentenceError
from hearth_core.home import Home

from .targets import Refusal
from .templates import UNDEFINED, evaluate

_SERVICE = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+")
_SCRIPT_SERVICES = frozenset({"reload", "toggle", "turn_off", "turn_on"})
# A mapping in a mapping is as deep as services go; this is against files that never end.
MAX_DEPTH = 8
MAX_ENTITIES = 200


def author_actions(match: IntentMatch, home: Home) -> tuple[Action, ...] | Refusal:
    """Return what the sentence's action comes to, or the refusal that names the entity that the home lacks.

    Raises:
        SentenceError: a part is missing or has the wrong form, or a template fails.
    """
    action = match.action or {}
    unknown = action.keys() - {"service", "entity_id", "data"}
    if unknown:
        raise SentenceError(
            f"intent {match.intent}: an action has no {sorted(map(str, unknown))[0]!r}",
            remedy="It has service, entity_id and data",
        )
    slots = {name: slot.value for name, slot in match.slots.items()}
    variables = {**slots, "slots": slots}
    service = _rendered(action.get("service"), variables)
    if not isinstance(service, str) or not _SERVICE.fullmatch(service):
        raise SentenceError(f"intent {match.intent}: {service!r} is not a service", remedy="Write e.g. light.turn_on")
    data = _rendered(action.get("data") or {}, variables)
    if not isinstance(data, dict):
        raise SentenceError(f"intent {match.intent}: data is not a mapping", remedy="Write key: value under data")
    entity_ids = _entity_ids(match, _rendered(action.get("entity_id"), variables))
    domain, _, name = service.partition(".")
    if not entity_ids and domain == "script" and name not in _SCRIPT_SERVICES:
        # `script.coffee_machine` is a service of its own, its data the script's variables.
        entity_ids, service, data = (service,), "script.turn_on", {"variables": data}
    if not entity_ids:
        raise SentenceError(f"intent {match.intent}: the action names no entity", remedy="Add entity_id")
    for entity_id in entity_ids:
        if entity_id not in home.entities:
            return Refusal("no_entity", {"entity": entity_id})
    return (Action(service, entity_ids, data),)


def _entity_ids(match: IntentMatch, value: Any) -> tuple[str, ...]:
    if value is None or value is UNDEFINED:
        return ()
    found = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    if not isinstance(found, list | tuple) or len(found) > MAX_ENTITIES or not all(isinstance(i, str) for i in found):
        raise SentenceError(f"intent {match.intent}: entity_id is not a list of ids", remedy="Write e.g. light.desk")
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
