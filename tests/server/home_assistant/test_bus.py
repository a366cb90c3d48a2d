"""The bus against a scripted Home Assistant: the house that it shows, and that what it says of actions is true."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hearth_core.command import Action, Outcome, OutcomeStatus
from hearth_core.errors import BusError
from hearth_core.home import UNAVAILABLE, Binding
from hearth_server.bus import Writes
from hearth_server.home_assistant.access import Access
from hearth_server.home_assistant.bus import HomeAssistant

from .conftest import PATIENCE
from .fake import TOKEN, FakeHomeAssistant, Recorder, Refusal

ON = Action("light.turn_on", ("light.ceiling",), expected="on")
LONG_S = 8.0  # for what must come true: far more than it takes
SHORT_S = 0.2  # for what must not


def statuses(outcomes: tuple[Outcome, ...]) -> list[OutcomeStatus]:
    return [outcome.status for outcome in outcomes]


async def until_called(fake: FakeHomeAssistant, count: int = 1) -> None:
    async with asyncio.timeout(LONG_S):
        while len(fake.calls) < count:
            await asyncio.sleep(0.01)


# -- the house ---------------------------------------------------------------------------------------------------------


async def test_the_house_is_what_is_exposed_to_assist(bus: HomeAssistant, recorder: Recorder) -> None:
    home = bus.home
    assert bus.reachable
    assert bus.trouble is None
    assert list(home.entities) == ["cover.blind", "light.ceiling", "light.shelf", "lock.door"]
    light = home.entities["light.ceiling"]
    assert (light.name, light.aliases, light.area_id) == ("Ceiling Light", ("big light",), "kitchen")
    assert light.capabilities == {"brightness", "color", "color_temp"}
    assert light.state.value == "off"
    assert light.bindings == (Binding("home_assistant", {"entity_id": "light.ceiling"}),)
    assert home.entities["light.shelf"].area_id == "kitchen"  # its device is part of one that is there
    assert home.entities["light.shelf"].capabilities == frozenset()
    assert home.entities["lock.door"].area_id == "hall"
    assert home.areas["kitchen"].aliases == ("galley",)
    assert home.areas["kitchen"].floor_id == "ground"
    assert home.floors["ground"].level == 0


async def test_states_arrive_as_they_change(fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder) -> None:
    fake.set("light.ceiling", "on", brightness=128)
    home = await recorder.until(lambda home: home.entities["light.ceiling"].state.value == "on")
    assert home.entities["light.ceiling"].state.attributes["brightness"] == 128
    assert home.entities["light.ceiling"].state.attributes["friendly_name"] == "Ceiling Light"
    assert recorder.states
    assert recorder.parts == 1  # the first picture


async def test_a_renamed_entity_changes_the_house(
    fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder
) -> None:
    fake.rename("light.shelf", "Bookshelf")
    home = await recorder.until(lambda home: home.entities["light.shelf"].name == "Bookshelf")
    assert home.entities["light.shelf"].aliases == ()


async def test_a_name_that_only_the_state_tells_is_seen(
    fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder
) -> None:
    fake.set("light.shelf", friendly_name="Bookshelf")  # an entity that is in no registry
    await recorder.until(lambda home: home.entities["light.shelf"].name == "Bookshelf")


async def test_a_moved_entity_changes_the_house(
    fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder
) -> None:
    fake.devices[0]["area_id"] = "hall"
    fake.registry_changed("device")
    home = await recorder.until(lambda home: home.entities["light.ceiling"].area_id == "hall")
    assert home.entities["light.shelf"].area_id == "hall"


async def test_a_deleted_entity_leaves_the_house(
    fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder
) -> None:
    fake.remove("light.shelf")
    await recorder.until(lambda home: "light.shelf" not in home.entities)


async def test_a_new_entity_joins_the_house(fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder) -> None:
    fake.add("fan.new", "off", "New Fan", attributes={"supported_features": 49})
    fake.registry_changed()
    home = await recorder.until(lambda home: "fan.new" in home.entities)
    assert home.entities["fan.new"].capabilities == {"speed"}
    fake.set("fan.new", "on")
    await recorder.until(lambda home: home.entities["fan.new"].state.value == "on")


async def test_what_is_no_longer_exposed_leaves_the_house(
    fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder
) -> None:
    fake.things["lock.door"].exposed = False
    fake.registry_changed()
    await recorder.until(lambda home: "lock.door" not in home.entities)


async def test_a_house_in_which_nothing_is_exposed_is_empty(fake: FakeHomeAssistant, bus: HomeAssistant) -> None:
    for thing in fake.things.values():
        thing.exposed = False
    watcher = Recorder(bus)
    await watcher.tried()
    assert bus.reachable
    assert not bus.home.entities
    fake.things["light.shelf"].exposed = True
    fake.registry_changed()
    await watcher.until(lambda home: "light.shelf" in home.entities)


async def test_an_area_that_is_not_there_is_no_area(
    fake: FakeHomeAssistant, bus: HomeAssistant, recorder: Recorder
) -> None:
    fake.areas.pop(0)
    fake.registry_changed("area")
    home = await recorder.until(lambda home: "kitchen" not in home.areas)
    assert home.entities["light.ceiling"].area_id is None


async def test_entries_that_cannot_be_read_do_not_take_the_others_along(
    fake: FakeHomeAssistant, bus: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    fake.areas += [{"area_id": 5, "name": None}, "junk"]  # type: ignore[list-item]
    await Recorder(bus).tried()
    assert bus.home.areas.keys() == {"kitchen", "hall"}
    assert "2 entries like area cannot be read" in caplog.text


async def test_a_home_assistant_that_is_starting_is_waited_for(fake: FakeHomeAssistant, bus: HomeAssistant) -> None:
    fake.config_state = "STARTING"
    late = fake.things.pop("light.shelf")
    watcher = Recorder(bus)
    await bus.start(watcher)
    async with asyncio.timeout(LONG_S):
        while "get_config" not in fake.commands:
            await asyncio.sleep(0.01)
    assert not bus.reachable
    fake.things["light.shelf"] = late
    fake.started()
    await watcher.until(lambda home: "light.shelf" in home.entities)


async def test_a_home_of_5000_entities(fake: FakeHomeAssistant, bus: HomeAssistant) -> None:
    padding = {f"attribute_{i}": "x" * 40 for i in range(10)}
    for i in range(5000):
        fake.things[f"light.lamp_{i}"] = thing = fake.things["light.ceiling"].__class__("off")
        thing.attributes = {"friendly_name": f"Lamp {i}", "supported_color_modes": ["brightness"], **padding}
        thing.area_id = "hall" if i % 2 else "kitchen"
        thing.aliases = [None, f"number {i}"]
    watcher = Recorder(bus)
    await watcher.tried()
    await watcher.until(lambda home: len(home.entities) == 5004)
    entity_ids = tuple(f"light.lamp_{i}" for i in range(5000))
    outcomes = await bus.perform(Action("light.turn_on", entity_ids, expected="on"), 30)
    assert set(statuses(outcomes)) == {OutcomeStatus.DONE}
    assert len(fake.calls) == 1
    assert [outcome.entity_id for outcome in outcomes] == list(entity_ids)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (".", "."),
        ("💡🛋️", "💡🛋️"),
        ("x" * 200, "x" * 200),
        ("y" * 10_000, "y" * 255),
        ("4711", "4711"),
        ("  Two\nlines\tand\x00more ", "Two lines and more"),
        ("", "shelf"),
        (" \n", "shelf"),
        (4711, "shelf"),
        (None, "shelf"),
    ],
)
async def test_names_of_all_kinds(fake: FakeHomeAssistant, bus: HomeAssistant, name: Any, shown: str) -> None:
    fake.things["light.shelf"].attributes["friendly_name"] = name
    await Recorder(bus).tried()
    assert bus.home.entities["light.shelf"].name == shown
    assert statuses(await bus.perform(Action("light.turn_on", ("light.shelf",), expected="on"), LONG_S)) == ["done"]


# -- actions -----------------------------------------------------------------------------------------------------------


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


# -- away and back -----------------------------------------------------------------------------------------------------


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


# -- the token ---------------------------------------------------------------------------------------------------------


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_wrong_token_is_told_once_with_its_remedy(
    fake: FakeHomeAssistant, bus: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    fake.tokens.clear()
    watcher = Recorder(bus)
    await watcher.tried()
    async with asyncio.timeout(LONG_S):
        while len(fake.logins) < 3:
            await asyncio.sleep(0.01)
    assert isinstance(bus.trouble, BusError)
    assert "long-lived access token" in bus.trouble.remedy
    assert len(errors(caplog)) == 1
    fake.tokens.add(TOKEN)
    await watcher.until(lambda home: "light.ceiling" in home.entities)


async def test_a_token_that_is_revoked_ends_it_until_there_is_another(
    fake: FakeHomeAssistant, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    bus = HomeAssistant(Access(fake.access.url, file=file), PATIENCE)
    watcher = Recorder(bus)
    await watcher.tried()
    try:
        fake.tokens = {"another-token"}
        await fake.hang_up()
        await watcher.until(lambda home: home.entities["light.ceiling"].state == UNAVAILABLE)
        async with asyncio.timeout(LONG_S):
            while len(fake.logins) < 2:
                await asyncio.sleep(0.01)
        file.write_text("another-token\n")
        await watcher.until(lambda home: home.entities["light.ceiling"].state.value == "off")
        assert len(errors(caplog)) == 1
    finally:
        await bus.stop()


async def test_a_user_without_rights_is_told(fake: FakeHomeAssistant, bus: HomeAssistant) -> None:
    fake.admin = False
    await Recorder(bus).tried()
    assert isinstance(bus.trouble, BusError)
    assert "administrator" in bus.trouble.remedy


async def test_the_token_is_in_no_log(
    fake: FakeHomeAssistant, bus: HomeAssistant, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("asyncio", "aiohttp", "hearth_server", "hearth_core"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    watcher = Recorder(bus)
    await watcher.tried()
    await bus.perform(ON, LONG_S)
    await fake.send("junk")
    fake.tokens.clear()
    await fake.hang_up()
    await watcher.until(lambda home: home.entities["light.ceiling"].state == UNAVAILABLE)
    async with asyncio.timeout(LONG_S):
        while fake.logins[-1] != TOKEN or len(fake.logins) < 3:
            await asyncio.sleep(0.01)
    told = (
        caplog.text + "".join(map(str, capfd.readouterr())) + repr(bus.__dict__) + repr(fake.access) + str(bus.trouble)
    )
    assert "does not accept the access token" in told
    for part in TOKEN.split("."):
        assert part not in told


# -- its life ----------------------------------------------------------------------------------------------------------


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
