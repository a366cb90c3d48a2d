"""The satellite put together: a Wyoming server with a microphone, a wake word and a speaker."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from hearth_core import wire

from . import events
from .microphone import Microphone
from .playback import Playback
from .session import EndOfSpeech, Manners, Session, State, TimeLimits
from .speaker import NullSpeaker, Speaker
from .uplink import Uplink
from .wake import WakeWord

_LOG = logging.getLogger(__name__)

_TICK_S: Final = 0.05  # how late a time limit may be noticed
_FAREWELL_S: Final = 1.0  # for peers to take what was sent to them before the satellite stops


@dataclass(frozen=True, slots=True)
class Options:
    """How a satellite runs.

    Attributes:
        host: address to listen on.
        port: 0 takes a free one.
        once: return when the microphone has ended and its last command is answered.
        wake_chime: play a chime at the detection.
        limits: time limits of the states.
    """

    host: str = "127.0.0.1"
    port: int = 10700
    once: bool = False
    wake_chime: bool = False
    limits: TimeLimits = field(default_factory=TimeLimits)


class Satellite:
    """A satellite that listens, once `run` is awaited, until it is cancelled.

    Args:
        identity: its name and area.
        wake: says when a command begins.
        end_of_speech: says when it ends.
        speaker: where answers are heard.
        options: how it runs.
        clock: monotonic seconds, for the time limits.
    """

    def __init__(
        self,
        identity: events.Identity,
        wake: WakeWord,
        end_of_speech: EndOfSpeech,
        speaker: Speaker,
        options: Options,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._speaker = speaker
        self._options = options
        self._info = events.info(identity, wake.phrases, sounds=not isinstance(speaker, NullSpeaker))
        self._playback = Playback(speaker, lambda sound: self.session.played(sound))
        self._uplinks: set[Uplink] = set()
        self.session = Session(
            wake,
            end_of_speech,
            self._playback,
            limits=options.limits,
            manners=Manners(wake_chime=options.wake_chime),
            clock=clock,
        )

    async def run(self, microphone: Microphone, on_listening: Callable[[str, int], None]) -> None:
        """Serve drivers; return only with `Options.once`.

        Args:
            microphone: entered here; it may ask `session.ready`.
            on_listening: called with host and port once drivers can connect.

        Raises:
            AudioError: the microphone or the speaker cannot be used.
            ConfigError: the address cannot be listened on.
        """
        options = self._options
        async with microphone, self._speaker, await wire.serve(options.host, options.port, self._serve) as listener:
            on_listening(listener.host, listener.port)
            tasks = [asyncio.create_task(work) for work in (self._playback.run(), self._tick(), self._hear(microphone))]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                await self._farewell()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, connection: wire.Connection) -> None:
        uplink = Uplink(connection, self.session, self._info)
        self._uplinks.add(uplink)
        try:
            await uplink.run()
        finally:
            self._uplinks.discard(uplink)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            self.session.tick()

    async def _hear(self, microphone: Microphone) -> None:
        """Hand the microphone's sound to the session; return when there will be no more and nothing is left to do."""
        async for chunk in microphone:
            # A wake word model and the VAD take less than a millisecond for a chunk: not worth a thread each time.
            self.session.hear(chunk)
            await asyncio.sleep(0)  # a microphone that is faster than speech must not keep the peers waiting
        self.session.microphone_ended()
        _LOG.info("the microphone has ended")
        while not self._options.once or self.session.state not in (State.IDLE, State.LISTENING):  # noqa: ASYNC110 - the session waits for nothing
            await asyncio.sleep(_TICK_S)

    async def _farewell(self) -> None:
        uplinks = list(self._uplinks)
        for uplink in uplinks:
            uplink.close("the satellite stops")
        with suppress(TimeoutError):
            async with asyncio.timeout(_FAREWELL_S):
                await asyncio.gather(*(uplink.closed.wait() for uplink in uplinks))
