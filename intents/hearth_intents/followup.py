"""Sentences that mean something only after another: "and the bedroom too", "turn it off", "brighter", "undo that".

Pure: text, what was done last, matcher and home in; what is meant out. The words are in `followups/<lang>.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol

from hassil.intents import Intents
from hassil.recognize import RecognizeResult, recognize_all
from hassil.util import normalize_for_matching

from hearth_core.command import Clause, Context, IntentMatch, Slot, Understood
from hearth_core.home import Entity, Home

from .replies import MAX_CHARS, Option, language_data, replies
from .slots import home_lists
from .spoken import Speech, speech

TARGETS = frozenset({"name", "area", "floor", "domain", "device_class"})
# A score from which a sentence is said to the letter: nothing was forgiven.
STRICT = 0.999
# Things that one "them" stands for; more are described by their place.
MAX_THINGS = 20
# How much "brighter" is, in per cent; a thermostat goes by degrees.
STEP_PERCENT = 20
STEP_DEGREES = 1
# What cannot be done again to something else: each is a thing of its own.
_ONLY_ITSELF = frozenset({"scene", "script", "button", "input_button"})


class Kind(StrEnum):
    """How a sentence follows on another."""

    ALSO = "also"  # the same for something that is named
    OTHER = "other"  # the same for the one that was not meant
    PRONOUN = "pronoun"  # something else for the same
    STEP = "step"  # a bit more or less of it
    CORRECT = "correct"  # not that, but this
    UNDO = "undo"  # as it was


@dataclass(frozen=True, slots=True)
class Remembered:
    """What was done or asked last.

    Attributes:
        matches: the sentences, one for each clause.
        entity_ids: the things that each was for, in the same order.
    """

    matches: tuple[IntentMatch, ...]
    entity_ids: tuple[tuple[str, ...], ...]

    @property
    def things(self) -> tuple[str, ...]:
        """All the things, each once."""
        return tuple(dict.fromkeys(entity_id for each in self.entity_ids for entity_id in each))


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What a sentence that follows on another means.

    Attributes:
        kind: how it follows.
        understood: what is to be done; nothing for UNDO.
        named: whether the thing or its place was named, and not only pointed at ("it", "the other one").
    """

    kind: Kind
    understood: Understood = field(default_factory=Understood)
    named: bool = False


class Matching(Protocol):
    """The matcher, as far as it is needed here."""

    def match(self, text: str, context: Context) -> tuple[IntentMatch, ...]:
        """Return the equal readings of a text."""


def is_strict(matches: Sequence[IntentMatch]) -> bool:
    """Return whether a text was said to the letter."""
    return bool(matches) and matches[0].score >= STRICT


def names_target(match: IntentMatch) -> bool:
    """Return whether a sentence names the thing or the place that it is for."""
    said = match.text.casefold()  # the satellite's room is in the slots too, though nobody said it
    texts = [match.slots[name].text.casefold() for name in ("name", "area", "floor") if name in match.slots]
    return any(text and text in said for text in texts)


class FollowUps:
    """The follow-ups of one language in one home; a language without a file has none.

    Args:
        language: code.
        home: whose names are meant; states do not matter.
    """

    def __init__(self, language: str, home: Home) -> None:
        data = language_data("followups", language)
        self._replies = replies(language)
        self._speech: Speech = speech(language)
        self._intents = forms(language) if data else None
        self._lists = home_lists(home, self._speech)
        pronouns: Mapping[str, list[str]] = data.get("pronouns", {})
        self._only_pronouns = [_word(word) for word in pronouns.get("only", ())]
        self._pronouns = [
            (_word(word), number == "all")
            for number in ("all", "one")
            for word in sorted(pronouns.get(number, ()), key=len, reverse=True)
        ]

    def read(self, text: str, last: Remembered, matcher: Matching, home: Home, context: Context) -> FollowUp | None:
        """Return what a text means after what was done last, None if it does not follow on it.

        Args:
            text: what was said.
            last: what was done or asked before.
            matcher: for sentences with a pronoun in them.
            home: as it is now; "brighter" starts from its states.
            context: where it was said.
        """
        if self._intents is None or not last.matches or len(text) > MAX_CHARS:
            return None
        for result in self._results(text):
            found = self._form(result, text, last, home)
            if found is not None:
                return found
        return self._with_pronoun(text, last, matcher, home, context)

    def points(self, text: str) -> bool:
        """Return whether there is a word in a text that can only stand for what was spoken of before."""
        plain = normalize_for_matching(text[:MAX_CHARS]).text.casefold()
        return any(pattern.search(plain) for pattern in self._only_pronouns)

    def _results(self, text: str) -> Iterator[RecognizeResult]:
        assert self._intents is not None
        found = list(recognize_all(text, self._intents, slot_lists={**self._lists}))
        # The longest name first: "the desk lamp" before the lamp on the desk.
        yield from sorted(found, key=lambda result: -result.text_chunks_matched - _named_length(result))

    def _form(self, result: RecognizeResult, text: str, last: Remembered, home: Home) -> FollowUp | None:
        kind = Kind(result.intent.name)
        if kind is Kind.UNDO:
            return FollowUp(kind, named=False)
        if kind is Kind.STEP:
            clauses = tuple(self._steps(str(result.entities["step"].value), text, last, home))
            return FollowUp(kind, Understood(clauses)) if clauses else None
        if kind is Kind.OTHER:
            return self._chosen(kind, _others(last, home), text, last, named=False)
        for role in ("which", "words"):
            if role in result.entities:
                word = str(result.entities[role].value).strip()
                return self._chosen(kind, self._like(word, last, home), text, last, named=True)
        for role in ("name", "area", "floor"):
            if role in result.entities:
                target: dict[str, Slot] = {role: Slot(result.entities[role].value, result.entities[role].text.strip())}
                matches = last.matches if kind is Kind.ALSO else last.matches[-1:]
                clauses = tuple(
                    Clause(text, (new,))
                    for index, match in enumerate(matches)
                    if (new := _aimed(match, target, last.entity_ids[index - len(matches)], text, home))
                )
                return FollowUp(kind, Understood(clauses), named=True) if clauses else None
        return None

    def _chosen(
        self, kind: Kind, entity_ids: Sequence[str], text: str, last: Remembered, *, named: bool
    ) -> FollowUp | None:
        """Return the last command for one of these; if there are several, it is to be asked which."""
        matches = tuple(_pinned(last.matches[-1], entity_id, text) for entity_id in entity_ids)
        if not matches or last.matches[-1].action is not None:
            return None
        return FollowUp(kind, Understood((Clause(text, matches[:1], rivals=matches[1:]),)), named)

    def _like(self, word: str, last: Remembered, home: Home) -> list[str]:
        """Return the other things of the same kind that have a word in their name: in the same room, else anywhere."""
        alike = [home.entities[i] for i in _alike(last, home)]
        for among in (_same_area(alike, last, home), alike):
            chosen = self._replies.choose(word, [Option(entity.names) for entity in among])
            if chosen is not None and len(chosen) == 1:
                return [among[chosen[0]].entity_id]
        return []

    def _steps(self, step: str, text: str, last: Remembered, home: Home) -> Iterator[Clause]:
        what, _, direction = step.partition(" ")
        for entity_id in last.things[:MAX_THINGS]:
            entity = home.entities.get(entity_id)
            if entity is None or what not in ("any", _STEPPED.get(entity.domain, ("", None))[0]):
                continue
            found = _STEPPED.get(entity.domain)
            made = found[1](entity, 1 if direction == "up" else -1) if found else None
            if made is not None:
                intent, slots = made
                language = last.matches[-1].language
                named = {"name": Slot(entity_id, ""), **{key: Slot(value, "") for key, value in slots.items()}}
                yield Clause(text, (IntentMatch(intent, named, text, language),))

    def _with_pronoun(
        self, text: str, last: Remembered, matcher: Matching, home: Home, context: Context
    ) -> FollowUp | None:
        plain = normalize_for_matching(text).text.casefold()
        for pattern, everything in self._pronouns:
            if not pattern.search(plain):
                continue
            clauses: list[Clause] = []
            for index in range(len(last.matches)) if everything else (len(last.matches) - 1,):
                match, things = last.matches[index], last.entity_ids[index]
                meant = self._probe(pattern, plain, things, matcher, home, context)
                if meant is not None:
                    clauses += [
                        Clause(text, (replace(meant, slots=_others_of(meant) | target, text=text),))
                        for target in _targets(match, things)
                    ]
            if clauses:
                return FollowUp(Kind.PRONOUN, Understood(tuple(clauses)), named=False)
        return None

    def _probe(
        self,
        pattern: re.Pattern[str],
        plain: str,
        things: Sequence[str],
        matcher: Matching,
        home: Home,
        context: Context,
    ) -> IntentMatch | None:
        """Return what the sentence means with the name of one of the things in the place of the pronoun."""
        found = pattern.search(plain)
        assert found is not None
        for entity_id in things[:MAX_THINGS]:
            entity = home.entities.get(entity_id)
            for name in entity.names if entity else ():
                spoken = " ".join(self._speech.words(name)) or name
                whole = plain[: found.start()] + spoken + plain[found.end() :]
                matches = matcher.match(whole, context)
                for match in matches if is_strict(matches) else ():
                    if "name" in match.slots and match.action is None:
                        return match
        return None


def forms(language: str, *, spoken: bool = False) -> Intents:
    """Return the forms of a language as sentences, an intent for each kind; none for a language without a file.

    Args:
        language: code.
        spoken: whether sentences with a pronoun are in, for a recogniser; they are read by way of the matcher.
    """
    data = language_data("followups", language)
    extra = {Kind.PRONOUN.value: data["spoken"]} if spoken and "spoken" in data else {}
    lists: dict[str, Any] = {name: {"values": list(values)} for name, values in data.get("lists", {}).items()}
    lists["words"] = {"wildcard": True}
    lists["percent"] = {"range": {"from": 0, "to": 100}}
    return Intents.from_dict(
        {
            "language": language,
            "intents": {
                kind: {"data": [{"sentences": list(each), "lists": lists}]}
                for kind, each in {**data.get("forms", {}), **extra}.items()
            },
        }
    )


def _word(word: str) -> re.Pattern[str]:
    if word.endswith("'"):  # l'éteindre
        return re.compile(rf"(?<!\w){re.escape(word)}")
    return re.compile(rf"(?<![\w']){re.escape(word)}(?![\w'])")


def _named_length(result: RecognizeResult) -> int:
    return len(result.entities["name"].text) if "name" in result.entities else 0


def _others_of(match: IntentMatch) -> dict[str, Slot]:
    return {name: slot for name, slot in match.slots.items() if name not in TARGETS}


def _pinned(match: IntentMatch, entity_id: str, text: str) -> IntentMatch:
    return replace(match, slots={**_others_of(match), "name": Slot(entity_id, "")}, text=text)


def _targets(match: IntentMatch, things: Sequence[str]) -> list[dict[str, Slot]]:
    """Return what a sentence was for, as slots: a thing by its id, things by what describes them."""
    described = {name: slot for name, slot in match.slots.items() if name in TARGETS}
    placed = {"area", "floor"} & described.keys()
    if "name" in described or not placed:
        return [{"name": Slot(entity_id, "")} for entity_id in things[:MAX_THINGS]]
    return [described]


def _aimed(
    match: IntentMatch, target: Mapping[str, Slot], things: Sequence[str], text: str, home: Home
) -> IntentMatch | None:
    """Return a sentence for another thing or place, None if it cannot be said of it."""
    if match.action is not None:  # an author's: only what it has a slot for
        fits = target.keys() <= match.slots.keys()
        return replace(match, slots={**match.slots, **target}, text=text) if fits else None
    domains = {home.entities[i].domain for i in things if i in home.entities}
    if domains & _ONLY_ITSELF:
        return None
    kept = {name: slot for name, slot in match.slots.items() if name not in ("name", "area", "floor")}
    if "name" in target:
        value = target["name"].value
        single = home.entities.get(str(value))
        kinds = {entity.domain for entity in (home.labelled(value) if single is None else (single,))}
        if not kinds or (domains and not kinds & domains and _is_about_kind(match)):
            return None
        return replace(match, slots={**_others_of(match), **target}, text=text)
    if "name" in match.slots:
        if len(domains) != 1:
            return None
        kept["domain"] = Slot(next(iter(domains)), "")
        classes = {home.entities[i].device_class for i in things if i in home.entities}
        if len(classes) == 1 and (only := next(iter(classes))):
            kept["device_class"] = Slot(only, "")
    return replace(match, slots={**kept, **target}, text=text)


def _is_about_kind(match: IntentMatch) -> bool:
    """Return whether a sentence is for one kind of thing only: what is dimmed is no blind."""
    return match.intent not in ("HassTurnOn", "HassTurnOff", "HassGetState")


def _alike(last: Remembered, home: Home) -> list[str]:
    """Return the things of the same kind as the last one, without those that were meant."""
    first = next((home.entities[i] for i in last.entity_ids[-1] if i in home.entities), None)
    if first is None or first.domain in _ONLY_ITSELF:
        return []
    return [
        entity.entity_id
        for entity in home.entities.values()
        if (entity.domain, entity.device_class) == (first.domain, first.device_class)
        and entity.entity_id not in last.things
    ]


def _same_area(entities: Iterable[Entity], last: Remembered, home: Home) -> list[Entity]:
    areas = {home.entities[i].area_id for i in last.entity_ids[-1] if i in home.entities}
    return [entity for entity in entities if entity.area_id in areas]


def _others(last: Remembered, home: Home) -> list[str]:
    """Return the things of the same kind in the same room; all such of the house if it is the only one there."""
    if len(last.entity_ids[-1]) != 1:
        return []
    alike = [home.entities[i] for i in _alike(last, home)]
    return [entity.entity_id for entity in _same_area(alike, last, home) or alike]


# -- a bit more, a bit less --------------------------------------------------------------------------------------------

_Made = tuple[str, dict[str, Any]] | None


def _percent(intent: str, slot: str, attribute: str, scale: float, least: int) -> Callable[[Entity, int], _Made]:
    def made(entity: Entity, direction: int) -> _Made:
        now = entity.state.attributes.get(attribute)
        if now is None and entity.state.value not in ("off", "closed"):
            return None
        level = round(float(now or 0) / scale) if entity.state.value != "off" else 0
        return intent, {slot: min(100, max(least, level + direction * STEP_PERCENT))}

    return made


def _degrees(entity: Entity, direction: int) -> _Made:
    now = entity.state.attributes.get("temperature")
    if now is None:
        return None
    return "HassClimateSetTemperature", {"temperature": float(now) + direction * STEP_DEGREES}


def _louder(entity: Entity, direction: int) -> _Made:
    return "HassSetVolumeRelative", {"volume_step": "up" if direction > 0 else "down"}


# What is stepped for each kind of thing, and how.
_STEPPED: Mapping[str, tuple[str, Callable[[Entity, int], _Made]]] = {
    "light": ("brightness", _percent("HassLightSet", "brightness", "brightness", 2.55, 5)),
    "media_player": ("volume", _louder),
    "climate": ("temperature", _degrees),
    "cover": ("position", _percent("HassSetPosition", "position", "current_position", 1, 0)),
    "fan": ("speed", _percent("HassFanSetSpeed", "percentage", "percentage", 1, 0)),
}
