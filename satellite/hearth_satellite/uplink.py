"""One connection to the satellite: answers what any peer may ask, and lets a driver run the session."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from wyoming.event import Event
from wyoming.info import Describe
from wyoming.ping import Ping, Pong
from wyoming.satellite import PauseSatellite, RunSatellite

from hearth_core.wire import Connection, parse

from .session import Session

_LOG = logging.getLogger(__name__)

# A command of 20 s is 625 chunks. Who has not taken twice as many has stopped reading.
_MAX_OUTGOING: Final = 1250
# For peers that only look: a satellite must not run out of connections because of those that were forgotten.
_VISITOR_SILENCE_S: Final = 60.0


class Uplink:
    """A peer that is connected; it becomes the session's driver by `run-satellite`.

    Args:
        connection: the peer.
        session: what a driver runs.
        info: the answer to `describe`.
    """

    def __init__(self, connection: Connection, session: Session, info: Event) -> None:
        self.name = connection.peer
        self.closed = asyncio.Event()
        self._connection = connection
        self._session = session
        self._info = info
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
            event = await self._connection.read(None if self._has_driven else _VISITOR_SILENCE_S)
            if event is None:
                return
            self._on_event(event)

    def _on_event(self, event: Event) -> None:
        if Describe.is_type(event.type):
            self.send(self._info)
        elif Ping.is_type(event.type):
            self.send(Pong(text=parse(Ping, event).text).event())
        elif RunSatellite.is_type(event.type):
            self._has_driven = True
            self._session.run(self)
            return
        elif PauseSatellite.is_type(event.type):
            self._session.pause(self)
            return
        self._session.receive(self, event)
