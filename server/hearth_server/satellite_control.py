"""The server's hand on a satellite beside its commands: settings and state, announcements, timers, and its trust."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event

from hearth_core import control_event
from hearth_core.config_control import LinkSecurityConfig
from hearth_core.control_event import SatelliteState, SettingsChange
from hearth_core.errors import HearthError
from hearth_core.trust import token_in
from hearth_core.wire import Connection

from .voice import Speech

log = logging.getLogger(__name__)

# Beyond the length of an announcement, for the satellite to say that it was heard.
PLAYED_MARGIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Trust:
    """How a satellite and the server know each other.

    Attributes:
        token: said first; None for a satellite that asks for none.
        fingerprint: of the satellite's certificate; empty for a plain connection.
    """

    token: str | None = field(default=None, repr=False)
    fingerprint: str = ""

    @classmethod
    def of(cls, config: LinkSecurityConfig) -> Trust:
        """Return what is configured.

        Raises:
            ConfigError: the token file cannot be used.
        """
        token = config.token.get_secret_value() if config.token else None
        return cls(token_in(Path(config.token_file)) if config.token_file else token, config.fingerprint)


class SatelliteControl:
    """One satellite as it says it is, and what can be asked of it.

    Args:
        name: the satellite's, for the log.
        trust: how the two know each other.

    Attributes:
        state: what it said last; None if it is away, or not of our kind.
        speaking: held while a sound is sent, so that no two are mixed.
    """

    def __init__(self, name: str, trust: Trust | None = None) -> None:
        self.name = name
        self.trust = trust or Trust()
        self.state: SatelliteState | None = None
        self.speaking = asyncio.Lock()
        self._connection: Connection | None = None
        self._announced: asyncio.Event | None = None
        self._listeners: list[Callable[[SatelliteState | None], None]] = []

    def listen(self, listener: Callable[[SatelliteState | None], None]) -> Callable[[], None]:
        """Tell this listener every state from now on, None when the satellite has gone; return what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def set(
        self,
        *,
        mute: bool | None = None,
        volume: float | None = None,
        wake_words: tuple[str, ...] | None = None,
        sensitivity: float | None = None,
    ) -> bool:
        """Change settings of the satellite; return False if it is away. What came of it, the next state says.

        Raises:
            InputError: a value is out of its range.
        """
        values = {"mute": mute, "volume": volume, "wake_words": wake_words, "sensitivity": sensitivity}
        return await self.tell(SettingsChange.of(values).event())

    async def tell(self, event: Event) -> bool:
        """Send an event, e.g. of a timer; return False if the satellite is away."""
        connection = self._connection
        if connection is None:
            return False
        try:
            await connection.write(event)
        except HearthError as error:
            log.info("satellite %s was not told %s: %s", self.name, event.type, error)
            return False
        return True

    async def announce(self, speech: Speech) -> bool:
        """Let a sound be heard before anything else; return whether it was heard to its end."""
        connection = self._connection
        if connection is None:
            return False
        heard = self._announced = asyncio.Event()
        try:
            async with self.speaking:
                seconds = await _send(connection, speech)
            async with asyncio.timeout(seconds + PLAYED_MARGIN_S):
                await heard.wait()
        except (HearthError, TimeoutError) as error:
            log.warning("satellite %s did not announce: %s", self.name, error or "it did not say that it played it")
            return False
        finally:
            if self._announced is heard:
                self._announced = None
        return self._connection is connection

    # --- for the link --------------------------------------------------------------------------------------------

    async def greet(self, connection: Connection, *, verifies: bool = False) -> None:
        """Say that we are of the satellite's kind, may drive it, and may verify its wake words; others do not look.

        Raises:
            PeerError: it is away.
        """
        self._connection = connection
        await connection.write(control_event.hello(self.trust.token, verifies=verifies))

    def receive(self, event: Event) -> bool:
        """Take an event of the satellite; return False if it is for somebody else.

        Raises:
            WireError: its data are not what its type asks for.
        """
        if event.type != control_event.STATE:
            return False
        self._tell_state(control_event.state_of(event))
        return True

    def played(self) -> bool:
        """Take note that a sound was heard; return True if it was an announcement, which comes first."""
        if self._announced is None or self._announced.is_set():
            return False
        self._announced.set()
        return True

    def left(self) -> None:
        """Take note that the satellite has gone."""
        self._connection = None
        if self._announced is not None:
            self._announced.set()
        self._tell_state(None)

    def _tell_state(self, state: SatelliteState | None) -> None:
        if state == self.state:
            return
        self.state = state
        for listener in tuple(self._listeners):
            try:
                listener(state)
            except Exception:
                log.exception("a listener failed on the state of satellite %s", self.name)


async def _send(connection: Connection, speech: Speech) -> float:
    """Send a sound as an announcement; return its seconds."""
    rate, width, channels = speech.format.rate, speech.format.width, speech.format.channels
    start = AudioStart(rate, width, channels).event()
    start.data["context"] = {"kind": "announcement"}
    await connection.write(start)
    length = 0
    try:
        async with aclosing(speech.chunks) as chunks:
            async for pcm in chunks:
                await connection.write(AudioChunk(rate, width, channels, pcm).event())
                length += len(pcm)
    finally:
        with suppress(HearthError):
            await connection.write(AudioStop().event())
    return length / speech.format.frame_bytes / rate
