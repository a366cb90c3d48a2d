"""What is said about timers, alarms and commands for later, from `texts/<language>.yaml`."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

import yaml

from ..templates import render
from .item import Item, Kind

log = logging.getLogger(__name__)

# More things than that are not told one by one.
MAX_LISTED: Final = 3
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")


class Texts:
    """The texts of one language, English where nobody has written them yet.

    Args:
        language: code, e.g. "de-CH", which "de" serves.
        zone: in which times are told.
    """

    def __init__(self, language: str, zone: tzinfo) -> None:
        data = _data(language)
        self._texts: Mapping[str, str] = data["texts"]
        self._words = {"weekdays": data["weekdays"], "months": data["months"]}
        self._zone = zone

    def say(self, key: str, **values: Any) -> str:
        """Return a text, its first letter a capital."""
        text = self.part(key, **values)
        return text[:1].upper() + text[1:]

    def part(self, key: str, **values: Any) -> str:
        """Return a text that goes into another."""
        return render(self._texts[key], {**self._words, **values})

    def moment(self, at: float, now: float) -> str:
        """Return how a moment is told, e.g. "7:30 am tomorrow".

        Args:
            at: the moment, seconds since 1970 UTC.
            now: the present, likewise.
        """
        # Rounded, because a timer of an hour set half a second ago ends at the full minute to a person.
        local, today = (datetime.fromtimestamp(round(each), self._zone) for each in (at, now))
        return self.part(
            "moment",
            hour=local.hour,
            hour12=(local.hour - 1) % 12 + 1,
            minute=f"{local.minute:02d}",
            days=(local.date() - today.date()).days,
            weekday=local.weekday(),
            month=local.month - 1,
            day=local.day,
        )

    def duration(self, seconds: float) -> str:
        """Return how a length of time is told, e.g. "1 hour and 10 minutes"; at least a second."""
        minutes, rest = divmod(max(1, round(seconds)), 60)
        hours, minutes = divmod(minutes, 60)
        return self.part("duration", hours=hours, minutes=minutes, seconds=rest)

    def when(self, item: Item, now: float) -> str:
        """Return how an item's time is told, e.g. "in 10 minutes", "at 7 am tomorrow", "every day, next at …"."""
        due = item.due_at if item.due_at is not None else now
        if item.every:
            every = self.part("every", every=list(item.every))
            return self.part("clock_every", every=every, moment=self.moment(due, now))
        if item.elapsed and item.kind is not Kind.ALARM:
            return self.part("after", duration=self.duration(due - now))
        return self.part("at", moment=self.moment(due, now))

    def listed(self, texts: Sequence[str]) -> str:
        """Return texts as one: "a, b and c"; of many, the first few and how many more there are."""
        shown, more = list(texts[:MAX_LISTED]), len(texts) - MAX_LISTED
        if more > 0:
            return self.part("more", list=", ".join(shown), count=more)
        if len(shown) < 2:
            return "".join(shown)
        return self.part("and", first=", ".join(shown[:-1]), last=shown[-1])


@cache
def _data(language: str) -> Mapping[str, Any]:
    folder = resources.files(__package__) / "texts"
    for code in (language, language.replace("_", "-").partition("-")[0]):
        file = folder / f"{code}.yaml"
        if _LANGUAGE.fullmatch(code) and file.is_file():
            return MappingProxyType(yaml.safe_load(file.read_text(encoding="utf-8")))
    log.warning(
        "what is said about alarms and finished timers is not translated to %s: it is said in English", language
    )
    return _data("en")
