"""A satellite as a device on a real broker, and an independent client beside it."""

from __future__ import annotations

import asyncio
import contextlib
import queue
from collections.abc import AsyncIterator
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from hearth_core.control_event import SatelliteState
from tests.real.mosquitto import PASSWORD, USER, Mosquitto
from tests.satellite.lab import WAIT_S, Running, living

DEVICE_ID = "hearth-kitchen"
ROOT = f"hearth/satellite/{DEVICE_ID}"
CONFIG = f"homeassistant/device/{DEVICE_ID}/config"


class Stranger:
    """A client that sees everything, and may speak."""

    def __init__(self, broker: Mosquitto) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.username_pw_set(USER, PASSWORD)
        self._client.on_message = lambda client, userdata, message: self.messages.put(message)
        self.messages: queue.Queue[MQTTMessage] = queue.Queue()
        self._client.connect("127.0.0.1", broker.port)
        self._client.subscribe("#", qos=1)
        self._client.loop_start()

    def say(self, topic: str, payload: str, *, retain: bool = False) -> None:
        self._client.publish(topic, payload, qos=1, retain=retain)

    async def next(self, topic: str) -> str:
        async with asyncio.timeout(WAIT_S):
            while True:
                message = await asyncio.to_thread(self.messages.get, timeout=WAIT_S)
                if message.topic == topic:
                    return message.payload.decode()

    async def state(self, **expected: Any) -> SatelliteState:
        """Return the next state in which this holds."""
        while True:
            state = SatelliteState.model_validate_json(await self.next(f"{ROOT}/state"))
            if all(getattr(state, key) == value for key, value in expected.items()):
                return state

    async def level(self, lowest: float, highest: float) -> None:
        """Wait until the microphone is told to hear so much, in dBFS."""
        while (level := (await self.state(microphone_ok=True)).level_dbfs) is None or not lowest <= level <= highest:
            pass

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self._client.on_message = None  # else the two hold each other, and paho's sockets are left to the collector


def as_device(broker: Mosquitto) -> dict[str, Any]:
    """Return the section `control` of a satellite that is a device on this broker; it comes back fast."""
    address = {"host": "127.0.0.1", "port": broker.port, "username": USER, "password": PASSWORD, "retry_s": (0.05, 0.2)}
    return {"id": DEVICE_ID, "mqtt": {"broker": address}}


@contextlib.asynccontextmanager
async def device(broker: Mosquitto, **options: Any) -> AsyncIterator[tuple[Running, Stranger]]:
    """Run a satellite that is a device on this broker, and a client that saw it from its first word on."""
    stranger = Stranger(broker)
    try:
        async with living(as_device(broker), **options) as running:
            yield running, stranger
    finally:
        stranger.close()
