"""Brightness, colour and colour temperature of lights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hearth_core.command import Context, IntentMatch
from hearth_core.home import Entity, Home

from .plan_service import Service, always, number, step, wanted
from .planned import Handler, Plan, done, grouped, refused
from .targets import Refusal, select

# How much "brighter" is, in percentage points: one sees it, and three of them do not blind.
BRIGHTNESS_STEP = 20
# "Dimmer" ends here; off is another command.
DIMMEST = 1


def _set(match: IntentMatch, home: Home, context: Context) -> Plan:
    data: dict[str, Any] = {}
    capability = None
    # Kelvin as in the sentence data; a sentence sets one of the three, an author's may set several.
    for slot, key, ability, low, high in (
        ("temperature", "color_temp_kelvin", "color_temp", 1000, 10000),
        ("brightness", "brightness_pct", "brightness", 0, 100),
    ):
        if slot in match.slots:
            found = number(match, slot, low, high)
            if isinstance(found, Refusal):
                return refused(match, found)
            data[key] = found
            capability = capability or ability
    if "color" in match.slots:
        data["color_name"] = str(match.value("color"))
        capability = "color"
    expected = "off" if data.get("brightness_pct") == 0 else "on"
    return Service("light.turn_on", wanted("light", capability), lambda _: data, always(expected))(match, home, context)


def _adjust(match: IntentMatch, home: Home, context: Context) -> Plan:
    """Make lights brighter or dimmer than they are; those that are off stay so, unless all are and it gets brighter."""
    amount = number(match, "amount", 1, 100) if "amount" in match.slots else BRIGHTNESS_STEP
    change = step(match, "brightness_step", amount)
    if isinstance(change, Refusal):
        return refused(match, change)
    found = select(match, home, context, wanted("light", "brightness"))
    if isinstance(found, Refusal):
        return refused(match, found)
    lit = tuple(light for light in found if light.state.value == "on")
    if not lit and change < 0:
        return refused(match, Refusal("entity_wrong_state", {"state": "on"}))
    levels = {light.entity_id: max(DIMMEST, min(100, _percent(light) + change)) for light in lit or found}
    return done(match, grouped("light.turn_on", "brightness_pct", levels, "on"))


def _percent(light: Entity) -> int:
    """Return how bright a light is; one that is on and does not tell counts as full."""
    if light.state.value != "on":
        return 0
    level = light.state.attributes.get("brightness")
    return 100 if level is None else round(float(level) * 100 / 255)


HANDLERS: Mapping[str, Handler] = {
    "HassLightSet": _set,
    "HearthAdjustBrightness": _adjust,
}
