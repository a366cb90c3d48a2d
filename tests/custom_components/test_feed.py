"""What the server is told of the home, and when."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from custom_components.hearth import feed as feed_module
from custom_components.hearth.feed import AT_ONCE, snapshot
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import floor_registry as fr
from homeassistant.helpers import label_registry as lr
from homeassistant.util.dt import utcnow
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from hearth_core.errors import WireError
from tests.custom_components.conftest import set_up
from tests.custom_components.fake_server import FakeServer, names


async def test_what_is_exposed_is_told_and_nothing_else(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer
) -> None:
    told = server.homes[-1]
    assert names(told) == {"light.lamp": ["lamp"]}
    assert told["areas"] == [
        {"id": "kitchen", "name": "Kitchen", "aliases": ["cook house"], "floor_id": "ground_floor"}
    ]
    assert told["floors"][0]["name"] == "Ground floor"
    assert told["entities"][0]["area_id"] == "kitchen"
    assert told["states"]["light.lamp"]["s"] == "off"
    assert told["states"]["light.lamp"]["a"]["supported_color_modes"] == ["onoff"]


async def test_changes_are_told(home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer) -> None:
    registry = er.async_get(home)
    registry.async_update_entity("light.lamp", aliases=["lantern"])
    await server.until(lambda: names(server.homes[-1])["light.lamp"] == ["lantern"])
    label = lr.async_get(home).async_create("Cosy")
    registry.async_update_entity("light.lamp", labels={label.label_id})
    await server.until(lambda: server.homes[-1]["entities"][0]["labels"] == ["cosy"])
    ar.async_get(home).async_create("Attic")
    await server.until(lambda: len(server.homes[-1]["areas"]) == 2)
    async_expose_entity(home, "conversation", "light.secret", True)
    await server.until(lambda: "light.secret" in names(server.homes[-1]))
    async_expose_entity(home, "conversation", "light.secret", False)
    await server.until(lambda: "light.secret" not in names(server.homes[-1]))


async def test_states_are_told_as_they_change(home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer) -> None:
    feed = loaded.runtime_data._feed
    outdated: list[bool] = []
    feed.outdate = lambda: outdated.append(True)
    home.states.async_set("light.lamp", "on", {"friendly_name": "lamp", "brightness": 128})
    home.states.async_set("light.secret", "on")
    home.states.async_set("light.new_secret", "on")
    assert outdated == [True]  # of itself Assist may use a new light, so it is looked at
    await server.until(lambda: server.states["light.lamp"]["s"] == "on")
    assert server.states["light.lamp"]["a"]["brightness"] == 128
    assert "light.secret" not in server.states


async def test_an_entity_without_a_registry_entry_is_told_by_its_state(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer
) -> None:
    async_expose_entity(home, "conversation", "switch.loose", True)
    home.states.async_set("switch.loose", "off", {"friendly_name": "Loose"})
    await server.until(lambda: names(server.homes[-1]).get("switch.loose") == ["Loose"])
    home.states.async_set("switch.loose", "off", {"friendly_name": "Fixed"})
    await server.until(lambda: names(server.homes[-1]).get("switch.loose") == ["Fixed"])
    home.states.async_remove("switch.loose")
    await server.until(lambda: "switch.loose" not in names(server.homes[-1]))


async def test_what_is_large_or_useless_stays_here(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer
) -> None:
    attributes = {"friendly_name": "lamp", "entity_picture": "/api/x?token=secret", "list": ["x" * 5000], "ok": (1, 2)}
    home.states.async_set("light.lamp", "on", attributes)
    await server.until(lambda: server.states["light.lamp"]["s"] == "on")
    assert server.states["light.lamp"]["a"] == {"friendly_name": "lamp", "ok": [1, 2]}
    assert "secret" not in json.dumps(server.states)


async def test_the_owners_sentences_are_told(
    home: HomeAssistant, entry: MockConfigEntry, server: FakeServer, tmp_path: Path
) -> None:
    folder = tmp_path / "custom_sentences" / "en"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text("language: en\n")
    (folder / "large.yaml").write_text("x" * 300_000)
    (folder / "bad.yaml").write_bytes(b"\xff\xfe")
    home.config.config_dir = str(tmp_path)
    await set_up(home, entry, server)
    assert server.homes[-1]["sentences"] == {"en/mine.yaml": "language: en\n"}
    await home.config_entries.async_unload(entry.entry_id)


async def test_sentences_that_are_written_later_are_told(
    home: HomeAssistant, entry: MockConfigEntry, server: FakeServer, tmp_path: Path
) -> None:
    home.config.config_dir = str(tmp_path)
    await set_up(home, entry, server)
    assert server.homes[-1]["sentences"] == {}
    told = len(server.homes)
    file = tmp_path / "custom_sentences" / "en" / "mine.yaml"
    file.parent.mkdir(parents=True)
    for text in ("language: en\n", "language: en\nintents: {}\n"):
        file.write_text(text)
        async_fire_time_changed(home, utcnow() + feed_module.LOOK_EVERY * 2)
        await server.until(lambda wanted=text: server.homes[-1]["sentences"] == {"en/mine.yaml": wanted})
    told = len(server.homes)
    async_fire_time_changed(home, utcnow() + feed_module.LOOK_EVERY * 4)
    await home.async_block_till_done()
    assert len(server.homes) == told  # nothing new, nothing told
    await home.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("what", ["label", "floor", "area", "labelled", "moved", "device"])
async def test_every_registry_is_listened_to(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer, what: str
) -> None:
    areas, floors, labels, entities = ar.async_get(home), fr.async_get(home), lr.async_get(home), er.async_get(home)
    devices = dr.async_get(home)
    cosy = labels.async_create("Cosy")
    device = devices.async_get_or_create(config_entry_id=loaded.entry_id, identifiers={("test", "lamp")})
    entities.async_update_entity("light.lamp", device_id=device.id, area_id=None)
    await server.until(lambda: server.homes[-1]["entities"][0]["area_id"] is None)
    (kitchen,), (ground,) = areas.async_list_areas(), floors.async_list_floors()

    def told() -> Any:
        home_told = server.homes[-1]
        lamp = home_told["entities"][0]
        return {
            "label": [label["name"] for label in home_told["labels"]],
            "floor": [floor["name"] for floor in home_told["floors"]],
            "area": [area["aliases"] for area in home_told["areas"]],
            "labelled": lamp["labels"],
            "moved": lamp["area_id"],
            "device": lamp["labels"],
        }[what]

    if what == "label":
        labels.async_update(cosy.label_id, name="Snug")
        wanted: Any = ["Snug"]
    elif what == "floor":
        floors.async_update(ground.floor_id, name="Downstairs")
        wanted = ["Downstairs"]
    elif what == "area":
        areas.async_update(kitchen.id, aliases={"galley"})
        wanted = [["galley"]]
    elif what == "labelled":
        entities.async_update_entity("light.lamp", labels={cosy.label_id})
        wanted = [cosy.label_id]
    elif what == "moved":
        devices.async_update_device(device.id, area_id=kitchen.id)
        wanted = kitchen.id
    else:
        devices.async_update_device(device.id, labels={cosy.label_id})
        wanted = [cosy.label_id]
    await server.until(lambda: told() == wanted)


async def test_five_thousand_entities_are_told(home: HomeAssistant, entry: MockConfigEntry, server: FakeServer) -> None:
    for number in range(5000):
        home.states.async_set(
            f"light.l{number}", "off", {"friendly_name": f"Lamp {number}", "brightness": number % 255}
        )
    await set_up(home, entry, server)
    assert len(server.homes[-1]["entities"]) == 5001
    found, places = entry.runtime_data.expected
    assert len(found) == 500
    assert places == ("Kitchen", "cook house", "Ground floor")
    await home.config_entries.async_unload(entry.entry_id)


async def test_a_large_home_is_read_in_turns_with_everything_else(home: HomeAssistant) -> None:
    for number in range(5000):
        home.states.async_set(f"light.l{number}", "off", {"friendly_name": f"Lamp {number}"})
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(others())
    told, states = await snapshot(home)
    other.cancel()
    await asyncio.gather(other, return_exceptions=True)
    assert len(told["entities"]) == len(states) == 5001
    assert turns >= 5000 // AT_ONCE


async def test_what_changes_while_the_home_is_read_is_told(
    home: HomeAssistant, entry: MockConfigEntry, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The changes come after the home was read and before it is known what of it is used."""
    for name in ("Goes on", "Goes away", "Renamed"):
        entity_id = f"light.{name.lower().replace(' ', '_')}"
        home.states.async_set(entity_id, "off", {"friendly_name": name})

    async def read_slowly(hass: HomeAssistant) -> tuple[dict[str, Any], dict[str, State]]:
        found = await snapshot(hass)
        monkeypatch.setattr(feed_module, "snapshot", snapshot)
        home.states.async_set("light.goes_on", "on", {"friendly_name": "Goes on"})
        home.states.async_remove("light.goes_away")
        home.states.async_set("light.renamed", "off", {"friendly_name": "Lantern"})
        await asyncio.sleep(0)
        return found

    monkeypatch.setattr(feed_module, "snapshot", read_slowly)
    await set_up(home, entry, server)
    assert server.homes[0]["states"]["light.goes_on"]["s"] == "on"
    await server.until(lambda: "light.goes_away" not in names(server.homes[-1]))
    assert names(server.homes[-1])["light.renamed"] == ["Lantern"]
    await home.config_entries.async_unload(entry.entry_id)


async def test_a_home_that_the_server_does_not_take_is_told_again_when_it_is_another(
    home: HomeAssistant,
    loaded: MockConfigEntry,
    server: FakeServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.ERROR)
    registry = er.async_get(home)
    with monkeypatch.context() as patch:
        patch.setattr(feed_module, "pack", _too_large)
        registry.async_update_entity("light.lamp", aliases=["lantern"])
        await server.until(lambda: "did not take the home: too large" in caplog.text)
    registry.async_update_entity("light.lamp", aliases=["sconce"])
    await server.until(lambda: names(server.homes[-1])["light.lamp"] == ["sconce"])
    assert server.dialogue is not None, "the connection stays"


def _too_large(text: bytes) -> tuple[bytes, ...]:
    raise WireError("too large")


async def test_a_server_that_has_its_own_way_to_home_assistant_is_not_fed(
    home: HomeAssistant, entry: MockConfigEntry, server: FakeServer
) -> None:
    server.feed = False
    assert await home.config_entries.async_setup(entry.entry_id)
    await home.async_block_till_done()
    entry.runtime_data.outdate_home()
    assert server.homes == []
    await home.config_entries.async_unload(entry.entry_id)


async def test_a_burst_of_renames_is_few_tellings(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer
) -> None:
    registry = er.async_get(home)
    before = len(server.homes)
    for number in range(50):
        registry.async_update_entity("light.lamp", name=f"lamp {number}")
    await server.until(lambda: names(server.homes[-1])["light.lamp"] == ["lamp 49"])
    assert len(server.homes) - before <= 3
