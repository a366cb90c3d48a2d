"""A KNX bus behind a real knxd; run by test_knxd.py in a network namespace, and only there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from hearth_core.command import Action, OutcomeStatus
from hearth_core.config_knx import KnxConnection
from hearth_core.home import UNAVAILABLE, State
from tests.real.knx_actuators import Actuators
from tests.real.knxd import PORT, Knxd, tunnel
from tests.real.namespace import INSIDE

from .house import STATUS, VALUES, running

ON = Action("light.turn_on", ("light.ceiling",), {}, "on")
WARM = Action("climate.set_temperature", ("climate.office",), {"temperature": 21.5})
DOWN_S = 10.0
CONNECTION = KnxConnection.model_validate(
    {"type": "tunnelling", "host": "127.0.0.1", "port": PORT, "local_ip": "127.0.0.1", "retry_s": (0.1, 0.5)}
)


@pytest.fixture(autouse=True)
def _inside() -> None:
    assert os.environ.get(INSIDE), "knxd would join the real network: run tests/server/knx/test_knxd.py instead"


@pytest.fixture
def knxd(tmp_path: Path) -> Iterator[Knxd]:
    interface = Knxd(tmp_path)
    interface.start()
    yield interface
    interface.kill()


@pytest.fixture
async def actuators(knxd: Knxd) -> AsyncIterator[Actuators]:
    found = Actuators(tunnel(), STATUS, VALUES)
    await found.start()
    yield found
    await found.stop()


async def test_command_through_a_tunnel_is_confirmed(actuators: Actuators) -> None:
    async with running(CONNECTION) as (bus, watching):
        await watching.until(lambda s: s.get("light.ceiling") == State("off"))
        (outcome,) = await bus.perform(ON, 5.0)
        assert outcome.status is OutcomeStatus.DONE, outcome
        assert await actuators.next() == ("1/1/1", 1)
        assert bus.home.entities["light.ceiling"].state == State("on")


async def test_write_to_a_group_address_of_no_entity_is_acknowledged(knxd: Knxd, actuators: Actuators) -> None:
    bell = Action("knx.write", ("knx:7/7/7",), {"address": "7/7/7", "dpt": "9.001", "value": 21.5})
    async with running(CONNECTION, max_age_s=0.5) as (bus, watching):
        await watching.until(lambda s: s.get("light.ceiling") == State("off"))
        outcome = await bus.write(bell, 5.0)
        assert outcome.status is OutcomeStatus.DONE, outcome
        assert await actuators.next() == ("7/7/7", (0x0C, 0x33))
        knxd.kill()
        outcome = await bus.write(bell, 3.0)
        assert outcome.status in (OutcomeStatus.UNCONFIRMED, OutcomeStatus.UNREACHABLE), outcome


async def test_many_commands_at_once_all_arrive(actuators: Actuators) -> None:
    async with running(CONNECTION) as (bus, watching):
        await watching.until(lambda s: s.get("light.ceiling") == State("off"))
        levels = [Action("light.turn_on", ("light.ceiling",), {"brightness_pct": n}, "on") for n in range(1, 31)]
        actuators.telling = False  # the light's own answer would be for the last of them
        await asyncio.gather(*(bus.perform(action, 3.0) for action in levels))
        assert [(await actuators.next())[0] for _ in levels] == ["1/1/3"] * 30


async def test_knxd_killed_for_ten_seconds_with_commands_queued(knxd: Knxd) -> None:
    before = Actuators(tunnel(), STATUS, VALUES)
    await before.start()
    async with running(CONNECTION, max_age_s=30) as (bus, watching):
        await watching.until(lambda s: s.get("light.ceiling") == State("off"))
        knxd.kill()
        await before.stop()
        impatient = asyncio.create_task(bus.perform(ON, 3.0))
        patient = asyncio.create_task(bus.perform(WARM, 25.0))
        (outcome,) = await impatient
        assert outcome.status is OutcomeStatus.UNREACHABLE, outcome
        await asyncio.sleep(DOWN_S - 3.0)
        assert not patient.done()
        knxd.start()
        after = Actuators(tunnel(), STATUS, VALUES)
        await after.start()
        (outcome,) = await patient
        assert outcome.status is OutcomeStatus.DONE, outcome
        assert await after.next() == ("3/1/2", (0x0C, 0x33))
        (outcome,) = await bus.perform(Action("light.turn_off", ("light.ceiling",), {}, "off"), 5.0)
        assert outcome.status is OutcomeStatus.DONE, outcome
        assert await after.next() == ("1/1/1", 0), "what was unreachable must not be done later"
        assert after.written.empty()
        await after.stop()


async def test_bus_that_stays_away_is_unreachable_at_once_after_its_time(knxd: Knxd, actuators: Actuators) -> None:
    async with running(CONNECTION, max_age_s=0.5) as (bus, watching):
        await watching.until(lambda s: s.get("light.ceiling") == State("off"))
        knxd.kill()
        (outcome,) = await bus.perform(ON, 3.0)  # nobody knows yet that it is dead: this finds out
        assert outcome.status in (OutcomeStatus.UNREACHABLE, OutcomeStatus.UNCONFIRMED)
        await watching.until(lambda s: s["light.ceiling"] == UNAVAILABLE)
        assert not bus.reachable


async def test_restart_that_nobody_noticed_costs_the_next_command_only_time(knxd: Knxd, actuators: Actuators) -> None:
    async with running(CONNECTION) as (bus, watching):
        await watching.until(lambda s: s.get("light.ceiling") == State("off"))
        knxd.kill()
        knxd.start()
        await actuators.stop()
        again = Actuators(tunnel(), STATUS, VALUES)
        await again.start()
        (outcome,) = await bus.perform(ON, 8.0)
        assert outcome.status is OutcomeStatus.DONE, outcome
        await again.stop()
        await actuators.start()  # for its fixture to stop
