"""Hearth's bus against a real Home Assistant; what it says is compared with what a client of the tests' own sees."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from hearth_core.command import Action, OutcomeStatus
from hearth_core.home import UNAVAILABLE, Home, State
from hearth_server.home_assistant.access import Access, websocket_url
from hearth_server.home_assistant.bus import HomeAssistant as Bus
from hearth_server.home_assistant.bus import Patience
from tests.real.home_assistant.client import Client
from tests.real.home_assistant.house import AREAS, HIDDEN
from tests.real.home_assistant.running import HomeAssistant
from tests.server.home_assistant.fake import Recorder

pytestmark = pytest.mark.timeout(1200)  # the first test of all installs Home Assistant

ACTION_S = 5.0  # as the server gives a command
PATIENCE = Patience(retry_s=0.1, retry_longest_s=0.5, refused_s=1.0)


@asynccontextmanager
async def running(home_assistant: HomeAssistant, access: Access | None = None) -> AsyncIterator[tuple[Bus, Recorder]]:
    """Run a bus until the block is left."""
    bus = Bus(access or access_of(home_assistant), PATIENCE)
    watcher = Recorder(bus)
    await watcher.tried()
    try:
        yield bus, watcher
    finally:
        await bus.stop()


def access_of(home_assistant: HomeAssistant) -> Access:
    return Access(websocket_url(home_assistant.base), SecretStr(home_assistant.token))


@pytest.fixture
async def observer(home_assistant: HomeAssistant) -> AsyncIterator[Client]:
    async with home_assistant.observer() as client:
        yield client


def state_of(home: Home, entity_id: str) -> State:
    return home.entities[entity_id].state


async def do(bus: Bus, service: str, entity_id: str, expected: str | None = None, **data: object) -> OutcomeStatus:
    (outcome,) = await bus.perform(Action(service, (entity_id,), data, expected), ACTION_S)
    return outcome.status


async def test_the_house_is_as_people_made_it(home_assistant: HomeAssistant) -> None:
    async with running(home_assistant) as (bus, _):
        home = bus.home
        for name, (floor, entity_ids) in AREAS.items():
            area = next(area for area in home.areas.values() if area.name == name)
            assert home.floors[area.floor_id or ""].name == floor
            for entity_id in set(entity_ids) - set(HIDDEN):
                assert home.entities[entity_id].area_id == area.area_id
        assert not home.entities.keys() & set(HIDDEN)
        assert "camera.demo_camera" not in home.entities  # by default not exposed
        assert home.entities["light.bed_light"].names == ("Bed Light", "night lamp")
        assert home.entities["light.bed_light"].capabilities == {"brightness", "color", "color_temp"}
        assert home.entities["light.stuck_light"].capabilities == frozenset()
        assert home.entities["cover.garage_door"].device_class == "garage"
        assert home.entities["climate.heatpump"].capabilities == {"temperature"}
        assert home.entities["vacuum.demo_vacuum_2_second_floor"].state.value == "docked"


async def test_a_light_goes_on_and_off_for_everybody_to_see(home_assistant: HomeAssistant, observer: Client) -> None:
    async with running(home_assistant) as (bus, _):
        for service, state in (("light.turn_on", "on"), ("light.turn_off", "off"), ("light.turn_on", "on")):
            assert await do(bus, service, "light.bed_light", state) is OutcomeStatus.DONE
            assert (await observer.state("light.bed_light"))["state"] == state
            assert state_of(bus.home, "light.bed_light").value == state


async def test_what_others_do_is_seen(home_assistant: HomeAssistant, observer: Client) -> None:
    async with running(home_assistant) as (_, watcher):
        await observer.call("light.turn_on", "light.kitchen_lights", brightness_pct=30)
        home = await watcher.until(
            lambda home: state_of(home, "light.kitchen_lights").attributes.get("brightness") == 76
        )
        assert state_of(home, "light.kitchen_lights").value == "on"
        await observer.call("light.turn_off", "light.kitchen_lights")
        home = await watcher.until(lambda home: state_of(home, "light.kitchen_lights").value == "off")
        assert state_of(home, "light.kitchen_lights").attributes["brightness"] is None


@pytest.mark.parametrize(
    ("service", "entity_id", "expected", "data", "seen"),
    [
        ("light.turn_on", "light.bed_light", "on", {"brightness_pct": 40}, {"brightness": 102}),
        ("light.turn_on", "light.bed_light", "on", {"color_name": "blue"}, {"rgb_color": [0, 0, 255]}),
        ("light.turn_on", "light.office_rgbw_lights", "on", {"color_name": "purple"}, {"color_mode": "rgbw"}),
        ("light.turn_on", "light.bed_light", "on", {"color_temp_kelvin": 4000}, {"color_mode": "color_temp"}),
        ("light.turn_on", "light.bed_light", "off", {"brightness_pct": 0}, {"brightness": None}),
        ("cover.set_cover_position", "cover.hall_window", "open", {"position": 30}, {}),
        ("cover.open_cover", "cover.living_room_window", "open", {}, {}),
        ("cover.close_cover", "cover.living_room_window", "closed", {}, {}),
        ("valve.open_valve", "valve.orchard", "open", {}, {}),
        ("climate.set_temperature", "climate.heatpump", None, {"temperature": 21}, {"temperature": 21}),
        ("climate.set_fan_mode", "climate.hvac", None, {"fan_mode": "on_low"}, {"fan_mode": "on_low"}),
        ("climate.turn_off", "climate.hvac", "off", {}, {}),
        ("fan.set_percentage", "fan.percentage_full_fan", "on", {"percentage": 50}, {"percentage": 50}),
        ("fan.set_percentage", "fan.living_room_fan", "on", {"percentage": 66}, {"percentage": 66}),
        ("lock.unlock", "lock.back_door", "unlocked", {}, {}),
        ("lock.lock", "lock.back_door", "locked", {}, {}),
        ("lock.lock", "lock.front_door", "locked", {}, {}),
        ("media_player.volume_set", "media_player.walkman", None, {"volume_level": 0.3}, {"volume_level": 0.3}),
        (
            "media_player.volume_mute",
            "media_player.walkman",
            None,
            {"is_volume_muted": True},
            {"is_volume_muted": True},
        ),
        ("media_player.media_pause", "media_player.walkman", "paused", {}, {}),
        ("media_player.media_next_track", "media_player.walkman", None, {}, {}),
        ("switch.turn_off", "switch.ac", "off", {}, {}),
        ("vacuum.start", "vacuum.demo_vacuum_0_ground_floor", "cleaning", {}, {}),
        ("vacuum.return_to_base", "vacuum.demo_vacuum_0_ground_floor", None, {}, {}),
    ],
)
async def test_everything_that_a_sentence_can_do_is_confirmed(
    home_assistant: HomeAssistant,
    observer: Client,
    service: str,
    entity_id: str,
    expected: str | None,
    data: dict[str, object],
    seen: dict[str, object],
) -> None:
    async with running(home_assistant) as (bus, _):
        assert await do(bus, service, entity_id, expected, **data) is OutcomeStatus.DONE
        attributes = (await observer.state(entity_id))["attributes"]
        assert {key: attributes.get(key) for key in seen} == seen
        assert await do(bus, service, entity_id, expected, **data) is not OutcomeStatus.FAILED  # said twice


async def test_many_lights_go_in_one_call(home_assistant: HomeAssistant, observer: Client) -> None:
    lights = ("light.bed_light", "light.kitchen_lights", "light.office_rgbw_lights")
    async with running(home_assistant) as (bus, _):
        for service, state in (("light.turn_on", "on"), ("light.turn_off", "off")):
            outcomes = await bus.perform(Action(service, lights, expected=state), ACTION_S)
            assert [outcome.status for outcome in outcomes] == [OutcomeStatus.DONE] * 3
            assert [(await observer.state(light))["state"] for light in lights] == [state] * 3


async def test_a_call_that_succeeds_and_moves_nothing_is_not_done(home_assistant: HomeAssistant) -> None:
    async with running(home_assistant) as (bus, _):
        action = Action("light.turn_on", ("light.stuck_light", "light.bed_light"), expected="on")
        stuck, bed = await bus.perform(action, 1.0)
        assert (stuck.status, stuck.detail) == (OutcomeStatus.UNCONFIRMED, "its state is off")
        assert bed.status is OutcomeStatus.DONE


async def test_a_lock_that_jams_is_not_locked(home_assistant: HomeAssistant) -> None:
    async with running(home_assistant) as (bus, _):
        (outcome,) = await bus.perform(Action("lock.lock", ("lock.poorly_installed_door",), expected="locked"), 10)
        assert (outcome.status, outcome.detail) == (OutcomeStatus.FAILED, "it is jammed")


async def test_a_refusal_comes_with_its_reason(home_assistant: HomeAssistant) -> None:
    async with running(home_assistant) as (bus, _):
        action = Action("climate.set_temperature", ("climate.heatpump",), {"temperature": 99})
        (outcome,) = await bus.perform(action, ACTION_S)
        assert outcome.status is OutcomeStatus.FAILED
        assert "Accepted range" in outcome.detail


async def test_renamed_moved_hidden_and_deleted_are_seen(home_assistant: HomeAssistant, observer: Client) -> None:
    light = {"entity_id": "light.stuck_light"}
    async with running(home_assistant) as (_, watcher):
        for name in ("💡 ", "x" * 200, "4711", "."):
            await observer.command("config/entity_registry/update", **light, name=name)
            await watcher.until(lambda home, name=name: home.entities["light.stuck_light"].name == name.strip())  # type: ignore[misc]
        await observer.command("config/entity_registry/update", **light, aliases=[None, "sluggard"], area_id="kitchen")
        home = await watcher.until(lambda home: home.entities["light.stuck_light"].aliases == ("sluggard",))
        assert home.entities["light.stuck_light"].area_id == "kitchen"
        exposure = {"assistants": ["conversation"], "entity_ids": ["light.stuck_light"]}
        await observer.command("homeassistant/expose_entity", **exposure, should_expose=False)
        await watcher.until(lambda home: "light.stuck_light" not in home.entities)
        await observer.command("homeassistant/expose_entity", **exposure, should_expose=True)
        await watcher.until(lambda home: "light.stuck_light" in home.entities)
        back = {"name": None, "aliases": [None], "area_id": None}
        await observer.command("config/entity_registry/update", **light, **back, new_entity_id="light.still_stuck")
        await watcher.until(
            lambda home: "light.still_stuck" in home.entities and "light.stuck_light" not in home.entities
        )
        await observer.command(
            "config/entity_registry/update", entity_id="light.still_stuck", new_entity_id="light.stuck_light"
        )
        await watcher.until(lambda home: "light.stuck_light" in home.entities)
        room = await observer.command("config/area_registry/create", name="Attic", aliases=["loft"])
        await watcher.until(lambda home: room["area_id"] in home.areas)
        await observer.command("config/area_registry/delete", area_id=room["area_id"])
        await watcher.until(lambda home: room["area_id"] not in home.areas)


async def test_killed_and_started_again_between_commands(home_assistant: HomeAssistant) -> None:
    async with running(home_assistant) as (bus, watcher):
        assert await do(bus, "light.turn_on", "light.bed_light", "on") is OutcomeStatus.DONE
        home_assistant.kill()
        await watcher.until(lambda home: state_of(home, "light.bed_light") == UNAVAILABLE)
        assert await do(bus, "light.turn_off", "light.bed_light", "off") is OutcomeStatus.UNREACHABLE
        home_assistant.launch()
        await asyncio.to_thread(home_assistant.wait)
        await watcher.until(lambda home: state_of(home, "light.bed_light") != UNAVAILABLE)
        assert await do(bus, "light.turn_on", "light.bed_light", "on") is OutcomeStatus.DONE


async def test_killed_during_a_command(home_assistant: HomeAssistant) -> None:
    async with running(home_assistant) as (bus, watcher):
        # The lock of the demo takes two seconds, so the kill comes in the middle.
        locking = asyncio.create_task(do(bus, "lock.lock", "lock.poorly_installed_door", "locked"))
        await watcher.until(lambda home: state_of(home, "lock.poorly_installed_door").value == "locking")
        home_assistant.kill()
        async with asyncio.timeout(ACTION_S + 1):
            assert await locking is OutcomeStatus.UNCONFIRMED
        home_assistant.launch()
        await asyncio.to_thread(home_assistant.wait)
        await watcher.until(lambda home: bus.reachable)
        assert await do(bus, "light.turn_off", "light.kitchen_lights", "off") is OutcomeStatus.DONE


async def test_a_home_assistant_that_hangs_ends_no_later_than_it_may(home_assistant: HomeAssistant) -> None:
    async with running(home_assistant) as (bus, _):
        home_assistant.pause()
        try:
            async with asyncio.timeout(ACTION_S):
                (outcome,) = await bus.perform(Action("light.turn_on", ("light.bed_light",), expected="off"), 0.5)
            assert outcome.status is OutcomeStatus.UNCONFIRMED
        finally:
            home_assistant.resume()
        assert await do(bus, "light.turn_on", "light.bed_light", "on") is OutcomeStatus.DONE


async def test_a_revoked_token_is_told_once_and_a_new_one_taken(
    home_assistant: HomeAssistant, observer: Client, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def mint(name: str) -> str:
        return str(await observer.command("auth/long_lived_access_token", client_name=name, lifespan=1))

    file = tmp_path / "token"
    file.write_text(await mint("to be revoked"))
    access = Access(websocket_url(home_assistant.base), file=file)
    async with running(home_assistant, access) as (bus, watcher):
        tokens = await observer.command("auth/refresh_tokens")
        (revoked,) = [token["id"] for token in tokens if token["client_name"] == "to be revoked"]
        await observer.command("auth/delete_refresh_token", refresh_token_id=revoked)
        await watcher.until(lambda home: state_of(home, "light.bed_light") == UNAVAILABLE)
        async with asyncio.timeout(ACTION_S):
            while "access token" not in str(bus.trouble):
                await asyncio.sleep(0.05)
        await asyncio.sleep(1.5)  # another attempt
        told = [record for record in caplog.records if record.levelno >= logging.ERROR]
        assert len(told) == 1
        file.write_text(await mint("new"))
        await watcher.until(lambda home: state_of(home, "light.bed_light") != UNAVAILABLE)


async def test_the_token_is_in_no_log(
    home_assistant: HomeAssistant, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with running(home_assistant) as (bus, _):
        assert await do(bus, "light.turn_on", "light.bed_light", "on") is OutcomeStatus.DONE
    wrong = home_assistant.token[:-5] + "AAAAA"
    async with running(home_assistant, Access(websocket_url(home_assistant.base), SecretStr(wrong))) as (bus, _):
        assert not bus.reachable
    told = caplog.text + "".join(map(str, capfd.readouterr())) + home_assistant.log.read_text()
    assert "does not accept the access token" in told
    for token in (home_assistant.token, wrong):
        assert token not in told
        assert token.rpartition(".")[2] not in told
