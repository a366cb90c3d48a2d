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
from functools import cached_property, reduce
from itertools import chain
from threading import Lock
from typing import Any

import numpy as np
from hassil.expression import Sentence, TextChunk
from hassil.intents import IntentData, RangeSlotList, SlotList, TextSlotList, TextSlotValue

from hearth_core.errors import SentenceError
from hearth_core.home import Home

from .automaton import EMPTY, NOTHING
from .grammar import Grammar
from .graph import WordGraph
from .phrasing import FROM_SATELLITE, ListUse, Phrasing
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

# Names that are gone leave nodes behind; with so many times the nodes of the first home all is made anew.
MOST_GROWTH = 2

# A home of 1,000 entities has a tenth of it.
MAX_ARCS = 4_000_000


def compile_grammar(
    sentences: Sentences,
    home: Home,
    *,
    left_out: Iterable[str] = LEFT_OUT,
    talk: bool = False,
    pin_digits: int = 0,
    before: Grammar | None = None,
) -> Grammar:
    """Return everything that can be said in a home.

    Templates with free text are not in it, nor sentences about kinds of things that the home has not. What hassil
    skips ("please") may stand at either end, and what asks ("could you") before an author's sentence or a verb.

    Args:
        sentences: the language's.
        home: the names come from it.
        left_out: intents of Home Assistant's own sentences to leave out; an author's are always in.
        talk: whether answers to questions ("yes") and follow-ups ("turn it off") are in.
        pin_digits: with talk, how many digits a PIN has; 0 if there is none.
        before: a grammar of another home by the same sentences, whose work is taken over as far as other names leave it
            as it is; the grammar itself stays what it is. It accepts the same as one made anew, with other numbers.

    Raises:
        SentenceError: the sentences make a graph that is too large.
    """
    try:
        talks = talk_blocks(sentences.language, pin_digits) if talk else ()
        compiler = before.compiler if before is not None else None
        if compiler is None or not compiler.serves(sentences, home):
            compiler = Compiler(sentences, home)
        return compiler.grammar_of(home, frozenset(left_out), talks)
    except RecursionError as error:
        raise SentenceError("a sentence is too long", remedy="Split long templates into several") from error


class Compiler(Phrasing):
    """A home's automata. `compile_grammar` makes all sentences one; authors' tools look at single templates.

    One home after the other: while lists stay symbols, sentences are the same in all homes; and what the words of other
    lists leave as it was is the same number, of which is known what was made of it.
    """

    def __init__(self, sentences: Sentences, home: Home) -> None:
        super().__init__(sentences, home)
        self._home = home
        self._one = Lock()
        self._first_nodes = 0
        self._narrow: dict[int, tuple[str, str, bool]] = {}
        self._told: dict[tuple[str, str, str, bool], TextSlotList] = {}
        self._built: dict[int, tuple[IntentData, tuple[int, ...]]] = {}
        self._by_roles: dict[tuple[str, bool], dict[tuple[int, frozenset[str]], int]] = {}
        self._by_place: dict[tuple[str, str, bool], dict[int, int]] = {}

    def serves(self, sentences: Sentences, home: Home) -> bool:
        """Return whether `grammar_of` makes of another home what a new compiler would."""
        small = len(self.words) <= MOST_GROWTH * self._first_nodes
        return sentences is self.sentences and small and self.fits(home)

    def grammar_of(self, home: Home, left_out: frozenset[str], talks: tuple[IntentData, ...] = ()) -> Grammar:
        """Return a home's grammar; one thread at a time, whoever else waits."""
        with self._one:
            if home is not self._home:
                self.rehome(home)
            grammar = self.grammar(left_out, talks)
            self._first_nodes = self._first_nodes or len(self.words)
            return grammar

    def rehome(self, home: Home) -> None:
        """Fill the lists with another home's names; what these names do not change stays as it is."""
        self._home = home
        for derived in ("_several", "_placed"):
            self.__dict__.pop(derived, None)
        self._told.clear()
        super().rehome(home)

    def _source(self, number: int, entry: ListUse) -> SlotList:
        narrowed = self._narrow.get(number)
        return self._there(entry.role, *narrowed) if narrowed else super()._source(number, entry)

    def grammar(self, left_out: frozenset[str], talks: tuple[IntentData, ...] = ()) -> Grammar:
        """Return the home's grammar, with what is said after a command or a question."""
        end = self.words.union((EMPTY, self._left_out(self.speech.never_after)))
        own = self.words.union([*self._blocks(left_out, end, authors=True)])
        said = self.words.union([own, *self._blocks(left_out, end, authors=False), *self._answers(talks, end)])
        start = self._politely(own, said)
        telling = self._politely(own, said, telling=True)
        nodes = self.words.reachable(start)
        closing = self._closing(start, telling, end)
        authored = self._going_on(start, self._politely(own, own), end)
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
            authored=frozenset(number for number, node in enumerate(nodes) if node in authored),
            numbers=self._numbers_in(said),
            compiler=self,
        )

    def _politely(self, own: int, said: int, *, telling: bool = False) -> int:
        """Return sentences with what is left out of texts before them: "please", and requests where one can stand.

        Args:
            own: the author's, all of which can be asked for.
            said: sentences, those among them.
            telling: as in `_beside_places`.
        """
        own, asked = (self._beside_places(node, telling=telling) for node in (own, said))
        said = self.fill(asked)
        if self.speech.verbs:
            texts, verbs = self.symbols.texts, self.speech.verbs
            arcs = self.words.arcs(asked)
            begun = self.words.node(False, {word: to for word, to in arcs.items() if word > 0 and texts[word] in verbs})
            asked = self.words.union((own, begun))
        asked = self.fill(asked)
        please = self.words.union((EMPTY, self._left_out(self.speech.never_before | self.speech.requests)))
        request = self._left_out(self.speech.never_before, only=self.speech.requests)
        return self.words.union(
            (
                self._chain(please, please, said),
                self._chain(please, request, asked),  # "please could you …"
                self._chain(request, please, asked),
            )
        )

    def _chain(self, *nodes: int) -> int:
        return reduce(lambda then, node: self.words.chain(node, then), reversed(nodes))

    def _closing(self, start: int, telling: int, end: int) -> set[int]:
        """Return the nodes of `start` after which no more than `end` follows, but for what tells nothing.

        That is a place where the thing is in any case, and words that add nothing.

        Args:
            start: everything that can be said.
            telling: the same without places beside a name that is in no other.
            end: what may follow every sentence. Equal nodes are one node, so it stands wherever nothing else can.
        """
        done = {end, EMPTY}
        done |= {node for node in self.words.reachable(start) if self._adds_nothing(node, end)}
        closing: set[int] = set()
        not_closing: set[int] = set()
        alike: set[int] = set()  # below these both are the same, and most of them are: no pairs are needed
        pending, seen = [(start, telling)], {(start, telling)}
        while pending:
            node, told = pending.pop()
            if node == told:
                alike.add(node)
                continue
            (closing if node in done or told in done else not_closing).add(node)
            after = self.words.arcs(told)
            for word, target in self.words.arcs(node).items():
                pair = (target, after.get(word, NOTHING))
                if pair not in seen:
                    seen.add(pair)
                    pending.append(pair)
        for node in self.words.reachable(*alike):
            (closing if node in done else not_closing).add(node)
        return closing - not_closing

    def _going_on(self, start: int, own: int, end: int) -> set[int]:
        """Return the nodes of `start` in which a sentence of `own`, a part of it, goes on with more than `end`."""
        going_on: set[int] = set()
        pending, seen = [(start, own)], {(start, own)}
        while pending:
            node, mine = pending.pop()
            if mine not in (end, EMPTY):
                going_on.add(node)
            after = self.words.arcs(node)
            for word, target in self.words.arcs(mine).items():
                pair = (after[word], target)
                if pair not in seen:
                    seen.add(pair)
                    pending.append(pair)
        return going_on

    def _adds_nothing(self, node: int, end: int) -> bool:
        """Return whether a sentence that is whole in a node can go on only with words that add nothing, if at all."""
        if not self.words.final(node):
            return False
        pending, seen = [(node, end)], {(node, end)}
        while pending:
            node, polite = pending.pop()
            known = self.words.arcs(polite)
            if self.words.final(polite):  # "please" again
                known = {**self.words.arcs(end), **known}
            for word, target in self.words.arcs(node).items():
                after = end if word >= 0 and self.symbols.texts[word] in self.speech.adds_nothing else known.get(word)
                if after == target:
                    continue
                if after is None:
                    return False
                if (target, after) not in seen:
                    seen.add((target, after))
                    pending.append((target, after))
        return True

    def _numbers_in(self, said: int) -> frozenset[str]:
        """Return the words of the numbers in sentences with lists, without those that stand in sentences as words."""
        symbols = {symbol for node in self.words.reachable(said) for symbol in self.words.arcs(node)}
        lists = (number for number in symbols if number < 0)
        ranges = (number for number in lists if isinstance(self.lists[-number - 1].source, RangeSlotList))
        nodes = self.words.reachable(*map(self._root, ranges))
        words = {word for node in nodes for word in self.words.arcs(node)}
        return frozenset(self.symbols.texts[word] for word in words - symbols)

    def _left_out(self, never: frozenset[str], *, only: frozenset[str] | None = None) -> int:
        """Return what is left out of texts and still said, but for some, or some alone."""
        phrases = [phrase.lower() for phrase in self.sentences.intents.skip_words]
        said = [phrase for phrase in phrases if phrase not in never and (only is None or phrase in only)]
        variants = (words for phrase in said for words in self.speech.variants(phrase))
        return self.words.of_sequences([self.symbols[word] for word in words] for words in variants)

    def _blocks(self, left_out: frozenset[str], end: int, *, authors: bool) -> Iterator[int]:
        domains = {entity.domain for entity in self._home.entities.values()}
        for name, intent in self.sentences.intents.intents.items():
            for block in intent.data:
                if is_authors(block) is not authors:
                    continue
                if not authors and (name in left_out or not self._has_any(name, block, domains)):
                    continue
                if "area" in block.requires_context and not self._home.areas:
                    continue
                if is_text_only(block):
                    continue
                named = block.requires_context.keys() <= FROM_SATELLITE
                for pieces in self._pieces(block):
                    yield self.say(pieces, end, named)

    def _answers(self, talks: tuple[IntentData, ...], end: int) -> Iterator[int]:
        for block in talks:
            for pieces in self._pieces(block):
                yield self.say(pieces, end, True)

    def _pieces(self, block: IntentData) -> tuple[int, ...]:
        """Return the pieces of a block's sentences."""
        known = self._built.get(id(block))  # the block is kept, so that no other gets its id
        if known is None:
            scope = self.scope(block)
            built = tuple(self.pieces.build(sentence.expression, EMPTY, scope) for sentence in block.sentences)
            known = self._built[id(block)] = (block, built)
        return known[1]

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
            both, rest = (
                self._with_roles(
                    node, frozenset({"name", role}), frozenset(), wanted, self._by_roles.setdefault((role, wanted), {})
                )
                for wanted in (True, False)
            )
            there = [
                self._in_place(both, role, place, telling, self._by_place.setdefault((role, place, telling), {}))
                for place in places
            ]
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
        source = self._there(entry.role, role, place, telling)
        number = self.list_number((symbol, role, place, telling), replace(entry, source=source))
        self._narrow[number] = (role, place, telling)
        return number

    def _there(self, of: str, role: str, place: str, telling: bool) -> TextSlotList:
        """Return the names in a place, or its own; none if the home has it no more."""
        known = self._told.get((of, role, place, telling))
        if known is None:
            known = self._placed.get((role, place, of), TextSlotList(of, []))
            if telling and of == "name":
                several = self._several[role]
                known = TextSlotList(known.name, [value for value in known.values if _text(value) in several])
            self._told[of, role, place, telling] = known
        return known

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
        ways = [self.words.flat(node) for node in nodes]
        counts = [len(way) // 2 for way in ways]
        if sum(counts) > MAX_ARCS:
            raise SentenceError(
                f"the sentences make a grammar of more than {MAX_ARCS} arcs", remedy="Leave sentences or names out"
            )
        state = np.zeros(len(self.words), dtype=np.int32)
        state[nodes] = np.arange(len(nodes))
        table = np.empty((sum(counts), 3), dtype=np.int32)
        table[:, 0] = np.repeat(np.arange(len(nodes)), counts)
        arcs = np.fromiter(chain.from_iterable(ways), np.int32, 2 * len(table)).reshape(-1, 2)
        table[:, 1], table[:, 2] = state[arcs[:, 1]], arcs[:, 0]
        used, table[:, 2] = np.unique(table[:, 2], return_inverse=True)
        return WordGraph(
            words=tuple(self.symbols.texts[word] for word in used),
            arcs=table,
            # nobody says nothing
            finals=state[[node for node in nodes[1:] if self.words.final(node)]],
            states=len(nodes),
        )


def _text(value: TextSlotValue) -> str:
    assert isinstance(value.text_in, TextChunk)  # a name is never parsed
    return value.text_in.text.casefold()


def _texts(source: SlotList) -> list[TextSlotValue]:
    assert isinstance(source, TextSlotList)
    return source.values
