"""Temperatures, fans and humidity that are set."""

from __future__ import annotations

from collections.abc import Mapping

from hearth_core.command import Context, IntentMatch
from hearth_core.home import Entity, Home

from .plan_service import Service, Values, number, number_data, step, wanted
from .planned import Handler, Plan, done, grouped, refused
from .targets import Refusal, select

# What "warmer" is without a number, in the degrees of the home.
TEMPERATURE_STEP = 1


def _limits(devices: tuple[Entity, ...]) -> tuple[float, float]:
    """Return what all of them can be set to, in Celsius or Fahrenheit, as the home has it."""
    # Devices without limits: what either scale has indoors and in a sauna.
    lows = [float(e.state.attributes.get("min_temp", -50)) for e in devices]
    highs = [float(e.state.attributes.get("max_temp", 250)) for e in devices]
    return max(lows), min(highs)


def _set(match: IntentMatch, home: Home, context: Context) -> Plan:
    found = select(match, home, context, wanted("climate", "temperature"))
    if isinstance(found, Refusal):
        return refused(match, found)
    temperature = number(match, "temperature", *_limits(found))
    if isinstance(temperature, Refusal):
        return refused(match, temperature)
    aims = dict.fromkeys((entity.entity_id for entity in found), temperature)
    return done(match, grouped("climate.set_temperature", "temperature", aims))


def _adjust(match: IntentMatch, home: Home, context: Context) -> Plan:
    """Set thermostats so much higher or lower than they are set, at most to their limits."""
    amount = number(match, "amount", 0.5, 30) if "amount" in match.slots else TEMPERATURE_STEP
    change = step(match, "temperature_step", amount)
    if isinstance(change, Refusal):
        return refused(match, change)
    found = select(match, home, context, wanted("climate", "temperature"))
    if isinstance(found, Refusal):
        return refused(match, found)
    set_to = {e.entity_id: e.state.attributes.get("temperature") for e in found}
    if any(value is None for value in set_to.values()):
        silent = next(e for e in found if set_to[e.entity_id] is None)
        return refused(match, Refusal("no_state", {"entity": silent.name}))
    low, high = _limits(found)
    aims = {i: _whole(min(high, max(low, float(value) + change))) for i, value in set_to.items() if value is not None}
    if all(aims[i] == value for i, value in set_to.items()):
        limit = next(iter(aims.values()))
        return refused(match, Refusal("out_of_range", {"value": f"{limit:g}", "low": f"{low:g}", "high": f"{high:g}"}))
    first = next(iter(aims.values()))
    return done(match, grouped("climate.set_temperature", "temperature", aims), temperature=f"{first:g}")


def _whole(value: float) -> float:
    return int(value) if value.is_integer() else value


def _fan_mode(match: IntentMatch) -> Values:
    return {"fan_mode": str(match.value("fan_mode"))}


HANDLERS: Mapping[str, Handler] = {
    "HassClimateSetTemperature": _set,
    "HearthAdjustTemperature": _adjust,
    "HassClimateSetFanMode": Service("climate.set_fan_mode", wanted("climate", "fan_mode"), _fan_mode),
    "HassFanSetSpeed": Service(
        "fan.set_percentage",
        wanted("fan", "speed"),
        number_data("percentage", "percentage", 0, 100),
        lambda data: "on" if data["percentage"] else "off",
    ),
    "HassHumidifierSetpoint": Service(
        "humidifier.set_humidity", wanted("humidifier"), number_data("humidity", "humidity", 0, 100)
    ),
}
