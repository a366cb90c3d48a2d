"""A Wyoming text-to-speech service, as small as can be: it says everything with a tone."""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.info import Attribution, Describe, Info, TtsProgram, TtsVoice
from wyoming.server import AsyncEventHandler, AsyncTcpServer
from wyoming.tts import Synthesize

RATE = 22050
_BY = Attribution("tests", "")
_INFO = Info(
    tts=[
        TtsProgram("tone", _BY, True, "tone", "1", voices=[TtsVoice("tone", _BY, True, "tone", "1", languages=["en"])])
    ]
)
_TONE = b"".join(struct.pack("<h", int(8000 * math.sin(2 * math.pi * 440 * i / RATE))) for i in range(RATE // 2))


@asynccontextmanager
async def speaking() -> AsyncIterator[tuple[int, list[str]]]:
    """Run the service; yield its port, and the texts that it was asked to say."""
    said: list[str] = []

    class Handler(AsyncEventHandler):
        async def handle_event(self, event: Event) -> bool:
            if Describe.is_type(event.type):
                await self.write_event(_INFO.event())
            elif Synthesize.is_type(event.type):
                said.append(Synthesize.from_event(event).text)
                await self.write_event(AudioStart(RATE, 2, 1).event())
                await self.write_event(AudioChunk(RATE, 2, 1, _TONE).event())
                await self.write_event(AudioStop().event())
                return False
            return True

    server = AsyncTcpServer("127.0.0.1", 0)
    await server.start(Handler)
    try:
        assert isinstance(server._server, asyncio.Server)
        yield server._server.sockets[0].getsockname()[1], said
    finally:
        await server.stop()
