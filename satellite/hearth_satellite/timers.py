"""The timers of a room: kept as the driver tells them, and rung until somebody stops them.

A timer that ran out while its driver was away rings all the same: whoever set it relies on it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from wyoming.event import Event
from wyoming.timer import TimerCancelled, TimerFinished, TimerStarted, TimerUpdated

from hearth_core.wire import parse

from .news import Happening, News

_LOG = logging.getLogger(__name__)

MAX_TIMERS: Final = 50
"""Timers of one room; a driver that sets more has a fault."""

_EVERY_S: Final = 2.0  # from ring to ring: between them a wake word is heard without the ring beside it
_OVERDUE_S: Final = 2.0  # a driver that is there says itself that a timer has run out
_LONGEST_S: Final = 7 * 24 * 3600


@dataclass(slots=True)
class _Timer:
    name: str
    left_s: float
    due: float  # meaningless while it is not active
    active: bool = True


class Timers:
    """The timers of one satellite.

    Args:
        news: is told what becomes of them.
        ring_s: they ring for so long at most.
        clock: monotonic seconds.
    """

    def __init__(self, news: News, ring_s: float, clock: Callable[[], float]) -> None:
        self._news = news
        self._ring_s = ring_s
        self._clock = clock
        self._timers: dict[str, _Timer] = {}
        self._ringing_until: float | None = None
        self._next_ring = 0.0

    @property
    def ringing(self) -> bool:
        """True while a timer rings."""
        return self._ringing_until is not None

    def receive(self, event: Event) -> bool:
        """Take an event of the driver; return False if it is not about a timer.

        Raises:
            WireError: its data are not what its type asks for.
        """
        if TimerStarted.is_type(event.type):
            self._start(parse(TimerStarted, event))
        elif TimerUpdated.is_type(event.type):
            self._update(parse(TimerUpdated, event))
        elif TimerCancelled.is_type(event.type):
            self._cancel(parse(TimerCancelled, event).id)
        elif TimerFinished.is_type(event.type):
            self._ring(parse(TimerFinished, event).id)
        else:
            return False
        return True

    def silence(self, why: str) -> bool:
        """Stop ringing; return False if nothing rang."""
        if self._ringing_until is None:
            return False
        self._ringing_until = None
        self._news.tell(Happening.TIMER_SILENCED, why=why)
        return True

    def tick(self, *, driven: bool) -> bool:
        """Hold the times, and return True if the next ring is to be heard now."""
        now = self._clock()
        for key, timer in list(self._timers.items()):
            if timer.active and now >= timer.due + (_OVERDUE_S if not driven else 10 * _OVERDUE_S):
                _LOG.warning("timer %s ran out, and its driver did not say so", key)
                self._ring(key)
        if self._ringing_until is None:
            return False
        if now >= self._ringing_until:
            self.silence("nobody stopped it")
            return False
        if now < self._next_ring:
            return False
        self._next_ring = now + _EVERY_S
        return True

    def _start(self, event: TimerStarted) -> None:
        if event.id not in self._timers and len(self._timers) >= MAX_TIMERS:
            _LOG.warning("timer %s is not kept: there are %d others", event.id, MAX_TIMERS)
            return
        seconds = min(max(0.0, float(event.total_seconds)), _LONGEST_S)
        self._timers[event.id] = _Timer(event.name or "", seconds, self._clock() + seconds)
        self._news.tell(Happening.TIMER_STARTED, id=event.id, name=event.name or "", seconds=seconds)

    def _update(self, event: TimerUpdated) -> None:
        timer = self._timers.get(event.id)
        if timer is None:
            return
        timer.left_s = min(max(0.0, float(event.total_seconds)), _LONGEST_S)
        timer.active, timer.due = bool(event.is_active), self._clock() + timer.left_s
        self._news.tell(Happening.TIMER_UPDATED, id=event.id, seconds=timer.left_s, active=timer.active)

    def _cancel(self, key: str) -> None:
        if self._timers.pop(key, None) is not None:
            self._news.tell(Happening.TIMER_CANCELLED, id=key)

    def _ring(self, key: str) -> None:
        # One that is not known rings as well: it was set before this satellite started.
        timer = self._timers.pop(key, None)
        now = self._clock()
        if self._ringing_until is None:
            self._next_ring = now
        self._ringing_until = now + self._ring_s
        self._news.tell(Happening.TIMER_RINGING, id=key, name=timer.name if timer else "")
