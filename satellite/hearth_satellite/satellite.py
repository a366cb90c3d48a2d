"""The satellite put together: a Wyoming server with a microphone, a wake word and a speaker."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from wyoming.event import Event

from hearth_core import wire

from . import events
from .control import Control, WakeChoice
from .level import LevelMeter
from .memory import Memory
from .microphone import Microphone
from .news import Happening, News
from .playback import Playback
from .session import EndOfSpeech, Manners, Session, State, TimeLimits
from .speaker import NullSpeaker, Speaker
from .uplink import Uplink
from .wake import WakeWord
from .watchdog import Health

if TYPE_CHECKING:
    import ssl

_LOG = logging.getLogger(__name__)

# How late a time limit may be noticed; the shortest is 0.25 s, and is asked about with each chunk. Each tick wakes the
# process, which costs more than what it does: 20 a second were a tenth of a satellite at rest.
_TICK_S: Final = 0.25
_ENDED_S: Final = 0.05  # how late it may be noticed that the last recording is answered
_FAREWELL_S: Final = 1.0  # for peers to take what was sent to them before the satellite stops


@dataclass(frozen=True, slots=True)
class Doors:
    """Who is let in.

    Attributes:
        token: what a driver has to say first; None lets everybody in.
        tls: certificate and key; None for plain connections only.
        tls_port: where TLS is spoken; 0 takes a free one.
        plain: the plain port is open too.
    """

    token: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None
    tls_port: int = 0
    plain: bool = True


@dataclass(frozen=True, slots=True)
class Listening:
    """Where drivers can connect; a port is None if that door is closed."""

    host: str
    port: int | None
    tls_port: int | None


@dataclass(frozen=True, slots=True)
class Options:
    """How a satellite runs.

    Attributes:
        host: address to listen on.
        port: 0 takes a free one.
        once: return when the microphone has ended and its last command is answered.
        limits: time limits of the states.
        manners: how it behaves towards people.
        doors: who is let in.
        wake: the wake words that there are to choose from.
        memory: where changes of the settings are remembered.
        mute, volume: what counts before anybody has changed it.
        live: the microphone is one that may die, not a recording.
    """

    host: str = "127.0.0.1"
    port: int = 10700
    once: bool = False
    limits: TimeLimits = field(default_factory=TimeLimits)
    manners: Manners = field(default_factory=Manners)
    doors: Doors = field(default_factory=Doors)
    wake: WakeChoice = field(default_factory=WakeChoice)
    memory: Memory = field(default_factory=lambda: Memory(None))
    mute: bool = False
    volume: float = 1.0
    live: bool = False


class Attach(Protocol):
    """Whatever accompanies a satellite while it runs: lights, hooks, MQTT, being found on the network."""

    def __call__(self, satellite: Satellite, listening: Listening) -> AbstractAsyncContextManager[None]: ...


def _alone(satellite: Satellite, listening: Listening) -> AbstractAsyncContextManager[None]:
    return nullcontext()


class Satellite:
    """A satellite that listens, once `run` is awaited, until it is cancelled.

    Args:
        identity: its name and area.
        wake: says when a command begins.
        end_of_speech: says when it ends.
        speaker: where answers are heard.
        options: how it runs.
        attach: entered once drivers can connect, left before the satellite ends.
        news: is told what happens.
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
        attach: Attach = _alone,
        news: News | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.identity = identity
        self.news = news or News()
        self._speaker = speaker
        self._options = options
        self._attach = attach
        self._playback = Playback(speaker, lambda sound: self.session.played(sound), self._tell_output)
        self._uplinks: set[Uplink] = set()
        self.microphone_health = Health(True)
        self.session = Session(
            wake,
            end_of_speech,
            self._playback,
            limits=options.limits,
            manners=options.manners,
            news=self.news,
            clock=clock,
        )
        self._level = LevelMeter(clock, alive=options.live)
        self.control = Control(
            self.session,
            self._playback,
            self.news,
            self._level,
            options.wake,
            options.memory,
            mute=options.mute,
            volume=options.volume,
        )

    async def run(self, microphone: Microphone, on_listening: Callable[[str, int], None]) -> None:
        """Serve drivers; return only with `Options.once`, or when a restart is wanted.

        Args:
            microphone: entered here; it may ask `session.ready`.
            on_listening: called with host and port once drivers can connect.

        Raises:
            AudioError: the microphone or the speaker cannot be used.
            ConfigError: the address cannot be listened on.
        """
        await self.control.recall()
        async with microphone, self._speaker, AsyncExitStack() as stack:
            listening = await self._open(stack)
            await stack.enter_async_context(self._attach(self, listening))
            on_listening(listening.host, listening.port or listening.tls_port or 0)
            work = (
                self._playback.run(), self._tick(), self._hear(microphone), self.control.run(), self._until_restart(),
            )  # fmt: skip
            tasks = [asyncio.create_task(each) for each in work]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                await self._farewell()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _open(self, stack: AsyncExitStack) -> Listening:
        options, doors = self._options, self._options.doors
        host, port, tls_port = options.host, None, None
        if doors.plain:
            plain = await stack.enter_async_context(await wire.serve(options.host, options.port, self._serve))
            host, port = plain.host, plain.port
        if doors.tls is not None:
            secured = await wire.serve(options.host, doors.tls_port, self._serve, tls=doors.tls)
            await stack.enter_async_context(secured)
            host, tls_port = secured.host, secured.port
        return Listening(host, port, tls_port)

    async def _until_restart(self) -> None:
        await self.control.restart_wanted.wait()

    def _info(self) -> Event:
        sounds = not isinstance(self._speaker, NullSpeaker)
        return events.info(self.identity, self.session.phrases, sounds=sounds)

    def _tell_output(self, began: bool) -> None:
        self.news.tell(Happening.OUTPUT_BEGAN if began else Happening.OUTPUT_ENDED)

    def on_microphone(self, health: Health) -> None:
        """Take note that the microphone died, or works again."""
        self.microphone_health = health
        self.control.microphone_ok = health.ok
        if health.ok:  # what it delivered is on its way to us, not here yet
            self._level.returned()
        self.control.look()

    async def _serve(self, connection: wire.Connection) -> None:
        uplink = Uplink(connection, self.session, self._info, self.control, self._options.doors.token)
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
            self._level.feed(chunk)
            self.session.hear(chunk)
            await asyncio.sleep(0)  # a microphone that is faster than speech must not keep the peers waiting
        self.session.microphone_ended()
        _LOG.info("the microphone has ended")
        while not self._options.once or self.session.state not in (State.IDLE, State.LISTENING):  # noqa: ASYNC110 - the session waits for nothing
            await asyncio.sleep(_ENDED_S)

    async def _farewell(self) -> None:
        uplinks = list(self._uplinks)
        for uplink in uplinks:
            uplink.close("the satellite stops")
        with suppress(TimeoutError):
            async with asyncio.timeout(_FAREWELL_S):
                await asyncio.gather(*(uplink.closed.wait() for uplink in uplinks))
