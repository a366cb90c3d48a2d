"""The bounded queue between a socket that brings audio and the task that recognises it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from hearth_core.audio import BYTES_PER_SECOND
from hearth_core.errors import PeerError
from hearth_core.time_out import time_out

# 4 s of 32 ms chunks: enough for a recogniser that stumbles, little enough that a flood is felt by its sender (TCP).
CHUNKS: Final = 128
# A peer that streams sends every 10 to 100 ms; one that is silent for this long in the middle has gone.
STARVED_S: Final = 5.0
# Of the audio that waits, the reader takes so much at once. To hand a chunk to a thread and back costs as much as half
# of the computing on its 64 ms, so who falls behind with many speakers catches up by it.
AT_ONCE_BYTES: Final = BYTES_PER_SECOND // 4


class AudioInbox:
    """Audio of one utterance: put in as it arrives, iterated over once.

    `put` waits while the queue is full, and discards once the reader has stopped listening.
    """

    def __init__(self, *, chunks: int = CHUNKS, starved_s: float = STARVED_S) -> None:
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(chunks)
        self._starved_s = starved_s
        self.closed = False

    async def put(self, pcm: bytes) -> None:
        """Add audio, 16 kHz s16le mono; empty audio is nothing."""
        if pcm and not self.closed:
            await self._queue.put(pcm)

    async def end(self) -> None:
        """Say that no more audio comes."""
        if not self.closed:
            await self._queue.put(None)

    def close(self) -> None:
        """The reader has heard enough: what is put from now on is discarded."""
        self.closed = True
        while not self._queue.empty():  # wakes a `put` that waits for room
            self._queue.get_nowait()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the audio until its end, `AT_ONCE_BYTES` of what has come and perhaps a chunk more at a time.

        Raises:
            PeerError: nothing came for too long.
        """
        over = False
        while not over:
            try:
                async with time_out(self._starved_s):
                    pcm = await self._queue.get()
            except TimeoutError:
                raise PeerError(f"the audio stopped in the middle for {self._starved_s:g} s") from None
            taken = bytearray()
            while pcm is not None:
                taken += pcm
                if len(taken) >= AT_ONCE_BYTES or self._queue.empty():
                    break
                pcm = self._queue.get_nowait()
            over = pcm is None
            if taken:
                yield bytes(taken)
