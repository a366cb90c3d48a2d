"""Positions of covers and valves."""

from __future__ import annotations

from collections.abc import Mapping

from hearth_core.command import Action, Context, IntentMatch
from hearth_core.home import Home

from .plan_service import number
from .planned import Handler, Plan, done, refused
from .targets import Refusal, Wanted, select

_MOVED = frozenset({"cover", "valve"})


def _set_position(match: IntentMatch, home: Home, context: Context) -> Plan:
    found = select(match, home, context, Wanted(_MOVED, "position", here=True))
    if isinstance(found, Refusal):
        return refused(match, found)
    position = number(match, "position", 0, 100)
    if isinstance(position, Refusal):
        return refused(match, position)
    expected = "closed" if position == 0 else "open"
    by_domain: dict[str, list[str]] = {}
    for entity in found:
        by_domain.setdefault(entity.domain, []).append(entity.entity_id)
    return done(
        match,
        [
            Action(f"{domain}.set_{domain}_position", tuple(ids), {"position": position}, expected)
            for domain, ids in by_domain.items()
        ],
    )


def _stop(match: IntentMatch, home: Home, context: Context) -> Plan:
    found = select(match, home, context, Wanted(_MOVED, here=True))
    if isinstance(found, Refusal):
        return refused(match, found)
    by_domain: dict[str, list[str]] = {}
    for entity in found:
        by_domain.setdefault(entity.domain, []).append(entity.entity_id)
    return done(match, [Action(f"{domain}.stop_{domain}", tuple(ids)) for domain, ids in by_domain.items()])


HANDLERS: Mapping[str, Handler] = {
    "HassSetPosition": _set_position,
    "HassStopMoving": _stop,
}
