"""What the satellite tells of itself over MQTT is all that Home Assistant needs: read here as it reads it.

Source: home-assistant.io/integrations/mqtt, "Device discovery payload" (2026.11): what stands beside the components
counts for each of them. tests/e2e/home_assistant has the real one read it.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import jinja2

from hearth_core.control_event import SatelliteState
from hearth_satellite.session import State
from tests.real.mosquitto import Mosquitto
from tests.satellite.lab import WAIT_S
from tests.satellite.on_mqtt import CONFIG, DEVICE_ID, ROOT, Stranger, device

PLATFORMS = {
    "mute": "switch", "wake_word": "select", "sensitivity": "number", "volume": "number", "state": "sensor",
    "last_command": "sensor", "level": "sensor", "microphone_ok": "binary_sensor", "restart": "button",
    "listen": "button",
}  # fmt: skip
SET = {"mute", "wake_word", "sensitivity", "volume", "listen", "restart"}
# What a person does in Home Assistant, as its platforms send it.
COMMANDS = [
    ("mute", "ON"), ("mute", "OFF"), ("volume", "0"), ("volume", "29"), ("volume", "100"), ("sensitivity", "57"),
    ("wake_word", "okay_nabu"),
]  # fmt: skip
STATES = (
    *(SatelliteState(state=str(state), wake_word="alexa") for state in State),
    SatelliteState(wake_word="okay_nabu", mute=True, volume=0.0, sensitivity=0.0, microphone_ok=False),
    SatelliteState(wake_word="alexa", volume=1.0, sensitivity=1.0, level_dbfs=-96.0),
    SatelliteState(wake_word="alexa", volume=0.125, sensitivity=1 / 3, level_dbfs=-41.5),
    SatelliteState(wake_word="alexa", last_command='{{ 1 }} "ü" ' * 40),
)
SHARED = ("state_topic", "availability_topic", "qos")


async def components(stranger: Stranger) -> dict[str, dict[str, Any]]:
    """Return the components of the next discovery message, each with what it shares with the others."""
    config = json.loads(await stranger.next(CONFIG))
    shared = {key: config[key] for key in SHARED}
    return {key: shared | component for key, component in config["cmps"].items()}


def shown(component: dict[str, Any], payload: str) -> str:
    """Return what an entity shows of a message on its state topic."""
    template = jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(component["value_template"])
    return template.render(value_json=json.loads(payload), value=payload)


def taken(component: dict[str, Any], text: str) -> bool:
    """Whether an entity of this platform takes what its template made."""
    match component["p"], component:
        case "switch" | "binary_sensor", _:
            return text in ("ON", "OFF")
        case "select" | "sensor", {"options": options}:
            return text in options
        case "number", {"min": least, "max": most, "step": step}:
            return bool(least <= float(text) <= most and float(text) % step == 0)
        case "sensor", {"unit_of_measurement": _}:
            return text == "None" or isinstance(float(text), float)
        case _:
            return len(text) <= 255


async def test_there_is_one_message_of_discovery_and_each_component_has_all_that_it_needs(mosquitto: Mosquitto) -> None:
    async with device(mosquitto) as (_, stranger):
        found = await components(stranger)
        assert {key: component["p"] for key, component in found.items()} == PLATFORMS
        late = Stranger(mosquitto)
        retained: dict[str, str] = {}
        while "online" not in retained.values() or len(retained) < 3:
            message = await asyncio.to_thread(late.messages.get, timeout=WAIT_S)
            retained[message.topic] = message.payload.decode()
        late.close()
        assert retained.keys() == {CONFIG, f"{ROOT}/state", f"{ROOT}/status"}
    for key, component in found.items():
        assert component["unique_id"] == f"{DEVICE_ID}_{key}"
        assert component["name"]
        assert (component["availability_topic"], component["state_topic"]) == (f"{ROOT}/status", f"{ROOT}/state")
        assert component.get("command_topic") == (f"{ROOT}/set/{key}" if key in SET else None)
        assert (component["p"] == "button") is ("value_template" not in component)


async def test_what_is_sent_to_a_command_topic_is_what_the_state_topic_shows(mosquitto: Mosquitto) -> None:
    async with device(mosquitto) as (running, stranger):
        found = await components(stranger)
        for key, payload in COMMANDS:
            component = found[key]
            stranger.say(component["command_topic"], payload)
            while shown(component, state := await stranger.next(component["state_topic"])) != payload:
                pass
            for other in found.values():
                if "value_template" in other:
                    assert taken(other, shown(other, state)), (other["name"], state)
        stranger.say(found["restart"]["command_topic"], found["restart"]["payload_press"])
        while await stranger.next(found["restart"]["availability_topic"]) != "offline":
            pass
        assert running.task.done() or running.satellite.control.restart_wanted.is_set()


async def test_every_state_is_one_that_the_entities_take(mosquitto: Mosquitto) -> None:
    async with device(mosquitto) as (_, stranger):
        found = await components(stranger)
    for state in STATES:
        for component in found.values():
            if "value_template" in component:
                text = shown(component, state.model_dump_json())
                assert taken(component, text), (component["name"], text)
