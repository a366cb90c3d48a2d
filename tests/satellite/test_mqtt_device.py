"""The satellite as a device of Home Assistant, on a real broker, seen by an independent client."""

from __future__ import annotations

import asyncio
import json

import pytest

from hearth_satellite.session import State
from tests.real.mosquitto import Mosquitto
from tests.satellite.fakes import WAKE, Peer
from tests.satellite.lab import WAIT_S, until
from tests.satellite.on_mqtt import ROOT, Stranger, device


async def test_it_introduces_itself_as_one_device(mosquitto: Mosquitto) -> None:
    async with device(mosquitto) as (_, stranger):
        config = json.loads(await stranger.next("homeassistant/device/hearth-kitchen/config"))
        assert config["dev"] == {
            "ids": ["hearth-kitchen"], "name": "Kitchen satellite", "mf": "Hearth", "mdl": "Hearth satellite",
            "sw": config["o"]["sw"], "sa": "Kitchen",
        }  # fmt: skip
        assert {key: component["p"] for key, component in config["cmps"].items()} == {
            "mute": "switch", "wake_word": "select", "sensitivity": "number", "volume": "number", "state": "sensor",
            "last_command": "sensor", "level": "sensor", "microphone_ok": "binary_sensor", "restart": "button",
            "listen": "button",
        }  # fmt: skip
        assert config["cmps"]["wake_word"]["options"] == ["alexa", "okay_nabu"]
        assert len({component["unique_id"] for component in config["cmps"].values()}) == 10
        assert config["availability_topic"] == f"{ROOT}/status"
        stranger.say("homeassistant/status", "online")
        assert json.loads(await stranger.next("homeassistant/device/hearth-kitchen/config")) == config


async def test_what_is_set_there_counts_and_is_shown(mosquitto: Mosquitto) -> None:
    async with device(mosquitto) as (running, stranger):
        await stranger.state(state="idle")
        for setting, payload, expected in (
            ("mute", "ON", {"mute": True}),
            ("mute", "OFF", {"mute": False}),
            ("volume", "40", {"volume": 0.4}),
            ("sensitivity", "75", {"sensitivity": 0.75}),
            ("wake_word", "okay_nabu", {"wake_word": "okay_nabu", "wake_words": ("okay_nabu",)}),
        ):
            stranger.say(f"{ROOT}/set/{setting}", payload)
            await stranger.state(**expected)
        running.satellite.session.run(Peer())
        await stranger.state(state="listening")
        running.microphone.hear(WAKE)
        await until(lambda: running.satellite.session.state is State.STREAMING)
        running.satellite.session.transcript("lights on")
        await stranger.state(last_command="lights on", state="answering")
        stranger.say(f"{ROOT}/set/restart", "PRESS")
        await asyncio.wait_for(running.task, WAIT_S)
        assert await offline(stranger)


async def test_a_press_there_begins_a_command(mosquitto: Mosquitto) -> None:
    async with device(mosquitto) as (running, stranger):
        running.satellite.session.run(Peer())
        await stranger.state(state="listening")
        stranger.say(f"{ROOT}/set/listen", "no press")
        stranger.say(f"{ROOT}/set/volume", "50")
        await stranger.state(volume=0.5, state="listening")
        stranger.say(f"{ROOT}/set/listen", "PRESS")
        await stranger.state(state="streaming")


@pytest.mark.parametrize(
    ("setting", "payload"),
    [("mute", "maybe"), ("volume", "loud"), ("volume", "nan"), ("volume", "101"), ("wake_word", "no such"),
     ("wake_word", ""), ("sensitivity", "-1"), ("restart", "no"), ("mute", "x" * 10_000)],
)  # fmt: skip
async def test_what_makes_no_sense_changes_nothing(mosquitto: Mosquitto, setting: str, payload: str) -> None:
    async with device(mosquitto) as (_, stranger):
        before = await stranger.state(state="idle")  # it is there, and has subscribed
        stranger.say(f"{ROOT}/set/{setting}", payload)
        stranger.say(f"{ROOT}/set/volume", "50")
        assert await stranger.state(volume=0.5) == before.model_copy(update={"volume": 0.5})


async def test_a_command_that_was_retained_is_not_obeyed(mosquitto: Mosquitto) -> None:
    stranger = Stranger(mosquitto)
    stranger.say(f"{ROOT}/set/restart", "PRESS", retain=True)
    await stranger.next(f"{ROOT}/set/restart")
    stranger.close()
    async with device(mosquitto) as (running, stranger):
        await stranger.state(state="idle")
        stranger.say(f"{ROOT}/set/volume", "50")
        await stranger.state(volume=0.5)
        assert not running.satellite.control.restart_wanted.is_set()


async def test_what_is_retained_tells_a_latecomer_and_a_broker_that_died_is_come_back_to(mosquitto: Mosquitto) -> None:
    async with device(mosquitto) as (running, stranger):
        await stranger.state(state="idle")
        late = Stranger(mosquitto)
        await late.next(f"{ROOT}/state")
        late.close()
        mosquitto.kill()
        mosquitto.start()
        stranger.close()
        stranger = Stranger(mosquitto)
        async with asyncio.timeout(WAIT_S):
            while not running.satellite.session.muted:  # it is heard once the satellite is back
                stranger.say(f"{ROOT}/set/mute", "ON")
                await asyncio.sleep(0.05)
        await stranger.state(mute=True)
        stranger.close()


async def offline(stranger: Stranger) -> bool:
    while await stranger.next(f"{ROOT}/status") != "offline":
        pass
    return True
