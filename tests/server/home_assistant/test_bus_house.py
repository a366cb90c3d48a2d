"""The house that the bus shows of a scripted Home Assistant."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hearth_core.command import Action, OutcomeStatus
from hearth_core.home import Binding
from hearth_server.home_assistant.bus import HomeAssistant

from .conftest import LONG_S, statuses
from .fake import FakeHomeAssistant, Recorder


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
