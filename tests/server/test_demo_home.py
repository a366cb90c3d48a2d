"""The demo home: it has what the recordings name, and its devices behave."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from hearth_core.command import Action, OutcomeStatus
from hearth_core.home import Home, State
from hearth_server.demo_home import DemoHome, load_demo_house
from hearth_server.house import House

NOW = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)


async def do(service: str, entity_id: str, data: Mapping[str, Any] | None = None) -> tuple[OutcomeStatus, State, Home]:
    """Call the service in a fresh demo home; return the outcome, the entity's state and the house."""
    demo = DemoHome(now=lambda: NOW)
    house = House([demo])
    await house.start()
    (outcome,) = await demo.perform(Action(service, (entity_id,), data or {}), 0.05)
    return outcome.status, house.home.entities[entity_id].state, house.home


@pytest.mark.parametrize(
    ("service", "entity_id", "data", "state", "attributes"),
    [
        ("light.turn_on", "light.bed_light", {}, "on", {"brightness": 255}),
        ("light.turn_on", "light.bed_light", {"brightness_pct": 50}, "on", {"brightness": 128}),
        ("light.turn_on", "light.bed_light", {"brightness_pct": 0}, "off", {}),
        ("light.turn_on", "light.hall_light", {}, "on", {}),
        (
            "light.turn_on",
            "light.kitchen_lights",
            {"color_name": "green"},
            "on",
            {"rgb_color": [0, 128, 0], "color_name": "green", "brightness": 255},
        ),
        (
            "light.turn_on",
            "light.floor_lamp",
            {"color_temp_kelvin": 2700},
            "on",
            {"color_temp_kelvin": 2700, "brightness": 128},
        ),
        ("light.turn_off", "light.floor_lamp", {}, "off", {}),
        ("switch.turn_on", "switch.kettle", {}, "on", {}),
        ("fan.set_percentage", "fan.ceiling_fan", {"percentage": 40}, "on", {"percentage": 40}),
        ("fan.set_percentage", "fan.ceiling_fan", {"percentage": 0}, "off", {}),
        ("cover.open_cover", "cover.blinds", {}, "open", {"current_position": 100}),
        ("cover.close_cover", "cover.sliding_door", {}, "closed", {}),
        ("cover.set_cover_position", "cover.blinds", {"position": 30}, "open", {"current_position": 30}),
        ("cover.set_cover_position", "cover.shutter", {"position": 0}, "closed", {"current_position": 0}),
        ("lock.lock", "lock.front_door", {}, "locked", {}),
        ("lock.unlock", "lock.back_door", {}, "unlocked", {}),
        ("climate.set_temperature", "climate.ecobee", {"temperature": 22}, "heat", {"temperature": 22}),
        ("climate.set_fan_mode", "climate.ecobee", {"fan_mode": "low"}, "heat", {"fan_mode": "low"}),
        ("climate.turn_off", "climate.ecobee", {}, "off", {}),
        ("media_player.turn_on", "media_player.kitchen_tv", {}, "on", {}),
        ("media_player.media_pause", "media_player.office_tv", {}, "paused", {}),
        ("media_player.media_play", "media_player.stereo", {}, "playing", {}),
        ("media_player.media_next_track", "media_player.office_tv", {}, "playing", {"media_track": 2}),
        ("media_player.media_previous_track", "media_player.office_tv", {}, "playing", {"media_track": 9}),
        ("media_player.volume_set", "media_player.stereo", {"volume_level": 0.7}, "paused", {"volume_level": 0.7}),
        (
            "media_player.volume_mute",
            "media_player.stereo",
            {"is_volume_muted": True},
            "paused",
            {"is_volume_muted": True},
        ),
        ("scene.turn_on", "scene.good_night", {}, "2026-11-02T08:30:00.000+00:00", {}),
        ("button.press", "button.doorbell", {}, "2026-11-02T08:30:00.000+00:00", {}),
        (
            "script.turn_on",
            "script.coffee_machine",
            {"variables": {"drink": "latte"}},
            "off",
            {"variables": {"drink": "latte"}, "last_triggered": "2026-11-02T08:30:00.000+00:00"},
        ),
        ("vacuum.start", "vacuum.robot", {}, "cleaning", {}),
        ("vacuum.return_to_base", "vacuum.robot", {}, "returning", {}),
        (
            "vacuum.clean_area",
            "vacuum.robot",
            {"cleaning_area_id": ["hall"]},
            "cleaning",
            {"cleaning_area_id": ["hall"]},
        ),
        ("lawn_mower.start_mowing", "lawn_mower.mower", {}, "mowing", {}),
        ("lawn_mower.dock", "lawn_mower.mower", {}, "returning", {}),
    ],
)
async def test_service_changes_the_state(
    service: str, entity_id: str, data: dict[str, Any], state: str, attributes: dict[str, Any]
) -> None:
    status, after, _ = await do(service, entity_id, data)
    assert status is OutcomeStatus.DONE
    assert after.value == state
    assert attributes.items() <= dict(after.attributes).items()


@pytest.mark.parametrize(
    ("service", "entity_id", "data"),
    [
        ("light.turn_on", "light.bed_light", {"brightness_pct": 101}),
        ("light.turn_on", "light.bed_light", {"brightness_pct": "50"}),
        ("light.turn_on", "light.bed_light", {"brightness_pct": True}),
        ("light.turn_on", "light.bed_light", {"brightness_pct": float("nan")}),
        ("light.turn_on", "light.bed_light", {"color_name": "octarine"}),
        ("light.turn_on", "light.bed_light", {"flash": "long"}),
        ("light.turn_on", "light.hall_light", {"brightness_pct": 50}),
        ("light.turn_on", "switch.kettle", {}),
        ("light.explode", "light.bed_light", {}),
        ("cover.set_cover_position", "cover.garage_door", {"position": 50}),
        ("climate.set_temperature", "climate.ecobee", {"temperature": 31}),
        ("climate.set_temperature", "climate.ecobee", {}),
        ("climate.set_fan_mode", "climate.ecobee", {"fan_mode": "warp"}),
        ("media_player.volume_set", "media_player.stereo", {"volume_level": 40}),
        ("script.turn_on", "script.party_time", {"variables": "loud"}),
        ("homeassistant.restart", "sensor.outdoor_humidity", {}),
    ],
)
async def test_what_a_device_cannot_do_is_refused_and_changes_nothing(
    service: str, entity_id: str, data: dict[str, Any]
) -> None:
    status, _, home = await do(service, entity_id, data)
    assert status is OutcomeStatus.FAILED
    assert home.entities == load_demo_house().home.entities


async def test_unknown_entity_is_a_failed_outcome() -> None:
    (outcome,) = await DemoHome().perform(Action("light.turn_on", ("light.nowhere",)), 0.05)
    assert outcome.status is OutcomeStatus.FAILED


async def test_unavailable_device_refuses() -> None:
    demo = DemoHome()
    demo.set_states({"light.bed_light": State("unavailable")})
    (outcome,) = await demo.perform(Action("light.turn_on", ("light.bed_light",)), 0.05)
    assert outcome.status is OutcomeStatus.FAILED


async def test_scene_moves_what_belongs_to_it() -> None:
    _, _, home = await do("scene.turn_on", "scene.mood_lighting")
    lamp = home.entities["light.floor_lamp"].state
    assert (lamp.value, lamp.attributes["brightness"], lamp.attributes["color_temp_kelvin"]) == ("on", 77, 2200)


async def test_light_comes_back_as_bright_as_it_was() -> None:
    demo = DemoHome()
    for service in ("light.turn_off", "light.turn_on"):
        await demo.perform(Action(service, ("light.floor_lamp",)), 0.05)
    assert demo.home.entities["light.floor_lamp"].state.attributes["brightness"] == 128


async def test_state_that_is_not_the_expected_one_is_not_confirmed() -> None:
    (outcome,) = await DemoHome().perform(Action("light.turn_on", ("light.bed_light",), {}, "off"), 0.01)
    assert outcome.status is OutcomeStatus.UNCONFIRMED


def test_home_is_whole() -> None:
    house = load_demo_house()
    home = house.home
    assert len(home.entities) >= 30
    assert {floor.floor_id for floor in home.floors.values()} == {area.floor_id for area in home.areas.values()}
    for entity in home.entities.values():
        assert entity.area_id is None or entity.area_id in home.areas
        assert [binding.bus for binding in entity.bindings] == ["demo"]
    for scene, states in house.scenes.items():
        assert {scene, *states} <= home.entities.keys()


@pytest.mark.parametrize(
    ("name", "domain", "area"),
    [
        ("Bed Light", "light", "bedroom"),
        ("Standing Light", "light", "office"),
        ("Front Door", "lock", "hall"),
        ("Sliding Door", "cover", "office"),
        ("TV", "media_player", "office"),
        ("TV", "media_player", "kitchen"),
        ("EcoBee", "climate", "living_room"),
        ("Outdoor Humidity", "sensor", "garden"),
        ("New York", "weather", None),
        ("Party Time", "script", None),
        ("Mood Lighting", "scene", "living_room"),
        ("Coffee Machine", "script", "kitchen"),
    ],
)
def test_home_has_what_the_recordings_name(name: str, domain: str, area: str | None) -> None:
    assert any(
        (entity.name, entity.domain, entity.area_id) == (name, domain, area)
        for entity in load_demo_house().home.entities.values()
    )


@pytest.mark.parametrize(
    ("area", "device_class"), [("kitchen", "window"), ("office", "window"), ("office", "curtain"), ("office", "blind")]
)
def test_home_has_the_covers_that_the_recordings_name(area: str, device_class: str) -> None:
    assert any(
        entity.domain == "cover" and (entity.area_id, entity.device_class) == (area, device_class)
        for entity in load_demo_house().home.entities.values()
    )
