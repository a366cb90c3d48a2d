"""Search the index for the sentences nearest to a text: word by word, by how they sound.

The text becomes a lattice: its words, neighbours that may be one word, words that may be two. A beam of hypotheses goes
through lattice and automaton side by side. What differs costs as `sounds` measures it; words too many or too few cost
their length, so that nothing is skipped that could matter ("not", "all").
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from operator import attrgetter
from typing import NamedTuple

from .groundwork import Block
from .index import Index
from .sounds import Code, Codes, distances
from .spoken import Words
from .values import Entry, Values

# Hypotheses kept at each place of the text; twice as many made nothing of 657 sentences misheard in three ways better.
BEAM = 30

# Ten times the words of the longest command.
MAX_WORDS = 60

# Sounds that may differ in all, and as a share of the sentence; three misheard sounds cost between 1.5 and 3.
MAX_COST = 4.0
MAX_SHARE = 0.3

# Most sentences are nearer; so far is looked at first.
_FIRST_COST = 2.0

# A word or a name that differs by more than this share of its sounds is another.
_WORD_SHARE = 0.5
_NAME_SHARE = 0.4
_NUMBER_SHARE = 0.25

# What may be skipped is skipped though it is misheard.
_SKIPPED_SHARE = 0.34

# Other spelling, same sound: less than any sound, but not nothing.
_SPELLING = 0.1

# Free text is a last resort: what stands in a sentence is not taken for it.
_FREE_WORD = 0.15

# Names that sound like a stretch of text, the nearest first.
_MAX_NAMES = 4

_MAX_SPLITS = 3


@dataclass(frozen=True, slots=True)
class Found:
    """A sentence near to a text.

    Attributes:
        cost: about how many sounds differ; 0 if it is the text.
        share: that as a share of the sentence's sounds.
        text: the sentence, as hassil reads it.
        words: the sentence, as it is said.
        blocks: where it comes from.
        worst_name: share of the sounds that differ in the name that fits worst.
        worst_word: the same of the words that are no names.
        free: whether it has free text.
        sure: sounds of its words and names, numbers aside, that were heard as they are.
    """

    cost: float
    share: float
    text: str
    words: Words
    blocks: tuple[Block, ...]
    worst_name: float = 0.0
    worst_word: float = 0.0
    free: bool = False
    sure: int = 0


class _Edge(NamedTuple):
    target: int
    words: Words
    code: Code
    literal: bool  # whether a word of the sentence may stand for it, else a list only
    half: bool = False  # of a word


class _Way(NamedTuple):
    """What may stand for a stretch of the text; `sounds` is 0 for free text."""

    cost: float
    text: str
    words: Words
    sounds: int
    name: bool = False
    number: bool = False

    @property
    def share(self) -> float:
        return self.cost / self.sounds if self.sounds else 0.0


class _Step(NamedTuple):
    before: _Step | None
    way: _Way


class _Hypothesis(NamedTuple):
    cost: float
    number: int  # in place of the steps where costs are equal
    node: int
    step: _Step | None


_ORDER = attrgetter("cost", "number")


class Search:
    """One text's way through an index.

    Args:
        index: what can be said.
        words: the text, as it is said.
    """

    def __init__(self, index: Index, words: Words) -> None:
        self._index = index
        self._arcs = cache(index.arcs)  # many hypotheses come to the same few nodes
        self._words = words[:MAX_WORDS]
        self._firsts, self._lasts = self._ends()

    def exact(self) -> list[Found]:
        """Return the sentences that the text is to the letter, what may be skipped at its ends aside."""
        edges = self._spans(literal=1)
        ways = {edge: self._same(edge) for each in edges.values() for edge in each}
        found: dict[Words, Found] = {}
        for hypothesis in self._run(edges, ways, 0.0, 1):
            _add(found, self._found(hypothesis, tuple(self._index.blocks(hypothesis.node))))
        return list(found.values())

    def nearest(self, window: float, *, free_text: bool = True) -> list[Found]:
        """Return the sentences that sound most like the text, nearest first.

        Args:
            window: cost beyond that of the nearest up to which others are returned.
            free_text: whether to look at sentences with free text as well.
        """
        edges, ways = self._close
        if free_text:
            ways = self._with_free_text(ways)
        length = len(self._index.code(self._words).fine)
        most = min(MAX_COST, MAX_SHARE * length + 1)
        rest = self._rest(self._order(edges), edges, ways)
        least = min(cost + rest[first] for first, cost in self._firsts.items())
        found: list[Found] = []
        if least <= _FIRST_COST:
            found = self._within(min(most, _FIRST_COST), window, edges, ways)
        if least <= most > _FIRST_COST and (not found or found[0].cost + window > _FIRST_COST):
            found = self._within(most, window, edges, ways)
        return found

    def _within(
        self, budget: float, window: float, edges: dict[int, list[_Edge]], ways: dict[_Edge, _Ways]
    ) -> list[Found]:
        """Return the nearest sentences that cost no more than the budget."""
        found: dict[Words, Found] = {}
        limit = budget
        for hypothesis in self._run(edges, ways, budget, BEAM):
            if hypothesis.cost > limit:
                break
            sentence = self._found(hypothesis, tuple(self._index.blocks(hypothesis.node)))
            if sentence.blocks:
                limit = min(limit, hypothesis.cost + window)
                _add(found, sentence)
        return list(found.values())

    @cached_property
    def _close(self) -> tuple[dict[int, list[_Edge]], dict[_Edge, _Ways]]:
        """The lattice, and what each of its stretches sounds like."""
        edges = self._lattice()
        self._skip_nearly(edges)
        return edges, self._near([edge for each in edges.values() for edge in each])

    # the lattice

    def _ends(self) -> tuple[dict[int, float], dict[int, float]]:
        """Return where the sentence may begin and end, with what may be skipped before and after, and its cost."""
        words, skipped = self._words, self._index.skipped
        longest = max(map(len, skipped), default=0)
        firsts, lasts = {0}, {len(words)}
        for at in range(len(words)):
            if at in firsts:
                firsts |= {at + n for n in range(1, longest + 1) if words[at : at + n] in skipped}
        for at in range(len(words), 0, -1):
            if at in lasts:
                lasts |= {at - n for n in range(1, longest + 1) if at >= n and words[at - n : at] in skipped}
        return dict.fromkeys(firsts, 0.0), dict.fromkeys(lasts, 0.0)

    def _skip_nearly(self, edges: dict[int, list[_Edge]]) -> None:
        """Let the sentence begin and end beside what sounds like what may be skipped."""
        codes = Codes(self._index.code(words) for words in self._index.skipped if len(words) == 1)
        ends = [edge for at in (0, len(self._words) - 1) for edge in edges.get(at, ()) if len(edge.words) == 1]
        for row, _, cost in distances([edge.code for edge in ends], codes, _SKIPPED_SHARE):
            if ends[row].target == 1:
                self._firsts.setdefault(1, max(cost, _SPELLING))
            if ends[row].target == len(self._words):
                self._lasts.setdefault(ends[row].target - 1, max(cost, _SPELLING))

    def _spans(self, literal: int) -> dict[int, list[_Edge]]:
        """Return the stretches of the text by their first word; up to `literal` words can be one of a sentence."""
        words = self._words
        codes = [self._index.code((word,)) for word in words]
        edges: dict[int, list[_Edge]] = defaultdict(list)
        for first in range(len(words)):
            code = Code("", "")
            for last in range(first + 1, len(words) + 1):
                code = code + codes[last - 1]
                edges[first].append(_Edge(last, words[first:last], code, last - first <= literal))
        return edges

    def _lattice(self) -> dict[int, list[_Edge]]:
        """Return the stretches, with words split in two that are one here and two there."""
        edges = self._spans(literal=2)
        place = len(self._words)
        for at, word in enumerate(self._words):
            splits = 0
            for cut in range(2, len(word) - 1):
                halves = word[:cut], word[cut:]
                if splits < _MAX_SPLITS and all(half in self._index.known for half in halves):
                    place += 1
                    splits += 1
                    first, last = (self._index.code((half,)) for half in halves)
                    edges[at].append(_Edge(place, halves[:1], first, True, True))
                    edges[place].append(_Edge(at + 1, halves[1:], last, True, True))
        return edges

    # what may stand for a stretch

    def _same(self, edge: _Edge) -> _Ways:
        """Return what a stretch is to the letter."""
        ways: _Ways = {}
        symbol = self._index.vocabulary.get(edge.words[0]) if len(edge.words) == 1 else None
        if symbol is not None:
            ways[symbol] = [_Way(0.0, edge.words[0], edge.words, len(edge.code.fine))]
        for values, symbols in self._index.uses:
            rows = values.by_words.get(edge.words) if values is not None else ()
            for number in symbols if rows or values is None else ():
                allowed = self._index.slots[number].allowed
                row = next((row for row in rows or () if allowed is None or row in allowed), None)
                if row is not None:
                    ways[number] = [_way(0.0, values.entries[row])] if values else []
                elif values is None:
                    text = " ".join(edge.words)
                    ways[number] = [_Way(0.0, text, edge.words, 0)]
        return ways

    def _near(self, edges: Sequence[_Edge]) -> dict[_Edge, _Ways]:
        """Return what each of some stretches sounds like."""
        ways: dict[_Edge, _Ways] = {edge: {} for edge in edges}
        index = self._index
        literal = [edge for edge in edges if edge.literal]
        near = distances([edge.code for edge in literal], index.codes, _WORD_SHARE)
        for row, column, cost in near:
            edge, symbol = literal[row], index.symbols[column]
            word = index.texts[symbol]
            if edge.half or edge.words != (word,):
                cost = max(cost, _SPELLING)
            ways[edge][symbol] = [_Way(cost, word, (word,), len(index.codes.codes[column].fine))]
        named: dict[tuple[_Edge, int], list[tuple[float, int]]] = defaultdict(list)
        short = [edge for edge in edges if len(edge.words) <= index.longest + 1]
        for edge in short:
            for use, (values, _) in enumerate(index.uses):
                if values is not None and values.numbers:
                    rows = values.by_words.get(edge.words)
                    if rows is not None:
                        named[edge, use] += [(0.0, row) for row in rows]
        for row, column, cost in distances([edge.code for edge in short], index.list_codes, _NAME_SHARE):
            edge, code = short[row], index.list_codes.codes[column]
            for use, place in index.sounding[column]:
                values = index.uses[use][0]
                if values is None or len(edge.words) > values.longest + 1:
                    continue
                if values.numbers and cost > _NUMBER_SHARE * len(code.fine):
                    continue
                same = edge.words == values.entries[place].words and not edge.half
                named[edge, use].append((cost if same else max(cost, _SPELLING), place))
        for (edge, use), found in named.items():
            values, symbols = index.uses[use]
            assert values is not None  # free text sounds like nothing
            found.sort()
            known: dict[int, list[_Way]] = {}  # many lists take the same of the values
            for number in symbols:
                allowed = index.slots[number].allowed
                if id(allowed) not in known:
                    known[id(allowed)] = list(self._best(allowed, values, found))
                ways[edge][number] = known[id(allowed)]
        return ways

    def _with_free_text(self, ways: dict[_Edge, _Ways]) -> dict[_Edge, _Ways]:
        """Return what stretches sound like with free text, which any of them may be."""
        free = [number for values, symbols in self._index.uses if values is None for number in symbols]
        found: dict[_Edge, _Ways] = {}
        for edge, there in ways.items():
            way = [_Way(_FREE_WORD * len(edge.words), " ".join(edge.words), edge.words, 0)]
            found[edge] = {**dict.fromkeys(free, way), **there}
        return found

    def _best(
        self, allowed: frozenset[int] | None, values: Values, rows: Iterable[tuple[float, int]]
    ) -> Iterator[_Way]:
        texts: set[str] = set()
        for cost, row in rows:
            entry = values.entries[row]
            if (allowed is None or row in allowed) and entry.text not in texts:
                texts.add(entry.text)
                yield _way(cost, entry)
                if len(texts) >= _MAX_NAMES:
                    return

    # the way through

    def _run(
        self, edges: dict[int, list[_Edge]], ways: dict[_Edge, _Ways], budget: float, beam: int
    ) -> Iterator[_Hypothesis]:
        """Yield the hypotheses that have come to the end of the text, nearest first."""
        index = self._index
        number = 0
        order = self._order(edges)
        rest = self._rest(order, edges, ways) if budget else defaultdict(float)
        places: dict[int, list[_Hypothesis]] = defaultdict(list)
        for first, cost in self._firsts.items():
            places[first].append(_Hypothesis(cost, -first, index.start, None))
        done: list[_Hypothesis] = []
        for place in order:
            here = self._kept(places.pop(place, []), budget, beam)
            if place in self._lasts:
                done += [each._replace(cost=each.cost + self._lasts[place]) for each in here]
            for hypothesis in here:
                arcs = self._arcs(hypothesis.node)
                for edge in edges.get(place, ()):
                    then = places[edge.target]
                    there = ways[edge]
                    most = budget - rest[edge.target] - hypothesis.cost
                    if most < 0:
                        continue
                    for symbol in there.keys() & arcs.keys() if len(there) > len(arcs) else there:
                        target = arcs.get(symbol)
                        if target is None:
                            continue
                        for way in there[symbol]:
                            if way.cost <= most:
                                number += 1
                                cost = hypothesis.cost + way.cost
                                then.append(_Hypothesis(cost, number, target, _Step(hypothesis.step, way)))
                    if budget and _skippable(edge) and _skipped(edge) <= most:
                        then.append(hypothesis._replace(cost=hypothesis.cost + _skipped(edge)))
        yield from sorted(done, key=_ORDER)

    def _rest(self, order: Sequence[int], edges: dict[int, list[_Edge]], ways: dict[_Edge, _Ways]) -> dict[int, float]:
        """Return what the way from each place to the end costs at least, whatever the sentence is."""
        rest = defaultdict(lambda: math.inf, self._lasts)
        for place in reversed(order):
            for edge in edges.get(place, ()):
                least = min((each[0].cost for each in ways[edge].values() if each), default=math.inf)
                if _skippable(edge):
                    least = min(least, _skipped(edge))
                rest[place] = min(rest[place], least + rest[edge.target])
        return rest

    def _order(self, edges: dict[int, list[_Edge]]) -> list[int]:
        """Return the places of the lattice, each before those that come after it."""
        count = len(self._words)
        halves = {edge.target: at for at in range(count) for edge in edges.get(at, ()) if edge.target > count}
        return sorted((*range(count + 1), *halves), key=lambda place: (halves.get(place, place), place > count))

    def _kept(self, hypotheses: list[_Hypothesis], budget: float, beam: int) -> list[_Hypothesis]:
        """Return the best hypotheses, with those that leave a short word of the sentence out."""
        if not budget:  # to the letter there is no better or worse
            return list({hypothesis.node: hypothesis for hypothesis in hypotheses}.values())
        best = heapq.nsmallest(beam, hypotheses, key=_ORDER)
        for hypothesis in best[: beam // 2]:
            for symbol, target in self._arcs(hypothesis.node).items():
                sounds = self._index.short.get(symbol)
                if sounds is not None and hypothesis.cost + sounds <= budget:
                    word = self._index.texts[symbol]
                    step = _Step(hypothesis.step, _Way(sounds, word, (word,), sounds))
                    best.append(hypothesis._replace(cost=hypothesis.cost + sounds, node=target, step=step))
        return heapq.nsmallest(beam, best, key=_ORDER)

    def _found(self, hypothesis: _Hypothesis, blocks: tuple[Block, ...]) -> Found:
        ways: list[_Way] = []
        step = hypothesis.step
        while step is not None:
            ways.append(step.way)
            step = step.before
        ways.reverse()
        return Found(
            cost=hypothesis.cost,
            share=hypothesis.cost / max(1, sum(way.sounds for way in ways)),
            text=" ".join(way.text for way in ways),
            words=tuple(word for way in ways for word in way.words),
            blocks=blocks,
            worst_name=max((way.share for way in ways if way.name), default=0.0),
            worst_word=max((way.share for way in ways if not way.name), default=0.0),
            free=not all(way.sounds for way in ways),
            sure=sum(way.sounds for way in ways if way.cost <= _SPELLING and not way.number),
        )


def _skippable(edge: _Edge) -> bool:
    return edge.literal and len(edge.words) == 1


def _skipped(edge: _Edge) -> float:
    """Return what it costs to leave a word of the text out: more than to mishear it."""
    return 1.0 + len(edge.code.fine)


def _add(found: dict[Words, Found], sentence: Found) -> None:
    """Add a sentence, or the blocks of one with the same words: "bedroom lamp" is a name, or an area and a word."""
    if sentence.blocks:
        same = found.setdefault(sentence.words, sentence)
        if same is not sentence:
            blocks = {id(block): block for block in (*same.blocks, *sentence.blocks)}
            found[sentence.words] = replace(same, blocks=tuple(blocks.values()))


_Ways = dict[int, list[_Way]]


def _way(cost: float, entry: Entry) -> _Way:
    return _Way(cost, entry.text, entry.words, len(entry.code.fine), True, entry.source is None)
