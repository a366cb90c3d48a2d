"""A client of the satellite's control socket, for tests."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.satellite.lab import WAIT_S


class Client:
    """Somebody at the socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def read(self) -> dict[str, Any]:
        async with asyncio.timeout(WAIT_S):
            line = await self.reader.readline()
        assert line, "closed"
        return dict(json.loads(line))

    async def until(self, key: str, value: object) -> dict[str, Any]:
        while (message := await self.read()).get(key) != value:
            pass
        return message

    async def command(self, name: object, **values: Any) -> dict[str, Any]:
        self.writer.write(json.dumps({"command": name, **values}).encode() + b"\n")
        while "reply" not in (message := await self.read()):
            pass
        return message

    async def closed(self) -> bool:
        async with asyncio.timeout(WAIT_S):
            with contextlib.suppress(OSError):
                return await self.reader.read() == b""
        return True


@contextlib.asynccontextmanager
async def at(path: Path | int) -> AsyncIterator[Client]:
    """Connect to a unix socket, or a port of loopback."""
    opened = asyncio.open_connection("127.0.0.1", path) if isinstance(path, int) else asyncio.open_unix_connection(path)
    reader, writer = await opened
    try:
        yield Client(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
