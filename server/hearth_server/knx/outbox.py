"""Telegrams on their way to the bus: at a pace that it bears, across a lost connection, and never after their time.

A KNX twisted pair carries 9,600 bits a second, about 50 telegrams, and all devices of a line share it. A write to an
actuator brings one status telegram back, often two; so 20 writes a second is the most that leaves room for a wall
switch pressed meanwhile. Reads are for what nobody waits for; they go slower, and only when there is nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, TypeVar

from hearth_core.errors import BusError

log = logging.getLogger(__name__)

T = TypeVar("T")

# A scene of a whole house is some dozens of writes; more than this at once is a loop somewhere.
MAX_WRITES = 500


class Fate(Enum):
    """What became of a write."""

    TAKEN = auto()  # the link layer has confirmed it
    EXPIRED = auto()  # the bus was not there in its time: it was taken back, and will never be sent
    UNCERTAIN = auto()  # it was sent, but nothing confirmed it in its time; it is not sent again
    FULL = auto()  # too many were waiting already


@dataclass(slots=True, eq=False)
class _Write(Generic[T]):
    telegram: T
    repeatable: bool
    taken: asyncio.Future[None]
    sending: bool = False
    tries: int = 0


class Outbox(Generic[T]):
    """The queue to the bus.

    Args:
        send: hands a telegram to the bus; returns when the link layer has confirmed it.
            Raises BusError if it is not known to have arrived.
        writes_per_second: the most telegrams of any kind.
        reads_per_second: the most of those that were given to `read`.

    Writes go first, then questions that somebody waits for, then reads.
    """

    def __init__(self, send: Callable[[T], Awaitable[None]], writes_per_second: float, reads_per_second: float) -> None:
        self._send = send
        self._write_interval = 1 / writes_per_second
        self._read_interval = 1 / reads_per_second
        self._writes: deque[_Write[T]] = deque()
        self._questions: dict[T, None] = {}
        self._reads: dict[T, None] = {}
        self._open = False
        self._work = asyncio.Event()
        self._next_send = 0.0
        self._next_read = 0.0
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to send, as soon as the bus is there."""
        if self._running is None:
            self._running = asyncio.create_task(self._run(), name="knx outbox")

    async def stop(self) -> None:
        """End; writes that wait expire in their own time."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    def set_open(self, is_open: bool) -> None:
        """Say that the bus is there, or that it is lost; then reads are forgotten and writes wait."""
        self._open = is_open
        if not is_open:
            self._questions.clear()
            self._reads.clear()
        self._work.set()

    def read(self, telegram: T) -> None:
        """Send it when there is nothing better to do; the same one waits only once."""
        if self._open:
            self._reads.setdefault(telegram)
            self._work.set()

    def ask(self, telegram: T) -> None:
        """Send it as soon as there is no write: somebody waits for the answer."""
        if self._open:
            self._questions.setdefault(telegram)
            self._work.set()

    def forget(self, telegram: T) -> None:
        """Do not ask or read what has told itself."""
        self._questions.pop(telegram, None)
        self._reads.pop(telegram, None)

    async def write(self, telegram: T, timeout_s: float, *, repeatable: bool = True) -> Fate:
        """Send it as soon as the bus is there and its turn has come; return what became of it, within `timeout_s`.

        Args:
            telegram: what to send.
            timeout_s: its time; a write that has not been sent by then never is.
            repeatable: True if it does no harm twice ("on"), False if it does ("brighter").
        """
        if len(self._writes) >= MAX_WRITES:
            return Fate.FULL
        job = _Write(telegram, repeatable, asyncio.get_running_loop().create_future())
        self._writes.append(job)
        self._work.set()
        try:
            async with asyncio.timeout(timeout_s):
                await job.taken
            return Fate.TAKEN
        except TimeoutError:
            # Sent and unanswered on a connection that is still there, or that went down under it and stayed down.
            return Fate.UNCERTAIN if job.sending or (job.tries and self._open) else Fate.EXPIRED
        finally:
            job.taken.cancel()
            if job in self._writes:
                self._writes.remove(job)

    async def _run(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            if not self._open or not (self._writes or self._questions or self._reads):
                self._work.clear()
                await self._work.wait()
                continue
            urgent = bool(self._writes or self._questions)
            due = self._next_send if urgent else max(self._next_send, self._next_read)
            if (wait := due - clock()) > 0:
                if urgent:
                    await asyncio.sleep(wait)
                else:
                    self._work.clear()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(wait):
                            await self._work.wait()  # something urgent may come before the next read is due
                continue
            self._next_send = clock() + self._write_interval
            if self._writes:
                await self._write_next(self._writes.popleft())
            else:
                if not urgent:
                    self._next_read = clock() + self._read_interval
                waiting = self._questions or self._reads
                telegram = next(iter(waiting))
                del waiting[telegram]
                await self._ask_now(telegram)

    async def _write_next(self, job: _Write[T]) -> None:
        job.sending = True
        job.tries += 1
        try:
            await self._send(job.telegram)
        except BusError as error:
            log.warning("%s", error)
            if job.repeatable and not job.taken.done():
                self._writes.appendleft(job)
        else:
            if not job.taken.done():
                job.taken.set_result(None)
        finally:
            job.sending = False

    async def _ask_now(self, telegram: T) -> None:
        try:
            await self._send(telegram)
        except BusError as error:
            log.debug("not read: %s", error)
