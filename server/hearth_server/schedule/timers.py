"""Timers: the intents of Home Assistant's sentences, answered with its texts."""

from __future__ import annotations

import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from wyoming.timer import TimerCancelled, TimerStarted, TimerUpdated

from hearth_core.command import Context, IntentMatch, ResponseKind

from ..plan import Plan
from ..targets import Refusal
from .bell import Bell
from .book import Book
from .item import Item, Kind, State

# Above it seconds say nothing.
_WHOLE_MINUTES_S: Final = 600.0
MAX_TIMER_S: Final = 100 * 3600.0 + 100 * 60 + 100


@dataclass(frozen=True, slots=True)
class _Which:
    """What was said of a timer."""

    name: str
    area_id: str | None
    start_s: float | None

    @property
    def open(self) -> bool:
        """Whether nothing was said."""
        return not self.name and self.area_id is None and self.start_s is None


class Timers:
    """Understands and answers the timer intents."""

    def __init__(self, book: Book, bell: Bell) -> None:
        self._book = book
        self._bell = bell
        self._handlers: Mapping[str, Callable[[IntentMatch, Context], Awaitable[Plan]]] = {
            "HassStartTimer": self._start,
            "HassCancelTimer": self._cancel,
            "HassCancelAllTimers": self._cancel_all,
            "HassIncreaseTimer": self._increase,
            "HassDecreaseTimer": self._decrease,
            "HassPauseTimer": self._pause,
            "HassUnpauseTimer": self._unpause,
            "HassTimerStatus": self._status,
        }

    def handles(self, intent: str) -> bool:
        """Return whether an intent is one of timers."""
        return intent in self._handlers

    async def handle(self, match: IntentMatch, context: Context) -> Plan:
        """Do what a timer's sentence says, and return what the phrasebook is to answer.

        Raises:
            StoreFullError, StoreBrokenError: it could not be kept.
        """
        return await self._handlers[match.intent](match, context)

    async def _start(self, match: IntentMatch, context: Context) -> Plan:
        seconds = _seconds(match, "")
        if not 0 < (seconds or 0) <= MAX_TIMER_S:
            return _refused(match, "timer_not_found")
        if not self._bell.reaches(context.satellite, context.area_id):
            return _refused(match, "no_timer_support")  # it would ring where nobody hears it
        assert seconds is not None
        now = self._book.now()
        item = await self._book.add(
            Item(
                Kind.TIMER,
                now + seconds,
                now,
                name=_said(match, "name"),
                satellite=context.satellite,
                area_id=context.area_id,
                language=context.language,
                duration_s=seconds,
                elapsed=True,
            )
        )
        hours, minutes, rest = _clock(seconds)
        started = TimerStarted(str(item.id), round(seconds), item.name or None, hours, minutes, rest)
        await self._bell.tell(started.event(), item.satellite, item.area_id)
        return Plan(match, ResponseKind.DONE, slots=_amounts(match))

    async def _cancel(self, match: IntentMatch, context: Context) -> Plan:
        found = await self._one(match, context, State.RINGING)
        if isinstance(found, str):
            return _refused(match, found)
        await self.cancel(found)
        return Plan(match, ResponseKind.DONE)

    async def cancel(self, timer: Item) -> None:
        """Forget a timer, and tell its satellite."""
        await self._book.remove(timer)
        await self._bell.tell(TimerCancelled(str(timer.id)).event(), timer.satellite, timer.area_id)

    async def _cancel_all(self, match: IntentMatch, context: Context) -> Plan:
        area_id = match.value("area")
        timers = [each for each in await self._book.items(Kind.TIMER) if area_id in (None, each.area_id)]
        for timer in timers:
            await self.cancel(timer)
        return Plan(match, ResponseKind.DONE, slots={"canceled": len(timers)})

    async def _increase(self, match: IntentMatch, context: Context) -> Plan:
        return await self._add(match, context, 1)

    async def _decrease(self, match: IntentMatch, context: Context) -> Plan:
        return await self._add(match, context, -1)

    async def _add(self, match: IntentMatch, context: Context, sign: int) -> Plan:
        found = await self._one(match, context)
        if isinstance(found, str):
            return _refused(match, found)
        left = min(MAX_TIMER_S, max(0.0, self._left(found) + sign * (_seconds(match, "") or 0.0)))
        await self._set(found, left, paused=found.state is State.PAUSED)
        return Plan(match, ResponseKind.DONE, slots=_amounts(match))

    async def _pause(self, match: IntentMatch, context: Context) -> Plan:
        found = await self._one(match, context, State.WAITING)
        if isinstance(found, str):
            return _refused(match, found)
        await self._set(found, self._left(found), paused=True)
        return Plan(match, ResponseKind.DONE)

    async def _unpause(self, match: IntentMatch, context: Context) -> Plan:
        found = await self._one(match, context, State.PAUSED)
        if isinstance(found, str):
            return _refused(match, found)
        await self._set(found, self._left(found), paused=False)
        return Plan(match, ResponseKind.DONE)

    async def _status(self, match: IntentMatch, context: Context) -> Plan:
        timers = _nearest(_fitting(await self._book.items(Kind.TIMER), _which(match)), context)
        if not timers and not _which(match).open:
            return _refused(match, "timer_not_found")
        return Plan(match, ResponseKind.ANSWER, slots={"timers": [self._facts(timer) for timer in timers]})

    async def _set(self, timer: Item, left: float, *, paused: bool) -> None:
        state, due = (State.PAUSED, None) if paused else (State.WAITING, self._book.now() + left)
        changed = replace(timer, state=state, due_at=due, remaining_s=left, rang=0, rings_since=None)
        await self._book.update(changed)
        updated = TimerUpdated(str(timer.id), not paused, round(left))
        await self._bell.tell(updated.event(), timer.satellite, timer.area_id)

    async def _one(self, match: IntentMatch, context: Context, likelier: State | None = None) -> Item | str:
        """Return the timer that is meant, or the key of what is said if none is, or several are.

        Args:
            match: the sentence.
            context: who speaks where.
            likelier: the state of timers that are meant before others.
        """
        fitting = _fitting(await self._book.items(Kind.TIMER), _which(match))
        fitting = [timer for timer in fitting if timer.state is likelier] or fitting
        if len(fitting) > 1:
            fitting = [timer for timer in fitting if timer.satellite == context.satellite is not None] or fitting
        if len(fitting) > 1:
            fitting = [timer for timer in fitting if timer.area_id == context.area_id is not None] or fitting
        if not fitting:
            return "timer_not_found"
        return fitting[0] if len(fitting) == 1 else "multiple_timers_matched"

    def _left(self, timer: Item) -> float:
        if timer.due_at is None:
            return timer.remaining_s
        return 0.0 if timer.state is State.RINGING else max(0.0, timer.due_at - self._book.now())

    def _facts(self, timer: Item) -> dict[str, Any]:
        """Return what Home Assistant's answers know of a timer."""
        left = self._left(timer)
        rounded = round(left / 60) * 60 if left >= _WHOLE_MINUTES_S else left
        facts: dict[str, Any] = {
            "id": str(timer.id),
            "name": timer.name,
            "area": self._book.area_name(timer.area_id),
            "language": timer.language,
            "is_active": timer.state is not State.PAUSED,
            "total_seconds_left": round(left),
        }
        for prefix, suffix, seconds in (("start_", "", timer.duration_s), ("rounded_", "_left", rounded)):
            for unit, value in zip(("hours", "minutes", "seconds"), _clock(seconds), strict=True):
                facts[f"{prefix}{unit}{suffix}"] = value
        return facts


def _refused(match: IntentMatch, key: str) -> Plan:
    return Plan(match, ResponseKind.FAILED, refusal=Refusal(key))


def _clock(seconds: float) -> tuple[int, int, int]:
    minutes, rest = divmod(round(seconds), 60)
    return minutes // 60, minutes % 60, rest


def _seconds(match: IntentMatch, prefix: str) -> float | None:
    """Return the length of time that the slots say, None if they say none."""
    total, said = 0.0, False
    for slot, unit in (("hours", 3600), ("minutes", 60), ("seconds", 1)):
        value = match.value(prefix + slot)
        if value is not None:
            try:
                total += float(value) * unit
            except (TypeError, ValueError):
                return None
            said = True
    return total if said else None


def _amounts(match: IntentMatch) -> dict[str, str]:
    """Return hours, minutes and seconds in digits: the texts tell "1 hour" from "2 hours" by them, not by "an"."""
    return {unit: f"{match.value(unit)}" for unit in ("hours", "minutes", "seconds") if unit in match.slots}


def _said(match: IntentMatch, slot: str) -> str:
    """Return a name as it was said, in one form."""
    found = match.slots.get(slot)
    text = str(found.text or found.value) if found else ""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().strip(" .,!?\"'").split())


def _which(match: IntentMatch) -> _Which:
    area = match.value("area")
    return _Which(_said(match, "name"), area if isinstance(area, str) else None, _seconds(match, "start_"))


def _fitting(timers: Sequence[Item], which: _Which) -> list[Item]:
    found = [timer for timer in timers if which.start_s in (None, timer.duration_s)]
    if which.name:
        found = [timer for timer in found if timer.name == which.name]
    if which.area_id is not None:
        found = [timer for timer in found if timer.area_id == which.area_id]
    return found


def _nearest(timers: Sequence[Item], context: Context) -> list[Item]:
    """Return the timers of this satellite, then those of its room, then the others: the answer speaks of the first."""
    return sorted(
        timers,
        key=lambda t: (t.satellite != context.satellite, t.area_id != context.area_id, t.due_at is None, t.due_at or 0),
    )
