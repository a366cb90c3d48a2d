"""What tests do to a listener: connections without anything of ours at their end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from hearth_core.wire import Connection, Listener


async def echo(connection: Connection) -> None:
    while (event := await connection.read()) is not None:
        await connection.write(event)


def uri(listener: Listener) -> str:
    return f"tcp://127.0.0.1:{listener.port}"


async def raw(listener: Listener) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", listener.port)


async def assert_cut(reader: asyncio.StreamReader) -> None:
    """The server closes or resets, having said nothing."""
    with suppress(ConnectionError):
        assert await reader.read() == b""


async def until(condition: Callable[[], object]) -> None:
    """Let the loop run until it is so; the test's time-out bounds it."""
    while not condition():
        await asyncio.sleep(0.001)
