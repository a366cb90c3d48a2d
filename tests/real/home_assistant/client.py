"""A WebSocket client of Home Assistant for tests, as small as can be and independent of Hearth's own."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

WAIT_S = 60.0  # far more than anything on loopback takes; a satellite's start on a busy machine took 20


class RefusedError(Exception):
    """Home Assistant answered a command with an error."""


class Client:
    """One connection, one command at a time."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self._ids = itertools.count(1)

    async def command(self, kind: str, **fields: Any) -> Any:
        """Send a command, return its result; events that come meanwhile are dropped."""
        async with asyncio.timeout(WAIT_S):
            number = await self.start(kind, **fields)
            while True:
                message = await self.socket.receive_json()
                if message.get("id") == number and message["type"] == "result":
                    if not message["success"]:
                        raise RefusedError(message["error"])
                    return message["result"]

    async def start(self, kind: str, **fields: Any) -> int:
        """Send a command, return its number."""
        number = next(self._ids)
        await self.socket.send_json({"id": number, "type": kind, **fields})
        return number

    async def events(self, number: int) -> AsyncIterator[Mapping[str, Any]]:
        """Yield the events of a command that was started.

        Raises:
            RefusedError: the command was refused.
        """
        while True:
            message = await self.socket.receive_json()
            if message.get("id") == number and message["type"] == "event":
                yield message["event"]
            elif message.get("id") == number and not message["success"]:
                raise RefusedError(message["error"])

    async def call(self, service: str, entity_id: str, **data: Any) -> None:
        """Call a service on an entity."""
        domain, _, name = service.partition(".")
        await self.command(
            "call_service", domain=domain, service=name, service_data=data, target={"entity_id": entity_id}
        )

    async def state(self, entity_id: str) -> Mapping[str, Any]:
        """Return the state of an entity, with its attributes."""
        states = await self.command("get_states")
        return next(state for state in states if state["entity_id"] == entity_id)

    async def wait(self, entity_id: str, holds: str | Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any]:
        """Return the entity's state as soon as it is this one, or one that holds.

        Raises:
            AssertionError: it does not become so.
        """
        state: Mapping[str, Any] = {}
        try:
            async with asyncio.timeout(WAIT_S):
                while True:
                    state = await self.state(entity_id)
                    if state["state"] == holds if isinstance(holds, str) else holds(state):
                        return state
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{entity_id} stays {state}") from None


@asynccontextmanager
async def connected(base: str, token: str) -> AsyncIterator[Client]:
    """Connect and authenticate, for the length of the block.

    Raises:
        RefusedError: the token is not valid.
    """
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(
            base + "/api/websocket", max_msg_size=0, timeout=aiohttp.ClientWSTimeout(ws_close=2)
        ) as socket,
    ):
        async with asyncio.timeout(WAIT_S):
            await socket.receive_json()
            await socket.send_json({"type": "auth", "access_token": token})
            answer = await socket.receive_json()
        if answer["type"] != "auth_ok":
            raise RefusedError(answer)
        yield Client(socket)
