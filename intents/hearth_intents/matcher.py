"""From text to intents: the sentences of a language and the names of a home.

`search` finds the templates that a text comes from, or the sentences that it sounds like; hassil then reads slots and
context from these few templates alone.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from hassil.intents import Intent, IntentData, Intents
from hassil.models import MatchEntity
from hassil.recognize import RecognizeResult, recognize_all

from hearth_core.command import Clause, Context, Hypothesis, IntentMatch, Slot, Transcription, Understood
from hearth_core.home import Home

from .clauses import clauses, first_clauses
from .groundwork import Block
from .index import Index
from .search import Found, Search
from .sentences import Sentences, action_of, is_authors
from .slots import home_names, in_place
from .times import TimePhrase, find_time, read_time, without

# Ten times the longest command; hassil's time grows with the text.
MAX_TEXT_CHARS = 1_000

# What is less likely to be meant is not understood.
ACCEPT = 0.5

# A reading so likely goes before one to the letter that has free text.
ALL_BUT_SURE = 0.95

# Beside free text, a word that is wrong by more than this share of its sounds may be part of the free text.
FREE_WORD = 0.34

# What sounds a little like a command in every word is none: "look there" is not "louder".
SURE_SOUNDS = 2

# Readings that differ by less than one clearly heard sound are rivals.
MARGIN = 0.45
_WINDOW = 0.75

# What the recogniser's readings make this likely beside the best is its rival: where it is right at least once in three
# times, a question costs less than a wrong action. What is dangerous is asked about by name in any case.
RIVAL_SHARE = 0.5

# A reading this likely beside the first is understood in its place where that is no command.
LIKELY_SHARE = 0.25

_PLACES = ("area", "floor")

# The slot in which Home Assistant's timers carry a command.
_COMMAND = "conversation_command"


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
        before: one of the same sentences and of the home before: with its work a renamed thing is understood sooner.
    """

    def __init__(self, sentences: Sentences, home: Home, before: Matcher | None = None) -> None:
        self._sentences = sentences
        self._home = home
        _prepare(sentences)
        self._index: Index = Index(sentences, home, before._index if before else None)
        self._lists = self._index.home_lists
        self._names = tuple(dict.fromkeys(home_names(home)))

    def understand(self, transcription: Transcription, context: Context) -> Understood:
        """Return what was meant.

        The first of the recogniser's readings that is a sentence to the letter, or several of them, is taken; if none
        is, the one that is nearest to a sentence, unless the recogniser hears nothing but sentences. The reading's
        confidence, where it has one, goes into the score. Readings almost as likely that are one command with another
        meaning are its rivals. Nothing is done for a reading far behind the first: that may be a reply or a follow-up,
        of which nothing is known here.
        """
        heard = _likely(transcription.hypotheses)
        for hypothesis in heard:
            found = self._to_the_letter(hypothesis.text, context)
            if len(found) == 1:
                behind = transcription.hypotheses[transcription.hypotheses.index(hypothesis) + 1 :]
                clause = self._beside(found[0], hypothesis, behind, context)
                return Understood((clause,) if _meant_at_all(clause) >= transcription.least else ())
            if found:
                return Understood(tuple(_weighed(clause, hypothesis.confidence) for clause in found))
        if transcription.closed:
            return Understood()
        near = [
            tuple(_weighed(clause, each.confidence) for clause in self._nearly(each.text, context)) for each in heard
        ]
        best = max((found for found in near if found), key=_score, default=())
        if best:
            return Understood(best)
        for hypothesis in heard[:1]:
            begun = first_clauses(hypothesis.text, context.language, lambda text: self._now_or_later(text, context))
            return Understood(tuple(_weighed(clause, hypothesis.confidence) for clause in begun))
        return Understood()

    def _beside(self, clause: Clause, hypothesis: Hypothesis, others: Iterable[Hypothesis], context: Context) -> Clause:
        """Return a clause with its rivals among the readings that are almost as likely.

        Those that mean the same make it surer, and a rival has to be as likely as all of them.
        """
        confidence = hypothesis.confidence
        if not confidence or not clause.matches:
            return _weighed(clause, confidence)
        meant = {_meaning(match) for match in clause.matches}
        rivals: dict[tuple[Any, ...], IntentMatch] = {}
        likely: dict[tuple[Any, ...], float] = {}
        sure = confidence
        for other in others:
            if other.confidence is None or other.confidence < LIKELY_SHARE * confidence:
                continue
            found = self._to_the_letter(other.text, context)
            if len(found) != 1 or found[0].when != clause.when:
                continue
            if {_meaning(match) for match in found[0].matches} == meant:
                sure += other.confidence
            for match in _weighed(found[0], other.confidence).matches:
                if (meaning := _meaning(match)) not in meant:
                    rivals.setdefault(meaning, match)
                    likely[meaning] = likely.get(meaning, 0.0) + other.confidence
        weighed = _weighed(clause, min(1.0, sure))
        beside = (match for meaning, match in rivals.items() if likely[meaning] >= RIVAL_SHARE * sure)
        return replace(weighed, rivals=(*weighed.rivals, *beside))

    def _to_the_letter(self, text: str, context: Context) -> tuple[Clause, ...]:
        """Return the commands of a text that is sentences to the letter, nothing if it is not."""
        clause = self._now_or_later(text, context)
        if clause.matches:
            return (clause,)
        return clauses(text, context.language, lambda part: self._now_or_later(part, context))

    def _now_or_later(self, text: str, context: Context) -> Clause:
        """Return what a text means with the time that it is put off to, if it says one."""
        clause = self.clause(text, context)
        phrase = None if clause.matches else self._time(text, context)
        if phrase is None:
            return clause
        return replace(self.clause(without(text, phrase), context), text=text, when=phrase.when)

    def _time(self, text: str, context: Context) -> TimePhrase | None:
        return find_time(text, self._sentences.language, context.now, names=self._names)

    def _nearly(self, text: str, context: Context) -> tuple[Clause, ...]:
        """Return the commands that a text sounds like: one if it can be, else each part for itself."""
        clause = self._nearest_now_or_later(text, context)
        if clause.matches:
            return (clause,)
        return clauses(text, context.language, lambda part: self._letter_or_near(part, context), sharing=False)

    def _letter_or_near(self, text: str, context: Context) -> Clause:
        clause = self._now_or_later(text, context)
        return clause if clause.matches else self._nearest_now_or_later(text, context)

    def _nearest_now_or_later(self, text: str, context: Context) -> Clause:
        now = self.nearest(text, context)
        if now.matches and now.matches[0].score >= ALL_BUT_SURE:  # words of a time cannot have been left out of it
            return now
        phrase = self._time(text, context)
        later = self.nearest(without(text, phrase), context) if phrase is not None else Clause(text)
        # People who tell what happened say when; a command for later has to be clearer than one for now.
        if phrase is not None and later.matches and later.matches[0].score >= ALL_BUT_SURE:
            return replace(later, text=text, when=phrase.when)
        return now

    def clause(self, text: str, context: Context) -> Clause:
        """Return what a text means that is a sentence to the letter; without matches if it is none.

        Free text swallows what was misheard ("cancel the kichen timer" has a timer called kichen), so a sentence
        without free text that sounds all but the same goes before. Free text that is a time was heard right: "noon" in
        "set an alarm for noon" sounds like "nine".
        """
        matches = tuple(match for match in self.match(text, context) if self._makes_sense(match, context))
        free = [slot.text for match in matches[:1] for slot in match.slots.values() if slot.free]
        if any(read_time(words, self._sentences.language, context.now) is None for words in free):
            near = self.nearest(text, context, free_text=False)
            if near.matches and near.matches[0].score >= ALL_BUT_SURE:
                return near
        return Clause(text, matches)

    def _makes_sense(self, match: IntentMatch, context: Context) -> bool:
        """Return whether a command that is free text, as in "<command> in ten minutes", is a command."""
        command = match.slots.get(_COMMAND)
        return command is None or bool(self._letter_or_near(command.text, context).matches)

    def match(self, text: str, context: Context) -> tuple[IntentMatch, ...]:
        """Return what a text means if it is a sentence to the letter, nothing if it is not.

        Several matches mean the same of different things that have one name, and neither the text nor the
        satellite's area says which: it is for the caller to ask, or to do it to all.

        An author's sentences go before the others, things that are named before places, longer names before
        shorter ones, and literal text before free text, as in Home Assistant.
        """
        clean = _clean(text)
        if not clean or len(clean) > MAX_TEXT_CHARS:
            return ()
        readings: list[_Reading] = []
        for words in self._index.speech.variants(clean):
            for found in Search(self._index, words).exact():
                readings += self._readings(found, clean, text, context)
            if readings:
                return self._best(readings, context)
        if any(unicodedata.category(c).startswith("S") for c in clean):  # a name may be an emoji, which cannot be said
            return self._best(list(self._recognized(clean, text, self._sentences.intents, context)), context)
        return ()

    def nearest(self, text: str, context: Context, *, free_text: bool = True) -> Clause:
        """Return what a text means that is no sentence to the letter, and what else it may mean.

        The score of what is found says how sure it is: below `ACCEPT` it is not to be acted upon, and nothing is
        returned. Rivals are readings almost as near that would do something else.
        """
        clean = _clean(text)
        search = Search(self._index, self._index.speech.words(clean) if len(clean) <= MAX_TEXT_CHARS else ())
        close = search.nearest(_WINDOW, free_text=False)
        if free_text and max(map(likelihood, close), default=0.0) < ALL_BUT_SURE:
            close = sorted((*close, *search.nearest(_WINDOW)), key=likelihood, reverse=True)
        best: tuple[IntentMatch, ...] = ()
        rivals: dict[tuple[Any, ...], IntentMatch] = {}
        limit = math.inf
        for found in close:
            score = likelihood(found)
            if score < ACCEPT or found.cost > limit:
                continue
            matches = self._best(list(self._readings(found, found.text, text, context)), context)
            if found.free:
                matches = tuple(match for match in matches if self._makes_sense(match, context))
            matches = tuple(replace(match, score=match.score * score) for match in matches)
            if matches and not best:
                # a name or a number that was misheard is easily another
                best, limit = matches, found.cost + (_WINDOW if found.worst_name else MARGIN)
            for match in matches:
                rivals.setdefault(_meaning(match), match)
        for match in best:
            rivals.pop(_meaning(match), None)
        return Clause(text, best, tuple(rivals.values()))

    def _readings(self, found: Found, clean: str, original: str, context: Context) -> Iterator[_Reading]:
        """Yield the ways to read a sentence by the templates that it comes from."""
        intents = self._only(found.blocks)
        for text in dict.fromkeys((clean, found.text)):  # the text as it is has the case of what is quoted
            readings = list(self._recognized(text, original, intents, context))
            yield from readings
            if readings:
                return

    def _recognized(self, text: str, original: str, intents: Intents, context: Context) -> Iterator[_Reading]:
        """Yield hassil's readings of a text."""
        area = self._home.areas.get(context.area_id) if context.area_id else None
        results: Iterable[RecognizeResult] = recognize_all(
            text,
            intents,
            slot_lists={**self._lists},
            intent_context={"area": {"value": area.area_id, "text": area.name}} if area else None,
            default_response=None,
        )
        for result in results:
            if self._consistent(result):
                yield _Reading(self._match(result, text, original), _rank(result))

    def _only(self, blocks: Iterable[Block]) -> Intents:
        """Return these sentences alone, as hassil takes them."""
        data: dict[str, list[IntentData]] = {}
        for block in sorted(blocks, key=lambda block: block.order):  # of equal readings the first counts
            data.setdefault(block.intent, []).append(block.data)
        intents = {name: Intent(name, data=each) for name, each in data.items()}
        return replace(self._sentences.intents, intents=intents)

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
            slots={name: Slot(_value(e), e.text, e.is_wildcard) for name, e in result.entities.items()},
            text=original,
            language=self._sentences.language,
            response=result.response,
            score=1.0 - free / (len(text) + 1),
            action=action_of(result.intent_data),
        )

    def _best(self, readings: list[_Reading], context: Context) -> tuple[IntentMatch, ...]:
        if not readings:
            return ()
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


def likelihood(found: Found) -> float:
    """Return how likely it is, 0 to 1, that a sentence found is what was said.

    A logistic regression on 2,500 misheard sentences and 2,500 that were no commands (`bench/intents.py` shows how well
    it is calibrated): the share of sounds that differ in all, in the worst name, in the worst word; and free text.
    """
    if found.cost == 0:
        return 1.0
    if (found.free and found.worst_word > FREE_WORD) or found.sure < SURE_SOUNDS:
        return 0.0
    evidence = 6.3 - 16.5 * found.share - 4.0 * found.worst_name - 3.0 * found.worst_word - 4.0 * found.free
    return 1.0 / (1.0 + math.exp(-evidence))


def _likely(heard: tuple[Hypothesis, ...]) -> tuple[Hypothesis, ...]:
    """Return the readings that are almost as likely as the first, and those without a confidence."""
    least = LIKELY_SHARE * (heard[0].confidence or 0.0) if heard else 0.0
    return tuple(each for each in heard if each.confidence is None or each.confidence >= least)


def _meant_at_all(clause: Clause) -> float:
    """Return how likely it is that one of the things was meant that a clause can mean."""
    return max((match.score for match in clause.matches), default=1.0) + sum(rival.score for rival in clause.rivals)


def _score(found: tuple[Clause, ...]) -> float:
    return min(clause.matches[0].score for clause in found)


def _weighed(clause: Clause, confidence: float | None) -> Clause:
    """Return a clause whose scores have the recogniser's confidence in them."""
    if confidence is None:
        return clause
    matches, rivals = (
        tuple(replace(match, score=match.score * confidence) for match in each)
        for each in (clause.matches, clause.rivals)
    )
    return replace(clause, matches=matches, rivals=rivals)


def _meaning(match: IntentMatch) -> tuple[Any, ...]:
    return (match.intent, tuple(sorted((name, repr(slot.value)) for name, slot in match.slots.items())))


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
