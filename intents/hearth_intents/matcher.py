"""From text to intents: hassil over the sentences of a language and the names of a home."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from hassil.models import MatchEntity
from hassil.recognize import RecognizeResult, recognize_all
from hassil.util import normalize_for_matching

from hearth_core.command import Clause, Context, IntentMatch, Slot, Transcription, Understood
from hearth_core.home import Home

from .sentences import Sentences, action_of, is_authors
from .slots import home_lists, in_place

# Ten times the longest command; hassil's time grows with the text.
MAX_TEXT_CHARS = 1_000

# Three words to skip at one end and two at the other: "could you please … for me please".
_MAX_CANDIDATES = 12

_PLACES = ("area", "floor")


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to understand a text; `rank` sorts the likelier first."""

    match: IntentMatch
    rank: tuple[int, ...]


class Matcher:
    """Understands texts in one home. Its answers depend on text, context and home alone.

    Args:
        sentences: what can be said.
        home: whose names are meant; states do not matter.
    """

    def __init__(self, sentences: Sentences, home: Home) -> None:
        self._sentences = sentences
        self._home = home
        self._lists = home_lists(home, sentences.speech)
        _prepare(sentences)
        skipped = sorted(sentences.intents.skip_words, key=len, reverse=True)
        either = "|".join(re.escape(word) for word in skipped)
        self._skipped_first = re.compile(rf"(?:{either})\s+", re.IGNORECASE) if skipped else None
        self._skipped_last = re.compile(rf"\s+(?:{either})$", re.IGNORECASE) if skipped else None

    def understand(self, transcription: Transcription, context: Context) -> Understood:
        """Return what was meant by the first of the recogniser's readings that means anything.

        The reading's confidence, where it has one, goes into the score.
        """
        for hypothesis in transcription.hypotheses:
            matches = self.match(hypothesis.text, context)
            if matches and hypothesis.confidence is not None:
                sure = hypothesis.confidence
                matches = tuple(replace(match, score=match.score * sure) for match in matches)
            if matches:
                return Understood((Clause(hypothesis.text, matches),))
        return Understood()

    def match(self, text: str, context: Context) -> tuple[IntentMatch, ...]:
        """Return what a text means, nothing if it is not understood.

        Several matches mean the same of different things that have one name, and neither the text nor the
        satellite's area says which: it is for the caller to ask, or to do it to all.

        An author's sentences go before the others, things that are named before places, longer names before
        shorter ones, and literal text before free text, as in Home Assistant.
        """
        clean = _clean(text)
        if not clean or len(clean) > MAX_TEXT_CHARS:
            return ()
        for candidate in self._candidates(clean):
            readings = list(self._readings(candidate, text, context))
            if readings:
                return self._best(readings, context)
        return ()

    def _candidates(self, text: str) -> Iterator[str]:
        """Yield the text, then with what is skipped left out at its ends, little before much.

        hassil skips all such words or none: "i want a latte please" would not match "i want a latte".
        """
        yield text
        if self._skipped_first is None or self._skipped_last is None:
            return
        plain = normalize_for_matching(text).text
        shorter = [plain]
        for candidate in shorter:  # grows as it is walked, by what is left of each
            first = self._skipped_first.match(candidate)
            last = self._skipped_last.search(candidate)
            fewer = [candidate[first.end() :]] if first else []
            fewer += [candidate[: last.start()]] if last else []
            shorter.extend(each for each in fewer if each not in shorter)
            if len(shorter) > _MAX_CANDIDATES:
                break
        yield from shorter[1:_MAX_CANDIDATES]

    def _readings(self, text: str, original: str, context: Context) -> Iterator[_Reading]:
        area = self._home.areas.get(context.area_id) if context.area_id else None
        results: Iterable[RecognizeResult] = recognize_all(
            text,
            self._sentences.intents,
            slot_lists={**self._lists},
            intent_context={"area": {"value": area.area_id, "text": area.name}} if area else None,
            default_response=None,
        )
        for result in results:
            if self._consistent(result):
                yield _Reading(self._match(result, text, original), _rank(result))

    def _consistent(self, result: RecognizeResult) -> bool:
        """Return whether the thing that is named is in the place that is named."""
        name = result.entities.get("name")
        said = {role: e.value for role in _PLACES if (e := result.entities.get(role)) and e.text_span is not None}
        if name is None or name.is_wildcard or name.value not in self._home.entities:
            return True
        return in_place(self._home, name.value, **said)

    def _match(self, result: RecognizeResult, text: str, original: str) -> IntentMatch:
        free = sum(len(entity.text) for entity in result.entities_list if entity.is_wildcard)
        return IntentMatch(
            intent=result.intent.name,
            slots={name: Slot(_value(entity), entity.text) for name, entity in result.entities.items()},
            text=original,
            language=self._sentences.language,
            response=result.response,
            score=1.0 - free / (len(text) + 1),
            action=action_of(result.intent_data),
        )

    def _best(self, readings: list[_Reading], context: Context) -> tuple[IntentMatch, ...]:
        readings.sort(key=lambda reading: (reading.rank, reading.match.intent))
        first = readings[0]
        alike: dict[tuple[Any, ...], IntentMatch] = {}
        for reading in readings:
            if reading.rank == first.rank and _but_for_home(reading.match) == _but_for_home(first.match):
                here = tuple(reading.match.value(role) for role in ("name", *_PLACES))
                alike.setdefault(here, reading.match)
        return self._nearest(list(alike.values()), context)

    def _nearest(self, matches: list[IntentMatch], context: Context) -> tuple[IntentMatch, ...]:
        """Return the matches in the satellite's area, else those on its floor, else all."""
        area = self._home.areas.get(context.area_id) if context.area_id else None
        if area is None or len(matches) == 1:
            return tuple(matches)
        near = [match for match in matches if self._area_id(match) == area.area_id]
        if not near and area.floor_id:
            same_floor = self._home.on_floor(area.floor_id)
            near = [match for match in matches if self._area_id(match) in same_floor]
        return tuple(near or matches)

    def _area_id(self, match: IntentMatch) -> str | None:
        name = match.value("name")
        there = self._home.area_of(name) if isinstance(name, str) else None
        return there.area_id if there else match.value("area")


def _prepare(sentences: Sentences) -> None:
    """Let hassil parse and index now what it would parse at the first text."""
    intents = sentences.intents
    for intent in intents.intents.values():
        for block in intent.data:
            rules = {**intents.expansion_rules, **block.expansion_rules}
            for sentence in block.sentences:
                sentence.get_required_clauses(rules)


def _rank(result: RecognizeResult) -> tuple[int, ...]:
    name = result.entities.get("name")
    named = len(name.text) if name is not None and not name.is_wildcard else 0
    free = [len(entity.text) for entity in result.entities_list if entity.is_wildcard]
    return (not is_authors(result.intent_data), -named, len(free), -result.text_chunks_matched, sum(free))


def _but_for_home(match: IntentMatch) -> tuple[Any, ...]:
    others = sorted((name, repr(slot.value)) for name, slot in match.slots.items() if name not in ("name", *_PLACES))
    return (match.intent, sorted(match.slots), others)


def _value(entity: MatchEntity) -> Any:
    if entity.value is None:  # a list's value without "out" means what was said
        return entity.text.strip()
    if isinstance(entity.value, float) and entity.value.is_integer():  # hassil reads digits as 50.0, words as 50
        return int(entity.value)
    return entity.value


def _clean(text: str) -> str:
    """Return a text without control characters and lone surrogates; blanks are single."""
    kept = (" " if unicodedata.category(c).startswith("C") else c for c in text[: MAX_TEXT_CHARS + 1])
    return " ".join("".join(kept).split())
