"""The bus against a scripted Home Assistant: that what it says of actions is true."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from hearth_core.command import Action, Outcome, OutcomeStatus
from hearth_server.bus import Writes
from hearth_server.home_assistant.bus import HomeAssistant

from .conftest import LONG_S, ON, SHORT_S, statuses
from .fake import FakeHomeAssistant, Recorder, Refusal


async def until_called(fake: FakeHomeAssistant, count: int = 1) -> None:
    async with asyncio.timeout(LONG_S):
        while len(fake.calls) < count:
            await asyncio.sleep(0.01)


async def test_an_action_is_done_when_the_state_says_so(
    fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder
) -> None:
    outcomes = await bus.perform(ON, LONG_S)
    assert statuses(outcomes) == [OutcomeStatus.DONE]
    assert bus.home.entities["light.ceiling"].state.value == "on"
    assert fake.calls == [("light.turn_on", {}, ["light.ceiling"])]


async def test_all_targets_go_in_one_call(fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder) -> None:
    outcomes = await bus.perform(Action("light.turn_on", ("light.ceiling", "light.shelf"), expected="on"), LONG_S)
    assert statuses(outcomes) == [OutcomeStatus.DONE, OutcomeStatus.DONE]
    assert fake.calls == [("light.turn_on", {}, ["light.ceiling", "light.shelf"])]


async def test_what_is_on_already_is_done(fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder) -> None:
    await bus.perform(ON, LONG_S)

    async def nothing(service: str, data: Mapping[str, Any], entity_ids: list[str]) -> None:
        """A light that is on sends no state when it is turned on."""

    fake.service = nothing
    assert statuses(await bus.perform(ON, LONG_S)) == [OutcomeStatus.DONE]


async def test_success_without_a_change_is_not_done(
    fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder
) -> None:
    async def nothing(service: str, data: Mapping[str, Any], entity_ids: list[str]) -> None:
        """A device whose battery is empty."""

    fake.service = nothing
    (outcome,) = await bus.perform(ON, SHORT_S)
    assert (outcome.status, outcome.detail) == (OutcomeStatus.UNCONFIRMED, "its state is off")


async def test_a_state_may_come_before_the_call_returns_or_long_after(
    fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder
) -> None:
    forever = asyncio.Event()

    async def before(service: str, data: Mapping[str, Any], entity_ids: list[str]) -> None:
        fake.set("light.ceiling", "on")
        await forever.wait()

    fake.service = before
    assert statuses(await bus.perform(ON, LONG_S)) == [OutcomeStatus.DONE]

    async def nothing(service: str, data: Mapping[str, Any], entity_ids: list[str]) -> None:
        """The device answers when it likes."""

    fake.service = nothing
    task = asyncio.create_task(bus.perform(Action("light.turn_off", ("light.ceiling",), expected="off"), LONG_S))
    await until_called(fake, 2)
    fake.set("light.ceiling", "off")
    assert statuses(await task) == [OutcomeStatus.DONE]


async def test_a_lock_that_jams_has_failed(fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder) -> None:
    async def jam(service: str, data: Mapping[str, Any], entity_ids: list[str]) -> None:
        fake.set("lock.door", "locking", context=fake.context)
        await asyncio.sleep(0.05)
        fake.set("lock.door", "jammed", context=fake.context)

    fake.service = jam
    (outcome,) = await bus.perform(Action("lock.lock", ("lock.door",), expected="locked"), LONG_S)
    assert (outcome.status, outcome.detail) == (OutcomeStatus.FAILED, "it is jammed")
    fake.service = fake.switch
    (outcome,) = await bus.perform(Action("lock.lock", ("lock.door",), expected="locked"), LONG_S)
    assert outcome.status is OutcomeStatus.DONE  # that it was jammed before is no failure of the second try


async def test_a_refusal_is_told_in_home_assistants_words(
    fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder
) -> None:
    async def refuse(service: str, data: Mapping[str, Any], entity_ids: list[str]) -> None:
        raise Refusal("Entity light.ceiling\n does not support that")

    fake.service = refuse
    (outcome,) = await bus.perform(ON, LONG_S)
    assert outcome.status is OutcomeStatus.FAILED
    assert outcome.detail == "Home Assistant refused: Entity light.ceiling does not support that"


async def test_one_that_refuses_does_not_keep_the_others(
    fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder
) -> None:
    async def choosy(service: str, data: Mapping[str, Any], entity_ids: list[str]) -> None:
        if "light.shelf" in entity_ids:
            raise Refusal("light.shelf cannot")
        await fake.switch(service, data, entity_ids)

    fake.service = choosy
    outcomes = await bus.perform(Action("light.turn_on", ("light.shelf", "light.ceiling"), expected="on"), LONG_S)
    assert statuses(outcomes) == [OutcomeStatus.FAILED, OutcomeStatus.DONE]
    assert len(fake.calls) == 3


async def test_a_script_that_is_refused_is_not_run_again(
    fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder
) -> None:
    async def refuse(service: str, data: Mapping[str, Any], entity_ids: list[str]) -> None:
        raise Refusal("no")

    fake.service = refuse
    outcomes = await bus.perform(Action("homeassistant.toggle", ("light.shelf", "light.ceiling")), LONG_S)
    assert statuses(outcomes) == [OutcomeStatus.FAILED, OutcomeStatus.FAILED]
    assert len(fake.calls) == 1


async def test_a_service_whose_effect_no_state_tells_is_done_if_the_call_moved_something(
    fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder
) -> None:
    toggle = Action("homeassistant.toggle", ("light.shelf",))

    async def by_another(service: str, data: Mapping[str, Any], entity_ids: list[str]) -> None:
        fake.set("light.shelf", "on", context="somebody at the switch")

    fake.service = by_another
    assert statuses(await bus.perform(toggle, SHORT_S)) == [OutcomeStatus.UNCONFIRMED]

    async def by_us(service: str, data: Mapping[str, Any], entity_ids: list[str]) -> None:
        fake.set("light.shelf", "off", context=fake.context)

    fake.service = by_us
    assert statuses(await bus.perform(toggle, LONG_S)) == [OutcomeStatus.DONE]


async def test_what_is_unavailable_is_not_called(
    fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder
) -> None:
    fake.set("light.shelf", "unavailable")
    await recorder.until(lambda home: home.entities["light.shelf"].state.value == "unavailable")
    outcomes = await bus.perform(
        Action("light.turn_on", ("light.shelf", "light.ceiling", "light.never_was"), expected="on"), LONG_S
    )
    assert statuses(outcomes) == [OutcomeStatus.UNREACHABLE, OutcomeStatus.DONE, OutcomeStatus.UNREACHABLE]
    assert fake.calls == [("light.turn_on", {}, ["light.ceiling"])]


async def test_an_entity_deleted_while_it_is_called(
    fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder
) -> None:
    async def delete(service: str, data: Mapping[str, Any], entity_ids: list[str]) -> None:
        fake.remove("light.ceiling")

    fake.service = delete
    (outcome,) = await bus.perform(ON, SHORT_S)
    assert (outcome.status, outcome.detail) == (OutcomeStatus.UNCONFIRMED, "it is gone")


async def test_data_that_is_no_json_fails_only_its_own_call(bus: HomeAssistant, recorder: Recorder) -> None:
    (outcome,) = await bus.perform(Action("light.turn_on", ("light.shelf",), {"x": object()}, "on"), LONG_S)
    assert outcome.status is OutcomeStatus.FAILED
    assert statuses(await bus.perform(ON, LONG_S)) == [OutcomeStatus.DONE]


async def test_a_call_without_an_answer_ends_in_time(
    fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder
) -> None:
    fake.silent.add("call_service")
    async with asyncio.timeout(LONG_S):
        outcomes = await bus.perform(ON, SHORT_S)
    assert statuses(outcomes) == [OutcomeStatus.UNCONFIRMED]
    fake.silent.clear()
    assert statuses(await bus.perform(ON, LONG_S)) == [OutcomeStatus.DONE]


# -- what is for no entity ---------------------------------------------------------------------------------------------

NOTIFY = Action("notify.kitchen", ("home_assistant:notify.kitchen",), {"message": "coffee"})


async def test_service_without_an_entity_is_done_when_it_ran(
    fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder
) -> None:
    assert isinstance(bus, Writes)
    assert await bus.write(NOTIFY, LONG_S) == Outcome(
        NOTIFY.entity_ids[0], OutcomeStatus.DONE, "Home Assistant has done it"
    )
    assert fake.calls == [("notify.kitchen", {"message": "coffee"}, [])]


async def test_service_without_an_entity_may_be_refused_or_late(
    fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder
) -> None:
    async def refuse(*_: Any) -> None:
        raise Refusal("there is no notify.kitchen")

    fake.service = refuse
    outcome = await bus.write(NOTIFY, LONG_S)
    assert (outcome.status, outcome.detail) == (
        OutcomeStatus.FAILED,
        "Home Assistant refused: there is no notify.kitchen",
    )
    fake.silent.add("call_service")
    assert (await bus.write(NOTIFY, SHORT_S)).status is OutcomeStatus.UNCONFIRMED
    await bus.stop()
    assert (await bus.write(NOTIFY, SHORT_S)).status is OutcomeStatus.UNREACHABLE
