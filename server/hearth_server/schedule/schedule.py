"""The schedule as the pipeline meets it: it answers its own intents, takes commands for later, and runs."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from hearth_core.command import Clause, Context, IntentMatch, Response, ResponseKind
from hearth_core.config_schedule import ScheduleConfig
from hearth_core.home import Home

from ..understanding import Understanding
from .alarms import Alarms
from .bell import Bell
from .book import Book
from .clock import Clock, SystemClock, zone_of
from .commands import Commands, delayed
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
        understanding: returns what sentences mean as it is.
    """

    def __init__(
        self, book: Book, bell: Bell, do: Do, home: Callable[[], Home], understanding: Callable[[], Understanding]
    ) -> None:
        self._book = book
        self._home = home
        self._understanding = understanding
        self.runner = Runner(book, bell, do)
        self._timers = Timers(book, bell)
        self._alarms = Alarms(book, bell, self.runner.end)
        self._commands = Commands(book, lambda: understanding().phrasebook.not_understood())

    def handles(self, intent: str) -> bool:
        """Return whether an intent is for the schedule."""
        return any(part.handles(intent) for part in (self._timers, self._alarms, self._commands))

    async def handle(self, match: IntentMatch, context: Context) -> Response | None:
        """Do what a sentence says and return the answer, None if it is not for the schedule.

        What the store cannot keep is told, not raised.
        """
        clause = delayed(Clause(match.text, (match,)), self._understanding().matcher, context)
        if clause.when is not None:
            return await self.later(clause, context)
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
        return self._understanding().phrasebook.respond(plan, (), self._home(), context)

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
    understanding: Callable[[], Understanding],
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
        yield Schedule(book, bell, do, home, understanding)
    finally:
        store.close()
