"""To-do lists and the shopping list, kept by Home Assistant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hearth_core.command import Action, Context, IntentMatch
from hearth_core.home import Entity, Home

from .planned import Handler, Plan, done, refused
from .targets import Refusal, Wanted, one_of, select

# The list that Home Assistant's shopping list integration makes.
SHOPPING_LIST = "todo.shopping_list"

# Longer than anything one buys; Home Assistant keeps what it is given.
MAX_ITEM_CHARS = 200


def _on_list(service: str, data: Callable[[str], Mapping[str, Any]], shopping: bool) -> Handler:
    def handle(match: IntentMatch, home: Home, context: Context) -> Plan:
        found = _shopping_list(match, home) if shopping else _named(match, home, context)
        if isinstance(found, Refusal):
            return refused(match, found)
        item = str(match.value("item") or "").strip()
        if not item or len(item) > MAX_ITEM_CHARS:
            return refused(match, Refusal("no_item"))
        return done(match, [Action(service, (found.entity_id,), data(item))])

    return handle


def _shopping_list(match: IntentMatch, home: Home) -> Entity | Refusal:
    lists = [entity for entity in home.entities.values() if entity.domain == "todo"]
    chosen = home.entities.get(SHOPPING_LIST) or (lists[0] if len(lists) == 1 else None)
    return chosen or Refusal("not_supported", {"intent": match.intent})


def _named(match: IntentMatch, home: Home, context: Context) -> Entity | Refusal:
    if "name" not in match.slots:
        return Refusal("not_supported", {"intent": match.intent})
    found = select(match, home, context, Wanted(frozenset({"todo"})))
    return found if isinstance(found, Refusal) else one_of(found, match, home)


def _add(item: str) -> Mapping[str, Any]:
    return {"item": item}


def _complete(item: str) -> Mapping[str, Any]:
    return {"item": item, "status": "completed"}


def _remove(item: str) -> Mapping[str, Any]:
    return {"item": [item]}


HANDLERS: Mapping[str, Handler] = {
    "HassListAddItem": _on_list("todo.add_item", _add, shopping=False),
    "HassListCompleteItem": _on_list("todo.update_item", _complete, shopping=False),
    "HassListRemoveItem": _on_list("todo.remove_item", _remove, shopping=False),
    "HassShoppingListAddItem": _on_list("todo.add_item", _add, shopping=True),
    "HassShoppingListCompleteItem": _on_list("todo.update_item", _complete, shopping=True),
}
