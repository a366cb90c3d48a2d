"""How the schedule reaches the people of the house: through the satellites, behind a seam."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from wyoming.event import Event

from hearth_core.command import Response
from hearth_core.errors import HearthError

log = logging.getLogger(__name__)


class Bell(Protocol):
    """Where timers ring."""

    def reaches(self, satellite: str | None, area_id: str | None) -> bool:
        """Return whether there is a satellite for who spoke there, connected or not."""

    async def tell(self, event: Event, satellite: str | None, area_id: str | None) -> None:
        """Send an event to the satellites for who spoke there, as far as they are connected."""

    async def say(
        self,
        response: Response,
        satellite: str | None,
        area_id: str | None,
        event: Event | None = None,
        wait_s: float = 0,
    ) -> bool:
        """Speak at the satellites for who spoke there; return whether at least one did.

        Args:
            response: what to say.
            satellite: the one that was spoken to, None if the command was typed.
            area_id: the room of the speaker.
            event: sent before the words.
            wait_s: how long to wait for a satellite that is away.
        """


class Speaker(Protocol):
    """A satellite as far as the bell needs it; the server's link to it is one."""

    name: str
    connected: asyncio.Event

    def area_id(self) -> str | None:
        """Return the room that it is in."""

    async def send(self, event: Event) -> None:
        """Send an event."""

    async def announce(self, response: Response) -> None:
        """Speak."""


class SatelliteBell:
    """The satellites that the server drives.

    Args:
        speakers: returns them as they are now.
    """

    def __init__(self, speakers: Callable[[], Sequence[Speaker]]) -> None:
        self._speakers = speakers

    def reaches(self, satellite: str | None, area_id: str | None) -> bool:
        """Return whether there is any satellite: one that nobody is near is better than none."""
        return bool(self._speakers())

    async def tell(self, event: Event, satellite: str | None, area_id: str | None) -> None:
        """Send an event."""
        for speaker in self._near(satellite, area_id):
            if speaker.connected.is_set():
                try:
                    await speaker.send(event)
                except HearthError as error:
                    log.warning("satellite %s: %s", speaker.name, error)

    async def say(
        self,
        response: Response,
        satellite: str | None,
        area_id: str | None,
        event: Event | None = None,
        wait_s: float = 0,
    ) -> bool:
        """Speak at the satellite that was spoken to, else at those in its room, else at all."""
        near = self._near(satellite, area_id)
        return any(await asyncio.gather(*(self._speak(speaker, response, event, wait_s) for speaker in near)))

    def _near(self, satellite: str | None, area_id: str | None) -> list[Speaker]:
        speakers = list(self._speakers())
        same = [speaker for speaker in speakers if speaker.name == satellite]
        room = [speaker for speaker in speakers if area_id is not None and speaker.area_id() == area_id]
        return same or room or speakers

    async def _speak(self, speaker: Speaker, response: Response, event: Event | None, wait_s: float) -> bool:
        try:
            if not speaker.connected.is_set():
                await asyncio.wait_for(speaker.connected.wait(), wait_s)
            if event is not None:
                await speaker.send(event)
            await speaker.announce(response)
        except TimeoutError:
            log.warning("satellite %s is away and does not hear: %s", speaker.name, response.text)
            return False
        except HearthError as error:
            log.warning("satellite %s did not say %r: %s", speaker.name, response.text, error)
            return False
        return True
