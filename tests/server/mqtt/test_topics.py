"""The words of MQTT devices, read and spoken."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from hearth_core.command import Action
from hearth_core.config_mqtt import MqttEntity
from hearth_core.errors import BusError
from hearth_core.home import UNAVAILABLE, UNKNOWN, State
from hearth_server.mqtt.topics import Command, commands, state_of, state_topics

_ENTITY: TypeAdapter[MqttEntity] = TypeAdapter(MqttEntity)


def entity(entity_id: str, **keys: Any) -> MqttEntity:
    return _ENTITY.validate_python({"entity_id": entity_id, "name": "thing", **keys})


ZIGBEE2MQTT = entity(
    "light.hall",
    command_topic="z/hall/set",
    payload_on='{"state": "ON"}',
    payload_off='{"state": "OFF"}',
    state_topic="z/hall",
    state_on="ON",
    state_off="OFF",
    value_template="{{ value_json.state }}",
    brightness_command_topic="z/hall/set",
    brightness_command_template='{"brightness": {{ value }}}',
    brightness_state_topic="z/hall",
    brightness_value_template="{{ value_json.brightness }}",
    brightness_scale=254,
    availability_topic="z/hall/availability",
    availability_template="{{ value_json.state }}",
)
TASMOTA = entity("switch.fan", command_topic="cmnd/fan/POWER", state_topic="stat/fan/POWER")
UPSIDE_DOWN = entity(
    "cover.blind", set_position_topic="b/set", position_topic="b", position_open=0, position_closed=255
)
GARAGE = entity("cover.gate", command_topic="g/set", state_topic="g")
SENSOR = entity("sensor.temperature", state_topic="s", value_template="{{ value_json.t | round(1) }}")
DOOR = entity("binary_sensor.door", state_topic="d", payload_on="open", payload_off="closed")
HEATING = entity(
    "climate.bath",
    temperature_command_topic="h/set",
    temperature_command_template='{"t": {{ value }}}',
    mode_command_topic="h/mode/set",
    mode_state_topic="h/mode",
)
ALL = (ZIGBEE2MQTT, TASMOTA, UPSIDE_DOWN, GARAGE, SENSOR, DOOR, HEATING)
THERE = {"z/hall/availability": '{"state": "online"}'}


@pytest.mark.parametrize(
    ("thing", "heard", "state"),
    [
        (ZIGBEE2MQTT, {}, UNAVAILABLE),
        (ZIGBEE2MQTT, {"z/hall/availability": '{"state": "offline"}'}, UNAVAILABLE),
        (ZIGBEE2MQTT, THERE, UNKNOWN),
        (ZIGBEE2MQTT, {**THERE, "z/hall": '{"state": "ON", "brightness": 254}'}, State("on", {"brightness": 255})),
        (ZIGBEE2MQTT, {**THERE, "z/hall": '{"state": "ON"}'}, State("on")),
        (ZIGBEE2MQTT, {**THERE, "z/hall": '{"state": "OFF", "brightness": 254}'}, State("off")),
        (TASMOTA, {"stat/fan/POWER": "ON"}, State("on")),
        (TASMOTA, {"stat/fan/POWER": ""}, UNKNOWN),  # the retained message was taken away
        (UPSIDE_DOWN, {"b": "255"}, State("closed", {"current_position": 0})),
        (UPSIDE_DOWN, {"b": "0"}, State("open", {"current_position": 100})),
        (UPSIDE_DOWN, {"b": "51"}, State("open", {"current_position": 80})),
        (GARAGE, {"g": "closing"}, State("closing")),
        (GARAGE, {"g": "stopped"}, UNKNOWN),
        (SENSOR, {"s": '{"t": 21.46}'}, State("21.5")),
        (DOOR, {"d": "open"}, State("on")),
        (HEATING, {}, State("unknown")),
        (HEATING, {"h/mode": "off"}, State("off")),
    ],
)
def test_state_in_home_assistants_words(thing: MqttEntity, heard: Mapping[str, str], state: State) -> None:
    assert state_of(thing, heard) == state


@pytest.mark.parametrize(
    ("thing", "heard", "said"),
    [
        (TASMOTA, {"stat/fan/POWER": "maybe"}, "none of ON, OFF"),
        (UPSIDE_DOWN, {"b": "halfway"}, "not a number"),
        (UPSIDE_DOWN, {"b": "inf"}, "not a number"),
        (SENSOR, {"s": "no json"}, "topic s: template"),
    ],
)
def test_junk_is_an_error_that_names_it(thing: MqttEntity, heard: Mapping[str, str], said: str) -> None:
    with pytest.raises(BusError, match=said):
        state_of(thing, heard)


@given(payloads=st.lists(st.text(max_size=60), min_size=6, max_size=6))
def test_any_payload_is_a_state_or_a_bus_error(payloads: list[str]) -> None:
    for thing in ALL:
        heard = dict(zip(sorted(state_topics(thing).all), payloads, strict=False))
        with contextlib.suppress(BusError):
            assert isinstance(state_of(thing, heard), State)


OFF, DIMMED = State("off"), State("on", {"brightness": 128})


@pytest.mark.parametrize(
    ("thing", "service", "data", "state", "told"),
    [
        (TASMOTA, "switch.turn_on", {}, OFF, [("cmnd/fan/POWER", "ON")]),
        (TASMOTA, "homeassistant.turn_off", {}, OFF, [("cmnd/fan/POWER", "OFF")]),
        (ZIGBEE2MQTT, "light.turn_on", {}, OFF, [("z/hall/set", '{"state": "ON"}')]),
        (
            ZIGBEE2MQTT,
            "light.turn_on",
            {"brightness_pct": 50},
            OFF,
            [("z/hall/set", '{"brightness": 127}'), ("z/hall/set", '{"state": "ON"}')],
        ),
        (ZIGBEE2MQTT, "light.turn_on", {"brightness_pct": 0}, OFF, [("z/hall/set", '{"state": "OFF"}')]),
        (
            ZIGBEE2MQTT,
            "light.turn_on",
            {"brightness_pct": 0.1},  # not off, so at least the faintest light there is
            OFF,
            [("z/hall/set", '{"brightness": 1}'), ("z/hall/set", '{"state": "ON"}')],
        ),
        (
            ZIGBEE2MQTT,
            "light.turn_on",
            {"brightness_step_pct": 10},
            DIMMED,
            [("z/hall/set", '{"brightness": 153}'), ("z/hall/set", '{"state": "ON"}')],
        ),
        (UPSIDE_DOWN, "cover.close_cover", {}, OFF, [("b/set", "255")]),
        (UPSIDE_DOWN, "cover.set_cover_position", {"position": 80}, OFF, [("b/set", "51")]),
        (GARAGE, "cover.stop_cover", {}, OFF, [("g/set", "STOP")]),
        (HEATING, "climate.set_temperature", {"temperature": 21}, OFF, [("h/set", '{"t": 21}')]),
        (HEATING, "climate.turn_on", {}, OFF, [("h/mode/set", "heat")]),
        (HEATING, "climate.set_hvac_mode", {"hvac_mode": "off"}, OFF, [("h/mode/set", "off")]),
    ],
)
def test_action_as_messages(
    thing: MqttEntity, service: str, data: dict[str, Any], state: State, told: list[tuple[str, str]]
) -> None:
    action = Action(service, (thing.entity_id,), data)
    assert commands(thing, action, state) == tuple(Command(*message) for message in told)


@pytest.mark.parametrize(
    ("thing", "service", "data", "said"),
    [
        (TASMOTA, "light.turn_on", {}, "is no light"),
        (TASMOTA, "switch.toggle", {}, "cannot do switch.toggle"),
        (TASMOTA, "switch.turn_on", {"brightness_pct": 5}, "cannot do brightness_pct"),
        (ZIGBEE2MQTT, "light.turn_on", {"color_name": "red"}, "cannot do color_name"),
        (GARAGE, "cover.set_cover_position", {"position": 5}, "cannot do cover.set_cover_position"),
        (UPSIDE_DOWN, "cover.stop_cover", {}, "cannot do cover.stop_cover"),
        (HEATING, "climate.set_temperature", {"temperature": 36}, "goes from 5 to 35"),
        (HEATING, "climate.set_temperature", {"temperature": float("nan")}, "goes from 5 to 35"),
        (HEATING, "climate.set_hvac_mode", {"hvac_mode": "dry"}, "no mode dry"),
        (SENSOR, "sensor.turn_on", {}, "cannot do sensor.turn_on"),
    ],
)
def test_what_an_entity_cannot_do_is_refused(thing: MqttEntity, service: str, data: dict[str, Any], said: str) -> None:
    with pytest.raises(BusError, match=said):
        commands(thing, Action(service, (thing.entity_id,), data), OFF)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"entity_id": "vacuum.x", "command_topic": "x"}, "on MQTT the entity_id begins with switch"),
        ({"entity_id": "switch.x", "command_topic": "x/#"}, "command_topic"),
        ({"entity_id": "switch.x", "comand_topic": "x"}, "comand_topic"),
        ({"entity_id": "cover.x"}, "needs command_topic or set_position_topic"),
        ({"entity_id": "Kitchen light", "command_topic": "x"}, "entity_id"),
        ({}, "entity_id begins with"),
    ],
)
def test_wrong_configuration_names_the_key(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        _ENTITY.validate_python({"name": "thing", **keys})
