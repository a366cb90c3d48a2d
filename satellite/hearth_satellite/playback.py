"""What is to be heard, one sound after the other, beside everything else that the satellite does."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from hearth_core.audio import PcmFormat
from hearth_core.errors import HearthError

from .speaker import Speaker
from .volume import Volume

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
    _ended: bool = False  # its last audio was taken
    _unheard: bytes | None = None  # was on its way to the speaker when another sound came before it
    _chunks: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)


class Playback:
    """Plays sounds in the order in which they were given, but for those that come first.

    Every method but `run` returns at once, so that whoever answers a peer never waits for a loudspeaker.

    Args:
        speaker: where the sounds go.
        finished: called with each sound when it has been heard, also if the speaker failed.
        output: called with True before the first of several sounds, with False after the last: the time in which
            whatever else plays in the room is to be lowered.
    """

    def __init__(
        self, speaker: Speaker, finished: Callable[[Sound], None], output: Callable[[bool], None] = lambda began: None
    ) -> None:
        self._speaker = speaker
        self._finished = finished
        self._output = output
        self._putting_out = False
        self._sounds: deque[Sound] = deque()
        self._given = asyncio.Event()
        self._buffered = 0
        self._current: Sound | None = None
        self._playing: asyncio.Task[None] | None = None
        self._interrupted = False
        self.volume = 1.0
        """0 silent to 1 as it was given; also of what is being heard."""

    @property
    def audible(self) -> bool:
        """True if a microphone in the room would hear what is played."""
        return self._speaker.audible

    def play(self, sound: Sound, *, first: bool = False) -> None:
        """Play a sound when those before it are over; its audio may still be to come.

        Args:
            sound: what is to be heard.
            first: before everything else: what is being heard goes on after it from where it was.
        """
        if not first:
            self._sounds.append(sound)
        else:
            playing = self._playing
            if self._current is not None and playing is not None and not playing.done() and not self._interrupted:
                self._interrupted = True
                self._sounds.appendleft(self._current)
                playing.cancel()
            self._sounds.appendleft(sound)
        self._given.set()

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
        for sound in self._sounds:
            sound.complete = True
        self._sounds.clear()
        if self._current is not None:
            self._current.complete = True
        self._buffered = 0
        if self._playing is not None:
            self._playing.cancel()

    async def run(self) -> None:
        """Play until cancelled."""
        try:
            while True:
                sound = self._current = await self._next_sound()
                self._playing = asyncio.create_task(self._play(sound), name=f"play {sound.label}")
                stopped = False
                try:
                    await asyncio.wait([self._playing])
                    stopped = self._playing.cancelled()
                finally:
                    self._playing.cancel()
                    self._playing = self._current = None
                    self._interrupted = False
                if not stopped:
                    self._finished(sound)
        finally:
            await self._speaker.stop()

    async def _next_sound(self) -> Sound:
        while not self._sounds:
            self._put_out(False)
            self._given.clear()
            await self._given.wait()
        self._put_out(True)
        return self._sounds.popleft()

    def _put_out(self, began: bool) -> None:
        if began is not self._putting_out:
            self._putting_out = began
            self._output(began)

    async def _play(self, sound: Sound) -> None:
        try:
            await self._speaker.start(sound.audio)
            volume = Volume(sound.audio)
            while (pcm := await self._next(sound)) is not None:
                sound._unheard = pcm
                await self._speaker.write(volume.feed(pcm, self.volume))
                sound._unheard = None
            await self._speaker.finish()
            return
        except asyncio.CancelledError:
            await self._speaker.stop()
            raise
        except HearthError as error:
            _LOG.error("cannot play the %s: %s", sound.label, error)
        except Exception:
            _LOG.exception("cannot play the %s", sound.label)
        sound._unheard = None
        while await self._next(sound) is not None:
            pass  # unheard, but not before its driver has sent it all

    async def _next(self, sound: Sound) -> bytes | None:
        if sound._unheard is not None:  # it is heard again rather than cut: a word said twice is understood
            again, sound._unheard = sound._unheard, None
            return again
        if sound._ended:
            return None
        pcm = await sound._chunks.get()
        sound._ended = pcm is None
        self._buffered = max(0, self._buffered - len(pcm or b""))
        return pcm
