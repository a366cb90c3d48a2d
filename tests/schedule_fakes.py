"""A clock that tests move, a bell that writes down what it rings, and a schedule made of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from wyoming.event import Event

from hearth_core.command import Clause, Context, Response, ResponseKind
from hearth_core.config_schedule import ScheduleConfig
from hearth_core.home import Home
from hearth_intents.times import find_time, without
from hearth_server.demo_home import DemoHome
from hearth_server.house import House
from hearth_server.schedule.clock import Clock
from hearth_server.schedule.commands import delayed
from hearth_server.schedule.schedule import Schedule, open_schedule
from hearth_server.understanding import Understanding

ZONE = "Europe/Berlin"
NOW = datetime(2026, 11, 18, 15, 0, tzinfo=ZoneInfo(ZONE))  # a Wednesday
KITCHEN = Context(satellite="kitchen", area_id="kitchen")
OFFICE = Context(satellite="office", area_id="office")


class FakeClock(Clock):
    """Stands still until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self._wall = now.timestamp()
        self._steady = 1000.0
        self._moved = asyncio.Event()

    def wall(self) -> float:
        return self._wall

    def steady(self) -> float:
        return self._steady

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        self._moved.clear()
        waits = [asyncio.create_task(each.wait()) for each in (event, self._moved)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    def advance(self, seconds: float) -> None:
        """Let time go by."""
        self._wall += seconds
        self._steady += seconds
        self._moved.set()

    def set_wall(self, by: float) -> None:
        """Set the clock on the wall, as a time server does."""
        self._wall += by
        self._moved.set()


@dataclass
class FakeBell:
    """Hears everything, unless it is told to be away."""

    there: bool = True
    away: bool = False
    said: list[tuple[str, str | None]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def reaches(self, satellite: str | None, area_id: str | None) -> bool:
        return self.there

    async def tell(self, event: Event, satellite: str | None, area_id: str | None) -> None:
        if not self.away:
            self.events.append(event)

    async def say(
        self,
        response: Response,
        satellite: str | None,
        area_id: str | None,
        event: Event | None = None,
        wait_s: float = 0,
    ) -> bool:
        if self.away:
            return False
        if event is not None:
            self.events.append(event)
        self.said.append((response.text, satellite))
        return True

    def heard(self) -> list[str]:
        """Return what was said since the last time."""
        texts = [text for text, _ in self.said]
        self.said.clear()
        return texts


@dataclass
class Rig:
    """A schedule, and everything around it."""

    schedule: Schedule
    clock: FakeClock
    bell: FakeBell
    understanding: Understanding
    done: list[tuple[str, Context]] = field(default_factory=list)
    answer: Response | BaseException = field(default_factory=lambda: Response("done", ResponseKind.DONE))
    home: Home = field(default_factory=lambda: House([DemoHome()]).home)

    async def say(self, text: str, context: Context = KITCHEN) -> Response:
        """Understand a text as the server does, and give it to the schedule."""
        matches = self.understanding.matcher.match(text, context)
        clause = Clause(text, matches)
        if not matches and (phrase := find_time(text, "en", context.now)) is not None:
            rest = without(text, phrase)
            clause = Clause(rest, self.understanding.matcher.match(rest, context), when=phrase.when)
        clause = delayed(clause, self.understanding.matcher, context)
        if clause.when is not None:
            return await self.schedule.later(clause, context)
        assert matches, text
        response = await self.schedule.handle(matches[0], context)
        assert response is not None, matches
        return response

    async def told(self, text: str, context: Context = KITCHEN) -> str:
        """Return what a text is answered."""
        return (await self.say(text, context)).text

    async def tick(self) -> list[str]:
        """Do what is due, to its end; return what is spoken."""
        await self.schedule.runner.tick()
        await self.schedule.runner.settled()
        return self.bell.heard()

    async def pass_s(self, seconds: float) -> list[str]:
        """Let time go by, and do what is due then."""
        self.clock.advance(seconds)
        return await self.tick()


@asynccontextmanager
async def rigged(
    understanding: Understanding,
    file: Path,
    clock: FakeClock | None = None,
    bell: FakeBell | None = None,
    language: str = "en",
    **config: object,
) -> AsyncIterator[Rig]:
    """Return a schedule in a file; nothing runs by itself."""
    clock = clock or FakeClock()
    bell = bell or FakeBell()
    settings = ScheduleConfig.model_validate({"file": str(file), "zone": ZONE, **config})
    rig: Rig

    async def do(text: str, context: Context) -> Response:
        rig.done.append((text, context))
        if isinstance(rig.answer, BaseException):
            raise rig.answer
        return rig.answer

    opened = open_schedule(settings, language, bell, do, lambda: rig.home, lambda: understanding.phrasebook, clock)
    async with opened as schedule:
        rig = Rig(schedule, clock, bell, understanding)
        yield rig
