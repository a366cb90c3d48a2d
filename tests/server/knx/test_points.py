"""Group addresses and their values, read and spoken; the values are those of the KNX standard, written out by hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from xknx.dpt.payload import DPTArray, DPTBinary

from hearth_core.command import Action
from hearth_core.config_knx import KnxConfig, KnxConnection, KnxEntity, group_address
from hearth_core.errors import BusError
from hearth_core.home import UNKNOWN, State
from hearth_server.knx.link import Payload
from hearth_server.knx.points import points as points_of
from hearth_server.knx.points import state_of, told_by, writes

_ENTITY: TypeAdapter[KnxEntity] = TypeAdapter(KnxEntity)


def entity(entity_id: str, **keys: Any) -> KnxEntity:
    return _ENTITY.validate_python({"entity_id": entity_id, "name": "thing", **keys})


DIMMER = entity(
    "light.a",
    switch={"write": "1/1/1", "state": "1/1/2"},
    brightness={"write": "1/1/3", "state": "1/1/4"},
    dim="1/1/5",
)
STEPPED = entity("light.b", switch="1/2/1", dim="1/2/5")
BLIND = entity("cover.a", move="2/1/1", stop="2/1/2", position={"write": "2/1/3", "state": "2/1/4"})
AWNING = entity("cover.b", position={"write": "2/2/3", "state": "2/2/4"}, invert_position=True)
HEATING = entity(
    "climate.a",
    setpoint={"write": "3/1/1", "state": "3/1/2"},
    temperature={"state": "3/1/3"},
    mode={"write": "3/1/4", "state": "3/1/5"},
    on_off={"write": "3/1/6", "state": "3/1/7"},
)
INVERTED = entity("switch.a", switch={"write": "4/1/1", "state": "4/1/2"}, invert=True)
SCENE = entity("scene.a", scene={"write": "5/1/1", "dpt": "18.001"}, number=64)
SENSOR = entity("sensor.a", value={"state": "6/1/1", "dpt": "14.056"})
ALL = (DIMMER, STEPPED, BLIND, AWNING, HEATING, INVERTED, SCENE, SENSOR)
OFF, DIMMED = State("off"), State("on", {"brightness": 128})


@pytest.mark.parametrize(
    ("thing", "service", "data", "state", "written"),
    [
        (DIMMER, "light.turn_on", {}, OFF, ("1/1/1", 1, "1/1/2")),
        (DIMMER, "light.turn_off", {}, DIMMED, ("1/1/1", 0, "1/1/2")),
        (DIMMER, "light.turn_on", {"brightness_pct": 50}, OFF, ("1/1/3", (128,), "1/1/4")),
        (DIMMER, "light.turn_on", {"brightness_pct": 100}, OFF, ("1/1/3", (255,), "1/1/4")),
        (DIMMER, "light.turn_on", {"brightness_pct": 0.1}, OFF, ("1/1/3", (1,), "1/1/4")),
        (DIMMER, "light.turn_on", {"brightness_pct": 0}, DIMMED, ("1/1/1", 0, "1/1/2")),
        (DIMMER, "light.turn_on", {"brightness_step_pct": -20}, DIMMED, ("1/1/3", (77,), "1/1/4")),
        (DIMMER, "light.turn_on", {"brightness_step_pct": 25}, UNKNOWN, ("1/1/5", 0b1011, "1/1/4")),
        (STEPPED, "light.turn_on", {"brightness_step_pct": 10}, OFF, ("1/2/5", 0b1100, None)),
        (STEPPED, "light.turn_on", {"brightness_step_pct": -100}, OFF, ("1/2/5", 0b0001, None)),
        (BLIND, "cover.open_cover", {}, OFF, ("2/1/1", 0, "2/1/4")),
        (BLIND, "cover.close_cover", {}, OFF, ("2/1/1", 1, "2/1/4")),
        (BLIND, "cover.stop_cover", {}, OFF, ("2/1/2", 1, "2/1/4")),
        # 100 % is closed on KNX, 0 % is in Home Assistant.
        (BLIND, "cover.set_cover_position", {"position": 100}, OFF, ("2/1/3", (0,), "2/1/4")),
        (BLIND, "cover.set_cover_position", {"position": 0}, OFF, ("2/1/3", (255,), "2/1/4")),
        (BLIND, "cover.set_cover_position", {"position": 75}, OFF, ("2/1/3", (64,), "2/1/4")),
        (AWNING, "cover.set_cover_position", {"position": 100}, OFF, ("2/2/3", (255,), "2/2/4")),
        (AWNING, "cover.close_cover", {}, OFF, ("2/2/3", (0,), "2/2/4")),
        (HEATING, "climate.set_temperature", {"temperature": 20}, OFF, ("3/1/1", (0x07, 0xD0), "3/1/2")),
        (HEATING, "climate.set_preset_mode", {"preset_mode": "comfort"}, OFF, ("3/1/4", (1,), "3/1/5")),
        (
            HEATING,
            "climate.set_preset_mode",
            {"preset_mode": "building_protection"},
            OFF,
            ("3/1/4", (4,), "3/1/5"),
        ),
        (HEATING, "climate.turn_off", {}, OFF, ("3/1/6", 0, "3/1/7")),
        (INVERTED, "switch.turn_on", {}, OFF, ("4/1/1", 0, "4/1/2")),
        (SCENE, "scene.turn_on", {}, OFF, ("5/1/1", (63,), None)),
    ],
)
def test_action_as_telegram(
    thing: KnxEntity, service: str, data: dict[str, Any], state: State, written: tuple[str, Any, str | None]
) -> None:
    (write,) = writes(thing, Action(service, (thing.entity_id,), data), state)
    assert write.telegram.payload is not None
    assert (write.telegram.address, write.telegram.payload.value, write.answer) == written
    assert write.repeatable is (write.telegram.address not in ("1/1/5", "1/2/5"))


@pytest.mark.parametrize(
    ("thing", "service", "data", "said"),
    [
        (DIMMER, "switch.turn_on", {}, "is no switch"),
        (DIMMER, "light.turn_on", {"color_temp_kelvin": 3000}, "cannot do color_temp_kelvin"),
        (STEPPED, "light.turn_on", {"brightness_pct": 50}, "cannot be set to a brightness"),
        (AWNING, "cover.stop_cover", {}, "cannot do cover.stop_cover"),
        (HEATING, "climate.set_temperature", {"temperature": 36}, "goes from 7 to 35"),
        (HEATING, "climate.set_temperature", {"temperature": float("nan")}, "goes from 7 to 35"),
        (HEATING, "climate.set_preset_mode", {"preset_mode": "party"}, "no mode 'party'"),
        (SENSOR, "sensor.turn_on", {}, "cannot do sensor.turn_on"),
        (SCENE, "scene.turn_off", {}, "cannot do scene.turn_off"),
    ],
)
def test_what_an_entity_cannot_do_is_refused(thing: KnxEntity, service: str, data: dict[str, Any], said: str) -> None:
    with pytest.raises(BusError, match=said):
        writes(thing, Action(service, (thing.entity_id,), data), OFF)


@pytest.mark.parametrize(
    ("thing", "heard", "state"),
    [
        (DIMMER, {}, UNKNOWN),
        (DIMMER, {"1/1/2": DPTBinary(1), "1/1/4": DPTArray(128)}, State("on", {"brightness": 128})),
        (DIMMER, {"1/1/2": DPTBinary(0), "1/1/4": DPTArray(128)}, State("off")),
        (DIMMER, {"1/1/4": DPTArray(0)}, State("off")),
        (BLIND, {"2/1/4": DPTArray(255)}, State("closed", {"current_position": 0})),
        (BLIND, {"2/1/4": DPTArray(64)}, State("open", {"current_position": 75})),
        (AWNING, {"2/2/4": DPTArray(255)}, State("open", {"current_position": 100})),
        (HEATING, {"3/1/3": DPTArray((0x0C, 0x1A))}, State("heat", {"current_temperature": 21.0})),
        (HEATING, {"3/1/7": DPTBinary(0)}, State("off")),
        (HEATING, {"3/1/5": DPTArray(2)}, State("heat", {"preset_mode": "standby"})),
        (INVERTED, {"4/1/2": DPTBinary(0)}, State("on")),
        (SENSOR, {"6/1/1": DPTArray((0x43, 0x48, 0, 0))}, State("200", {"unit_of_measurement": "W"})),
    ],
)
def test_state_in_home_assistants_words(thing: KnxEntity, heard: dict[str, Payload], state: State) -> None:
    assert state_of(thing, heard) == state


@given(
    values=st.lists(
        st.one_of(
            st.integers(0, 63).map(DPTBinary),
            st.lists(st.integers(0, 255), min_size=1, max_size=14).map(lambda raw: DPTArray(tuple(raw))),
        ),
        min_size=8,
        max_size=8,
    )
)
def test_any_telegram_is_a_state_or_a_bus_error(values: list[Payload]) -> None:
    for thing in ALL:
        addresses = sorted(filter(None, map(told_by, points_of(thing))))
        try:
            state = state_of(thing, dict(zip(addresses, values, strict=False)))
        except BusError as error:
            message = str(error)
        else:
            message = state.value
        assert message


@given(position=st.integers(0, 100))
def test_position_comes_back_as_it_was_set(position: int) -> None:
    for cover in (BLIND, AWNING):
        action = Action("cover.set_cover_position", (cover.entity_id,), {"position": position})
        (write,) = writes(cover, action, UNKNOWN)
        assert write.telegram.payload is not None
        assert write.answer is not None
        assert state_of(cover, {write.answer: write.telegram.payload}).attributes["current_position"] == position


@pytest.mark.parametrize(("text", "raw"), [("1/2/3", 2563), ("1/515", 2563), ("2563", 2563), ("31/7/255", 65535)])
def test_group_address_in_each_of_its_spellings(text: str, raw: int) -> None:
    assert group_address(text) == raw


@pytest.mark.parametrize(
    "text", ["0/0/0", "32/0/0", "1/8/0", "1/1/256", "1/2048", "65536", "a/b/c", "", "-1", "1/1/1/1"]
)
def test_what_is_no_group_address(text: str) -> None:
    with pytest.raises(ValueError, match="is not a group address"):
        group_address(text)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"entity_id": "light.x"}, "switch"),
        ({"entity_id": "light.x", "switch": "1/1/1", "brightness": {"write": "1/1/2", "dpt": "9.001"}}, "5.001"),
        ({"entity_id": "light.x", "switch": {"dpt": "1.001"}}, "neither write nor state"),
        ({"entity_id": "cover.x", "stop": "1/1/1"}, "needs move or position"),
        ({"entity_id": "fan.x", "switch": "1/1/1"}, "on KNX an entity_id begins with"),
        ({"entity_id": "scene.x", "scene": "1/1/1", "number": 0}, "number"),
    ],
)
def test_wrong_entity_names_the_key(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        _ENTITY.validate_python({"name": "thing", **keys})


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({}, "tunnelling needs a host"),
        ({"type": "routing_secure"}, "needs a keyring"),
        ({"type": "routing", "keyring": "x.knxkeys"}, "go together"),
        ({"type": "serial"}, "tunnelling_tcp_secure"),
    ],
)
def test_wrong_connection_says_what_is_missing(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        KnxConnection.model_validate(keys)


def test_entities_of_one_id_are_refused() -> None:
    switch = {"entity_id": "switch.x", "name": "x", "switch": "1/1/1"}
    with pytest.raises(ValueError, match=r"switch\.x is there twice"):
        KnxConfig.model_validate({"connection": {"host": "x"}, "entities": [switch, switch]})
