"""Commands as text over a real broker into the demo home, and what is told about them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_core.command import Context
from hearth_core.config_mqtt import MqttConfig
from hearth_core.errors import InputError
from hearth_core.mqtt.broker import Broker
from hearth_core.mqtt.session import Delivery
from hearth_server.mqtt.exchange import MAX_PAYLOAD_BYTES, exchanging, parse
from hearth_server.mqtt.own_topics import OwnTopics
from hearth_server.pipeline import Pipeline
from tests.real.mosquitto import Mosquitto
from tests.real.mqtt_device import Device
from tests.server.conftest import PipelineFactory

SAY, RESPONSE = "hearth/attic/say", "hearth/attic/response"
NOT_UNDERSTOOD = "hearth/attic/not-understood"


async def hearing(broker: Broker) -> None:
    """Wait until the broker knows what we subscribe to: it takes our messages in their order."""
    async with asyncio.timeout(10):
        while await broker.publish("hearth/attic/here", "?") not in (Delivery.TAKEN, Delivery.UNHEARD):
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def house_on(mosquitto: Mosquitto, running: PipelineFactory) -> AsyncIterator[tuple[Pipeline, Broker]]:
    config = MqttConfig.model_validate(
        {"broker": mosquitto.config, "server_name": "attic", "text_commands": True, "hermes": True}
    )
    broker = Broker(config.broker, OwnTopics.of(config).status)
    async with running() as pipeline:
        await broker.start()
        try:
            await hearing(broker)
            async with exchanging(pipeline, broker, config, "en"):
                await hearing(broker)
                yield pipeline, broker
        finally:
            await broker.stop()
        assert not pipeline.observers


async def said(device: Device, payload: str) -> dict[str, Any]:
    await asyncio.to_thread(device.publish, SAY, payload)
    text, retained = await asyncio.to_thread(device.next, RESPONSE)
    assert not retained
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.fixture
def listener(mosquitto: Mosquitto) -> Device:
    return Device(mosquitto.port, RESPONSE, NOT_UNDERSTOOD, "hearth/attic/intent/+", "hermes/intent/+")


async def test_text_commands_are_done_and_answered(
    mosquitto: Mosquitto, running: PipelineFactory, listener: Device
) -> None:
    async with house_on(mosquitto, running) as (pipeline, _):
        answer = await said(listener, "turn on the bed light")
        assert answer["kind"] == "done"
        assert pipeline.house.home.entities["light.bed_light"].state.value == "on"
        answer = await said(listener, '{"text": "turn off the lights", "area": "Bedroom", "id": "7"}')
        assert (answer["id"], answer["kind"]) == ("7", "done")
        assert pipeline.house.home.entities["light.bed_light"].state.value == "off"
        answer = await said(listener, "flurb the gronk")
        assert answer["kind"] == "not-understood"
    await asyncio.to_thread(listener.close)


async def test_every_command_is_told(mosquitto: Mosquitto, running: PipelineFactory, listener: Device) -> None:
    async with house_on(mosquitto, running) as (pipeline, _):
        context = Context(satellite="desk", area_id="bedroom")
        await pipeline.answer_text("turn on the bed light", context)
        facts = json.loads((await asyncio.to_thread(listener.next, "hearth/attic/intent/HassTurnOn"))[0])
        assert (facts["command_id"], facts["satellite"], facts["area"]) == (context.command_id, "desk", "bedroom")
        assert facts["slots"]["name"]["value"] == "light.bed_light"
        assert facts["outcomes"] == [{"entity_id": "light.bed_light", "status": "done", "detail": ""}]
        hermes = json.loads((await asyncio.to_thread(listener.next, "hermes/intent/HassTurnOn"))[0])
        assert hermes["siteId"] == "desk"
        await pipeline.answer_text("flurb the gronk", Context())
        facts = json.loads((await asyncio.to_thread(listener.next, NOT_UNDERSTOOD))[0])
        assert facts["text"] == "flurb the gronk"
    await asyncio.to_thread(listener.close)


async def test_commands_go_on_while_the_broker_is_away(
    mosquitto: Mosquitto, running: PipelineFactory, listener: Device
) -> None:
    async with house_on(mosquitto, running) as (pipeline, broker):
        await asyncio.to_thread(listener.close)
        mosquitto.kill()
        answer = await pipeline.answer_text("turn off the bed light", Context())
        assert answer.response.kind == "done"
        await asyncio.to_thread(mosquitto.start)
        late = Device(mosquitto.port, "hearth/attic/#")
        await hearing(broker)
        speaker = Device(mosquitto.port, RESPONSE)
        answer_now = await said(speaker, "turn off the bed light")
        assert answer_now["kind"] == "done", "text commands are heard again"
        facts = json.loads((await asyncio.to_thread(late.next, "hearth/attic/intent/HassTurnOff"))[0])
        assert facts["command_id"] == answer_now["command_id"], "and what is past is not told late"
        await asyncio.to_thread(late.close)
        await asyncio.to_thread(speaker.close)


async def test_retained_command_is_not_done(mosquitto: Mosquitto, running: PipelineFactory, listener: Device) -> None:
    listener.publish(SAY, "turn on the bed light", retain=True)
    async with house_on(mosquitto, running) as (pipeline, _):
        assert (await said(listener, "what time is it"))["kind"] == "answer"
        assert pipeline.house.home.entities["light.bed_light"].state.value == "off"
    await asyncio.to_thread(listener.close)


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        ("{", "begins like JSON"),
        ('{"text": 5}', "text is not a text"),
        ('{"area": "kitchen"}', "has no text"),
        ('{"text": "turn on the light", "area": "Narnia"}', "no area called Narnia"),
        ("x" * 501, "too long"),
        ("x" * (MAX_PAYLOAD_BYTES + 1), "4096 is the most"),
        (" ", "has no text"),
        ("[" * 4000, "too long"),
    ],
)
async def test_junk_is_answered_and_nothing_is_done(
    mosquitto: Mosquitto, running: PipelineFactory, listener: Device, payload: str, told: str
) -> None:
    async with house_on(mosquitto, running):
        answer = await said(listener, payload)
        assert answer["kind"] == "failed"
        assert told in answer["response"]
        assert (await said(listener, "what time is it"))["kind"] == "answer"
    await asyncio.to_thread(listener.close)


@given(payload=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_payload_is_a_command_or_an_input_error(payload: bytes) -> None:
    with contextlib.suppress(InputError):
        assert parse(payload).text


async def test_a_connection_that_is_over_leaves_no_socket_to_the_garbage_collector(mosquitto: Mosquitto) -> None:
    def sockets() -> int:
        return sum(os.readlink(file).startswith("socket:") for file in Path("/proc/self/fd").iterdir() if file.exists())

    broker = Broker(mosquitto.config, None)
    gc.disable()
    try:
        before = sockets()
        await broker.start()
        await hearing(broker)
        assert sockets() > before
        await broker.stop()
        async with asyncio.timeout(10):
            while sockets() > before:
                await asyncio.sleep(0.01)
    finally:
        gc.enable()
