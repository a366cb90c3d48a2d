"""Entities on a real broker: what they are told, what they tell, and every way in which they do not."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hearth_core.command import Action, OutcomeStatus
from hearth_core.config_mqtt import MqttConfig
from hearth_core.home import UNAVAILABLE, State
from hearth_core.mqtt.broker import Broker
from hearth_server.bus import Writes
from hearth_server.mqtt.bus import MqttBus
from tests.real.mosquitto import PASSWORD, Mosquitto
from tests.real.mqtt_device import Device

STATUS = "hearth/test/status"
ENTITIES: tuple[Mapping[str, Any], ...] = (
    {
        "entity_id": "switch.coffee",
        "name": "coffee machine",
        "area": "Kitchen",
        "command_topic": "coffee/set",
        "state_topic": "coffee",
        "value_template": "{{ value_json.power }}",
    },
    {
        "entity_id": "light.desk",
        "name": "desk lamp",
        "area": "Office",
        "command_topic": "desk/set",
        "state_topic": "desk",
        "brightness_command_topic": "desk/level/set",
        "brightness_state_topic": "desk/level",
        "brightness_scale": 100,
        "availability_topic": "desk/there",
    },
    {
        "entity_id": "cover.blind",
        "name": "blind",
        "area": "Office",
        "command_topic": "blind/set",
        "set_position_topic": "blind/position/set",
        "position_topic": "blind/position",
    },
    {"entity_id": "switch.deaf", "name": "deaf", "command_topic": "deaf/set"},
    {
        "entity_id": "climate.office",
        "name": "office heating",
        "temperature_command_topic": "heat/set",
        "temperature_state_topic": "heat/wanted",
        "current_temperature_topic": "heat/now",
    },
)


class Watching:
    """A Watcher that can be waited on."""

    def __init__(self) -> None:
        self.states: dict[str, State] = {}
        self._news = asyncio.Event()

    def states_changed(self, states: Mapping[str, State]) -> None:
        self.states.update(states)
        self._news.set()

    def part_changed(self) -> None:
        raise AssertionError("names do not change here")

    async def until(self, true: Callable[[dict[str, State]], bool]) -> None:
        async with asyncio.timeout(10):
            while not true(self.states):
                self._news.clear()
                await self._news.wait()


@contextlib.asynccontextmanager
async def running(mosquitto: Mosquitto, **broker: Any) -> AsyncIterator[tuple[MqttBus, Watching]]:
    config = MqttConfig.model_validate(
        {"broker": {**mosquitto.config.model_dump(), **broker}, "entities": ENTITIES, "areas": [{"name": "Kitchen"}]}
    )
    bus = MqttBus(config, Broker(config.broker, STATUS))
    watching = Watching()
    await bus.start(watching)
    try:
        yield bus, watching
    finally:
        await bus.stop()


async def connected(bus: MqttBus) -> None:
    async with asyncio.timeout(10):
        while not bus.reachable:
            await asyncio.sleep(0.01)


def obeying(topic: str, payload: str) -> dict[str, str]:
    """What well-made devices answer."""
    match topic:
        case "coffee/set":
            return {"coffee": f'{{"power": "{payload}"}}'}
        case "blind/position/set":
            return {"blind/position": "60" if payload == "30" else payload}
        case "blind/set":
            return {"blind/position": "95"}
        case "heat/set":
            return {"heat/wanted": payload}
    return {topic.removesuffix("/set"): payload}


@pytest.fixture
def devices(mosquitto: Mosquitto) -> Iterator[Device]:
    topics = ("coffee/set", "desk/set", "desk/level/set", "blind/set", "blind/position/set", "heat/set")
    device = Device(mosquitto.port, *topics, answer=obeying)
    device.publish("desk/there", "online", retain=True)
    device.publish("desk", "OFF", retain=True)
    device.publish("coffee", '{"power": "OFF"}', retain=True)
    device.publish("blind/position", "100", retain=True)
    yield device
    device.close()


@pytest.mark.usefixtures("devices")
async def test_retained_states_are_known_at_once(mosquitto: Mosquitto) -> None:
    async with running(mosquitto) as (bus, watching):
        await watching.until(lambda states: len(states) >= 3 and states.get("cover.blind") is not None)
        await watching.until(lambda s: s.get("switch.coffee") == State("off") and s.get("light.desk") == State("off"))
        await watching.until(lambda s: s["cover.blind"] == State("open", {"current_position": 100}))
        assert bus.home.entities["light.desk"].area_id == "office"
        assert bus.home.entities["light.desk"].capabilities == {"brightness"}
        assert bus.home.entities["light.desk"].bindings[0].address["state_topic"] == "desk"
        assert {area.name for area in bus.home.areas.values()} == {"Kitchen", "Office"}


@pytest.mark.parametrize(
    ("action", "told", "after"),
    [
        (Action("switch.turn_on", ("switch.coffee",), {}, "on"), {"coffee/set": "ON"}, State("on")),
        (
            Action("light.turn_on", ("light.desk",), {"brightness_pct": 40}, "on"),
            {"desk/level/set": "40", "desk/set": "ON"},
            State("on", {"brightness": 102}),
        ),
        # Both are on their way, not there: that is what can be known in the time that a speaker waits.
        (
            Action("cover.close_cover", ("cover.blind",), {}, "closed"),
            {"blind/set": "CLOSE"},
            State("open", {"current_position": 95}),
        ),
        (
            Action("cover.set_cover_position", ("cover.blind",), {"position": 30}, "open"),
            {"blind/position/set": "30"},
            State("open", {"current_position": 60}),
        ),
        (
            Action("climate.set_temperature", ("climate.office",), {"temperature": 21.5}),
            {"heat/set": "21.5"},
            State("heat", {"temperature": 21.5}),
        ),
    ],
)
async def test_command_is_done_when_the_state_topic_says_so(
    mosquitto: Mosquitto, devices: Device, action: Action, told: dict[str, str], after: State
) -> None:
    async with running(mosquitto) as (bus, watching):
        await watching.until(lambda s: s.get("cover.blind") is not None and s.get("light.desk") == State("off"))
        (outcome,) = await bus.perform(action, 5.0)
        assert outcome.status is OutcomeStatus.DONE, outcome
        assert bus.home.entities[action.entity_ids[0]].state == after
    for topic, payload in told.items():
        assert devices.next(topic) == (payload, False)
    assert all(devices.expiries), "a command must not wait at the broker for a device that sleeps"


async def test_silent_state_topic_is_unconfirmed_even_if_the_old_state_fits(mosquitto: Mosquitto) -> None:
    device = Device(mosquitto.port, "coffee/set")  # hears, and never answers
    device.publish("coffee", '{"power": "ON"}', retain=True)
    async with running(mosquitto) as (bus, watching):
        await watching.until(lambda s: s.get("switch.coffee") == State("on"))
        (outcome,) = await bus.perform(Action("switch.turn_on", ("switch.coffee",), {}, "on"), 0.3)
        assert (outcome.status, outcome.detail) == (OutcomeStatus.UNCONFIRMED, "its state topic is silent")
    assert device.next("coffee/set") == ("ON", False)
    device.close()


async def test_device_that_does_something_else_is_unconfirmed(mosquitto: Mosquitto) -> None:
    device = Device(mosquitto.port, "coffee/set", answer=lambda *_: {"coffee": '{"power": "OFF"}'})
    async with running(mosquitto) as (bus, _):
        await connected(bus)
        (outcome,) = await bus.perform(Action("switch.turn_on", ("switch.coffee",), {}, "on"), 0.3)
        assert (outcome.status, outcome.detail) == (OutcomeStatus.UNCONFIRMED, "its state is off")
    device.close()


@pytest.mark.usefixtures("devices")
@pytest.mark.parametrize(
    ("action", "status"),
    [
        (Action("switch.turn_on", ("switch.deaf",), {}, "on"), OutcomeStatus.UNREACHABLE),  # nobody subscribes
        (Action("light.turn_on", ("light.desk",), {"color_name": "red"}, "on"), OutcomeStatus.FAILED),
        (Action("light.turn_on", ("light.desk",), {"brightness_pct": "a lot"}, "on"), OutcomeStatus.FAILED),
        (Action("climate.set_temperature", ("climate.office",), {"temperature": 90}), OutcomeStatus.FAILED),
        (Action("light.turn_on", ("light.none",), {}, "on"), OutcomeStatus.FAILED),
    ],
)
async def test_what_cannot_be_done_is_told(mosquitto: Mosquitto, action: Action, status: OutcomeStatus) -> None:
    async with running(mosquitto) as (bus, watching):
        await watching.until(lambda s: s.get("light.desk") == State("off"))
        (outcome,) = await bus.perform(action, 2.0)
        assert outcome.status is status, outcome
        assert outcome.detail


async def test_device_that_says_it_is_away_is_unreachable(mosquitto: Mosquitto, devices: Device) -> None:
    async with running(mosquitto) as (bus, watching):
        await watching.until(lambda s: s.get("light.desk") == State("off"))
        devices.publish("desk/there", "offline", retain=True)
        await watching.until(lambda s: s["light.desk"] == UNAVAILABLE)
        (outcome,) = await bus.perform(Action("light.turn_on", ("light.desk",), {}, "on"), 2.0)
        assert outcome.status is OutcomeStatus.UNREACHABLE


async def test_broker_restarted_comes_back_by_itself(mosquitto: Mosquitto, devices: Device) -> None:
    on = Action("switch.turn_on", ("switch.coffee",), {}, "on")
    async with running(mosquitto) as (bus, watching):
        await watching.until(lambda s: s.get("switch.coffee") == State("off"))
        mosquitto.kill()
        await watching.until(lambda s: s["switch.coffee"] == UNAVAILABLE)
        assert not bus.reachable
        (outcome,) = await bus.perform(on, 5.0)
        assert outcome.status is OutcomeStatus.UNREACHABLE
        devices._ready.clear()
        await asyncio.to_thread(mosquitto.start)
        await asyncio.to_thread(devices.wait_until_there)
        await watching.until(lambda s: s["switch.coffee"] == State("off"))
        assert devices.silent(), "what was asked for while the broker was away is never done later"
        (outcome,) = await bus.perform(on, 5.0)
        assert outcome.status is OutcomeStatus.DONE, outcome


async def test_broker_lost_during_a_command_is_unconfirmed_and_not_sent_again(
    mosquitto: Mosquitto, devices: Device
) -> None:
    async with running(mosquitto) as (bus, watching):
        await watching.until(lambda s: s.get("switch.coffee") == State("off"))
        mosquitto.freeze()
        command = asyncio.create_task(bus.perform(Action("switch.turn_on", ("switch.coffee",), {}, "on"), 5.0))
        await asyncio.sleep(0.05)  # for the message to leave
        devices._ready.clear()
        mosquitto.kill()
        (outcome,) = await command
        assert outcome.status is OutcomeStatus.UNCONFIRMED, outcome
        await asyncio.to_thread(mosquitto.start)
        await asyncio.to_thread(devices.wait_until_there)
        await watching.until(lambda s: s["switch.coffee"] == State("off"))
        assert devices.silent()


async def test_frozen_broker_holds_nothing_up(mosquitto: Mosquitto) -> None:
    async with running(mosquitto) as (bus, _):
        await connected(bus)
        mosquitto.freeze()
        loop = asyncio.get_running_loop()
        start = loop.time()
        (outcome,) = await bus.perform(Action("switch.turn_on", ("switch.coffee",), {}, "on"), 0.5)
        assert outcome.status is OutcomeStatus.UNCONFIRMED
        assert loop.time() - start < 5
        mosquitto.thaw()


async def test_presence_is_retained_and_the_last_will_tells_of_a_loss(mosquitto: Mosquitto) -> None:
    async with running(mosquitto) as (bus, _):
        await connected(bus)
        observer = Device(mosquitto.port, STATUS)
        assert (await asyncio.to_thread(observer.next, STATUS))[0] == "online"
        session = bus._broker._session
        assert session is not None
        session.abort()  # as if the machine had lost power
        assert (await asyncio.to_thread(observer.next, STATUS))[0] == "offline"
        assert (await asyncio.to_thread(observer.next, STATUS))[0] == "online"
    assert (await asyncio.to_thread(observer.next, STATUS))[0] == "offline"
    observer.close()
    late = Device(mosquitto.port, STATUS)
    assert late.next(STATUS) == ("offline", True)
    late.close()


async def test_wrong_password_is_told_once_and_never_shown(
    mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with running(mosquitto, password="not the password") as (bus, _):
        until = time.monotonic() + 10
        while mosquitto.log.read_text().count("not authorised") < 3 and time.monotonic() < until:
            await asyncio.sleep(0.02)
        assert not bus.reachable
    told = [record for record in caplog.records if "refuses the connection" in record.getMessage()]
    assert len(told) == 1
    assert "not the password" not in caplog.text
    assert PASSWORD not in repr(mosquitto.config)


async def test_stop_is_possible_at_any_time(mosquitto: Mosquitto) -> None:
    mosquitto.kill()
    async with running(mosquitto) as (bus, _):
        assert not bus.reachable
        await bus.stop()
        await bus.stop()
    assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


@pytest.fixture
def junk_device(mosquitto: Mosquitto) -> Iterator[Device]:
    device = Device(mosquitto.port)
    device.publish("blind/position", "nan", retain=True)
    device.publish("coffee", "no json", retain=True)
    device.publish("heat/now", "19.5", retain=True)
    yield device
    device.close()


@pytest.mark.usefixtures("junk_device")
async def test_junk_on_a_state_topic_is_told_once_and_hurts_nobody_else(
    mosquitto: Mosquitto, junk_device: Device, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(mosquitto) as (bus, watching):
        await watching.until(lambda s: s.get("climate.office") == State("heat", {"current_temperature": 19.5}))
        for payload in ("nan", "nan", "[" * 5000):
            junk_device.publish("blind/position", payload)
        junk_device.publish("heat/now", "20")
        await watching.until(lambda s: s["climate.office"].attributes["current_temperature"] == 20)
        assert bus.home.entities["cover.blind"].state.value == "unknown"
    told = [record.getMessage() for record in caplog.records if "cover.blind" in record.getMessage()]
    assert len(told) == 2, told  # one for each kind of junk


def test_tls_files_that_cannot_be_read_are_a_configuration_error(tmp_path: Path) -> None:
    from hearth_core.config_mqtt import BrokerConfig
    from hearth_core.errors import ConfigError

    (tmp_path / "ca.pem").write_text("this is no certificate")
    for file in ("missing.pem", "ca.pem"):
        config = BrokerConfig.model_validate({"tls": {"ca_file": str(tmp_path / file)}})
        with pytest.raises(ConfigError, match=file):
            asyncio.run(Broker(config, STATUS).start())


# -- what is for no entity ---------------------------------------------------------------------------------------------


def publish(topic: str, payload: str = "ding", *, qos: int = 1, retain: bool = False) -> Action:
    data = {"topic": topic, "payload": payload, "qos": qos, "retain": retain}
    return Action("mqtt.publish", (f"mqtt:{topic}",), data)


@pytest.mark.parametrize(
    ("action", "status"),
    [
        (publish("bell/ring"), OutcomeStatus.DONE),
        (publish("bell/ring", qos=2), OutcomeStatus.DONE),
        (publish("bell/ring", qos=0), OutcomeStatus.UNCONFIRMED),
        (publish("nobody/hears"), OutcomeStatus.UNREACHABLE),
        (publish("nobody/hears", retain=True), OutcomeStatus.DONE),
    ],
)
async def test_message_is_done_when_the_broker_has_it(
    mosquitto: Mosquitto, action: Action, status: OutcomeStatus
) -> None:
    bell = Device(mosquitto.port, "bell/ring")
    async with running(mosquitto) as (bus, _):
        await connected(bus)
        assert isinstance(bus, Writes)
        outcome = await bus.write(action, 3.0)
        assert (outcome.entity_id, outcome.status) == (action.entity_ids[0], status), outcome
        if action.data["topic"] == "bell/ring":
            assert await asyncio.to_thread(bell.next, "bell/ring") == ("ding", False)
    bell.close()


async def test_message_to_a_broker_that_is_gone_is_not_sent_later(mosquitto: Mosquitto) -> None:
    async with running(mosquitto) as (bus, _):
        await connected(bus)
        mosquitto.kill()
        outcome = await bus.write(publish("bell/ring"), 1.0)
        assert outcome.status in (OutcomeStatus.UNREACHABLE, OutcomeStatus.UNCONFIRMED), outcome
        async with asyncio.timeout(10):
            while bus.reachable:  # the loss is noticed
                await asyncio.sleep(0.01)
        mosquitto.start()
        bell = Device(mosquitto.port, "bell/ring")
        await connected(bus)
        outcome = await bus.write(publish("bell/ring", "second"), 3.0)
        assert outcome.status is OutcomeStatus.DONE, outcome
        assert await asyncio.to_thread(bell.next, "bell/ring") == ("second", False)
        bell.close()
