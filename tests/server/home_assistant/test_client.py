"""The connection, where the other side is not what it should be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from pydantic import SecretStr

from hearth_core.errors import BusError, HearthError, PeerError, WireError
from hearth_server.home_assistant import client
from hearth_server.home_assistant.access import Access, websocket_url
from hearth_server.home_assistant.client import connected

from .fake import FakeHomeAssistant


async def test_commands_are_answered_each_by_its_own_result(fake: FakeHomeAssistant) -> None:
    async with connected(fake.access) as connection:
        assert connection.version == "2026.11.0"
        areas, config = await asyncio.gather(
            connection.command("config/area_registry/list"), connection.command("get_config")
        )
    assert areas[0]["area_id"] == "kitchen"
    assert config["state"] == "RUNNING"


async def test_several_messages_in_one_frame_are_several_messages(fake: FakeHomeAssistant) -> None:
    heard: list[object] = []
    async with connected(fake.access) as connection:
        number = await connection.subscribe("subscribe_events", heard.append, {"event_type": "x"})
        await fake.send(json.dumps([{"id": number, "type": "event", "event": n} for n in (1, 2)]))
        await connection.command("get_config")
        await connection.unsubscribe(number)
        await fake.send(json.dumps({"id": number, "type": "event", "event": 3}))
        await connection.command("get_config")
    assert heard == [1, 2]


async def test_a_command_without_an_answer_fails_in_time(fake: FakeHomeAssistant) -> None:
    fake.silent.add("get_config")
    async with connected(fake.access) as connection:
        with pytest.raises(PeerError, match=r"did not answer get_config within 0.05 s"):
            await connection.command("get_config", timeout_s=0.05)
        assert await connection.command("config/area_registry/list")


async def test_a_lost_connection_fails_what_waits_and_what_comes(fake: FakeHomeAssistant) -> None:
    fake.silent.add("get_config")
    async with connected(fake.access) as connection:
        waiting = asyncio.create_task(connection.command("get_config"))
        await connection.command("config/area_registry/list")
        await fake.hang_up()
        with pytest.raises(PeerError, match="lost"):
            await waiting
        with pytest.raises(PeerError):
            await connection.ended
        with pytest.raises(PeerError, match="lost"):
            await connection.command("get_config")


async def test_a_message_over_the_limit_ends_the_connection(
    fake: FakeHomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MAX_MESSAGE_BYTES", 10_000)
    async with connected(fake.access) as connection:
        fake.answers["get_config"] = "x" * 9000
        assert len(await connection.command("get_config")) == 9000
        fake.answers["get_config"] = "x" * 10_001
        with pytest.raises(PeerError):
            await connection.command("get_config")
        with pytest.raises(WireError):
            await connection.ended


@pytest.mark.parametrize("greeting", ["hello", "[]", '{"type": "auth_ok"}', '{"type": 5}', b"\x00", "[[]]"])
async def test_who_does_not_greet_as_home_assistant_is_not_told_the_token(
    fake: FakeHomeAssistant, greeting: str | bytes
) -> None:
    fake.greeting = greeting
    with pytest.raises(WireError):
        async with connected(fake.access):
            pass
    assert fake.logins == []


@asynccontextmanager
async def answering(status: int) -> AsyncIterator[Access]:
    """A web server that answers everything with a status."""

    async def handle(request: web.Request) -> web.Response:
        return web.Response(status=status)

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    server = web.AppRunner(app)
    await server.setup()
    site = web.TCPSite(server, "127.0.0.1", 0)
    await site.start()
    try:
        yield Access(websocket_url(f"http://127.0.0.1:{server.addresses[0][1]}"), SecretStr("token"))
    finally:
        await server.cleanup()


@pytest.mark.parametrize(
    ("status", "error"), [(200, PeerError), (404, PeerError), (502, PeerError), (403, BusError), (401, BusError)]
)
async def test_a_web_server_that_is_no_home_assistant(status: int, error: type[HearthError]) -> None:
    async with answering(status) as access:
        with pytest.raises(error, match=str(status)):
            async with connected(access):
                pass


async def test_a_peer_that_accepts_and_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "CONNECT_S", 0.1)
    forever = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await forever.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        with pytest.raises(PeerError, match="does not answer within"):
            async with connected(Access(f"ws://127.0.0.1:{port}/api/websocket", SecretStr("token"))):
                pass
    finally:
        forever.set()
        server.close()
        await server.wait_closed()


async def test_nobody_there() -> None:
    with pytest.raises(PeerError, match="cannot be reached"):
        async with connected(Access("ws://127.0.0.1:9/api/websocket", SecretStr("token"))):
            pass
