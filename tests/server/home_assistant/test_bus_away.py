"""A Home Assistant that goes away, comes back, or talks junk: what the bus makes of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import pytest

from hearth_core.command import OutcomeStatus
from hearth_core.home import UNAVAILABLE
from hearth_server.home_assistant.bus import HomeAssistant

from .conftest import LONG_S, ON, statuses
from .fake import FakeHomeAssistant, Recorder


async def test_away_everything_is_unavailable_and_back_it_is_not(
    fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    await fake.stop()
    home = await recorder.until(lambda home: home.entities["light.ceiling"].state == UNAVAILABLE)
    assert all(entity.state == UNAVAILABLE for entity in home.entities.values())
    assert home.entities["light.ceiling"].name == "Ceiling Light"
    assert not bus.reachable
    (outcome,) = await bus.perform(ON, LONG_S)
    assert outcome.status is OutcomeStatus.UNREACHABLE
    await asyncio.sleep(0.3)  # many attempts
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) <= 2
    fake.things["light.shelf"].state = "on"
    await fake.start()
    await recorder.until(lambda home: home.entities["light.shelf"].state.value == "on")
    assert statuses(await bus.perform(ON, LONG_S)) == [OutcomeStatus.DONE]


async def test_a_home_that_is_away_at_the_start_is_no_error(fake: FakeHomeAssistant, bus: HomeAssistant) -> None:
    await fake.stop()
    watcher = Recorder(bus)
    async with asyncio.timeout(LONG_S):
        await watcher.tried()
    assert not bus.reachable
    assert bus.trouble is not None
    await fake.start()
    await watcher.until(lambda home: "light.ceiling" in home.entities)


async def test_lost_in_the_middle_of_a_command_the_state_afterwards_tells(
    fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder
) -> None:
    async def die(service: str, data: Mapping[str, Any], entity_ids: list[str]) -> None:
        await fake.hang_up()
        fake.things["light.ceiling"].state = "on"  # it was done

    fake.service = die
    assert statuses(await bus.perform(ON, LONG_S)) == [OutcomeStatus.DONE]
    assert len(fake.calls) == 1  # never sent twice


async def test_lost_in_the_middle_of_a_command_and_not_done(
    fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder
) -> None:
    async def die(service: str, data: Mapping[str, Any], entity_ids: list[str]) -> None:
        await fake.hang_up()

    fake.service = die
    (outcome,) = await bus.perform(ON, 0.5)
    assert outcome.status is OutcomeStatus.UNCONFIRMED
    await recorder.until(lambda home: home.entities["light.ceiling"].state.value == "off")
    fake.service = fake.switch
    assert statuses(await bus.perform(ON, LONG_S)) == [OutcomeStatus.DONE]


@pytest.mark.parametrize(
    "junk",
    [
        "{",
        "[]",
        "[1, 2]",
        "null",
        "[" * 100_000,
        b"\x00\xff",
        '{"id": 7, "type": "event", "event": {"a": {"light.ceiling": "on"}}}',
        '{"id": 7, "type": "event", "event": ["a"]}',
    ],
)
async def test_junk_ends_the_connection_and_nothing_else(
    fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder, junk: str | bytes
) -> None:
    logins = len(fake.logins)
    for number in range(1, 30):  # whatever number the subscription has
        await fake.send(junk.replace('"id": 7', f'"id": {number}') if isinstance(junk, str) else junk)
    await recorder.until(lambda home: len(fake.logins) > logins and bus.reachable)
    assert statuses(await bus.perform(ON, LONG_S)) == [OutcomeStatus.DONE]


@pytest.mark.parametrize("noise", ['{"id": "x"}', '{"id": 99999, "type": "result"}', '{"type": "pong", "id": 3}', "{}"])
async def test_messages_that_nobody_asked_for_are_ignored(
    fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder, noise: str
) -> None:
    await fake.send(noise)
    assert statuses(await bus.perform(ON, LONG_S)) == [OutcomeStatus.DONE]
    assert len(fake.logins) == 1


@pytest.mark.parametrize(
    "command", ["config/area_registry/list", "config/entity_registry/get_entries", "homeassistant/expose_entity/list"]
)
async def test_registries_that_are_none_are_told_and_tried_again(
    fake: FakeHomeAssistant, bus: HomeAssistant, command: str
) -> None:
    fake.answers[command] = "junk"
    watcher = Recorder(bus)
    await watcher.tried()
    assert not bus.reachable
    assert "str in place of" in str(bus.trouble)
    fake.answers.clear()
    await watcher.until(lambda home: "light.ceiling" in home.entities)
