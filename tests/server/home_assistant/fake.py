"""A Home Assistant that does what a test tells it, for what a real one does too rarely: faults, and 5,000 entities."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web
from pydantic import SecretStr

from hearth_core.home import Home, State
from hearth_server.home_assistant.access import Access, websocket_url
from hearth_server.home_assistant.bus import HomeAssistant

TOKEN = "eyJhbGciOiJIUzI1NiJ9.a-token-that-must-not-be-seen.c2VjcmV0"
WAIT_S = 10.0

Service = Callable[[str, Mapping[str, Any], list[str]], Awaitable[None]]


class Refusal(Exception):  # noqa: N818 - it is what the fake answers, not an error of the test
    """A service's refusal, as the fake is to answer it."""


@dataclass
class Thing:
    """An entity of the fake."""

    state: str
    attributes: dict[str, Any] = field(default_factory=dict)
    aliases: list[str | None] = field(default_factory=lambda: [None])
    area_id: str | None = None
    device_id: str | None = None
    exposed: bool = True
    registered: bool = True


class FakeHomeAssistant:
    """The parts of Home Assistant's WebSocket API that Hearth uses.

    Attributes:
        things: its entities; change one with `set`, `rename`, `remove`.
        calls: the service calls that came: service, data, entities.
        service: what a call does; by default what Home Assistant's services for on and off do.
        tokens: those that open it.
        logins: tokens that were tried.
    """

    def __init__(self) -> None:
        self.things: dict[str, Thing] = {}
        self.floors: list[dict[str, Any]] = [{"floor_id": "ground", "name": "Ground floor", "aliases": [], "level": 0}]
        self.labels: list[dict[str, Any]] = [{"label_id": "cosy", "name": "Cosy lights"}]
        self.areas: list[dict[str, Any]] = [
            {"area_id": "kitchen", "name": "Kitchen", "aliases": ["galley"], "floor_id": "ground"},
            {"area_id": "hall", "name": "Hall", "aliases": [], "floor_id": None},
        ]
        self.devices: list[dict[str, Any]] = []
        self.calls: list[tuple[str, Mapping[str, Any], list[str]]] = []
        self.commands: list[str] = []
        self.service: Service = self.switch
        self.tokens = {TOKEN}
        self.logins: list[str] = []
        self.admin = True
        self.config_state = "RUNNING"
        self.silent: set[str] = set()  # commands that get no answer
        self.answers: dict[str, Any] = {}  # results in place of the true ones
        self.greeting: str | bytes = json.dumps({"type": "auth_required", "ha_version": "2026.11.0"})
        self._sockets: dict[web.WebSocketResponse, dict[int, tuple[str, Any]]] = {}
        self._contexts = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: web.AppRunner | None = None
        self.port = 0

    # -- its house -----------------------------------------------------------------------------------------------------

    def add(self, entity_id: str, state: str, name: str | None = None, **thing: Any) -> None:
        """Add an entity."""
        attributes = thing.pop("attributes", {})
        if name is not None:
            attributes = {"friendly_name": name, **attributes}
        self.things[entity_id] = Thing(state, attributes, **thing)
        self._states({"a": {entity_id: self._whole(entity_id)}}, entity_id)

    def set(self, entity_id: str, state: str | None = None, context: str = "someone", **attributes: Any) -> None:
        """Change an entity's state."""
        thing = self.things[entity_id]
        thing.attributes |= attributes
        thing.state = thing.state if state is None else state
        change = {"+": {"s": thing.state, "a": attributes, "c": {"id": context, "user_id": "u"}, "lc": 1.5}}
        self._states({"c": {entity_id: change}}, entity_id)

    def rename(self, entity_id: str, name: str) -> None:
        """Give an entity another name."""
        self.set(entity_id, friendly_name=name)
        self.registry_changed()

    def remove(self, entity_id: str) -> None:
        """Take an entity away."""
        del self.things[entity_id]
        self._states({"r": [entity_id]}, entity_id)
        self.registry_changed()

    def registry_changed(self, kind: str = "entity") -> None:
        """Tell that a registry changed."""
        self._event(f"{kind}_registry_updated")

    async def switch(self, service: str, data: Mapping[str, Any], entity_ids: list[str]) -> None:
        """Switch on and off, lock and unlock."""
        becomes = {"turn_on": "on", "turn_off": "off", "lock": "locked", "unlock": "unlocked"}
        for entity_id in entity_ids:
            if entity_id in self.things:
                self.set(entity_id, becomes[service.partition(".")[2]], context=self.context)

    @property
    def context(self) -> str:
        """The context of the call that is being handled."""
        return f"context-{len(self.calls)}"

    # -- its life ------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen, on the port of before if there was one."""
        app = web.Application()
        app.router.add_get("/api/websocket", self._serve)
        self._server = web.AppRunner(app, shutdown_timeout=0.1)
        await self._server.setup()
        site = web.TCPSite(self._server, "127.0.0.1", self.port)
        await site.start()
        self.port = self._server.addresses[0][1]

    async def stop(self) -> None:
        """Hang up on everybody and listen no more."""
        await self.hang_up()
        server, self._server = self._server, None
        if server is not None:
            await server.cleanup()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def hang_up(self) -> None:
        """Close every connection without a word, as a process that is killed."""
        for socket in tuple(self._sockets):
            transport = socket._req.transport if socket._req else None
            if transport is not None:
                transport.abort()
        await asyncio.sleep(0)

    async def send(self, raw: str | bytes) -> None:
        """Send something to everybody that is connected."""
        for socket in tuple(self._sockets):
            await (socket.send_str(raw) if isinstance(raw, str) else socket.send_bytes(raw))

    @property
    def access(self) -> Access:
        """The way in."""
        return Access(websocket_url(f"http://127.0.0.1:{self.port}"), SecretStr(TOKEN))

    @property
    def connections(self) -> int:
        """How many are connected and let in."""
        return len(self._sockets)

    # -- its protocol --------------------------------------------------------------------------------------------------

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        await (socket.send_str(self.greeting) if isinstance(self.greeting, str) else socket.send_bytes(self.greeting))
        first = await socket.receive()
        if first.type is not WSMsgType.TEXT:
            return socket
        token = json.loads(first.data).get("access_token")
        self.logins.append(token)
        if token not in self.tokens:
            await socket.send_json({"type": "auth_invalid", "message": f"Invalid access token {token}"})
            await socket.close(code=WSCloseCode.OK)
            return socket
        await socket.send_json({"type": "auth_ok", "ha_version": "2026.11.0"})
        self._sockets[socket] = {}
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._handle(socket, json.loads(message.data))
        finally:
            del self._sockets[socket]
        return socket

    async def _handle(self, socket: web.WebSocketResponse, command: dict[str, Any]) -> None:
        kind, number = command["type"], command["id"]
        self.commands.append(kind)
        if kind in self.silent:
            return
        if kind == "call_service":  # in its own time: others need not wait for it
            task = asyncio.create_task(self._call(socket, command))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        if kind == "homeassistant/expose_entity/list" and not self.admin:
            await _refuse(socket, number, "Unauthorized", "unauthorized")
            return
        result = self.answers[kind] if kind in self.answers else self._result(socket, command)
        await socket.send_json({"id": number, "type": "result", "success": True, "result": result})
        if kind == "subscribe_entities":
            wanted = {k: self._whole(k) for k in command["entity_ids"] if k in self.things}
            await socket.send_json({"id": number, "type": "event", "event": {"a": wanted}})

    def _result(self, socket: web.WebSocketResponse, command: dict[str, Any]) -> Any:
        kind, number = command["type"], command["id"]
        match kind:
            case "subscribe_events":
                self._sockets[socket][number] = (command["event_type"], None)
            case "subscribe_entities":
                self._sockets[socket][number] = ("states", frozenset(command["entity_ids"]))
            case "supported_features":
                assert command["features"] == {"coalesce_messages": 1}
            case "unsubscribe_events":
                del self._sockets[socket][command["subscription"]]
            case "get_config":
                return {"state": self.config_state, "version": "2026.11.0"}
            case "config/floor_registry/list":
                return self.floors
            case "config/area_registry/list":
                return self.areas
            case "config/label_registry/list":
                return self.labels
            case "config/device_registry/list":
                return self.devices
            case "homeassistant/expose_entity/list":
                exposed = {k: {"conversation": True} for k, thing in self.things.items() if thing.exposed}
                return {"exposed_entities": {"light.of_the_cloud": {"cloud.alexa": True}, **exposed}}
            case "config/entity_registry/get_entries":
                return {k: self._entry(k) for k in command["entity_ids"]}
            case _:
                raise AssertionError(f"the fake does not know {kind}")
        return None

    async def _call(self, socket: web.WebSocketResponse, command: dict[str, Any]) -> None:
        service = f"{command['domain']}.{command['service']}"
        entity_ids = command.get("target", {}).get("entity_id", [])
        self.calls.append((service, command["service_data"], entity_ids))
        context = self.context
        try:
            await self.service(service, command["service_data"], entity_ids)
        except Refusal as refusal:
            await _refuse(socket, command["id"], str(refusal))
            return
        await asyncio.sleep(0)  # the states that it moved go first, as they do
        result = {"context": {"id": context, "parent_id": None, "user_id": "u"}}
        if not socket.closed:
            await socket.send_json({"id": command["id"], "type": "result", "success": True, "result": result})

    def _entry(self, entity_id: str) -> dict[str, Any] | None:
        thing = self.things.get(entity_id)
        if thing is None or not thing.registered:
            return None
        return {
            "entity_id": entity_id,
            "aliases": thing.aliases,
            "area_id": thing.area_id,
            "device_id": thing.device_id,
            "name": None,
            "options": {"conversation": {"should_expose": thing.exposed}},
        }

    def _whole(self, entity_id: str) -> dict[str, Any]:
        thing = self.things[entity_id]
        return {"s": thing.state, "a": dict(thing.attributes), "c": f"made-{next(self._contexts)}", "lc": 1.0}

    def _states(self, event: dict[str, Any], entity_id: str) -> None:
        self._emit(lambda kind, wanted: kind == "states" and entity_id in wanted, event)

    def _event(self, kind: str) -> None:
        self._emit(lambda subscribed, _: subscribed == kind, {"event_type": kind, "data": {"action": "update"}})

    def started(self) -> None:
        """Tell that everything is loaded."""
        self.config_state = "RUNNING"
        self._event("homeassistant_started")

    def _emit(self, wants: Callable[[str, Any], bool], event: dict[str, Any]) -> None:
        for socket, subscriptions in self._sockets.items():
            for number, (kind, wanted) in subscriptions.items():
                if wants(kind, wanted) and not socket.closed:
                    task = asyncio.create_task(socket.send_json({"id": number, "type": "event", "event": event}))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)


async def _refuse(socket: web.WebSocketResponse, number: int, why: str, code: str = "home_assistant_error") -> None:
    error = {"code": code, "message": why}
    await socket.send_json({"id": number, "type": "result", "success": False, "error": error})


@asynccontextmanager
async def running_fake() -> AsyncIterator[FakeHomeAssistant]:
    """Run a fake with a light, a blind and a lock."""
    fake = FakeHomeAssistant()
    dimmable = {"supported_color_modes": ["color_temp", "hs"]}
    fake.devices = [
        {"id": "lamp", "area_id": "kitchen", "parent_device_id": None},
        {"id": "bulb", "area_id": None, "parent_device_id": "lamp"},
    ]
    fake.add(
        "light.ceiling", "off", "Ceiling Light", attributes=dimmable, device_id="lamp", aliases=[None, "big light"]
    )
    fake.add("light.shelf", "off", "Shelf Light", attributes={"supported_color_modes": ["onoff"]}, device_id="bulb")
    fake.add("cover.blind", "open", "Blind", attributes={"current_position": 100, "supported_features": 15})
    fake.add("lock.door", "unlocked", "Front Door", area_id="hall", registered=True)
    fake.add("light.cellar", "off", "Cellar Light", exposed=False)
    await fake.start()
    try:
        yield fake
    finally:
        await fake.stop()


class Recorder:
    """A bus's watcher: remembers what it is told, and lets a test wait for it."""

    def __init__(self, bus: HomeAssistant) -> None:
        self._bus = bus
        self.states: list[Mapping[str, State]] = []
        self.parts = 0
        self._changed = asyncio.Event()

    def states_changed(self, states: Mapping[str, State]) -> None:
        """Remember."""
        assert all(self._bus.home.entities[k].state == state for k, state in states.items())
        self.states.append(states)
        self._changed.set()

    def part_changed(self) -> None:
        """Count."""
        self.parts += 1
        self._changed.set()

    async def tried(self) -> None:
        """Start the bus; return when it is connected, or has found out why it cannot be."""
        await self._bus.start(self)
        async with asyncio.timeout(WAIT_S):
            while not self._bus.reachable and self._bus.trouble is None:
                await asyncio.sleep(0.01)

    async def until(self, holds: Callable[[Home], bool]) -> Home:
        """Return the home as soon as this holds of it.

        Raises:
            AssertionError: it does not come to hold.
        """
        try:
            async with asyncio.timeout(WAIT_S):
                while not holds(self._bus.home):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"it does not come to hold of {self._bus.home}") from None
        return self._bus.home
