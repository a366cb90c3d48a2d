"""The schedule as the pipeline meets it: it answers its own intents, takes commands for later, and runs."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from hearth_core.command import Clause, Context, IntentMatch, Response, ResponseKind
from hearth_core.config_schedule import ScheduleConfig
from hearth_core.home import Home

from ..phrasebook import Phrasebook
from .alarms import Alarms
from .bell import Bell
from .book import Book
from .clock import Clock, SystemClock, zone_of
from .commands import Commands
from .runner import Do, Runner
from .store import Store, StoreBrokenError, StoreFullError, default_file
from .texts import Texts
from .timers import Timers

log = logging.getLogger(__name__)


class Schedule:
    """Timers, alarms and commands for later.

    Args:
        book: the items.
        bell: where they ring.
        do: understands and does a text.
        home: returns the house as it is.
        phrasebook: returns the phrasebook as it is.
    """

    def __init__(
        self, book: Book, bell: Bell, do: Do, home: Callable[[], Home], phrasebook: Callable[[], Phrasebook]
    ) -> None:
        self._book = book
        self._home = home
        self._phrasebook = phrasebook
        self.runner = Runner(book, bell, do)
        self._timers = Timers(book, bell)
        self._alarms = Alarms(book, bell, self.runner.end)
        self._commands = Commands(book, lambda: phrasebook().not_understood())

    def handles(self, intent: str) -> bool:
        """Return whether an intent is for the schedule."""
        return any(part.handles(intent) for part in (self._timers, self._alarms, self._commands))

    async def handle(self, match: IntentMatch, context: Context) -> Response | None:
        """Do what a sentence says and return the answer, None if it is not for the schedule.

        What the store cannot keep is told, not raised.
        """
        if self._timers.handles(match.intent):
            return await self._told(self._timer(match, context))
        if self._alarms.handles(match.intent):
            return await self._told(self._alarms.handle(match, context))
        if self._commands.handles(match.intent):
            return await self._told(self._commands.handle(match, context))
        return None

    async def later(self, clause: Clause, context: Context) -> Response:
        """Keep a clause that has a time until then; ask for a time that is unclear.

        What the store cannot keep is told, not raised.
        """
        return await self._told(self._commands.later(clause, context))

    async def _timer(self, match: IntentMatch, context: Context) -> Response:
        plan = await self._timers.handle(match, context)
        return self._phrasebook().respond(plan, (), self._home(), context)

    async def _told(self, answer: Awaitable[Response]) -> Response:
        texts = self._book.texts
        try:
            return await answer
        except StoreFullError as error:
            log.warning("%s", error)
            return Response(texts.say("full", count=self._book.config.max_items), ResponseKind.FAILED)
        except StoreBrokenError as error:
            log.error("%s", error)
            return Response(texts.say("broken"), ResponseKind.FAILED)


@contextlib.asynccontextmanager
async def open_schedule(
    config: ScheduleConfig,
    language: str,
    bell: Bell,
    do: Do,
    home: Callable[[], Home],
    phrasebook: Callable[[], Phrasebook],
    clock: Clock | None = None,
) -> AsyncIterator[Schedule]:
    """Open the file and return the schedule; whoever opens it has to run its runner.

    Raises:
        ConfigError: the file cannot be used.
    """
    store = Store(Path(config.file) if config.file else default_file(), config.max_items, alone=True)
    try:
        zone = zone_of(config.zone)
        book = Book(store, clock or SystemClock(), config, Texts(language, zone), zone, home)
        yield Schedule(book, bell, do, home, phrasebook)
    finally:
        store.close()
