"""Vacuum cleaners and lawn mowers."""

from __future__ import annotations

from collections.abc import Mapping

from hearth_core.command import Action, Context, IntentMatch
from hearth_core.home import Home

from .plan_service import Service, always, wanted_anywhere
from .planned import Handler, Plan, done, refused
from .targets import Refusal, select, without


def _clean_area(match: IntentMatch, home: Home, context: Context) -> Plan:
    area_id = str(match.value("area") or context.area_id)
    area = home.areas.get(area_id)
    if area is None:
        return refused(match, Refusal("no_area", {"area": area_id}))
    # Here the area is where to clean, not where the vacuum stands.
    found = select(without(match, "area"), home, context, wanted_anywhere("vacuum", "clean_area"))
    if isinstance(found, Refusal):
        return refused(match, found)
    if len(found) > 1:
        same_floor = home.on_floor(area.floor_id) if area.floor_id else frozenset()
        found = tuple(entity for entity in found if entity.area_id in same_floor)
        if len(found) != 1:
            return refused(match, Refusal("duplicate_targets"))
    action = Action("vacuum.clean_area", (found[0].entity_id,), {"cleaning_area_id": [area_id]}, "cleaning")
    return done(match, [action])


HANDLERS: Mapping[str, Handler] = {
    "HassVacuumStart": Service("vacuum.start", wanted_anywhere("vacuum"), expected=always("cleaning")),
    "HassVacuumReturnToBase": Service("vacuum.return_to_base", wanted_anywhere("vacuum")),
    "HassVacuumCleanArea": _clean_area,
    "HassLawnMowerStartMowing": Service(
        "lawn_mower.start_mowing", wanted_anywhere("lawn_mower"), expected=always("mowing")
    ),
    "HassLawnMowerDock": Service("lawn_mower.dock", wanted_anywhere("lawn_mower")),
}
