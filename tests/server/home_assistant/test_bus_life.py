"""The life of the bus: it stops at any time and leaves nothing behind."""

from __future__ import annotations

import asyncio

from hearth_core.command import Action, OutcomeStatus
from hearth_server.home_assistant.bus import HomeAssistant

from .conftest import LONG_S, ON, statuses
from .fake import FakeHomeAssistant, Recorder


async def test_it_can_be_stopped_at_any_time(fake: FakeHomeAssistant, bus: HomeAssistant) -> None:
    await bus.stop()
    await bus.start(Recorder(bus))
    await bus.stop()
    await bus.stop()
    assert not bus.reachable
    assert statuses(await bus.perform(ON, LONG_S)) == [OutcomeStatus.UNREACHABLE]
    fake.silent.add("get_config")
    await bus.start(Recorder(bus))
    await asyncio.sleep(0.05)
    await bus.stop()
    assert fake.connections <= 1


async def test_it_leaves_nothing_behind_after_many_commands(
    fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder
) -> None:
    for number in range(300):
        service, state = ("light.turn_on", "on") if number % 2 else ("light.turn_off", "off")
        outcomes = await bus.perform(Action(service, ("light.ceiling", "light.shelf"), expected=state), LONG_S)
        assert set(statuses(outcomes)) == {OutcomeStatus.DONE}
    connection = bus._connection
    assert connection is not None
    assert not connection._waiting
    assert not bus._readback._waiting
