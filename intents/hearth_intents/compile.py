"""From sentence templates and the home's names to the word graph of everything that can be said.

Nothing is unfolded: templates become automata that share what they have in common, in three steps.

1. A template becomes an automaton over pieces (`pieces`).
2. Pieces that stand together become words (`phrasing`).
3. References to lists are replaced by the lists' words.

A name and a place in one sentence go together: "the lamp in the kitchen" can be said only if a lamp is in the kitchen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from hassil.expression import Sentence, TextChunk
from hassil.intents import IntentData, SlotList, TextSlotList, TextSlotValue

from hearth_core.errors import SentenceError
from hearth_core.home import Home

from .automaton import EMPTY, NOTHING
from .grammar import Grammar
from .graph import WordGraph
from .phrasing import FROM_SATELLITE, Phrasing
from .sentences import Sentences, is_authors, is_text_only
from .slots import home_names
from .talk import talk_blocks

# Small talk, and intents whose sentences are free text for the most part: a closed grammar is better without them.
LEFT_OUT = frozenset(
    {
        "HassBroadcast",
        "HassListAddItem",
        "HassListCompleteItem",
        "HassListRemoveItem",
        "HassMediaSearchAndPlay",
        "HassRespond",
        "HassShoppingListAddItem",
        "HassShoppingListCompleteItem",
    }
)

# A home of 1,000 entities has a tenth of it.
MAX_ARCS = 4_000_000


def compile_grammar(
    sentences: Sentences,
    home: Home,
    *,
    left_out: Iterable[str] = LEFT_OUT,
    talk: bool = False,
    pin_digits: int = 0,
) -> Grammar:
    """Return everything that can be said in a home.

    Templates with free text are not in it, nor sentences about kinds of things that the home has not. What hassil
    skips ("please", "could you") may stand at either end.

    Args:
        sentences: the language's.
        home: the names come from it.
        left_out: intents of Home Assistant's own sentences to leave out; an author's are always in.
        talk: whether answers to questions ("yes") and follow-ups ("turn it off") are in.
        pin_digits: with talk, how many digits a PIN has; 0 if there is none.

    Raises:
        SentenceError: the sentences make a graph that is too large.
    """
    try:
        talks = talk_blocks(sentences.language, pin_digits) if talk else ()
        return Compiler(sentences, home).grammar(frozenset(left_out), talks)
    except RecursionError as error:
        raise SentenceError("a sentence is too long", remedy="Split long templates into several") from error


class Compiler(Phrasing):
    """One home's automata. `compile_grammar` makes all sentences one; authors' tools look at single templates."""

    def __init__(self, sentences: Sentences, home: Home) -> None:
        super().__init__(sentences, home)
        self._home = home

    def grammar(self, left_out: frozenset[str], talks: tuple[IntentData, ...] = ()) -> Grammar:
        """Return the home's grammar, with what is said after a command or a question."""
        skipped = self.words.of_sequences(self._skip_words())
        end = self.words.union((EMPTY, skipped))
        said = self.words.union([*self._blocks(left_out, end), *self._answers(talks, end)])
        start = self._after_skipped(skipped, self.fill(self._beside_places(said)))
        telling = self._after_skipped(skipped, self.fill(self._beside_places(said, telling=True)))
        nodes = self.words.reachable(start)
        closing = self._closing(start, telling, end)
        graph = self._graph(nodes)
        names = tuple(dict.fromkeys(home_names(self._home)))
        spoken: dict[str, str] = {}
        for text in (*graph.words, *names):
            spoken |= self.speech.spelled(text)
        vocabulary = frozenset(graph.words)
        return Grammar(
            language=self.sentences.language,
            graph=graph,
            names=tuple(name for name in names if self.speech.words(name)),
            spoken={word: said for word, said in sorted(spoken.items()) if word in vocabulary},
            unspeakable=tuple(name for name in names if not self.speech.words(name)),
            closing=frozenset(number for number, node in enumerate(nodes) if node in closing),
        )

    def _after_skipped(self, skipped: int, node: int) -> int:
        for _ in range(2):  # "could you please …"
            node = self.words.union((node, self.words.chain(skipped, node)))
        return node

    def _closing(self, start: int, telling: int, end: int) -> set[int]:
        """Return the nodes of `start` after which no more than `end` follows, but for places that tell nothing.

        Args:
            start: everything that can be said.
            telling: the same without places beside a name that is in no other.
            end: what may follow every sentence. Equal nodes are one node, so it stands wherever nothing else can.
        """
        done = {end, EMPTY}
        closing: set[int] = set()
        not_closing: set[int] = set()
        pending, seen = [(start, telling)], {(start, telling)}
        while pending:
            node, told = pending.pop()
            (closing if node in done or told in done else not_closing).add(node)
            after = self.words.arcs(told)
            for word, target in self.words.arcs(node).items():
                pair = (target, after.get(word, NOTHING))
                if pair not in seen:
                    seen.add(pair)
                    pending.append(pair)
        return closing - not_closing

    def _skip_words(self) -> Iterator[list[int]]:
        for phrase in self.sentences.intents.skip_words:
            for words in self.speech.variants(phrase):
                yield [self.symbols[word] for word in words]

    def _blocks(self, left_out: frozenset[str], end: int) -> Iterator[int]:
        domains = {entity.domain for entity in self._home.entities.values()}
        for name, intent in self.sentences.intents.intents.items():
            for block in intent.data:
                if not is_authors(block) and (name in left_out or not self._has_any(name, block, domains)):
                    continue
                if "area" in block.requires_context and not self._home.areas:
                    continue
                if is_text_only(block):
                    continue
                scope = self.scope(block)
                named = block.requires_context.keys() <= FROM_SATELLITE
                for sentence in block.sentences:
                    yield self.say(self.pieces.build(sentence.expression, EMPTY, scope), end, named)

    def _answers(self, talks: tuple[IntentData, ...], end: int) -> Iterator[int]:
        for block in talks:
            scope = self.scope(block)
            for sentence in block.sentences:
                yield self.say(self.pieces.build(sentence.expression, EMPTY, scope), end, True)

    def _has_any(self, intent: str, block: IntentData, domains: set[str]) -> bool:
        """Return whether the home has a thing of the kind that a block is about."""
        about = block.slots.get("domain", self.sentences.domains.get(intent, ()))
        wanted = {about} if isinstance(about, str) else set(about)
        if intent == "HassClimateGetTemperature":
            wanted.add("sensor")
        return not wanted or not wanted.isdisjoint(domains)

    def template(self, block: IntentData, sentence: Sentence) -> int:
        """Return the words that one template can say in this home; NOTHING if none, or if it has free text."""
        pieces = self.pieces.build(sentence.expression, EMPTY, self.scope(block))
        return self.fill(self._beside_places(self.say(pieces, EMPTY, block.requires_context.keys() <= FROM_SATELLITE)))

    # names beside places

    def _beside_places(self, node: int, *, telling: bool = False) -> int:
        """Return the sentences in which a name stands with a place only if the thing is there.

        With `telling`, only if the place also tells which thing is meant: another of that name is elsewhere.
        """
        for role, places in (("area", self._home.areas), ("floor", self._home.floors)):
            both = self._with_roles(node, frozenset({"name", role}), frozenset(), True, {})
            rest = self._with_roles(node, frozenset({"name", role}), frozenset(), False, {})
            there = [self._in_place(both, role, place, telling, {}) for place in places]
            node = self.words.union((rest, *there))
        return node

    def _with_roles(
        self, node: int, roles: frozenset[str], seen: frozenset[str], wanted: bool, known: dict[Any, int]
    ) -> int:
        """Return the sentences in which lists of all the roles are, or if not `wanted`, those in which not all are."""
        key = (node, seen)
        if key not in known:
            arcs = {}
            for symbol, target in self.words.arcs(node).items():
                role = self.lists[-symbol - 1].role if symbol < 0 else ""
                now = seen | {role} if role in roles else seen
                arcs[symbol] = self._with_roles(target, roles, now, wanted, known)
            known[key] = self.words.node(self.words.final(node) and (seen == roles) == wanted, arcs)
        return known[key]

    def _in_place(self, node: int, role: str, place: str, telling: bool, known: dict[int, int]) -> int:
        """Return the sentences with their names narrowed to what is in a place, and the place to itself."""
        if node not in known:
            arcs: dict[int, int] = {}
            for symbol, target in self.words.arcs(node).items():
                narrowed = self._narrowed(symbol, role, place, telling)
                arcs[narrowed] = self._in_place(target, role, place, telling, known)
            known[node] = self.words.node(self.words.final(node), arcs)
        return known[node]

    def _narrowed(self, symbol: int, role: str, place: str, telling: bool) -> int:
        if symbol > 0 or self.lists[-symbol - 1].role not in ("name", role):
            return symbol
        entry = self.lists[-symbol - 1]
        source = self._placed[role, place, entry.role]
        if telling and entry.role == "name":
            several = self._several[role]
            values = [value for value in _texts(source) if _text(value) in several]
            source = TextSlotList(source.name, values)
        return self.list_number((symbol, role, place, telling), replace(entry, source=source))

    @cached_property
    def _several(self) -> dict[str, set[str]]:
        """The names that are in several places, by what places are meant: areas or floors."""
        places: dict[tuple[str, str], set[str | None]] = {}
        for value in _texts(self.home_lists["name"]):
            area = self._home.area_of(value.value_out)
            places.setdefault(("area", _text(value)), set()).add(area.area_id if area else None)
            places.setdefault(("floor", _text(value)), set()).add(area.floor_id if area else None)
        return {
            role: {name for (of, name), there in places.items() if of == role and len(there) > 1}
            for role in ("area", "floor")
        }

    @cached_property
    def _placed(self) -> dict[tuple[str, str, str], TextSlotList]:
        """The home's lists of names and places, by the role and id of the place that they are narrowed to."""
        placed: dict[tuple[str, str, str], TextSlotList] = {}
        for role, places in (("area", self._home.areas), ("floor", self._home.floors)):
            for place in places:
                placed[role, place, role] = TextSlotList(role, [])
                placed[role, place, "name"] = TextSlotList("name", [])
            for value in _texts(self.home_lists[role]):
                placed[role, value.value_out, role].values.append(value)
        for value in _texts(self.home_lists["name"]):
            area = self._home.area_of(value.value_out)
            if area is not None:
                placed["area", area.area_id, "name"].values.append(value)
                if area.floor_id and area.floor_id in self._home.floors:
                    placed["floor", area.floor_id, "name"].values.append(value)
        return placed

    # the whole

    def _graph(self, nodes: list[int]) -> WordGraph:
        state = {node: number for number, node in enumerate(nodes)}
        arcs = [(state[node], state[target], word) for node in nodes for word, target in self.words.arcs(node).items()]
        if len(arcs) > MAX_ARCS:
            raise SentenceError(
                f"the sentences make a grammar of more than {MAX_ARCS} arcs", remedy="Leave sentences or names out"
            )
        table = np.array(arcs, dtype=np.int32).reshape(-1, 3)
        used, table[:, 2] = np.unique(table[:, 2], return_inverse=True)
        return WordGraph(
            words=tuple(self.symbols.texts[word] for word in used),
            arcs=table,
            # nobody says nothing
            finals=np.array([state[node] for node in nodes[1:] if self.words.final(node)], dtype=np.int32),
            states=len(nodes),
        )


def _text(value: TextSlotValue) -> str:
    assert isinstance(value.text_in, TextChunk)  # a name is never parsed
    return value.text_in.text.casefold()


def _texts(source: SlotList) -> list[TextSlotValue]:
    assert isinstance(source, TextSlotList)
    return source.values
