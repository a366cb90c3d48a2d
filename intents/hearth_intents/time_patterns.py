"""How a language says times: its file in `times/`, compiled to regular expressions over folded text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any, Final

import yaml
from hassil.expression import Alternative, Expression, Group, ListReference, Permutation, RuleReference, TextChunk

from .spoken import speech
from .template import parse_template
from .time_text import Folded, NumberWords, fold

# What is longest counts; of what is equally long, the kind that comes first here.
KINDS: Final = ("sun", "clock", "from_now", "every", "day", "part", "unclear")

# Nobody says more minutes than that in one number.
_MAX_NUMBER: Final = 200
_BEYOND: Final = (*range(210, 400, 10), 480, 500, 600)

# Between two words: one blank, or nothing at a word's edge, because words that may be missing leave their blank.
_GAP: Final = r"(?: |\b|(?<= )|$|^)"

_SIMPLE: Final = {
    "hour": r"\d{1,2}",
    "hour12": r"(?:0?[1-9]|1[0-2])(?!\d)",
    "minute": r"[0-5]?\d(?!\d)",
    "minute2": r"[1-5]\d(?!\d)",
    "number": r"\d+(?:[.,]\d+)?",
    "clock": r"\d{1,2}[:.]\d{2}(?!\d)",
}


@dataclass(frozen=True, slots=True)
class Element:
    """A part of a time phrase that was found.

    Attributes:
        kind: one of `KINDS`.
        start: where it begins in the folded text.
        end: where it ends there.
        facts: what the language's file says of the pattern, e.g. {"minute": 30}.
        slots: the words that filled the pattern's slots; a slot that comes twice has two.
    """

    kind: str
    start: int
    end: int
    facts: Mapping[str, Any] = field(default_factory=dict)
    slots: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Pattern:
    regex: re.Pattern[str]
    facts: Mapping[str, Any]

    def slots(self, found: re.Match[str]) -> dict[str, list[str]]:
        slots: dict[str, list[str]] = {}
        for name, text in found.groupdict().items():
            if text is not None:
                slots.setdefault(name.rpartition("_")[0], []).append(text.strip())
        return slots


class TimePatterns:
    """The time phrases of one language.

    Args:
        data: the language's file.
        bare: whether the words that open a phrase ("at", "in") may be missing, as in an answer to "when?".
    """

    def __init__(self, data: Mapping[str, Any], bare: bool = False) -> None:
        self._data = data
        self._rules = {**data["rules"], **(data["bare_rules"] if bare else {})}
        self._numbers = NumberWords(_number_words(data))
        self._slots = dict(_SIMPLE)
        self._listed: dict[str, list[re.Pattern[str]]] = {}
        units = [unit for _, unit in data["units"]]
        for name, texts in (
            ("unit", units),
            ("weekday", data["weekdays"]),
            ("plural_weekday", data.get("plural_weekdays", ())),
            ("month", data["months"]),
            ("half_day", list(data["half_days"].values())),
        ):
            self._list(name, texts)
        self._list("ordinal", [self._ordinal(rank) for rank in range(1, 32)])
        self._durations = [self._pattern(each) for each in data["durations"]]
        self._slots["duration"] = self._duration_regex()
        self._phrases = [(kind, [self._pattern(each) for each in data["phrases"].get(kind, ())]) for kind in KINDS]
        units_after = "|".join(self._regex(text) for text in data["units_after"])
        self._unit_after = re.compile(rf" ?(?:{units_after})(?!\w)")
        conjunctions = "|".join(sorted((self._regex(t) for t in data["conjunctions"]), key=len, reverse=True))
        self.conjunctions = re.compile(rf"(?:{conjunctions})")

    def folded(self, text: str) -> Folded:
        """Return a text as the patterns read it."""
        return self._numbers.in_folded(fold(text))

    def elements(self, text: str) -> list[Element]:
        """Return the parts of time phrases in a folded text, none over another, in their order."""
        found = sorted(self._all(text), key=lambda e: (e.start - e.end, KINDS.index(e.kind), e.start))
        taken: list[Element] = []
        for element in found:
            if all(element.end <= other.start or other.end <= element.start for other in taken):
                taken.append(element)
        return sorted(taken, key=lambda element: element.start)

    def index(self, slot: str, text: str) -> int:
        """Return which of a slot's values was said, from 0."""
        return next(index for index, regex in enumerate(self._listed[slot]) if regex.fullmatch(text))

    def half_day(self, text: str) -> str:
        """Return "am" or "pm"."""
        return str(list(self._data["half_days"])[self.index("half_day", text)])

    def duration(self, text: str) -> tuple[float, float]:
        """Return what a duration comes to: whole days by the calendar, and seconds."""
        days = seconds = 0.0
        at = 0
        while at < len(text):
            matches = ((pattern, pattern.regex.match(text, at)) for pattern in self._durations)
            found = max(((m.end(), p, m) for p, m in matches if m), key=lambda each: each[0], default=None)
            if found is None or found[0] == at:
                at += 1  # what joins two parts
                continue
            at, pattern, match = found
            slots = pattern.slots(match)
            amount = float(slots["number"][0].replace(",", ".")) if "number" in slots else 1.0
            unit = pattern.facts.get("of", 0)
            if "unit" in slots:
                unit = self._data["units"][self.index("unit", slots["unit"][0])][0]
                amount += 0.5 if pattern.facts.get("half") else 0
            part = amount * unit + pattern.facts.get("seconds", 0)
            if unit >= 86_400 and part % 86_400 == 0:
                days += part // 86_400
            else:
                seconds += part
        return days, seconds

    def _all(self, text: str) -> Iterator[Element]:
        for kind, patterns in self._phrases:
            for pattern in patterns:
                for found in pattern.regex.finditer(text):
                    start, end = _trimmed(text, *found.span())
                    if start == end or (pattern.facts.get("last") and text[end:].strip(" .,;!?")):
                        continue
                    if kind in ("clock", "unclear") and self._unit_after.match(text, end):
                        continue
                    yield Element(kind, start, end, pattern.facts, pattern.slots(found))

    def _list(self, name: str, texts: Sequence[str]) -> None:
        regexes = [self._regex(text) for text in texts]
        self._listed[name] = [re.compile(regex) for regex in regexes]
        self._slots[name] = rf"(?:{'|'.join(sorted(regexes, key=len, reverse=True))})" if regexes else r"(?!)"

    def _ordinal(self, rank: int) -> str:
        said = [" ".join(words) for words in speech(self._data["language"]).ordinal(rank)]
        words = "|".join(word for word in dict.fromkeys(said) if word.replace(" ", "").isalpha())
        return f"({rank} {self._data['ordinals']}{'|' + words if words else ''})"

    def _duration_regex(self) -> str:
        item = "|".join(_unnamed(pattern.regex.pattern) for pattern in self._durations)
        join = self._regex(self._data["join"])
        return rf"(?:{item})(?:{_GAP}(?:{join})?{_GAP}(?:{item}))*"

    def _pattern(self, facts: Mapping[str, Any]) -> _Pattern:
        regex = self._regex(facts["say"])
        counter = iter(range(100))
        named = re.sub(r"\(\?P<(\w+)>", lambda m: f"(?P<{m[1]}_{next(counter)}>", regex)
        return _Pattern(re.compile(rf"(?<![\w.,:])(?:{named})(?!\w|[:.,]\d)"), facts)

    def _regex(self, template: str) -> str:
        return self._expression(parse_template(template).expression)

    def _expression(self, item: Expression) -> str:
        if isinstance(item, TextChunk):
            text = self._numbers.in_text(fold(f"|{item.text}|").text)[1:-1]
            return _GAP.join(re.escape(part) for part in text.split(" "))
        if isinstance(item, ListReference):
            return rf"(?P<{item.list_name}>{self._slots[item.list_name]})"
        if isinstance(item, RuleReference):
            return self._regex(self._rules[item.rule_name])
        assert isinstance(item, Group)
        assert not isinstance(item, Permutation), "time phrases have no permutations"
        parts = [self._expression(each) for each in item.items]
        if isinstance(item, Alternative):
            return rf"(?:{'|'.join(sorted(parts, key=len, reverse=True))})"
        return "".join(parts)


@lru_cache(maxsize=16)
def time_patterns(language: str, bare: bool = False) -> TimePatterns | None:
    """Return how a language says times, None if there is no file for it."""
    for code in dict.fromkeys((language, language.replace("_", "-").partition("-")[0])):
        source = resources.files(__package__).joinpath("times", f"{code}.yaml")
        if re.fullmatch(r"[A-Za-z_-]+", code) and source.is_file():
            return TimePatterns(yaml.safe_load(source.read_text(encoding="utf-8")), bare)
    return None


def _number_words(data: Mapping[str, Any]) -> dict[str, float]:
    spoken = speech(data["language"])
    words: dict[str, float] = {}
    for value in (*range(_MAX_NUMBER), *_BEYOND):
        for said in spoken.number(value):
            words.setdefault(" ".join(said), value)
    words.update(data["numbers"])
    return words


def _unnamed(regex: str) -> str:
    return re.sub(r"\(\?P<\w+>", "(?:", regex)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] in " ,":
        start += 1
    while start < end and text[end - 1] in " ,":
        end -= 1
    return start, end
