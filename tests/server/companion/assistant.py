"""Home Assistant's side of the dialogue, played by the integration's own client, and the home that it tells."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from hearth_core import companion_client as client
from hearth_core.companion import Dialogue, RefusedError, pack

HOME: dict[str, Any] = {
    "floors": [{"id": "ground", "name": "Ground floor", "level": 0}],
    "areas": [{"id": "den", "name": "Den", "aliases": ["snug"], "floor_id": "ground"}],
    "labels": [{"id": "cosy", "name": "Cosy"}],
    "entities": [
        {"id": "light.lava", "names": ["Lava lamp", "blob"], "area_id": "den", "labels": ["cosy"]},
        {"id": "lock.cellar", "names": ["Cellar door"], "area_id": "den"},
    ],
    "states": {
        "light.lava": {"s": "off", "a": {"supported_color_modes": ["onoff"], "friendly_name": "Lava lamp"}, "c": "1"},
        "lock.cellar": {"s": "unlocked", "a": {"friendly_name": "Cellar door"}, "c": "1"},
    },
}


class Assistant:
    """Home Assistant's side: it carries calls, and its states follow."""

    def __init__(self, port: int, token: str, server: client.Identity) -> None:
        self.port, self.token, self.server_id, self.fingerprint = port, token, server.server_id, server.fingerprint
        self.calls: list[Mapping[str, Any]] = []
        self.statuses: list[Mapping[str, Any]] = []
        self.events: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self.refuses = ""
        self.follows = True
        self.dialogue: Dialogue
        self.welcome: Mapping[str, Any] = {}

    def opened(self, role: str) -> AbstractAsyncContextManager[client.Opened]:
        return client.opened("127.0.0.1", self.port, self.token, self.server_id, role, self.fingerprint)

    async def call(self, fields: Mapping[str, Any], payload: bytes) -> Mapping[str, Any]:
        self.calls.append(fields)
        if self.refuses:
            raise RefusedError("refused", self.refuses)
        state = {"turn_on": "on", "turn_off": "off", "lock": "locked", "unlock": "unlocked"}[fields["service"]]
        for entity_id in fields["target"]["entity_id"] if self.follows else ():
            attributes = HOME["states"][entity_id]["a"]
            await self.dialogue.note("states", {"a": {entity_id: {"s": state, "a": attributes, "c": "2"}}})
        return {"context": {"id": "2"}}

    async def status(self, fields: Mapping[str, Any], payload: bytes) -> None:
        self.statuses.append(fields)

    async def event(self, fields: Mapping[str, Any], payload: bytes) -> None:
        self.events.put_nowait(fields)

    @asynccontextmanager
    async def inside(self, home: Mapping[str, Any] | None = HOME) -> AsyncIterator[Dialogue]:
        handlers = {"call": self.call, "status": self.status, "event": self.event}
        async with self.opened("home") as opened:
            self.welcome = opened.welcome
            ready: asyncio.Future[Dialogue] = asyncio.get_running_loop().create_future()
            running = asyncio.create_task(opened.converse(handlers, ready.set_result))
            try:
                self.dialogue = await ready
                if home is not None:
                    await tell(self.dialogue, home)
                yield self.dialogue
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)


async def tell(dialogue: Dialogue, home: Mapping[str, Any]) -> None:
    parts = pack(json.dumps(home).encode())
    for number, part in enumerate(parts):
        await dialogue.request("home", {"part": number, "parts": len(parts)}, part)
