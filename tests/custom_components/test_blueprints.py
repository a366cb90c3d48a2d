"""The blueprints of this repository are what Home Assistant takes, and do what they say."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from custom_components.hearth.const import DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util.dt import utcnow
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    async_mock_service,
)

from tests.custom_components.fake_server import ENTRY, SERVER_ID, FakeServer

BLUEPRINTS = Path(__file__).parents[2] / "blueprints"
PATIENCE_S = 15  # that "good night" has with a lock
WAITING = "wait template"  # what Home Assistant calls that step


def kitchen(hass: HomeAssistant) -> str:
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, f"{SERVER_ID}/Kitchen"), ENTRY)
    assert device is not None
    return device.id


async def test_what_was_not_understood_is_reacted_to(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer, tmp_path: Path
) -> None:
    home.config.config_dir = str(tmp_path)
    shutil.copytree(BLUEPRINTS, tmp_path / "blueprints")
    inputs = {"path": "hearth/not_understood.yaml", "input": {"satellite": kitchen(home)}}
    assert await async_setup_component(home, "automation", {"automation": [{"use_blueprint": inputs}]})
    shown = async_mock_service(home, "persistent_notification", "create")
    await server.happen("not_understood", satellite="Kitchen", text="blah")
    await server.until(lambda: shown)
    assert shown[0].data["message"] == "blah"


@pytest.mark.parametrize(
    ("doors", "said"),
    [
        ({"front": "locked"}, "Good night."),
        ({"front": "unlocked", "back": "locked"}, "Not locked is: front door"),
        ({"front": "unlocked", "back": "jammed"}, "Not locked is: front door, back door"),
    ],
)
async def test_good_night_tells_of_the_door_that_stays_open(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer, tmp_path: Path, doors: dict[str, str], said: str
) -> None:
    home.config.config_dir = str(tmp_path)
    shutil.copytree(BLUEPRINTS, tmp_path / "blueprints")
    off, locked = async_mock_service(home, "homeassistant", "turn_off"), async_mock_service(home, "lock", "lock")
    for name, state in doors.items():
        home.states.async_set(f"lock.{name}", state, {"friendly_name": f"{name} door"})
    locks = [f"lock.{name}" for name in doors]
    inputs = {"satellite": kitchen(home), "lights": ["light.lamp"], "locks": locks}
    use = {"use_blueprint": {"path": "hearth/goodnight.yaml", "input": inputs}}
    assert await async_setup_component(home, "script", {"script": {"good_night": use}})
    await home.services.async_call("script", "good_night")
    await server.until(lambda: locked)
    assert off[0].data["entity_id"] == ["light.lamp"]
    assert locked[0].data["entity_id"] == locks
    if said != "Good night.":
        await server.until(lambda: home.states.get("script.good_night").attributes.get("last_action") == WAITING)
        assert not server.asked
        async_fire_time_changed(home, utcnow() + timedelta(seconds=PATIENCE_S))
    await server.until(lambda: server.asked)
    assert server.asked[-1][1]["text"] == said
