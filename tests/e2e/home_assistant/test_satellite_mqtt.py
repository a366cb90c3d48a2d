"""Home Assistant's own MQTT integration makes a device of a satellite: it shows how it is, and sets it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hearth_satellite import control
from hearth_satellite.control import WakeChoice
from hearth_satellite.watchdog import Health
from tests.real.home_assistant.broker import mqtt
from tests.real.home_assistant.client import Client
from tests.real.home_assistant.running import HomeAssistant
from tests.real.home_assistant.with_integration import until
from tests.real.mosquitto import Mosquitto
from tests.satellite.fakes import WAKE, Peer
from tests.satellite.lab import WAIT_S, Running
from tests.satellite.on_mqtt import DEVICE_ID, device

pytestmark = pytest.mark.timeout(1200)  # the first test of all installs Home Assistant

FRESH = {
    "mute": "off", "wake_word": "alexa", "sensitivity": "50", "volume": "100", "state": "idle", "last_command": "",
    "level": "unknown", "microphone_ok": "on", "restart": "unknown",
    "listen": "unknown",
}  # fmt: skip
LOUD = np.random.default_rng(0).integers(-8000, 8000, 16_000).astype("<i2").tobytes()


async def entities(observer: Client) -> dict[str, str]:
    """Return the satellite's entities by what they are of it."""
    entries = await observer.command("config/entity_registry/list")
    mine = [e for e in entries if e["platform"] == "mqtt" and e["unique_id"].startswith(f"{DEVICE_ID}_")]
    return {entry["unique_id"].removeprefix(f"{DEVICE_ID}_"): entry["entity_id"] for entry in mine}


async def test_a_satellite_is_a_device_that_shows_itself_and_can_be_set(
    home_assistant: HomeAssistant, mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "_LEVEL_EVERY_S", 0.1)
    log = home_assistant.log
    since = log.stat().st_size
    async with home_assistant.observer() as observer, mqtt(home_assistant, mosquitto):

        async def there(keys: set[str]) -> dict[str, str] | None:
            found = await entities(observer)
            return found if found.keys() == keys else None

        async with device(mosquitto, live=True) as (running, _):
            found: dict[str, str] = await until(lambda: there(set(FRESH)))
            devices = await observer.command("config/device_registry/list")
            (mine,) = [each for each in devices if ["mqtt", DEVICE_ID] in each["identifiers"]]
            assert (mine["name"], mine["manufacturer"]) == ("Kitchen satellite", "Hearth")
            assert mine["area_id"] == "kitchen"
            entries = await observer.command("config/entity_registry/list")
            assert {e["unique_id"] for e in entries if e["device_id"] == mine["id"]} == {
                f"{DEVICE_ID}_{key}" for key in FRESH
            }
            for key, state in FRESH.items():
                await observer.wait(found[key], state)
            chosen = await observer.state(found["wake_word"])
            assert chosen["attributes"]["options"] == ["alexa", "okay_nabu"]
            assert chosen["attributes"]["friendly_name"] == "Kitchen satellite Wake word"
            await sets(observer, running, found)
            await shows(observer, running, found)
            await observer.call("button.press", found["restart"])
            await asyncio.wait_for(running.task, WAIT_S)
        for entity_id in found.values():
            await observer.wait(entity_id, "unavailable")
        # The same one, whose configuration has no wake words any more.
        async with device(mosquitto, wake=WakeChoice()):
            await until(lambda: there(set(FRESH) - {"wake_word", "sensitivity"}))
            await observer.wait(found["state"], "idle")
    said = log.read_bytes()[since:].decode(errors="replace").splitlines()
    assert not [line for line in said if "mqtt" in line.lower() and (" WARNING " in line or " ERROR " in line)]


async def sets(observer: Client, running: Running, found: dict[str, str]) -> None:
    """Set everything from Home Assistant; the satellite has it, and Home Assistant shows it."""
    state = running.satellite.control.state
    commands: list[tuple[str, str, dict[str, Any], str, Callable[[], bool]]] = [
        ("mute", "switch.turn_on", {}, "on", lambda: running.satellite.session.muted),
        ("mute", "switch.turn_off", {}, "off", lambda: not running.satellite.session.muted),
        ("volume", "number.set_value", {"value": 29}, "29", lambda: state().volume == 0.29),
        ("sensitivity", "number.set_value", {"value": 75}, "75", lambda: state().sensitivity == 0.75),
        ("wake_word", "select.select_option", {"option": "okay_nabu"}, "okay_nabu",
         lambda: state().wake_words == ("okay_nabu",)),
    ]  # fmt: skip
    for key, service, data, shown, is_set in commands:
        await observer.call(service, found[key], **data)
        await observer.wait(found[key], shown)
        assert is_set(), key


async def shows(observer: Client, running: Running, found: dict[str, str]) -> None:
    """Let things happen in the satellite; Home Assistant shows them."""
    satellite = running.satellite
    satellite.session.run(Peer())
    await observer.wait(found["state"], "listening")
    running.microphone.hear(WAKE)
    await observer.wait(found["state"], "streaming")
    satellite.session.transcript("lights on")
    await observer.wait(found["last_command"], "lights on")
    await observer.wait(found["state"], "answering")
    running.microphone.hear(LOUD)
    await observer.wait(found["level"], lambda entity: entity["state"] not in ("unknown", "-96.0"))
    level = await observer.state(found["level"])
    assert -25 < float(level["state"]) < 0
    assert level["attributes"]["unit_of_measurement"] == "dBFS"
    satellite.on_microphone(Health(False, "it has given no sound for 3 s"))
    await observer.wait(found["microphone_ok"], "off")
    await observer.wait(found["level"], "unknown")
    satellite.on_microphone(Health(True, reopened=1))
    await observer.wait(found["microphone_ok"], "on")
