"""Alarms, and what rings: setting, cancelling, listing, snoozing, stopping."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Final

from hearth_core.command import Context, IntentMatch, Response, ResponseKind, When
from hearth_intents.times import TimePhrase, find_time, read_time

from .bell import Bell
from .book import Book
from .due import clock_minute, first_due
from .item import Item, Kind, State

_MAX_SNOOZE_S: Final = 7200.0
# Slots of a sentence with the time in parts, as a recogniser with a closed grammar hears it.
_TIME_SLOTS: Final = ("alarm_half_day", "alarm_day")


class Alarms:
    """Understands and answers the alarm intents.

    Args:
        book: the items.
        bell: where they ring.
        ended: takes a ringing item that is to ring no more.
    """

    def __init__(self, book: Book, bell: Bell, ended: Callable[[Item], Awaitable[None]]) -> None:
        self._book = book
        self._bell = bell
        self._ended = ended
        self._handlers: Mapping[str, Callable[[IntentMatch, Context], Awaitable[Response]]] = {
            "HearthSetAlarm": self._set,
            "HearthCancelAlarm": self._cancel,
            "HearthCancelAllAlarms": self._cancel_all,
            "HearthAlarmStatus": self._status,
            "HearthSnooze": self._snooze,
            "HearthStopRinging": self._stop,
        }

    def handles(self, intent: str) -> bool:
        """Return whether an intent is one of alarms."""
        return intent in self._handlers

    async def handle(self, match: IntentMatch, context: Context) -> Response:
        """Do what an alarm's sentence says.

        Raises:
            StoreFullError, StoreBrokenError: it could not be kept.
        """
        return await self._handlers[match.intent](match, context)

    async def _set(self, match: IntentMatch, context: Context) -> Response:
        texts = self._book.texts
        phrase = self._time(match, context)
        if phrase is None or phrase.when.unclear:
            return Response(texts.say("when_alarm"), ResponseKind.QUESTION)
        due = first_due(phrase, self._book)
        if due is None:
            return Response(texts.say("no_sun"), ResponseKind.FAILED)
        if not self._bell.reaches(context.satellite, context.area_id):
            return Response(texts.say("no_satellite"), ResponseKind.FAILED)
        item = await self._book.add(
            Item(
                Kind.ALARM,
                due.timestamp(),
                self._book.now(),
                satellite=context.satellite,
                area_id=context.area_id,
                language=context.language,
                elapsed=phrase.elapsed,
                every=phrase.every,
                minute=phrase.minute,
                sun=phrase.when.sun,
                offset_s=phrase.when.offset_s,
            )
        )
        return Response(texts.say("alarm_set", when=texts.when(item, self._book.now())), ResponseKind.DONE)

    def _time(self, match: IntentMatch, context: Context) -> TimePhrase | None:
        """Return the time that a sentence says, None if it says none."""
        now = self._book.local()
        said = match.slots.get("alarm_time")
        if said is not None:
            return find_time(said.text, match.language, now, bare=True, waking=False)
        ahead = timedelta(hours=_number(match, "alarm_in_hours"), minutes=_number(match, "alarm_in_minutes"))
        if ahead:
            at = (now.astimezone(UTC) + ahead).astimezone(now.tzinfo)
            return TimePhrase(((0, len(match.text)),), When(match.text, at), match.language, elapsed=True)
        if "alarm_hour" not in match.slots:
            return None
        minute = int(match.value("alarm_minute") or 0)
        parts = [f"{match.value('alarm_hour')}:{minute:02d}"]
        parts += [match.slots[slot].text for slot in _TIME_SLOTS if slot in match.slots]
        return read_time(" ".join(parts), match.language, now, waking=False)

    async def _cancel(self, match: IntentMatch, context: Context) -> Response:
        texts, now = self._book.texts, self._book.now()
        alarms = await self._book.items(Kind.ALARM)
        if not alarms:
            return Response(texts.say("alarm_none"), ResponseKind.FAILED)
        if "alarm_time" in match.slots or "alarm_hour" in match.slots:
            phrase = self._time(match, context)
            alarms = tuple(alarm for alarm in alarms if phrase is not None and _is_at(alarm, phrase, self._book))
        if len(alarms) > 1:
            here = tuple(alarm for alarm in alarms if alarm.satellite == context.satellite is not None)
            alarms = here or alarms
        if not alarms:
            return Response(texts.say("alarm_not_found"), ResponseKind.FAILED)
        if len(alarms) > 1:
            listed = texts.listed([texts.when(alarm, now) for alarm in alarms])
            return Response(texts.say("alarm_which", list=listed), ResponseKind.QUESTION)
        await self._book.remove(alarms[0])
        return Response(texts.say("alarm_cancelled", when=texts.when(alarms[0], now)), ResponseKind.DONE)

    async def _cancel_all(self, match: IntentMatch, context: Context) -> Response:
        alarms = await self._book.items(Kind.ALARM)
        if not alarms:
            return Response(self._book.texts.say("alarm_none"), ResponseKind.FAILED)
        for alarm in alarms:
            await self._book.remove(alarm)
        return Response(self._book.texts.say("alarms_cancelled", count=len(alarms)), ResponseKind.DONE)

    async def _status(self, match: IntentMatch, context: Context) -> Response:
        texts, now = self._book.texts, self._book.now()
        alarms = await self._book.items(Kind.ALARM)
        if not alarms:
            return Response(texts.say("alarm_none"), ResponseKind.ANSWER)
        listed = texts.listed([texts.when(alarm, now) for alarm in alarms])
        key = "alarm_one" if len(alarms) == 1 else "alarms"
        return Response(texts.say(key, list=listed, count=len(alarms)), ResponseKind.ANSWER)

    async def _snooze(self, match: IntentMatch, context: Context) -> Response:
        ringing = [item for item in await self._ringing(context) if item.kind is Kind.ALARM]
        if not ringing:
            return Response(self._book.texts.say("silent"), ResponseKind.FAILED)
        minutes = match.value("alarm_minutes")
        seconds = min(_MAX_SNOOZE_S, float(minutes) * 60) if minutes else self._book.config.snooze_s
        due = self._book.now() + seconds
        for item in ringing:
            await self._book.update(replace(item, state=State.WAITING, due_at=due, rang=0, rings_since=None))
        said = self._book.texts.duration(seconds)
        return Response(self._book.texts.say("snoozed", duration=said), ResponseKind.DONE)

    async def _stop(self, match: IntentMatch, context: Context) -> Response:
        ringing = await self._ringing(context)
        for item in ringing:
            await self._ended(item)
        key, kind = ("stopped", ResponseKind.DONE) if ringing else ("silent", ResponseKind.FAILED)
        return Response(self._book.texts.say(key), kind)

    async def _ringing(self, context: Context) -> list[Item]:
        """Return what rings at this satellite, else what rings anywhere: it is heard through the house."""
        ringing = [item for item in await self._book.items() if item.state is State.RINGING]
        return [item for item in ringing if item.satellite == context.satellite is not None] or ringing


def _number(match: IntentMatch, slot: str) -> float:
    """Return a slot's number, 0 if the sentence does not have it."""
    return float(match.value(slot) or 0)


def _is_at(alarm: Item, phrase: TimePhrase, book: Book) -> bool:
    """Return whether an alarm comes at the clock time that was said, whatever half of the day if that was left open."""
    if phrase.minute is None or alarm.due_at is None:
        return False
    minute = alarm.minute if alarm.minute is not None else clock_minute(book.local(alarm.due_at))
    return minute % 720 == phrase.minute % 720
