"""What is to be heard, one sound after the other, beside everything else that the satellite does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from hearth_core.audio import PcmFormat
from hearth_core.errors import HearthError

from .speaker import Speaker

_LOG = logging.getLogger(__name__)

MAX_BUFFERED_BYTES: Final = 32 * 1024 * 1024
"""A driver may send an answer faster than it is spoken; 32 MiB is 12 minutes of 22 kHz s16 mono."""


@dataclass(slots=True, eq=False)
class Sound:
    """Something to be heard.

    `seconds` is its length as far as it has arrived; `complete` says that no more will.
    """

    audio: PcmFormat
    label: str
    seconds: float = 0.0
    complete: bool = False
    _chunks: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)


class Playback:
    """Plays sounds in the order in which they were given.

    Every method but `run` returns at once, so that whoever answers a peer never waits for a loudspeaker.

    Args:
        speaker: where the sounds go.
        finished: called with each sound when it has been heard, also if the speaker failed.
    """

    def __init__(self, speaker: Speaker, finished: Callable[[Sound], None]) -> None:
        self._speaker = speaker
        self._finished = finished
        self._sounds: asyncio.Queue[Sound] = asyncio.Queue()
        self._buffered = 0
        self._current: Sound | None = None
        self._playing: asyncio.Task[None] | None = None

    @property
    def audible(self) -> bool:
        """True if a microphone in the room would hear what is played."""
        return self._speaker.audible

    def play(self, sound: Sound) -> None:
        """Play a sound when those before it are over; its audio may still be to come."""
        self._sounds.put_nowait(sound)

    def feed(self, sound: Sound, pcm: bytes) -> bool:
        """Add audio to a sound; return False if it was dropped because too much is waiting."""
        if sound.complete or self._buffered + len(pcm) > MAX_BUFFERED_BYTES:
            return False
        self._buffered += len(pcm)
        sound.seconds += len(pcm) / (sound.audio.rate * sound.audio.frame_bytes)
        sound._chunks.put_nowait(pcm)
        return True

    def end(self, sound: Sound) -> None:
        """Say that the sound is complete."""
        if not sound.complete:
            sound.complete = True
            sound._chunks.put_nowait(None)

    def stop(self) -> None:
        """Fall silent at once; the sounds that wait are dropped, and none of them is reported as finished."""
        while not self._sounds.empty():
            self._sounds.get_nowait().complete = True
        if self._current is not None:
            self._current.complete = True
        self._buffered = 0
        if self._playing is not None:
            self._playing.cancel()

    async def run(self) -> None:
        """Play until cancelled."""
        try:
            while True:
                sound = self._current = await self._sounds.get()
                self._playing = asyncio.create_task(self._play(sound), name=f"play {sound.label}")
                stopped = False
                try:
                    await asyncio.wait([self._playing])
                    stopped = self._playing.cancelled()
                finally:
                    self._playing.cancel()
                    self._playing = self._current = None
                if not stopped:
                    self._finished(sound)
        finally:
            await self._speaker.stop()

    async def _play(self, sound: Sound) -> None:
        try:
            await self._speaker.start(sound.audio)
            while (pcm := await self._next(sound)) is not None:
                await self._speaker.write(pcm)
            await self._speaker.finish()
            return
        except asyncio.CancelledError:
            await self._speaker.stop()
            raise
        except HearthError as error:
            _LOG.error("cannot play the %s: %s", sound.label, error)
        except Exception:
            _LOG.exception("cannot play the %s", sound.label)
        while await self._next(sound) is not None:
            pass  # unheard, but not before its driver has sent it all

    async def _next(self, sound: Sound) -> bytes | None:
        pcm = await sound._chunks.get()
        self._buffered = max(0, self._buffered - len(pcm or b""))
        return pcm
