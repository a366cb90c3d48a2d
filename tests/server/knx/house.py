"""A small KNX house, as it is configured and as its actuators behave."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from xknx.dpt.payload import DPTArray, DPTBinary

from hearth_core.config_knx import KnxConfig, KnxConnection
from hearth_core.home import State
from hearth_server.knx.bus import KnxBus
from tests.real.knx_actuators import Payload

ENTITIES: tuple[dict[str, Any], ...] = (
    {
        "entity_id": "light.ceiling",
        "name": "ceiling light",
        "area": "Kitchen",
        "switch": {"write": "1/1/1", "state": "1/1/2"},
        "brightness": {"write": "1/1/3", "state": "1/1/4"},
    },
    {
        "entity_id": "cover.blind",
        "name": "blind",
        "area": "Kitchen",
        "move": {"write": "2/1/1", "dpt": "1.008"},
        "stop": {"write": "2/1/2", "dpt": "1.007"},
        "position": {"write": "2/1/3", "state": "2/1/4"},
    },
    {
        "entity_id": "climate.office",
        "name": "office heating",
        "area": "Office",
        "temperature": {"state": "3/1/1"},
        "setpoint": {"write": "3/1/2", "state": "3/1/3"},
        "mode": {"write": "3/1/4", "state": "3/1/5"},
    },
    {"entity_id": "switch.fountain", "name": "fountain", "switch": "4/1/1"},
    {"entity_id": "scene.evening", "name": "evening", "scene": "5/1/1", "number": 3},
    {"entity_id": "scene.morning", "name": "morning", "scene": {"write": "5/1/2", "dpt": "18.001"}, "number": 4},
    {"entity_id": "sensor.wind", "name": "wind", "value": {"state": "6/1/1", "dpt": "9.005"}},
    {"entity_id": "binary_sensor.window", "name": "window", "value": {"state": "6/1/2", "dpt": "1.019"}},
)
STATUS: Mapping[str, str] = {
    "1/1/1": "1/1/2",
    "1/1/3": "1/1/4",
    "2/1/3": "2/1/4",
    "3/1/2": "3/1/3",
    "3/1/4": "3/1/5",
}
VALUES: Mapping[str, Payload] = {
    "1/1/2": DPTBinary(0),
    "2/1/4": DPTArray(0),  # open
    "3/1/1": DPTArray((0x0C, 0x1A)),  # 21 degrees
    "6/1/2": DPTBinary(1),
}


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

    async def until(self, true: Callable[[dict[str, State]], bool], timeout_s: float = 10.0) -> None:
        async with asyncio.timeout(timeout_s):
            while not true(self.states):
                self._news.clear()
                await self._news.wait()


@contextlib.asynccontextmanager
async def running(connection: KnxConnection, **keys: Any) -> AsyncIterator[tuple[KnxBus, Watching]]:
    config = KnxConfig.model_validate({"entities": ENTITIES, "reads_per_second": 50, **keys, "connection": connection})
    bus = KnxBus(config)
    watching = Watching()
    await bus.start(watching)
    try:
        async with asyncio.timeout(10):
            while not bus.reachable:
                await asyncio.sleep(0.01)
        yield bus, watching
    finally:
        await bus.stop()
