"""One connection to the satellite: answers what any peer may ask, and lets a driver run the session."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe
from wyoming.ping import Ping, Pong
from wyoming.satellite import PauseSatellite, RunSatellite
from wyoming.wake import Detect

from hearth_core import control_event
from hearth_core.control_event import SatelliteState, SettingsChange
from hearth_core.errors import InputError
from hearth_core.trust import same_token
from hearth_core.wire import Connection, parse

from .control import Control
from .news import Happening, Told
from .session import Session

_LOG = logging.getLogger(__name__)

# A command of 20 s is 625 chunks. Who has not taken twice as many has stopped reading.
_MAX_OUTGOING: Final = 1250
# For peers that only look: a satellite must not run out of connections because of those that were forgotten.
_VISITOR_SILENCE_S: Final = 60.0
_STRANGER_S: Final = 5.0  # to say the token


class Uplink:
    """A peer that is connected; it becomes the session's driver by `run-satellite`.

    Args:
        connection: the peer.
        session: what a driver runs.
        info: returns the answer to `describe`.
        control: what a driver of our own kind sets, and is told of; None for none.
        token: what has to be said before anything else; None lets everybody in.
    """

    def __init__(
        self,
        connection: Connection,
        session: Session,
        info: Callable[[], Event],
        control: Control | None = None,
        token: str | None = None,
    ) -> None:
        self.name = connection.peer
        self.verifies = False
        self.closed = asyncio.Event()
        self._connection = connection
        self._session = session
        self._info = info
        self._control = control
        self._token = token
        self._trusted = token is None
        self._listening: list[Callable[[], None]] = []  # what ends each
        self._has_driven = False
        self._outgoing: asyncio.Queue[Event | None] = asyncio.Queue(_MAX_OUTGOING)

    async def run(self) -> None:
        """Serve the peer until it or the satellite closes the connection.

        Raises:
            WireError: it does not speak Wyoming.
            PeerError: it was lost, or took nothing.
        """
        tasks = {asyncio.create_task(self._read_all()), asyncio.create_task(self._write_all())}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._session.drop(self)
            for unlisten in self._listening:
                unlisten()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.closed.set()

    def send(self, event: Event) -> None:
        """Send an event without waiting; a peer that has stopped reading is cut off."""
        try:
            self._outgoing.put_nowait(event)
        except asyncio.QueueFull:
            _LOG.warning("%s does not read: cut off", self.name)
            self._connection.abort()

    def close(self, reason: str) -> None:
        """Send what is waiting, then close."""
        _LOG.info("%s is closed: %s", self.name, reason)
        try:
            self._outgoing.put_nowait(None)
        except asyncio.QueueFull:
            self._connection.abort()

    async def _write_all(self) -> None:
        while (event := await self._outgoing.get()) is not None:
            await self._connection.write(event)

    async def _read_all(self) -> None:
        while True:
            patience = _VISITOR_SILENCE_S if self._trusted else _STRANGER_S
            event = await self._connection.read(None if self._has_driven else patience)
            if event is None:
                return
            if not self._trusted and not self._admit(event):
                await self._connection.write(Error("say hearth-hello with the token first", "unauthorized").event())
                raise InputError("it does not know the token", remedy="Give the driver the satellite's token")
            self._on_event(event)

    def _admit(self, event: Event) -> bool:
        """Let the peer in if this event, its first, has the token: the hello, or a context of any other."""
        context = event.data.get("context")
        said = event.data if event.type == control_event.HELLO else context if isinstance(context, dict) else {}
        self._trusted = same_token(said.get("token"), self._token or "")
        return self._trusted

    def _on_event(self, event: Event) -> None:
        if Describe.is_type(event.type):
            self.send(self._info())
        elif Ping.is_type(event.type):
            self.send(Pong(text=parse(Ping, event).text).event())
        elif RunSatellite.is_type(event.type):
            self._has_driven = True
            self._session.run(self)
            return
        elif PauseSatellite.is_type(event.type):
            self._session.pause(self)
            return
        elif event.type == control_event.HELLO:
            self.verifies = event.data.get("verifies") is True
            self._greet()
            return
        elif event.type == control_event.SETTINGS:
            self._set(control_event.change_of(event))
            return
        elif Detect.is_type(event.type):
            names = parse(Detect, event).names
            if names and self._has_driven:  # without names it only says that a driver waits for the wake word
                self._set(control_event.change_of(Event(control_event.SETTINGS, {"wake_words": names})))
            return
        self._session.receive(self, event)

    def _greet(self) -> None:
        """Tell a driver of our own kind the state, now and whenever it changes, and what was almost a wake word."""
        if self._control is not None and not self._listening:
            self._listening = [self._control.listen(self._tell_state), self._control.news.listen(self._tell_news)]
            self._tell_state(self._control.state())

    def _tell_news(self, told: Told) -> None:
        if told.happening is Happening.NEAR_MISS:
            self.send(Event(control_event.NEAR_MISS, dict(told.facts)))

    def _tell_state(self, state: SatelliteState) -> None:
        self.send(state.event())

    def _set(self, change: SettingsChange) -> None:
        if self._control is not None:
            self._control.submit(change)
