"""Stream speech through the component in the newest Home Assistant: `python -m tests.custom_components.partials`.

The harness of the component's unit tests pins a Home Assistant that has no partial results. Here the entity, the
connection and Home Assistant's classes are the real ones of the version of the live tests; only the server is played.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from types import SimpleNamespace
from typing import Any

from hearth_core.companion_client import Opened
from tests.custom_components.fake_server import SERVER_ID, TOKEN, FakeServer, partial, serving


async def _speech() -> AsyncIterator[bytes]:
    yield b"\1\0" * 800


async def _heard(server: FakeServer) -> list[list[Any]]:
    """Return what comes of an utterance: the name of each result's class, the module that has it, and the text."""
    from custom_components.hearth.const import CONF_FINGERPRINT, CONF_SERVER_ID
    from custom_components.hearth.coordinator import opened_by
    from custom_components.hearth.stt import HearthSpeechToText
    from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN

    from tests.custom_components.recording import METADATA

    entry = {CONF_HOST: "127.0.0.1", CONF_PORT: server.port, CONF_TOKEN: TOKEN, CONF_SERVER_ID: SERVER_ID}
    entry[CONF_FINGERPRINT] = server.fingerprint

    def opened(role: str) -> AbstractAsyncContextManager[Opened]:
        return opened_by(entry, role)

    coordinator: Any = SimpleNamespace(
        server_id=SERVER_ID, device_info=lambda satellite: {}, expected=((), ()), opened=opened, language="en"
    )
    entity: Any = HearthSpeechToText(coordinator)
    entity.hass = SimpleNamespace(config=SimpleNamespace(location_name="test home"))
    results = entity.async_process_audio_stream_with_progress(METADATA, _speech())
    return [[type(result).__name__, type(result).__module__, result.text] async for result in results]


async def _main() -> None:
    server = FakeServer()
    server.speech = [partial("turn"), partial("turn on"), *server.speech]
    async with serving(server):
        print(json.dumps(await _heard(server)))


if __name__ == "__main__":
    asyncio.run(_main())
