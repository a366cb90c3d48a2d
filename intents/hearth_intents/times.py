"""Times in what people say: find them, say what moment they mean, and leave the rest of the sentence.

The rules, where words leave it open:

- An hour from one to twelve without "am", "in the evening" or the like is the next one of that name between six in the
  morning and midnight; for an alarm (`waking=False`), the next one of that name at all. If it comes again and again, it
  is the first of the day from six in the morning, for an alarm the one before noon.
- A clock time on a named day is on that day, even if it is more than a day away; if it is past, the phrase is unclear.
- "In two days" keeps the clock time, "in 48 hours" counts the hours: they differ when the clocks change.
- A clock time that the change of clocks leaves out is moved on by as much as the clocks were; one that comes twice
  is the first of the two.
- Whatever is said like a time and cannot be read is unclear: it is for the caller to ask, never to leave it out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

from hearth_core.command import When

from .time_patterns import Element, TimePatterns, time_patterns

# Ten times the longest command, as the matcher has it.
MAX_TEXT_CHARS: Final = 1_000

# Nobody plans further ahead by voice.
MAX_AHEAD: Final = timedelta(days=370)

DAILY: Final = (0, 1, 2, 3, 4, 5, 6)
_EVERY: Final = {"daily": DAILY, "weekdays": DAILY[:5], "weekend": DAILY[5:]}
_DAY: Final = 1440
_HALF_DAY: Final = 720
# Minutes of a day in which an hour that may be either is meant; midnight closes the day.
_WAKING: Final = (360, 1440)
# Minutes from the midnight before; a night goes on after midnight.
_PARTS: Final[Mapping[str, tuple[int, int]]] = {
    "am": (0, 719),
    "pm": (720, 1439),
    "morning": (0, 719),
    "afternoon": (720, 1139),
    "afternoon_evening": (720, 1319),
    "evening": (960, 1440),
    "night": (1080, 1799),
}


@dataclass(frozen=True, slots=True)
class TimePhrase:
    """A time that was found in a text.

    Attributes:
        spans: where its words stand, (start, end) in characters, in their order: "tomorrow turn it on at nine" has two.
        when: the moment, the first one if it comes again and again.
        every: the days of the week, Monday is 0, if it comes again and again; empty if it comes once.
        minute: minutes after midnight of the clock time, None if no clock time was said.
        language: of the text.
        elapsed: whether it is so long after now, whatever the clock will show.
    """

    spans: tuple[tuple[int, int], ...]
    when: When
    language: str
    every: tuple[int, ...] = ()
    minute: int | None = None
    elapsed: bool = False

    @property
    def start(self) -> int:
        """Where its first word begins."""
        return self.spans[0][0]

    @property
    def end(self) -> int:
        """Where its last word ends."""
        return self.spans[-1][1]


def find_time(
    text: str, language: str, now: datetime, *, names: Iterable[str] = (), bare: bool = False, waking: bool = True
) -> TimePhrase | None:
    """Return the time that a text says, None if it says none, or in a language without a file in `times/`.

    Args:
        text: what was said; one of more than MAX_TEXT_CHARS has no time.
        language: code, e.g. "en-GB".
        now: the moment, with the zone of the speaker.
        names: names of the home: "the nine o'clock lamp" says no time if a lamp is called so.
        bare: read what follows "set an alarm for", or answers "when?": "seven thirty".
        waking: whether an hour that may be either is meant by day.
    """
    if len(text) > MAX_TEXT_CHARS or (patterns := time_patterns(language, bare)) is None:
        return None
    folded = patterns.folded(text)
    elements = patterns.elements(folded.text)
    if elements:
        elements = [e for e in elements if not _in_name(e, folded.text, patterns, names)]
    elements = _standing(elements, folded.text)
    if not elements:
        return None
    spans = _joined([folded.original(e.start, e.end) for e in elements], text)
    said = " ".join(text[start:end] for start, end in spans)
    return _Reading(patterns, elements, now, waking).phrase(said, spans, language)


def read_time(text: str, language: str, now: datetime, *, waking: bool = True) -> TimePhrase | None:
    """Return the time that a text is, as an answer to "when?"; None if it has other words beside it."""
    found = find_time(text, language, now, bare=True, waking=waking)
    return found if found is not None and not re.search(r"\w", without(text, found)) else None


def without(text: str, phrase: TimePhrase) -> str:
    """Return a text without its time, and without the blanks, commas and conjunctions that are left at its ends."""
    patterns = time_patterns(phrase.language)
    parts = []
    at = 0
    for start, end in (*phrase.spans, (len(text), len(text))):
        parts.append(_tidy(text[at:start], patterns))
        at = end
    return " ".join(part for part in parts if part)


def moment(day: date, minute: int, now: datetime) -> datetime:
    """Return the moment at which clocks show so many minutes after midnight, in the zone of `now`.

    A time that is left out when clocks go forward is as much later; one that comes twice is the first.
    """
    local = datetime.combine(day, time(), now.tzinfo) + timedelta(minutes=minute)
    return local.replace(fold=0).astimezone(UTC).astimezone(now.tzinfo)


def next_of(every: Sequence[int], minute: int, after: datetime) -> datetime:
    """Return the first moment after another at which clocks show a time on one of these days of the week."""
    days = (after.date() + timedelta(days=ahead) for ahead in range(-1, 9))
    found = (moment(day, minute, after) for day in days if day.weekday() in every)
    return next(each for each in found if _is_after(each, after))


def _is_after(moment: datetime, other: datetime) -> bool:
    """Compare what really comes later: moments of one zone compare by what clocks show, which comes twice in autumn."""
    return moment.timestamp() > other.timestamp()


def _tidy(part: str, patterns: TimePatterns | None) -> str:
    part = part.strip(" \t\r\n,;")
    regex = patterns.conjunctions if patterns else re.compile(r"(?!)")
    while found := re.match(rf"(?:{regex.pattern})(?!\w)[ ,]*", part, re.IGNORECASE):
        if not found.end():
            break
        part = part[found.end() :]
    while found := re.search(rf"(?<!\w)(?:{regex.pattern})$", part, re.IGNORECASE):
        if not found[0]:
            break
        part = part[: found.start()].rstrip(" ,;")
    return part.strip()


def _joined(spans: list[tuple[int, int]], text: str) -> tuple[tuple[int, int], ...]:
    """Return spans with nothing but blanks and commas between them as one."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and not text[joined[-1][1] : start].strip(" ,\t\r\n"):
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _standing(elements: list[Element], text: str) -> list[Element]:
    """Leave out what is a time only beside another: a part of the day far from any."""
    kept = []
    for index, element in enumerate(elements):
        near = [
            other
            for other in (*elements[max(0, index - 1) : index], *elements[index + 1 : index + 2])
            if not text[min(element.end, other.end) : max(element.start, other.start)].strip(" ,")
        ]
        if near or not element.facts.get("beside"):
            kept.append(element)
    return kept


def _in_name(element: Element, text: str, patterns: TimePatterns, names: Iterable[str]) -> bool:
    """Return whether an element is part of a longer name that was said."""
    for name in names:
        for form in _forms(name, patterns):
            at = text.find(form)
            while at >= 0:
                end = at + len(form)
                whole = not text[at - 1 : at].isalnum() and not text[end : end + 1].isalnum()
                over = at < element.end and element.start < end
                if whole and over and not (element.start <= at and end <= element.end):
                    return True
                at = text.find(form, at + 1)
    return False


@lru_cache(maxsize=8192)
def _forms(name: str, patterns: TimePatterns) -> tuple[str, ...]:
    folded = patterns.folded(name).text.strip()
    return (folded,) if folded else ()


class _Reading:
    """The elements of one text and what they mean together."""

    def __init__(self, patterns: TimePatterns, elements: Sequence[Element], now: datetime, waking: bool) -> None:
        self._patterns = patterns
        self._now = now if now.tzinfo is not None else now.astimezone()
        self._waking = waking
        self._kinds: dict[str, list[Element]] = {}
        for element in elements:
            self._kinds.setdefault(element.kind, []).append(element)

    def phrase(self, said: str, spans: tuple[tuple[int, int], ...], language: str) -> TimePhrase:
        """Return what they mean; unclear where they do not fit together."""
        unclear = TimePhrase(spans, When(said), language)
        counts = {kind: len(found) for kind, found in self._kinds.items()}
        heads = [kind for kind in ("from_now", "clock", "sun") if kind in counts]
        if "unclear" in counts or len(heads) != 1 or any(counts[k] > 1 for k in counts if k != "part"):
            return unclear
        if heads == ["from_now"]:
            at = self._from_now() if len(counts) == 1 else None
            return unclear if at is None else TimePhrase(spans, When(said, at), language, elapsed=True)
        every = self._every()
        if every is None:
            return unclear
        if heads == ["sun"]:
            when = self._sun(said)
            return unclear if when is None else TimePhrase(spans, when, language, every)
        found = self._clock(every)
        return unclear if found is None else TimePhrase(spans, When(said, found[0]), language, every, found[1])

    def _from_now(self) -> datetime | None:
        days, seconds = self._patterns.duration(self._kinds["from_now"][0].slots["duration"][0])
        if (
            not 0
            < timedelta(days=min(days, 1e6), seconds=min(seconds, 1e9)).total_seconds()
            <= MAX_AHEAD.total_seconds()
        ):
            return None
        on_day = self._now + timedelta(days=days)  # by the clock on the wall
        later = on_day.astimezone(UTC) + timedelta(seconds=seconds)
        return later.astimezone(self._now.tzinfo)

    def _every(self) -> tuple[int, ...] | None:
        """Return the days of the week on which it comes again; none if it comes once; None if that cannot be read."""
        found = self._kinds.get("every")
        if not found:
            return ()
        if "day" in self._kinds:
            return None
        kind = found[0].facts["every"]
        if kind != "listed":
            return _EVERY[kind]
        slots = found[0].slots
        days = {
            self._patterns.index(slot, text) for slot in ("weekday", "plural_weekday") for text in slots.get(slot, ())
        }
        return tuple(sorted(days))

    def _sun(self, said: str) -> When | None:
        """Return the sun's moment. Of a day only the next is known here, so a later one stands as its noon."""
        (element,) = self._kinds["sun"]
        if any(kind not in ("sun", "every", "day") for kind in self._kinds):
            return None
        offset = 0.0
        if "duration" in element.slots:
            days, offset = self._patterns.duration(element.slots["duration"][0])
            if days or not 0 < offset < _DAY * 60:
                return None
        offset = -offset if element.facts.get("before") else offset
        if "day" in self._kinds and self._kinds["day"][0].facts.get("days") != 0:
            return None
        return When(said, sun=element.facts["sun"], offset_s=offset)

    def _clock(self, every: Sequence[int]) -> tuple[datetime, int] | None:
        """Return the first moment that fits, and its minutes after midnight."""
        (element,) = self._kinds["clock"]
        minutes = self._minutes(element)
        parts = [
            e.facts["part"] for kind in ("day", "every", "part") for e in self._kinds.get(kind, ()) if "part" in e.facts
        ]
        if "half_day" in element.slots:
            parts.append(self._patterns.half_day(element.slots["half_day"][0]))
        for day in self._days(every, parts):
            fitting = [m for minute in minutes if (m := self._fits(minute, parts, len(minutes) > 1)) is not None]
            fitting = fitting[:1] if every else fitting  # every day at the same hour, whenever it is said
            moments = sorted((moment(day, minute, self._now), minute) for minute in fitting)
            for at, minute in moments:
                if _is_after(at, self._now) and at - self._now <= MAX_AHEAD:
                    return at, minute
        return None

    def _minutes(self, element: Element) -> list[int]:
        """Return the minutes after midnight that a clock time may mean."""
        facts, slots = element.facts, element.slots
        if "exact" in facts:
            return [facts["exact"]]
        minute = facts.get("minute", 0)
        written = ""
        if "clock" in slots:
            written, _, tail = slots["clock"][0].replace(".", ":").partition(":")
            if int(tail) > 59:
                return []
            hour, minute = int(written), int(tail)
        else:
            written = slots["hour" if "hour" in slots else "hour12"][0]
            hour = int(written)
        for slot in ("minute", "minute2"):
            if slot in slots:
                minute += -int(slots[slot][0]) if facts.get("before") else int(slots[slot][0])
        if hour > 24 or (hour == 24 and minute > 0):
            return []
        if hour > 12 or hour == 0 or written.startswith("0"):
            return [(hour * 60 + minute) % _DAY or (_DAY if hour == 24 else 0)]
        first = (hour % 12) * 60 + minute
        return [m for times in range(4) if 0 <= (m := first + (times - 1) * _HALF_DAY) <= _DAY]

    def _fits(self, minute: int, parts: Sequence[str], open_hour: bool) -> int | None:
        """Return the minutes after the day's midnight if they are in the parts of the day that were said."""
        for candidate in (minute, minute + _DAY) if "night" in parts and minute < 360 else (minute,):
            inside = (_inside(candidate, part) for part in parts)
            if all(inside):
                break
        else:
            return None
        awake = parts or not open_hour or not self._waking or _WAKING[0] <= minute <= _WAKING[1]
        return candidate if awake else None

    def _days(self, every: Sequence[int], parts: Sequence[str]) -> Iterator[date]:
        """Yield the days that may be meant, the likeliest first."""
        today = self._now.date()
        early_night = "night" in parts and self._now.hour < 6
        if "day" in self._kinds:
            yield from self._named_days(self._kinds["day"][0], today, early_night)
        elif every:
            yield from (day for ahead in range(-1, 9) if (day := today + timedelta(days=ahead)).weekday() in every)
        else:
            yield from (today + timedelta(days=ahead) for ahead in range(-1, 4))

    def _named_days(self, element: Element, today: date, early_night: bool) -> Iterator[date]:
        slots, facts = element.slots, element.facts
        if "days" in facts:
            if early_night and facts["days"] == 0:
                yield today - timedelta(days=1)
            yield today + timedelta(days=facts["days"])
        elif "weekday" in slots:
            ahead = (self._patterns.index("weekday", slots["weekday"][0]) - today.weekday()) % 7
            yield from (today + timedelta(days=ahead), today + timedelta(days=ahead + 7))
        else:
            day = self._patterns.index("ordinal", slots["ordinal"][0]) + 1
            month = self._patterns.index("month", slots["month"][0]) + 1
            for year in (today.year, today.year + 1):
                try:
                    yield date(year, month, day)
                except ValueError:  # the 30th of February
                    continue


def _inside(minute: int, part: str) -> bool:
    first, last = _PARTS[part]
    if part in ("am", "pm", "morning"):
        minute %= _DAY
    return first <= minute <= last
