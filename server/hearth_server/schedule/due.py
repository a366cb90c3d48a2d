"""When an item is due: the first time, and the time after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from hearth_intents.times import DAILY, TimePhrase, next_of

from .book import Book
from .item import Item

# Days of the week that have to be gone through until the sun's moment is on one of them.
_WEEK: Final = 9


def clock_minute(moment: datetime) -> int:
    """Return the minutes after midnight that clocks show."""
    return moment.hour * 60 + moment.minute


def first_due(phrase: TimePhrase, book: Book) -> datetime | None:
    """Return the first moment of a time that is clear; None if the sun decides and nobody knows where the house is."""
    if phrase.when.at is not None:
        return phrase.when.at
    assert phrase.when.sun is not None
    return _sun_on(phrase.when.sun, phrase.when.offset_s, phrase.every or DAILY, book.local(), book)


def next_due(item: Item, book: Book) -> datetime | None:
    """Return when an item that comes again and again is due next, None if it does not."""
    if not item.every:
        return None
    if item.sun is not None:
        return _sun_on(item.sun, item.offset_s, item.every, book.local(), book)
    if item.minute is None:
        return None
    return next_of(item.every, item.minute, book.local())


def _sun_on(event: str, offset_s: float, every: Sequence[int], after: datetime, book: Book) -> datetime | None:
    moment: datetime | None = after
    for _ in range(_WEEK):
        moment = book.next_sun(event, offset_s, moment) if moment else None
        if moment is None or moment.weekday() in every:
            return moment
        moment += timedelta(minutes=1)
    return None
