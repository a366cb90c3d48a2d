"""The tests' own Home Assistant is what the other tests of this folder take it for."""

from __future__ import annotations

import pytest

from tests.real.home_assistant.client import RefusedError, connected
from tests.real.home_assistant.house import AREAS, FLOORS, HIDDEN, SHOWN
from tests.real.home_assistant.install import VERSION
from tests.real.home_assistant.running import HomeAssistant

pytestmark = pytest.mark.timeout(1200)  # the first test of all installs it


async def test_it_is_the_version_that_people_have(home_assistant: HomeAssistant) -> None:
    async with home_assistant.observer() as observer:
        config = await observer.command("get_config")
    assert (config["version"], config["state"], config["recovery_mode"]) == (VERSION, "RUNNING", False)


async def test_its_house_is_furnished(home_assistant: HomeAssistant) -> None:
    async with home_assistant.observer() as observer:
        areas = {area["name"] for area in await observer.command("config/area_registry/list")}
        floors = {floor["name"] for floor in await observer.command("config/floor_registry/list")}
        exposed = (await observer.command("homeassistant/expose_entity/list"))["exposed_entities"]
    assert areas >= AREAS.keys()
    assert floors == FLOORS.keys()
    assert exposed.keys() >= set(SHOWN)
    assert not exposed.keys() & set(HIDDEN)


async def test_it_survives_a_power_cut(home_assistant: HomeAssistant) -> None:
    async with home_assistant.observer() as observer:
        await observer.call("light.turn_on", "light.bed_light")
        await observer.wait("light.bed_light", "on")
    home_assistant.kill()
    assert not home_assistant.running
    home_assistant.start()
    async with home_assistant.observer() as observer:
        areas = {area["name"] for area in await observer.command("config/area_registry/list")}
    assert areas >= AREAS.keys()


async def test_a_wrong_token_is_refused(home_assistant: HomeAssistant) -> None:
    with pytest.raises(RefusedError, match="auth_invalid"):
        async with connected(home_assistant.base, "wrong"):
            pass
