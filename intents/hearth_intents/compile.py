"""From sentence templates and the home's names to the word graph of everything that can be said.

Nothing is unfolded: templates become automata that share what they have in common, in three steps.

1. A template becomes an automaton over pieces (`pieces`).
2. Pieces that stand together become words, said as `spoken` says them: "light" and "s" make lights.
3. References to lists are replaced by the lists' words.

A name and a place in one sentence go together: "the lamp in the kitchen" can be said only if a lamp is in the kitchen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from hassil.expression import ListReference, Sentence, TextChunk
from hassil.intents import IntentData, RangeSlotList, SlotList, TextSlotList, TextSlotValue, WildcardSlotList
from hassil.util import check_excluded_context, check_required_context

from hearth_core.errors import SentenceError
from hearth_core.home import Home

from .automaton import EMPTY, NOTHING, Automata
from .grammar import Grammar
from .graph import WordGraph
from .pieces import GAP, Pieces, Scope, Symbols
from .sentences import Sentences, is_authors
from .slots import home_lists, home_names
from .spoken import FRACTION, speech
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

# Context that the satellite brings, not the sentence.
_FROM_SATELLITE = frozenset({"area"})


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
        return _Compiler(sentences, home, talk_blocks(sentences.language, pin_digits) if talk else ()).grammar(
            frozenset(left_out)
        )
    except RecursionError as error:
        raise SentenceError("a sentence is too long", remedy="Split long templates into several") from error


@dataclass(frozen=True, slots=True)
class _List:
    """A list as a template sees it: `keep` says which of the values are in.

    `role` is name, area or floor where the list is the home's and fills that slot.
    """

    source: SlotList
    scope: Scope | None
    keep: Callable[[TextSlotValue], bool]
    gives_context: bool
    role: str = ""


class _Compiler:
    """One home's automata."""

    def __init__(self, sentences: Sentences, home: Home, talk: tuple[IntentData, ...]) -> None:
        self._sentences = sentences
        self._talk = talk
        self._speech = sentences.speech
        self._home = home
        self._home_lists = home_lists(home, sentences.speech)
        self._pieces = Pieces(sentences.speech)
        self._words = Automata()
        self._symbols = Symbols()
        self._lists: list[_List] = []
        self._numbers: dict[tuple[object, ...], int] = {}
        self._scopes: dict[str, Scope] = {}
        self._said: dict[tuple[int, int, bool], int] = {}
        self._roots: dict[int, int] = {}
        self._filled: dict[int, int] = {}

    def grammar(self, left_out: frozenset[str]) -> Grammar:
        """Return the home's grammar."""
        skipped = self._words.of_sequences(self._skip_words())
        end = self._words.union((EMPTY, skipped))
        said = self._words.union([*self._blocks(left_out, end), *self._answers(end)])
        start = self._fill(self._beside_places(said))
        for _ in range(2):  # "could you please …"
            start = self._words.union((start, self._words.chain(skipped, start)))
        graph = self._graph(start)
        names = tuple(dict.fromkeys(home_names(self._home)))
        spoken: dict[str, str] = {}
        for text in (*graph.words, *names):
            spoken |= self._speech.spelled(text)
        vocabulary = frozenset(graph.words)
        return Grammar(
            language=self._sentences.language,
            graph=graph,
            names=tuple(name for name in names if self._speech.words(name)),
            spoken={word: said for word, said in sorted(spoken.items()) if word in vocabulary},
            unspeakable=tuple(name for name in names if not self._speech.words(name)),
        )

    def _skip_words(self) -> Iterator[list[int]]:
        for phrase in self._sentences.intents.skip_words:
            for words in self._speech.variants(phrase):
                yield [self._symbols[word] for word in words]

    def _blocks(self, left_out: frozenset[str], end: int) -> Iterator[int]:
        domains = {entity.domain for entity in self._home.entities.values()}
        for name, intent in self._sentences.intents.intents.items():
            for block in intent.data:
                if not is_authors(block) and (name in left_out or not self._has_any(name, block, domains)):
                    continue
                if "area" in block.requires_context and not self._home.areas:
                    continue
                scope = self._scope(block)
                named = block.requires_context.keys() <= _FROM_SATELLITE
                for sentence in block.sentences:
                    yield self._say(self._pieces.build(sentence.expression, EMPTY, scope), end, named)

    def _answers(self, end: int) -> Iterator[int]:
        """Yield what is said after a command or a question, if that is in."""
        for block in self._talk:
            scope = self._scope(block)
            for sentence in block.sentences:
                yield self._say(self._pieces.build(sentence.expression, EMPTY, scope), end, True)

    def _has_any(self, intent: str, block: IntentData, domains: set[str]) -> bool:
        """Return whether the home has a thing of the kind that a block is about."""
        about = block.slots.get("domain", self._sentences.domains.get(intent, ()))
        wanted = {about} if isinstance(about, str) else set(about)
        if intent == "HassClimateGetTemperature":
            wanted.add("sensor")
        return not wanted or not wanted.isdisjoint(domains)

    # lists

    def _scope(self, block: IntentData) -> Scope:
        """Return what names in a block's templates stand for; blocks that need the same context share it."""
        local = id(block) if block.expansion_rules or block.slot_lists else 0
        key = json.dumps([local, block.requires_context, block.excludes_context], sort_keys=True, default=str)
        known = self._scopes.get(key)
        if known is None:
            known = self._scopes[key] = self._new_scope(block, len(self._scopes))
        return known

    def _new_scope(self, block: IntentData, key: int) -> Scope:
        intents = self._sentences.intents

        def keep(value: TextSlotValue) -> bool:
            return check_required_context(
                block.requires_context, value.context, allow_missing_keys=True
            ) and check_excluded_context(block.excludes_context, value.context)

        def find_rule(name: str) -> Sentence:
            return block.expansion_rules.get(name) or intents.expansion_rules[name]

        def find_list(reference: ListReference) -> int | None:
            name = reference.list_name
            source = block.slot_lists.get(name) or self._home_lists.get(name) or intents.slot_lists.get(name)
            if source is None:
                start, stop, step = reference.get_inline_range() or (0, -1, 1)
                source = RangeSlotList(name=name, start=start, stop=stop, step=step)
            if isinstance(source, WildcardSlotList):
                return None
            context = isinstance(source, TextSlotList) and any(value.context for value in source.values)
            role = name if self._home_lists.get(name) is source and reference.slot_name == name else ""
            number = (name if isinstance(source, RangeSlotList) else id(source), role, key if context else -1)
            return self._list_number(number, _List(source, scope, keep, context, role))

        scope = Scope(key, find_rule, find_list)
        return scope

    def _list_number(self, key: tuple[object, ...], entry: _List) -> int:
        number = self._numbers.get(key)
        if number is None:
            self._lists.append(entry)
            number = self._numbers[key] = -len(self._lists)
        return number

    def _root(self, number: int) -> int:
        """Return the words of a list."""
        known = self._roots.get(number)
        if known is None:
            entry = self._lists[-number - 1]
            known = self._range(entry.source) if isinstance(entry.source, RangeSlotList) else self._values(entry)
            # a value that is empty is never matched
            known = self._roots[number] = self._words.node(False, self._words.arcs(known))
        return known

    def _range(self, source: RangeSlotList) -> int:
        if not source.words:
            return NOTHING
        spoken = speech(source.words_language) if source.words_language else self._speech
        numbers = (words for number in source.get_numbers() for words in spoken.number(number))
        return self._words.of_sequences([self._symbols[word] for word in words] for words in numbers)

    def _values(self, entry: _List) -> int:
        assert isinstance(entry.source, TextSlotList)
        plain: list[list[int]] = []
        templates: list[int] = []
        for value in filter(entry.keep, entry.source.values):
            if isinstance(value.text_in, TextChunk):
                if FRACTION.search(value.text_in.text) and not entry.role:
                    continue
                for words in self._speech.variants(value.text_in.text):
                    plain.append([self._symbols[word] for word in words])
            elif entry.scope is not None:
                pieces = self._pieces.build(value.text_in, EMPTY, entry.scope)
                templates.append(self._fill(self._say(pieces, EMPTY, True)))
        return self._words.union((self._words.of_sequences(plain), *templates))

    # pieces to words

    def _say(self, node: int, end: int, named: bool) -> int:
        """Return the words of pieces, from the start of a word on.

        Args:
            node: of the pieces' automaton.
            end: what may follow the last word.
            named: whether the context that the block needs has come; a sentence without it is never matched.
        """
        key = (node, end, named)
        known = self._said.get(key)
        if known is None:
            pieces = self._pieces.automata
            found = [end] if named and pieces.final(node) else []
            for piece, target in pieces.arcs(node).items():
                if piece == GAP:
                    found.append(self._say(target, end, named))
                elif piece > 0:
                    found.extend(self._glue(target, self._pieces.symbols.texts[piece], end, named))
                else:
                    found.extend(self._say_list(piece, target, end, named))
            known = self._said[key] = self._words.union(found)
        return known

    def _glue(self, node: int, text: str, end: int, named: bool) -> Iterator[int]:
        """Yield what can follow the beginning of a word, with it."""
        pieces = self._pieces.automata
        if named and pieces.final(node):
            yield self._said_as(text, end)
        for piece, target in pieces.arcs(node).items():
            if piece == GAP:
                yield self._said_as(text, self._say(target, end, named))
            elif piece > 0:
                yield from self._glue(target, text + self._pieces.symbols.texts[piece], end, named)
            else:  # "super{thing}": the list's words as pieces
                named_now = named or self._lists[-piece - 1].gives_context
                yield from self._glue(self._as_pieces(self._root(piece), target), text, end, named_now)

    def _say_list(self, number: int, node: int, end: int, named: bool) -> Iterator[int]:
        """Yield what can follow a list, with it."""
        pieces = self._pieces.automata
        named = named or self._lists[-number - 1].gives_context
        apart = {GAP: pieces.arcs(node)[GAP]} if GAP in pieces.arcs(node) else {}
        glued = {piece: target for piece, target in pieces.arcs(node).items() if piece > 0}
        then = self._say(pieces.node(pieces.final(node), apart), end, named)
        yield self._words.after(number, then)
        if glued and not isinstance(self._lists[-number - 1].source, RangeSlotList):  # "{room}s"
            yield self._say(self._as_pieces(self._root(number), pieces.node(False, glued)), end, named)

    def _said_as(self, text: str, then: int) -> int:
        found = []
        for words in self._speech.variants(text):
            node = then
            for word in reversed(words):
                node = self._words.after(self._symbols[word], node)
            found.append(node)
        return self._words.union(found)

    def _as_pieces(self, words: int, then: int) -> int:
        """Return the pieces of words, after which comes `then` without a gap."""
        pieces = self._pieces.automata
        found = []
        for word, target in self._words.arcs(words).items():
            after = [then] if self._words.final(target) else []
            if self._words.arcs(target):
                after.append(pieces.after(GAP, self._as_pieces(target, then)))
            found.append(pieces.after(self._pieces.symbols[self._symbols.texts[word]], pieces.union(after)))
        return pieces.union(found)

    # names beside places

    def _beside_places(self, node: int) -> int:
        """Return the sentences in which a name stands with a place only if the thing is there."""
        for role, places in (("area", self._home.areas), ("floor", self._home.floors)):
            both = self._with_roles(node, frozenset({"name", role}), frozenset(), True, {})
            rest = self._with_roles(node, frozenset({"name", role}), frozenset(), False, {})
            there = [self._in_place(both, role, place, {}) for place in places]
            node = self._words.union((rest, *there))
        return node

    def _with_roles(
        self, node: int, roles: frozenset[str], seen: frozenset[str], wanted: bool, known: dict[Any, int]
    ) -> int:
        """Return the sentences in which lists of all the roles are, or if not `wanted`, those in which not all are."""
        key = (node, seen)
        if key not in known:
            arcs = {}
            for symbol, target in self._words.arcs(node).items():
                role = self._lists[-symbol - 1].role if symbol < 0 else ""
                now = seen | {role} if role in roles else seen
                arcs[symbol] = self._with_roles(target, roles, now, wanted, known)
            known[key] = self._words.node(self._words.final(node) and (seen == roles) == wanted, arcs)
        return known[key]

    def _in_place(self, node: int, role: str, place: str, known: dict[int, int]) -> int:
        """Return the sentences with their names narrowed to what is in a place, and the place to itself."""
        if node not in known:
            arcs: dict[int, int] = {}
            for symbol, target in self._words.arcs(node).items():
                arcs[self._narrowed(symbol, role, place)] = self._in_place(target, role, place, known)
            known[node] = self._words.node(self._words.final(node), arcs)
        return known[node]

    def _narrowed(self, symbol: int, role: str, place: str) -> int:
        if symbol > 0 or self._lists[-symbol - 1].role not in ("name", role):
            return symbol
        entry = self._lists[-symbol - 1]
        source = self._placed[role, place, entry.role]
        return self._list_number((symbol, role, place), replace(entry, source=source))

    @cached_property
    def _placed(self) -> dict[tuple[str, str, str], TextSlotList]:
        """The home's lists of names and places, by the role and id of the place that they are narrowed to."""
        placed: dict[tuple[str, str, str], TextSlotList] = {}
        for role, places in (("area", self._home.areas), ("floor", self._home.floors)):
            for place in places:
                placed[role, place, role] = TextSlotList(role, [])
                placed[role, place, "name"] = TextSlotList("name", [])
            for value in _texts(self._home_lists[role]):
                placed[role, value.value_out, role].values.append(value)
        for value in _texts(self._home_lists["name"]):
            area = self._home.area_of(value.value_out)
            if area is not None:
                placed["area", area.area_id, "name"].values.append(value)
                if area.floor_id and area.floor_id in self._home.floors:
                    placed["floor", area.floor_id, "name"].values.append(value)
        return placed

    # the whole

    def _fill(self, node: int) -> int:
        """Return an automaton in which the words of lists stand for the lists."""
        known = self._filled.get(node)
        if known is None:
            arcs = {word: self._fill(target) for word, target in self._words.arcs(node).items() if word > 0}
            lists = [
                self._words.chain(self._root(number), self._fill(target))
                for number, target in self._words.arcs(node).items()
                if number < 0
            ]
            known = self._filled[node] = self._words.union((self._words.node(self._words.final(node), arcs), *lists))
        return known

    def _graph(self, start: int) -> WordGraph:
        nodes = self._words.reachable(start)
        state = {node: number for number, node in enumerate(nodes)}
        arcs = [(state[node], state[target], word) for node in nodes for word, target in self._words.arcs(node).items()]
        if len(arcs) > MAX_ARCS:
            raise SentenceError(
                f"the sentences make a grammar of more than {MAX_ARCS} arcs", remedy="Leave sentences or names out"
            )
        table = np.array(arcs, dtype=np.int32).reshape(-1, 3)
        used, table[:, 2] = np.unique(table[:, 2], return_inverse=True)
        return WordGraph(
            words=tuple(self._symbols.texts[word] for word in used),
            arcs=table,
            # nobody says nothing
            finals=np.array([state[node] for node in nodes[1:] if self._words.final(node)], dtype=np.int32),
            states=len(nodes),
        )


def _texts(source: SlotList) -> list[TextSlotValue]:
    assert isinstance(source, TextSlotList)
    return source.values
