"""Entities on a KNX bus with actuators on it: what they are told and tell, and every way in which they do not."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
from xknx.dpt.payload import DPTArray, DPTBinary

from hearth_core.command import Action, OutcomeStatus
from hearth_core.config_knx import KnxConfig, KnxConnection
from hearth_core.errors import ConfigError
from hearth_core.home import UNAVAILABLE, State
from hearth_server.knx.bus import KnxBus
from hearth_server.knx.link import KnxLink
from tests.real.knx_actuators import Actuators

from .house import ENTITIES, Watching, running

ON = Action("light.turn_on", ("light.ceiling",), {}, "on")


@pytest.mark.usefixtures("actuators")
async def test_states_are_asked_for_at_the_start(routing: KnxConnection) -> None:
    async with running(routing) as (bus, watching):
        await watching.until(lambda s: s.get("light.ceiling") == State("off"))
        await watching.until(lambda s: s.get("cover.blind") == State("open", {"current_position": 100}))
        await watching.until(lambda s: s.get("climate.office") == State("heat", {"current_temperature": 21.0}))
        await watching.until(lambda s: s.get("binary_sensor.window") == State("on"))
        light = bus.home.entities["light.ceiling"]
        assert (light.area_id, light.capabilities) == ("kitchen", frozenset({"brightness"}))
        assert light.bindings[0].address["switch state"] == "1/1/2 (1.001)"


@pytest.mark.parametrize(
    ("action", "written", "after"),
    [
        (ON, [("1/1/1", 1)], State("on")),
        (
            Action("light.turn_on", ("light.ceiling",), {"brightness_pct": 40}, "on"),
            [("1/1/3", (102,))],
            None,
        ),
        (
            Action("cover.set_cover_position", ("cover.blind",), {"position": 30}, "open"),
            [("2/1/3", (178,))],  # 70 % closed
            State("open", {"current_position": 30}),
        ),
        (
            Action("climate.set_temperature", ("climate.office",), {"temperature": 21.5}),
            [("3/1/2", (0x0C, 0x33))],
            State("heat", {"temperature": 21.5, "current_temperature": 21.0}),
        ),
        (
            Action("climate.set_preset_mode", ("climate.office",), {"preset_mode": "economy"}),
            [("3/1/4", (3,))],
            State("heat", {"current_temperature": 21.0, "preset_mode": "economy"}),
        ),
        (Action("scene.turn_on", ("scene.evening",)), [("5/1/1", (2,))], None),
        (Action("scene.turn_on", ("scene.morning",)), [("5/1/2", (3,))], None),
    ],
)
async def test_command_is_done_when_the_status_address_says_so(
    routing: KnxConnection, actuators: Actuators, action: Action, written: list[Any], after: State | None
) -> None:
    async with running(routing) as (bus, watching):
        await watching.until(lambda s: "current_temperature" in s.get("climate.office", UNAVAILABLE).attributes)
        if "brightness_pct" in action.data:
            actuators.tell("1/1/2", DPTBinary(1))
            await watching.until(lambda s: s["light.ceiling"].value == "on")
        (outcome,) = await bus.perform(action, 5.0)
        assert outcome.status is OutcomeStatus.DONE, outcome
        assert [await actuators.next() for _ in written] == written
        assert after is None or bus.home.entities[action.entity_ids[0]].state == after


async def test_cover_on_its_way_is_done(routing: KnxConnection, actuators: Actuators) -> None:
    async with running(routing) as (bus, watching):
        await watching.until(lambda s: s.get("cover.blind") == State("open", {"current_position": 100}))
        command = asyncio.create_task(bus.perform(Action("cover.close_cover", ("cover.blind",), {}, "closed"), 5.0))
        assert await actuators.next() == ("2/1/1", 1)  # 1 is down
        actuators.tell("2/1/4", DPTArray(26))
        (outcome,) = await command
        assert outcome.status is OutcomeStatus.DONE
        assert bus.home.entities["cover.blind"].state == State("open", {"current_position": 90})


async def test_actuator_that_tells_only_changes_is_asked(routing: KnxConnection, actuators: Actuators) -> None:
    actuators.telling = False
    actuators.values["1/1/2"] = DPTBinary(1)
    async with running(routing) as (bus, watching):
        await watching.until(lambda s: s.get("light.ceiling") == State("on"))
        asked = actuators.asked.count("1/1/2")
        (outcome,) = await bus.perform(ON, 5.0)
        assert outcome.status is OutcomeStatus.DONE, outcome
        assert actuators.asked.count("1/1/2") == asked + 1


async def test_status_address_that_never_answers_is_unconfirmed(routing: KnxConnection, actuators: Actuators) -> None:
    actuators.values.clear()
    actuators.obeying = False
    async with running(routing) as (bus, _):
        (outcome,) = await bus.perform(ON, 1.0)
        assert (outcome.status, outcome.detail) == (OutcomeStatus.UNCONFIRMED, "1/1/2 did not answer")
        assert await actuators.next() == ("1/1/1", 1)


async def test_actuator_that_says_otherwise_is_unconfirmed(routing: KnxConnection, actuators: Actuators) -> None:
    actuators.obeying = False
    async with running(routing) as (bus, _):
        (outcome,) = await bus.perform(ON, 1.0)
        assert (outcome.status, outcome.detail) == (OutcomeStatus.UNCONFIRMED, "its state is off")


@pytest.mark.usefixtures("actuators")
@pytest.mark.parametrize(
    ("action", "status", "detail"),
    [
        (Action("switch.turn_on", ("switch.fountain",), {}, "on"), "unconfirmed", "no status address"),
        (Action("light.turn_on", ("light.ceiling",), {"color_name": "red"}, "on"), "failed", "color_name"),
        (Action("light.turn_on", ("light.ceiling",), {"brightness_pct": "a lot"}, "on"), "failed", "a lot"),
        (Action("climate.set_temperature", ("climate.office",), {"temperature": 90}), "failed", "7 to 35"),
        (Action("climate.turn_off", ("climate.office",)), "failed", "cannot do climate.turn_off"),
        (Action("light.turn_on", ("light.none",), {}, "on"), "failed", "no such entity"),
    ],
)
async def test_what_cannot_be_done_is_told(routing: KnxConnection, action: Action, status: str, detail: str) -> None:
    async with running(routing) as (bus, _):
        (outcome,) = await bus.perform(action, 1.0)
        assert outcome.status == status
        assert detail in outcome.detail


async def test_wall_switch_is_seen(routing: KnxConnection, actuators: Actuators) -> None:
    async with running(routing) as (_, watching):
        actuators.tell("4/1/1", DPTBinary(1))  # no status address: what others write is all that is known
        await watching.until(lambda s: s.get("switch.fountain") == State("on"))
        actuators.tell("6/1/1", DPTArray((0x0C, 0x1A)))
        await watching.until(lambda s: s.get("sensor.wind") == State("21", {"unit_of_measurement": "m/s"}))


async def test_telegram_of_a_wrong_type_is_told_once(
    routing: KnxConnection, actuators: Actuators, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(routing) as (bus, watching):
        await watching.until(lambda s: s.get("light.ceiling") == State("off"))
        for _ in range(3):
            actuators.tell("1/1/2", DPTArray((1, 2, 3)))
        actuators.tell("6/1/2", DPTBinary(0))
        await watching.until(lambda s: s.get("binary_sensor.window") == State("off"))
        assert bus.home.entities["light.ceiling"].state.value == "unknown"
    told = [record.getMessage() for record in caplog.records if "light.ceiling" in record.getMessage()]
    assert len(told) == 1
    assert "1/1/2" in told[0]
    assert "not of DPT 1.001" in told[0]


async def test_interface_that_is_away_is_told_once_and_answers_unreachable(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    connection = KnxConnection.model_validate(
        {"type": "tunnelling_tcp", "host": "127.0.0.1", "port": 9, "retry_s": (0.01, 0.02)}
    )
    bus = KnxBus(KnxConfig.model_validate({"connection": connection, "entities": ENTITIES}))
    await bus.start(Watching())
    await asyncio.sleep(0.3)
    assert not bus.reachable
    (outcome,) = await bus.perform(ON, 0.2)
    assert (outcome.status, outcome.detail) == (OutcomeStatus.UNREACHABLE, "the KNX bus is away")
    await bus.stop()
    await bus.stop()
    assert len([record for record in caplog.records if "no KNX by" in record.getMessage()]) == 1


def test_unknown_dpt_is_a_configuration_error(routing: KnxConnection) -> None:
    sensor = {"entity_id": "sensor.x", "name": "x", "value": {"state": "1/1/1", "dpt": "999.001"}}
    with pytest.raises(ConfigError, match=r"sensor\.x: DPT 999\.001 is not known"):
        KnxBus(KnxConfig.model_validate({"connection": routing, "entities": [sensor]}))


def test_keyring_that_cannot_be_read_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "junk.knxkeys").write_text("no xml")
    for file in ("missing.knxkeys", "junk.knxkeys"):
        config = KnxConnection.model_validate(
            {"type": "routing_secure", "keyring": str(tmp_path / file), "keyring_password": "open sesame"}
        )
        with pytest.raises(ConfigError, match=file) as caught:
            asyncio.run(KnxLink(config, lambda _: None, lambda _: None).start())
        assert "open sesame" not in str(caught.value)
