"""Questions answered from the states of the home."""

from __future__ import annotations

from collections.abc import Mapping

from hearth_core.command import Context, IntentMatch, Slot
from hearth_core.home import Entity, Home

from .plan_service import number, wanted, wanted_anywhere
from .planned import NOTHING_KNOWN, Handler, Plan, answer, refused
from .targets import Refusal, Wanted, one_of, select, values_of, with_slots, without

_PLACED = frozenset({"name", "area", "floor"})


def _get_state(match: IntentMatch, home: Home, context: Context) -> Plan:
    found = _measured(match, home, context) if match.response == "measured" else select(match, home, context)
    if isinstance(found, Refusal):
        return refused(match, found)
    if len(found) == 1 and found[0].state.value in NOTHING_KNOWN:
        return refused(match, Refusal("no_state", {"entity": found[0].name}))
    states = {_plain(state) for state in values_of(match, "state")}
    if not states and home.labelled(match.value("name")) and len({entity.state.value for entity in found}) > 1:
        # "The Christmas lights are on" would be half of the truth.
        return refused(match, Refusal("duplicate_entities", {"entity": match.slots["name"].text}))
    if not states:
        return answer(match, found)
    matched = tuple(entity for entity in found if _plain(entity.state.value) in states)
    unmatched = tuple(entity for entity in found if _plain(entity.state.value) not in states)
    return answer(match, matched, unmatched)


def _plain(state: str) -> str:
    # A zone comes as it was heard ("New York", "the office"), a state as the data has it.
    return state.strip().casefold().replace(" ", "_")


def _measured(match: IntentMatch, home: Home, context: Context) -> tuple[Entity, ...] | Refusal:
    """Return the sensors that measure it: in the place that was said, else in the room, else in the whole house."""
    found = select(match, home, context, Wanted(frozenset({"sensor"}), here=True))
    if isinstance(found, Refusal) and not _PLACED & match.slots.keys():
        found = select(match, home, context)
    if isinstance(found, Refusal):
        return found
    known = tuple(sensor for sensor in found if sensor.state.value not in NOTHING_KNOWN)
    return known or Refusal("no_state", {"entity": found[0].name})


def _get_temperature(match: IntentMatch, home: Home, context: Context) -> Plan:
    found = _thermometer(match, home, context)
    if isinstance(found, Refusal):
        return refused(match, found)
    return _known(match, found, "current_temperature" if found.domain == "climate" else None)


def _thermometer(match: IntentMatch, home: Home, context: Context) -> Entity | Refusal:
    """Return what tells how warm it is there: a thermostat, else a sensor."""
    found = select(match, home, context, wanted("climate"))
    if isinstance(found, Refusal) and "name" not in match.slots and found.key.startswith("no_domain"):
        sensors = select(match, home, context, wanted("sensor"))
        if not isinstance(sensors, Refusal):
            measuring = tuple(sensor for sensor in sensors if sensor.device_class == "temperature")
            found = measuring or found
    return found if isinstance(found, Refusal) else one_of(found, match, home)


def _get_weather(match: IntentMatch, home: Home, context: Context) -> Plan:
    found = select(match, home, context, wanted_anywhere("weather"))
    one = found if isinstance(found, Refusal) else one_of(found, match, home)
    return refused(match, one) if isinstance(one, Refusal) else _known(match, one, "temperature")


def _known(match: IntentMatch, entity: Entity, attribute: str | None) -> Plan:
    """Answer with the entity's state if it has one."""
    missing = attribute is not None and entity.state.attributes.get(attribute) is None
    if missing or entity.state.value in NOTHING_KNOWN:
        return refused(match, Refusal("no_state", {"entity": entity.name}))
    return answer(match, (entity,))


def _compare(match: IntentMatch, home: Home, context: Context) -> Plan:
    """Answer whether what is measured is above or below a number."""
    threshold = number(match, "value", -1_000_000, 1_000_000)
    if isinstance(threshold, Refusal):
        return refused(match, threshold)
    measuring = _gauge(match, home, context)
    if isinstance(measuring, Refusal):
        return refused(match, measuring)
    attributes = measuring.state.attributes
    if measuring.domain == "climate":
        value, unit = attributes.get("current_temperature"), attributes.get("temperature_unit") or "°"
    else:
        value, unit = measuring.state.value, attributes.get("unit_of_measurement") or ""
    try:
        known = float(str(value))
    except ValueError:
        return refused(match, Refusal("no_state", {"entity": measuring.name}))
    holds = known > threshold if match.value("comparison") == "above" else known < threshold
    entity = (measuring,)
    return answer(
        match, entity if holds else (), () if holds else entity, holds=holds, measured=f"{known:g} {unit}".strip()
    )


def _gauge(match: IntentMatch, home: Home, context: Context) -> Entity | Refusal:
    if match.value("device_class") == "temperature" and "name" not in match.slots:
        return _thermometer(without(match, "device_class"), home, context)
    if "name" in match.slots:
        found = select(match, home, context)
    else:
        found = _measured(with_slots(match, domain=Slot("sensor", "")), home, context)
    return found if isinstance(found, Refusal) else one_of(found, match, home)


def _get_time(match: IntentMatch, home: Home, context: Context) -> Plan:
    return answer(match, time=context.now.time())


def _get_date(match: IntentMatch, home: Home, context: Context) -> Plan:
    return answer(match, date=context.now.date())


def _say(match: IntentMatch, home: Home, context: Context) -> Plan:
    return answer(match)


HANDLERS: Mapping[str, Handler] = {
    "HassGetState": _get_state,
    "HassPersonGetLocation": _get_state,
    "HassClimateGetTemperature": _get_temperature,
    "HassGetWeather": _get_weather,
    "HearthCompareState": _compare,
    "HassGetCurrentTime": _get_time,
    "HassGetCurrentDate": _get_date,
    "HassNevermind": _say,
    "HassRespond": _say,
}
