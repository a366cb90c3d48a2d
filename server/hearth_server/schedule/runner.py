"""What happens when the time has come.

- A timer or an alarm is announced `ring_times` times, until somebody stops it; a satellite that is away is tried again.
- What came up to `missed_ring_s` ago, while nobody ran or the machine slept, is announced with how late it is; of what
  is older it is told once that it was missed.
- A command is done. One that was missed by more than `missed_command_s` is told and not done; one in whose middle the
  server was cut off is told, because nobody knows whether it was done.
- What comes again and again goes on with its next time, however many were missed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

from wyoming.timer import TimerFinished

from hearth_core.command import Context, Response, ResponseKind
from hearth_core.errors import HearthError

from .bell import Bell
from .book import Book
from .due import next_due
from .item import Item, Kind, State

log = logging.getLogger(__name__)

# The clock is looked at this often, because it may be set at any time; a cancelled item is noticed at its time anyway.
LOOK_S: Final = 30.0
# An answer comes within a few bus time-outs; a command that takes longer is left to itself.
COMMAND_S: Final = 60.0
# Said to be late beyond that.
LATE_S: Final = 30.0
# No announcement takes longer.
SPOKEN_S: Final = 10.0
# Satellites need a moment after a start, and a rebooting access point takes minutes.
TELL_WAIT_S: Final = 300.0
RETRY_S: Final = 5.0

Do = Callable[[str, Context], Awaitable[Response]]


class Runner:
    """Does what is due.

    Args:
        book: the items.
        bell: where they ring.
        do: understands and does a text, and returns what is to be told.
    """

    def __init__(self, book: Book, bell: Bell, do: Do) -> None:
        self._book = book
        self._bell = bell
        self._do = do
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: set[int] = set()

    async def run(self) -> None:
        """Do what is due, until cancelled."""
        try:
            while True:
                self._book.changed.clear()
                wait_s = await self._look()
                await self._book.clock.wait(self._book.changed, wait_s)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _look(self) -> float:
        """Do what is due; return how long until something is."""
        try:
            await self.tick()
            waiting = [item.due_at for item in await self._book.items() if item.due_at and item.id not in self._running]
        except HearthError as error:
            log.error("the schedule: %s", error)
            return RETRY_S
        except Exception:  # one item must not keep the others from their time
            log.exception("the schedule failed; trying again")
            return RETRY_S
        return min(LOOK_S, max(0.0, min(waiting, default=LOOK_S + self._book.now()) - self._book.now()))

    async def tick(self) -> None:
        """Begin everything that is due now."""
        now = self._book.now()
        for item in await self._book.items():
            if item.due_at is not None and item.due_at <= now and item.id not in self._running:
                await (self._command if item.kind is Kind.COMMAND else self._ring)(item, now)

    async def settled(self) -> None:
        """Return when everything that was begun has ended."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def end(self, item: Item) -> None:
        """Be done with an item: forget it, or wait for its next time."""
        following = next_due(item, self._book)
        if following is None:
            await self._book.remove(item)
            return
        again = replace(
            item, due_at=following.timestamp(), state=State.WAITING, rang=0, rings_since=None, elapsed=False
        )
        await self._book.update(again)

    # -- timers and alarms ---------------------------------------------------------------------------------------------

    async def _ring(self, item: Item, now: float) -> None:
        assert item.due_at is not None
        config = self._book.config
        since = item.due_at if item.rings_since is None else item.rings_since
        if now - since > max(config.missed_ring_s, config.ring_times * config.ring_every_s):
            log.warning("%s %d was missed by %.0f s", item.kind, item.id, now - since)
            await self.end(item)
            self._own(self._tell(item, self._text(item, "missed", since, now)))
        elif item.rang >= config.ring_times:
            await self.end(item)
        else:
            ringing = replace(
                item, state=State.RINGING, due_at=now + config.ring_every_s, rang=item.rang + 1, rings_since=since
            )
            await self._book.update(ringing)
            self._running.add(item.id)  # not again before it has been said
            late = now - since - item.rang * (config.ring_every_s + SPOKEN_S) > LATE_S
            self._own(self._announce(ringing, self._text(item, "late" if late else "done", since, now)))

    async def _announce(self, item: Item, text: str) -> None:
        finished = TimerFinished(str(item.id)).event() if item.kind is Kind.TIMER and item.rang == 1 else None
        response = Response(text, ResponseKind.ANSWER)
        try:
            heard = await self._bell.say(response, item.satellite, item.area_id, finished)
        finally:
            self._running.discard(item.id)
        current = await self._book.get(item.id)
        if current is not None and current.state is State.RINGING and current.rang == item.rang:
            # From the end of the announcement on; and what nobody heard does not count.
            due = self._book.now() + self._book.config.ring_every_s
            await self._book.update(replace(current, rang=item.rang if heard else item.rang - 1, due_at=due))

    def _text(self, item: Item, what: str, since: float, now: float) -> str:
        texts = self._book.texts
        return texts.say(
            f"{item.kind}_{what}",
            name=item.name,
            duration=texts.duration(item.duration_s),
            moment=texts.moment(since, now),
            late=texts.duration(max(60.0, (now - since) // 60 * 60)),
        )

    # -- commands ------------------------------------------------------------------------------------------------------

    async def _command(self, item: Item, now: float) -> None:
        assert item.due_at is not None
        late = now - item.due_at
        moment = self._book.texts.moment(item.due_at, now)
        if item.state is State.RUNNING:
            await self.end(item)
            self._own(self._tell(item, self._book.texts.say("command_cut_off", command=item.command)))
        elif late > self._book.config.missed_command_s:
            log.warning("command %d (%r) was missed by %.0f s, and is not done", item.id, item.command, late)
            await self.end(item)
            self._own(self._tell(item, self._book.texts.say("command_missed", command=item.command, moment=moment)))
        else:
            # Written down before it is done: cut off in the middle, it is not done a second time.
            if await self._book.update(replace(item, state=State.RUNNING)):
                self._running.add(item.id)
                self._own(self._carry_out(item))

    async def _carry_out(self, item: Item) -> None:
        context = Context(
            language=item.language, satellite=item.satellite, area_id=item.area_id, now=self._book.local()
        )
        log.info("%s command %d of the schedule: %r", context.command_id, item.id, item.command)
        try:
            async with asyncio.timeout(COMMAND_S):
                response = await self._do(item.command, context)
        except Exception as error:
            if not isinstance(error, HearthError | TimeoutError):
                log.exception("%s the scheduled command failed", context.command_id)
            response = Response(str(error) or "…", ResponseKind.FAILED)
        finally:
            self._running.discard(item.id)
        await self.end(item)
        if response.kind is ResponseKind.ANSWER:
            await self._tell(item, response.text, response.kind)
        elif response.kind is not ResponseKind.DONE:  # what is done needs no word, least of all at night
            text = self._book.texts.say("command_failed", command=item.command, text=response.text)
            await self._tell(item, text, response.kind)

    # -- telling -------------------------------------------------------------------------------------------------------

    async def _tell(self, item: Item, text: str, kind: ResponseKind = ResponseKind.ANSWER) -> None:
        if not await self._bell.say(Response(text, kind), item.satellite, item.area_id, wait_s=TELL_WAIT_S):
            log.warning("nobody was told: %s", text)

    def _own(self, work: Any) -> None:
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except HearthError as error:
            log.error("the schedule: %s", error)
        except Exception:
            log.exception("the schedule failed")
        finally:
            self._book.changed.set()
