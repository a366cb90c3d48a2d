"""The templates that come near to a text that was said: what is missing from it, and what is too much."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from .home_sentences import HomeSentences, HomeTemplate
from .sound import likeness

# What somebody who waits for an explanation bears; what was not looked at by then is left out.
BUDGET_S = 5.0

# Longer texts are no commands.
MAX_WORDS = 40

# What it costs to hear a word as the template's: nothing if it is that word; little if it sounds like it, the less the
# more; as much as a word that is missing if it is another.
_ALIKE = 0.5
_OTHER_SPELLING = 0.2


@dataclass(frozen=True, slots=True)
class Near:
    """A template near a text.

    Attributes:
        intent: what it means.
        template: as it is written.
        where: `file:line`, or `home-assistant-intents`.
        said: the nearest of the sentences that it stands for.
        missing: words of it that the text lacks.
        extra: words of the text that it lacks.
        score: 0 to 1; 1 is the sentence to the word.
    """

    intent: str
    template: str
    where: str
    said: str
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    score: float


@dataclass(frozen=True, slots=True)
class _Way:
    """The cheapest way through an automaton with what is left of the text."""

    cost: float
    said: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()


def near(
    sentences: HomeSentences,
    text: str,
    limit: int = 5,
    *,
    budget_s: float = BUDGET_S,
    clock: Callable[[], float] = time.process_time,
) -> tuple[Near, ...]:
    """Return the templates nearest to a text, the nearest first, by the words that differ; free text is not compared.

    Args:
        sentences: the templates in a home.
        text: what was said.
        limit: how many to return; of templates that are as near for the same words only the first.
        budget_s: seconds of CPU after which the rest of the templates is left out, however busy the machine is.
        clock: what was used so far, in seconds.
    """
    words = tuple(text.casefold().split())[:MAX_WORDS]
    if not words:
        return ()
    templates = sorted(sentences.templates, key=lambda each: not each.authors)  # made at the first call
    until = clock() + budget_s
    alignment = _Alignment(sentences, words)
    found: list[tuple[float, HomeTemplate, _Way]] = []
    for template in templates:
        if clock() > until:
            break
        if template.node:
            way = alignment.best(template.node, 0)
            found.append((1 - way.cost / max(len(words), len(way.said), 1), template, way))
    found.sort(key=lambda each: (-each[0], not each[1].authors))
    shown: dict[tuple[str, tuple[str, ...]], Near] = {}
    for score, template, way in found:
        if len(shown) == limit:
            break
        said = " ".join(way.said)
        entry = Near(template.intent, template.text, template.where, said, way.missing, way.extra, max(0.0, score))
        shown.setdefault((template.intent, way.said), entry)
    return tuple(shown.values())


def _preference(way: tuple[float, _Way, str, str, str]) -> tuple[int, tuple[str, ...]]:
    """Return what decides between ways of the same cost, whatever the order of an automaton's arcs."""
    _, then, said, missing, extra = way
    differing = len(then.missing) + len(then.extra) + bool(missing) + bool(extra)
    return differing, (said, *then.said) if said else then.said


class _Alignment:
    """The edit distance, by words, of one text to everything that automata say; what is shared is computed once."""

    def __init__(self, sentences: HomeSentences, words: tuple[str, ...]) -> None:
        self._sentences = sentences
        self._automata = sentences.automata
        self._words = words
        self._known: dict[tuple[int, int], _Way] = {}
        self._costs: dict[tuple[int, int], float] = {}

    def best(self, node: int, at: int) -> _Way:
        """Return the cheapest way from a node on, with the words from `at` on."""
        known = self._known.get((node, at))
        if known is None:
            known = self._known[node, at] = self._best(node, at)
        return known

    def _best(self, node: int, at: int) -> _Way:
        left = self._words[at:]
        ways: list[tuple[float, _Way, str, str, str]] = []
        if self._automata.final(node):
            ways.append((len(left), _Way(0, extra=left), "", "", ""))
        if left:
            then = self.best(node, at + 1)
            ways.append((then.cost + 1, then, "", "", left[0]))
        for symbol, target in self._automata.arcs(node).items():
            word = self._sentences.text(symbol)
            then = self.best(target, at)
            ways.append((then.cost + 1, then, word, word, ""))
            if left:
                cost = self._cost(symbol, at)
                then = self.best(target, at + 1)
                ways.append((then.cost + cost, then, word, word if cost else "", left[0] if cost else ""))
        if not ways:
            return _Way(float("inf"))
        least = min(way[0] for way in ways)
        cost, then, said, missing, extra = min((way for way in ways if way[0] == least), key=_preference)
        return _Way(
            cost,
            (said, *then.said) if said else then.said,
            (missing, *then.missing) if missing else then.missing,
            (extra, *then.extra) if extra else then.extra,
        )

    def _cost(self, symbol: int, at: int) -> float:
        """Return what it costs to hear a word as the template's."""
        key = (symbol, at)
        if key not in self._costs:
            word, heard = self._sentences.text(symbol), self._words[at]
            like = 1.0 if word == heard else likeness(word, heard)
            cost = 0.0 if word == heard else _OTHER_SPELLING + 1 - like
            self._costs[key] = min(1.0, cost) if like >= _ALIKE else 1.0
        return self._costs[key]
