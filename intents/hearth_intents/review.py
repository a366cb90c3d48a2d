"""What is wrong with an author's sentences beyond their form: what collides, is never reached, or is not used."""

from __future__ import annotations

import itertools
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from hearth_core.command import Context, IntentMatch
from hearth_core.errors import SentenceError
from hearth_core.home import Home

from .automaton import NOTHING
from .home_sentences import HomeSentences, HomeTemplate
from .matcher import Matcher
from .sentence_file import SentenceFile
from .sentences import Sentences, action_of, is_key
from .source_file import PlacedError, Where

# What somebody who waits for a check bears; pairs that were not looked at by then are said so.
BUDGET_S = 20.0

# A template that stands for more makes the recogniser choose among what nobody says. An order in a café, of six lists,
# is at 10^8.
MANY_SENTENCES = 10**9

# Sentences of a template that are tried before it is called unreachable.
TRIES = 40

_REFERENCE = re.compile(r"\{([^{}:]+)(?::[^{}]*)?\}")
_RULE = re.compile(r"<([^<>]+)>")


class Level(StrEnum):
    """How bad a finding is."""

    ERROR = "error"  # something does not work
    WARNING = "warning"  # something does not work as it is likely meant
    NOTE = "note"  # worth knowing


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to tell an author.

    Attributes:
        level: how bad.
        code: what kind, for machines.
        message: in plain words.
        remedy: what to do about it, empty if nothing.
        file: where, empty for the home.
        line: from 1, None for the file as a whole.
        column: from 1.
    """

    level: Level
    code: str
    message: str
    remedy: str = ""
    file: str = ""
    line: int | None = None
    column: int | None = None

    @property
    def where(self) -> str:
        """`file:line:column`, as far as they are known."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part)


def of_error(error: SentenceError) -> Finding:
    """Return the finding that an error of reading comes to."""
    if not isinstance(error, PlacedError):
        return Finding(Level.ERROR, "file", error.message, error.remedy)
    mark = error.mark
    return Finding(
        Level.ERROR,
        "file",
        error.said,
        error.remedy,
        str(error.path),
        mark.line if mark else None,
        mark.column if mark else None,
    )


def review(
    sentences: Sentences,
    home: Home,
    *,
    budget_s: float = BUDGET_S,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[Finding, ...]:
    """Return what there is to tell of the author's files, in the order of files and lines.

    Args:
        sentences: with the author's files.
        home: in which they are said.
        budget_s: seconds for comparing sentences with each other.
        clock: what time it is, in seconds.
    """
    found = [of_error(problem) for problem in sentences.problems]
    found += _unused(sentences)
    found += _responses(sentences)
    try:
        found += _Comparison(sentences, home, clock, clock() + budget_s).findings()
    except SentenceError as error:
        found.append(of_error(error))
    return tuple(sorted(found, key=lambda each: (each.file, each.line or 0, each.column or 0, each.code)))


# -- what is there and not used ----------------------------------------------------------------------------------------


def _unused(sentences: Sentences) -> Iterator[Finding]:
    """Yield lists and rules of a file that no template names. Those that extend Home Assistant's are used by it."""
    named: dict[str, set[str]] = {"list": set(), "rule": set()}
    for file in sentences.files:
        for text in _templates(file):
            named["list"] |= {name.strip() for name in _REFERENCE.findall(text)}
            named["rule"] |= set(_RULE.findall(text))
    for intent in sentences.intents.intents.values():
        for block in intent.data:
            for text in block.sentence_texts:
                named["list"] |= {name.strip() for name in _REFERENCE.findall(text)}
                named["rule"] |= set(_RULE.findall(text))
    for rule in sentences.intents.expansion_rules.values():
        named["list"] |= {name.strip() for name in _REFERENCE.findall(rule.text or "")}
        named["rule"] |= set(_RULE.findall(rule.text or ""))
    for file in sentences.files:
        for kind, key, names in (
            ("list", "lists", file.model.lists),
            ("rule", "expansion_rules", file.model.expansion_rules),
        ):
            for name in names:
                if name not in named[kind]:
                    shown = f"{{{name}}}" if kind == "list" else f"<{name}>"
                    remedy = "Use it, or delete it"
                    yield _at(file, (key, name), Level.WARNING, "unused", f"no sentence uses {shown}", remedy)


def _templates(file: SentenceFile) -> Iterator[str]:
    yield from file.model.expansion_rules.values()
    for intent in file.model.intents.values():
        for block in intent.data:
            yield from block.sentences
            yield from block.expansion_rules.values()


def _responses(sentences: Sentences) -> Iterator[Finding]:
    """Yield blocks whose response is a key that nobody has a text for."""
    for file in sentences.files:
        for name, intent in file.model.intents.items():
            for index, block in enumerate(intent.data):
                there = sentences.responses.get(name, {})
                if block.response is None or not is_key(file.model, name, block.response) or block.response in there:
                    continue
                where: Where = ("intents", name, "data", index, "response")
                message = f"there is no response {block.response} of {name}"
                remedy = f"Add it under responses, intents, {name}, or write the answer here as a sentence"
                yield _at(file, where, Level.WARNING, "response", message, remedy)


def _at(file: SentenceFile, where: Where, level: Level, code: str, message: str, remedy: str) -> Finding:
    mark = file.place(where)
    return Finding(level, code, message, remedy, str(file.path), mark.line, mark.column)


# -- what collides -----------------------------------------------------------------------------------------------------


class _Comparison:
    """The author's templates beside each other and beside Home Assistant's."""

    def __init__(self, sentences: Sentences, home: Home, clock: Callable[[], float], until: float) -> None:
        self._home_sentences = HomeSentences(sentences, home)
        self._matcher = Matcher(sentences, home)
        self._clock = clock
        self._until = until
        self._places = {str(file.path): file for file in sentences.files}
        self._own = [template for template in self._home_sentences.templates if template.authors]

    def findings(self) -> Iterator[Finding]:
        """Yield what there is to tell."""
        for template in self._own:
            yield from self._alone(template)
        groups: dict[str, list[HomeTemplate]] = defaultdict(list)
        for template in self._own:
            if template.node != NOTHING:
                groups[template.context].append(template)
        told: set[str] = set()
        for group in groups.values():
            for template in group:
                if (hidden := self._unreachable(template, group)) is not None:
                    told.add(template.where + template.text)
                    yield hidden
        yield from self._conflicts(groups, told)
        yield from self._taken()

    def _alone(self, template: HomeTemplate) -> Iterator[Finding]:
        if template.node == NOTHING:
            if not self._home_sentences.has_free_text(template):
                message = f"{_short(template.text)} cannot be said in this home: it has nothing that fits"
                yield self._finding(template, Level.WARNING, "unsayable", message, "Check requires_context and lists")
            return
        count = self._home_sentences.count(template.node)
        if count > MANY_SENTENCES:
            message = f"{_short(template.text)} stands for {_round(count)} sentences"
            yield self._finding(template, Level.WARNING, "huge", message, "Leave out optional words that nobody says")

    def _unreachable(self, template: HomeTemplate, group: list[HomeTemplate]) -> Finding | None:
        others = [each for each in group if each.effect != template.effect]
        if not others or self._late():
            return None
        if not self._home_sentences.within(template.node, (each.node for each in others)):
            return None
        rng = Random(template.text)  # noqa: S311 - the same sentences at each check
        winner: IntentMatch | None = None
        for _ in range(TRIES):
            text = " ".join(self._home_sentences.sample(template.node, rng))
            first = next(iter(self._matcher.match(text, Context())), None)
            if first is None:
                continue
            if _does(first, template):
                return None
            winner = first
        if winner is None:
            return None
        message = f"{_short(template.text)} is never reached: all that it says means {winner.intent} already"
        message += self._says_where(others, winner)
        return self._finding(template, Level.ERROR, "unreachable", message, "Delete one of them, or say it otherwise")

    def _says_where(self, others: list[HomeTemplate], winner: IntentMatch) -> str:
        where = next((each.where for each in others if _does(winner, each)), "")
        return f" ({where})" if where else ""

    def _conflicts(self, groups: Mapping[str, list[HomeTemplate]], told: set[str]) -> Iterator[Finding]:
        for group in groups.values():
            for one, other in itertools.combinations(group, 2):
                if one.effect == other.effect or {one.where + one.text, other.where + other.text} & told:
                    continue
                if self._late():
                    message = "there are too many sentences to compare each with each: conflicts may be left untold"
                    yield Finding(Level.NOTE, "budget", message, "Check fewer folders at a time")
                    return
                words = self._home_sentences.common(one.node, other.node)
                if words is None:
                    continue
                text = " ".join(words)
                first = next(iter(self._matcher.match(text, Context())), None)
                wins = "" if first is None else f"; it does what {(one if _does(first, one) else other).where} says"
                message = f"{text!r} is said by {one.where} ({one.intent}) too{wins}"
                yield self._finding(other, Level.ERROR, "conflict", message, "Say one of them otherwise")

    def _taken(self) -> Iterator[Finding]:
        """Yield a note for each template that takes a sentence from Home Assistant's, which an author may well mean."""
        theirs: dict[str, list[HomeTemplate]] = defaultdict(list)
        for template in self._home_sentences.templates:
            if not template.authors and template.node != NOTHING:
                theirs[template.intent].append(template)
        automata = self._home_sentences.automata
        all_of = {intent: automata.union([t.node for t in templates]) for intent, templates in theirs.items()}
        for template in self._own:
            for intent, node in all_of.items():
                if intent == template.intent and action_of(template.block) is None:
                    continue
                words = None if self._late() else self._home_sentences.common(template.node, node)
                if words is not None:
                    message = f"{' '.join(words)!r} is taken from Home Assistant's {intent}"
                    yield self._finding(template, Level.NOTE, "taken", message, "")

    def _late(self) -> bool:
        return self._clock() > self._until

    def _finding(self, template: HomeTemplate, level: Level, code: str, message: str, remedy: str) -> Finding:
        path, _, line = template.where.rpartition(":")
        column = self._column(path, int(line), template.text)
        return Finding(level, code, message, remedy, path, int(line), column)

    def _column(self, path: str, line: int, text: str) -> int | None:
        file = self._places.get(path)
        for where, mark in file.places.items() if file else ():
            if mark.line == line and "sentences" in where[-2:-1]:
                return mark.column
        return None


def _does(match: IntentMatch, template: HomeTemplate) -> bool:
    return (
        match.intent == template.intent
        and match.action == action_of(template.block)
        and all(match.value(name) == value for name, value in template.block.slots.items())
    )


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:59] + "…")


def _round(count: int) -> str:
    for size, word in ((10**12, "million million"), (10**9, "thousand million"), (10**6, "million")):
        if count >= size:
            return f"{count / size:.3g} {word}" if count < size * 1000 else f"more than 999 {word}"
    return str(count)


def worst(findings: tuple[Finding, ...]) -> Level | None:
    """Return the worst level among findings, None if there are none."""
    levels = {finding.level for finding in findings}
    return next((level for level in Level if level in levels), None)
