"""Between Home Assistant's words and an entity's topics: pure, no connection.

Each kind of entity has three questions: which topics tell its state, what its state is once they did, and what to
publish for an action.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hearth_core.command import Action
from hearth_core.config_mqtt import (
    MqttBinarySensor,
    MqttClimate,
    MqttCover,
    MqttEntity,
    MqttLight,
    MqttSensor,
    MqttSwitch,
)
from hearth_core.errors import BusError, SentenceError
from hearth_core.home import UNAVAILABLE, UNKNOWN, State

from ..templates import UNDEFINED, evaluate, render

Heard = Mapping[str, str]
"""The last payload of each topic that has had one."""


@dataclass(frozen=True, slots=True)
class Command:
    """One message to a device."""

    topic: str
    payload: str


@dataclass(frozen=True, slots=True)
class StateTopics:
    """Where an entity tells how it is.

    Attributes:
        answers: topics on which an answer to a command comes.
        others: what else it tells: measurements, whether it is there.
    """

    answers: frozenset[str]
    others: frozenset[str] = frozenset()

    @property
    def all(self) -> frozenset[str]:
        """Every topic to subscribe to."""
        return self.answers | self.others


def state_topics(entity: MqttEntity) -> StateTopics:
    """Return the topics that tell the entity's state."""
    others = [entity.availability_topic]
    match entity:
        case MqttLight():
            answers = [entity.state_topic, entity.brightness_state_topic]
        case MqttCover():
            answers = [entity.state_topic, entity.position_topic]
        case MqttClimate():
            answers = [entity.temperature_state_topic, entity.mode_state_topic]
            others.append(entity.current_temperature_topic)
        case MqttSwitch():
            answers = [entity.state_topic]
        case MqttSensor() | MqttBinarySensor():
            answers = []
            others.append(entity.state_topic)
    found = frozenset(topic for topic in answers if topic)
    return StateTopics(found, frozenset(topic for topic in others if topic) - found)


def capabilities(entity: MqttEntity) -> frozenset[str]:
    """Return the optional services that the entity has, in the words of `Bus`."""
    match entity:
        case MqttLight() if entity.brightness_command_topic:
            return frozenset({"brightness"})
        case MqttCover() if entity.set_position_topic:
            return frozenset({"position"})
        case MqttClimate():
            return frozenset({"temperature"})
    return frozenset()


# -- what is heard -----------------------------------------------------------------------------------------------------


def state_of(entity: MqttEntity, heard: Heard) -> State:
    """Return the entity's state after these messages.

    Raises:
        BusError: a template fails, or a payload is not what the entity is said to send.
    """
    if entity.availability_topic is not None:
        there = _value(heard, entity.availability_topic, entity.availability_template)
        if there is None or there == entity.payload_not_available:
            return UNAVAILABLE
    match entity:
        case MqttLight():
            return _light(entity, heard)
        case MqttSwitch():
            return _switched(entity, heard)
        case MqttCover():
            return _cover(entity, heard)
        case MqttClimate():
            return _climate(entity, heard)
        case MqttSensor():
            value = _value(heard, entity.state_topic, entity.value_template)
            unit = {"unit_of_measurement": entity.unit_of_measurement} if entity.unit_of_measurement else {}
            return State("unknown" if value is None else value, unit)
        case MqttBinarySensor():
            value = _value(heard, entity.state_topic, entity.value_template)
            return (
                UNKNOWN
                if value is None
                else State(_one_of(value, {entity.payload_on: "on", entity.payload_off: "off"}))
            )


def _switched(entity: MqttSwitch | MqttLight, heard: Heard) -> State:
    value = _value(heard, entity.state_topic, entity.value_template)
    if value is None:
        return UNKNOWN
    on = entity.payload_on if entity.state_on is None else entity.state_on
    off = entity.payload_off if entity.state_off is None else entity.state_off
    return State(_one_of(value, {on: "on", off: "off"}))


def _light(entity: MqttLight, heard: Heard) -> State:
    state = _switched(entity, heard)
    level = _number(_value(heard, entity.brightness_state_topic, entity.brightness_value_template))
    if level is None:
        return state
    brightness = min(255, max(0, round(level * 255 / entity.brightness_scale)))
    if entity.state_topic is None:
        state = State("on" if brightness else "off")
    return State(state.value, {"brightness": brightness}) if state.value == "on" else state


def _cover(entity: MqttCover, heard: Heard) -> State:
    raw = _number(_value(heard, entity.position_topic, entity.position_template))
    position: int | None = None
    if raw is not None:
        span = entity.position_open - entity.position_closed
        position = min(100, max(0, round(100 * (raw - entity.position_closed) / span)))
    words = {
        entity.state_open: "open",
        entity.state_opening: "opening",
        entity.state_closed: "closed",
        entity.state_closing: "closing",
        entity.state_stopped: "stopped",
    }
    value = _value(heard, entity.state_topic, entity.value_template)
    state = None if value is None else _one_of(value, words)
    if state in (None, "stopped") and position is not None:
        state = "open" if position else "closed"
    if state in (None, "stopped"):
        return UNKNOWN
    return State(str(state), {} if position is None else {"current_position": position})


def _climate(entity: MqttClimate, heard: Heard) -> State:
    attributes: dict[str, Any] = {
        "temperature": _number(_value(heard, entity.temperature_state_topic, entity.temperature_state_template)),
        "current_temperature": _number(
            _value(heard, entity.current_temperature_topic, entity.current_temperature_template)
        ),
    }
    mode = _value(heard, entity.mode_state_topic, entity.mode_state_template)
    if mode is None:
        mode = "heat" if entity.mode_state_topic is None else "unknown"
    return State(mode, {key: value for key, value in attributes.items() if value is not None})


def _value(heard: Heard, topic: str | None, template: str | None) -> str | None:
    """Return what a topic says, None if it has said nothing or nothing about this."""
    payload = heard.get(topic) if topic else None
    if payload is None or payload == "":  # an empty retained message means that there is none any more
        return None
    if template is None:
        return payload.strip()
    try:
        value = evaluate(template, {"value": payload, **_parsed(payload)})
    except SentenceError as error:
        raise BusError(f"topic {topic}: {error.message}", remedy="Mend the entity's template") from error
    return None if value is UNDEFINED or value is None or value == "" else str(value).strip()


def _parsed(payload: str) -> dict[str, Any]:
    try:
        return {"value_json": json.loads(payload)}
    except (ValueError, RecursionError):
        return {}


def _number(value: str | None) -> float | None:
    if value is None:
        return None
    try:
        number = float(value)
    except ValueError:
        raise BusError(f"{value[:40]!r} is not a number") from None
    if not abs(number) < 1e9:  # NaN and infinity too
        raise BusError(f"{value[:40]!r} is not a number that a device has")
    return number


def _one_of(value: str, words: Mapping[str, str]) -> str:
    if value not in words:
        raise BusError(f"{value[:40]!r} is none of {', '.join(words)}")
    return words[value]


# -- what is said ------------------------------------------------------------------------------------------------------


def commands(entity: MqttEntity, action: Action, state: State) -> tuple[Command, ...]:
    """Return what to publish for the action, in order.

    Args:
        entity: whose topics.
        action: what to do.
        state: how the entity is now, for what is relative.

    Raises:
        BusError: the entity cannot do that.
    """
    domain, _, service = action.service.partition(".")
    if domain not in (entity.domain, "homeassistant"):
        raise BusError(f"{entity.entity_id} is no {domain}")
    match entity:
        case MqttLight():
            return _light_commands(entity, service, action, state)
        case MqttSwitch():
            _only(entity, action)
            return (_switch_command(entity, service, action),)
        case MqttCover():
            return _cover_commands(entity, service, action)
        case MqttClimate():
            return _climate_commands(entity, service, action)
    raise _cannot(entity, action)


def _light_commands(entity: MqttLight, service: str, action: Action, state: State) -> tuple[Command, ...]:
    switch = _switch_command(entity, service, action)
    _only(entity, action, *(("brightness_pct", "brightness", "brightness_step_pct") if service == "turn_on" else ()))
    per_cent = _brightness_per_cent(action.data, state)
    if per_cent is None:
        return (switch,)
    if per_cent == 0:
        return (Command(entity.command_topic, entity.payload_off),)
    if entity.brightness_command_topic is None:
        raise BusError(f"{entity.name} cannot be dimmed", remedy="Give it a brightness_command_topic")
    level = max(1, round(per_cent * entity.brightness_scale / 100))
    bright = Command(entity.brightness_command_topic, _payload(entity.brightness_command_template, level))
    # Home Assistant's order too: a lamp told to be bright first does not flash up at its old level.
    return bright, switch


def _brightness_per_cent(data: Mapping[str, Any], state: State) -> float | None:
    if "brightness_pct" in data:
        return min(100.0, max(0.0, float(data["brightness_pct"])))
    if "brightness" in data:
        return min(100.0, max(0.0, float(data["brightness"]) / 2.55))
    if "brightness_step_pct" in data:
        now = float(state.attributes.get("brightness") or 0) / 2.55
        return min(100.0, max(0.0, now + float(data["brightness_step_pct"])))
    return None


def _switch_command(entity: MqttSwitch | MqttLight, service: str, action: Action) -> Command:
    if service not in ("turn_on", "turn_off"):
        raise _cannot(entity, action)
    return Command(entity.command_topic, entity.payload_on if service == "turn_on" else entity.payload_off)


def _cover_commands(entity: MqttCover, service: str, action: Action) -> tuple[Command, ...]:
    payloads = {
        "open_cover": entity.payload_open,
        "close_cover": entity.payload_close,
        "stop_cover": entity.payload_stop,
    }
    if service in payloads and entity.command_topic is not None:
        _only(entity, action)
        return (Command(entity.command_topic, payloads[service]),)
    if service == "set_cover_position":
        _only(entity, action, "position")
        position: float | None = float(action.data.get("position", 100))
    else:
        _only(entity, action)
        position = {"open_cover": 100.0, "close_cover": 0.0}.get(service)
    if position is None or entity.set_position_topic is None:
        raise _cannot(entity, action)
    span = entity.position_open - entity.position_closed
    raw = round(entity.position_closed + min(100.0, max(0.0, position)) * span / 100)
    return (Command(entity.set_position_topic, _payload(entity.set_position_template, raw)),)


def _climate_commands(entity: MqttClimate, service: str, action: Action) -> tuple[Command, ...]:
    made: list[Command] = []
    mode = {"turn_off": "off", "turn_on": next((m for m in entity.modes if m != "off"), "heat")}.get(service)
    if service in ("set_temperature", "set_hvac_mode"):
        _only(entity, action, "temperature", "hvac_mode")
        mode = action.data.get("hvac_mode")
    elif mode is None:
        raise _cannot(entity, action)
    if mode is not None:
        if entity.mode_command_topic is None or mode not in entity.modes:
            raise BusError(f"{entity.name} has no mode {mode}", remedy="Give it a mode_command_topic and modes")
        made.append(Command(entity.mode_command_topic, str(mode)))
    if "temperature" in action.data:
        wanted = float(action.data["temperature"])
        if not entity.min_temp <= wanted <= entity.max_temp:
            raise BusError(f"{entity.name} goes from {entity.min_temp:g} to {entity.max_temp:g} degrees")
        number = int(wanted) if wanted.is_integer() else wanted
        made.append(Command(entity.temperature_command_topic, _payload(entity.temperature_command_template, number)))
    return tuple(made)


def _payload(template: str | None, value: float) -> str:
    if template is None:
        return str(value)
    try:
        return render(template, {"value": value})
    except SentenceError as error:
        raise BusError(error.message, remedy="Mend the entity's template") from error


def _only(entity: MqttEntity, action: Action, *known: str) -> None:
    """Refuse data that would be lost: "red" must not be answered with a light that is merely on."""
    for key in action.data:
        if key not in known:
            raise BusError(f"{entity.name} cannot do {key} with {action.service}")


def _cannot(entity: MqttEntity, action: Action) -> BusError:
    return BusError(f"{entity.name} cannot do {action.service}")
