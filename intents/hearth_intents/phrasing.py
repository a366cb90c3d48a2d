"""From sentence templates to automata over words and lists; grammar and matcher are both made of these.

Pieces that stand together become words, said as `spoken` says them: "light" and "s" make lights. A list stays one
symbol below 0 until it is filled with its words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from hassil.expression import ListReference, Sentence, TextChunk
from hassil.intents import IntentData, RangeSlotList, SlotList, TextSlotList, TextSlotValue, WildcardSlotList
from hassil.util import check_excluded_context, check_required_context

from hearth_core.home import Home

from .automaton import EMPTY, NOTHING, Automata
from .pieces import GAP, Pieces, Scope, Symbols
from .sentences import Sentences
from .slots import home_lists
from .spoken import FRACTION, speech

# Context that the satellite brings, not the sentence.
FROM_SATELLITE = frozenset({"area"})


_Kind = tuple[tuple[str, object], ...]


@dataclass(frozen=True, slots=True)
class ListUse:
    """A list as a template sees it: `keep` says which of the values are in.

    `role` is name, area or floor where the list is the home's and fills that slot; `of_home` is the home's list,
    whatever slot it fills.
    """

    source: SlotList
    scope: Scope | None
    keep: Callable[[TextSlotValue], bool]
    gives_context: bool
    role: str = ""
    of_home: str = ""


class Phrasing:
    """The templates of one language with the lists of one home.

    Args:
        sentences: the language's.
        home: fills the lists of names.
        free_text: whether templates with free text are in; their wildcards are lists without words.
    """

    def __init__(self, sentences: Sentences, home: Home, *, free_text: bool = False) -> None:
        self._free_text = free_text
        self.sentences = sentences
        self.speech = sentences.speech
        self.home_lists = home_lists(home, sentences.speech)
        self.pieces = Pieces(sentences.speech)
        self.words = Automata()
        self.symbols = Symbols()
        self.lists: list[ListUse] = []
        self._numbers: dict[tuple[object, ...], int] = {}
        self._scopes: dict[str, Scope] = {}
        self._said: dict[tuple[int, int, bool], int] = {}
        self._said_of_home: dict[tuple[int, int, bool], int] = {}
        self._roots: dict[int, int] = {}
        self._sequences: dict[str, tuple[tuple[int, ...], ...]] = {}
        self._kept: dict[tuple[int, _Kind], bool] = {}
        self._roots_of_home: set[int] = set()
        self._of_home = False  # whether what is being made has the home's names in it
        self._filled: dict[int, int] = {}
        self._linked: set[int] = set()
        self._users: dict[int, list[int]] = {}  # nodes with an arc to a node, or with a list
        self._signatures: dict[int, int] = {}  # by id of a home's list
        self._signature_numbers: dict[tuple[tuple[str, _Kind], ...], int] = {}
        self._roots_of_names: dict[tuple[int, int, bool], int] = {}

    # another home

    def fits(self, home: Home) -> bool:
        """Return whether `rehome` can be used: names give context if there are any."""
        return bool(home.entities) == bool(_values(self.home_lists["name"]))

    def rehome(self, home: Home) -> None:
        """Fill the lists with another home's names; what these names do not change stays as it is.

        Automata only grow, so what was made before can go on being read.
        """
        self.home_lists = home_lists(home, self.speech)
        before = {number: self._roots.pop(number) for number in self._roots_of_home}
        self._roots_of_home.clear()
        self._said_of_home.clear()
        self._signatures.clear()
        self.lists = [
            replace(entry, source=self._source(-at - 1, entry)) if entry.of_home else entry
            for at, entry in enumerate(self.lists)
        ]
        self._unfill([number for number, root in before.items() if self._root(number) != root])

    def _source(self, number: int, entry: ListUse) -> SlotList:
        """Return what fills a list of the home's now."""
        return self.home_lists[entry.of_home]

    def _unfill(self, lists: Iterable[int]) -> None:
        """Forget what was filled with some lists."""
        pending = list(lists)
        seen = set(pending)
        while pending:
            for user in self._users.get(pending.pop(), ()):
                if user not in seen:
                    seen.add(user)
                    self._filled.pop(user, None)
                    pending.append(user)

    # lists

    def scope(self, block: IntentData) -> Scope:
        """Return what names in a block's templates stand for; blocks that need the same context share it."""
        local = id(block) if block.expansion_rules or block.slot_lists else 0
        key = json.dumps([local, block.requires_context, block.excludes_context], sort_keys=True, default=str)
        known = self._scopes.get(key)
        if known is None:
            known = self._scopes[key] = self._new_scope(block, len(self._scopes))
        return known

    def _new_scope(self, block: IntentData, key: int) -> Scope:
        intents = self.sentences.intents

        required = {key: need for key, need in block.requires_context.items() if key not in FROM_SATELLITE}

        def keep(value: TextSlotValue) -> bool:
            # a thing without a device class is not one of the class that is asked for; words have no context at all
            return check_required_context(
                required, value.context, allow_missing_keys=not value.context
            ) and check_excluded_context(block.excludes_context, value.context)

        def find_rule(name: str) -> Sentence:
            return block.expansion_rules.get(name) or intents.expansion_rules[name]

        def find_list(reference: ListReference) -> int | None:
            name = reference.list_name
            source = block.slot_lists.get(name) or self.home_lists.get(name) or intents.slot_lists.get(name)
            if source is None:
                start, stop, step = reference.get_inline_range() or (0, -1, 1)
                source = RangeSlotList(name=name, start=start, stop=stop, step=step)
            if isinstance(source, WildcardSlotList) and not self._free_text:
                return None
            context = isinstance(source, TextSlotList) and any(value.context for value in source.values)
            of_home = name if self.home_lists.get(name) is source else ""
            role = of_home if reference.slot_name == name else ""
            known_by = name if of_home or isinstance(source, RangeSlotList) else id(source)
            number = (known_by, role, key if context else -1)
            return self.list_number(number, ListUse(source, scope, keep, context, role, of_home))

        scope = Scope(key, find_rule, find_list)
        return scope

    def list_number(self, key: tuple[object, ...], entry: ListUse) -> int:
        number = self._numbers.get(key)
        if number is None:
            self.lists.append(entry)
            number = self._numbers[key] = -len(self.lists)
        return number

    def _root(self, number: int) -> int:
        """Return the words of a list."""
        known = self._roots.get(number)
        if known is None:
            entry = self.lists[-number - 1]
            outside, self._of_home = self._of_home, bool(entry.of_home)
            if isinstance(entry.source, RangeSlotList):
                known = self._range(entry.source)
            else:
                known = NOTHING if isinstance(entry.source, WildcardSlotList) else self._values(entry)
            # a value that is empty is never matched
            known = self._roots[number] = self.words.node(False, self.words.arcs(known))
            if self._of_home:
                self._roots_of_home.add(number)
            self._of_home = outside
        self._of_home |= number in self._roots_of_home
        return known

    def _range(self, source: RangeSlotList) -> int:
        if not source.words:
            return NOTHING
        spoken = speech(source.words_language) if source.words_language else self.speech
        numbers = (words for number in source.get_numbers() for words in spoken.number(number))
        return self.words.of_sequences([self.symbols[word] for word in words] for words in numbers)

    def _values(self, entry: ListUse) -> int:
        assert isinstance(entry.source, TextSlotList)
        if not entry.of_home:
            return self._words_of(entry, filter(entry.keep, entry.source.values))
        key = (self._signature(entry.source), entry.scope.key if entry.scope is not None else -1, bool(entry.role))
        known = self._roots_of_names.get(key)
        if known is None:
            kept = (value for value in entry.source.values if self._keeps(entry, value))
            known = self._roots_of_names[key] = self._words_of(entry, kept)
        return known

    def _words_of(self, entry: ListUse, values: Iterable[TextSlotValue]) -> int:
        plain: list[tuple[int, ...]] = []
        templates: list[int] = []
        for value in values:
            if isinstance(value.text_in, TextChunk):
                if entry.role or not FRACTION.search(value.text_in.text):
                    plain.extend(self._said_text(value.text_in.text))
            elif entry.scope is not None:
                pieces = self.pieces.build(value.text_in, EMPTY, entry.scope)
                templates.append(self.fill(self.say(pieces, EMPTY, True)))  # a value holds no list (`sentences`)
        return self.words.union((self.words.of_sequences(plain), *templates))

    def _keeps(self, entry: ListUse, value: TextSlotValue) -> bool:
        """Return whether a template means a thing of the home's. Those of a kind are asked about once."""
        if entry.scope is None:
            return entry.keep(value)
        key = (entry.scope.key, _kind(value))
        known = self._kept.get(key)
        if known is None:
            known = self._kept[key] = entry.keep(value)
        return known

    def _signature(self, source: TextSlotList) -> int:
        """Return a number of a home's list: of what is said in it, and of what kind that is."""
        known = self._signatures.get(id(source))  # `lists` holds it until the next home
        if known is None:
            key = tuple((_text(value), _kind(value)) for value in source.values)
            known = self._signature_numbers.setdefault(key, len(self._signature_numbers))
            self._signatures[id(source)] = known
        return known

    def _said_text(self, text: str) -> tuple[tuple[int, ...], ...]:
        known = self._sequences.get(text)
        if known is None:
            variants = self.speech.variants(text)
            known = self._sequences[text] = tuple(tuple(self.symbols[word] for word in words) for words in variants)
        return known

    # pieces to words

    def say(self, node: int, end: int, named: bool) -> int:
        """Return the words of pieces, from the start of a word on.

        Args:
            node: of the pieces' automaton.
            end: what may follow the last word.
            named: whether the context that the block needs has come; a sentence without it is never matched.
        """
        key = (node, end, named)
        known = self._said.get(key)
        if known is None:
            known = self._said_of_home.get(key)
            self._of_home |= known is not None
        if known is None:
            outside, self._of_home = self._of_home, False
            pieces = self.pieces.automata
            found = [end] if named and pieces.final(node) else []
            for piece, target in pieces.arcs(node).items():
                if piece == GAP:
                    found.append(self.say(target, end, named))
                elif piece > 0:
                    found.extend(self._glue(target, self.pieces.symbols.texts[piece], end, named))
                else:
                    found.extend(self._say_list(piece, target, end, named))
            known = self.words.union(found)
            (self._said_of_home if self._of_home else self._said)[key] = known
            self._of_home |= outside
        return known

    def said_of_home(self, node: int, end: int, named: bool) -> tuple[int, bool]:
        """Return the words of pieces as `say` does, and whether they are other words in another home."""
        self._of_home = False
        return self.say(node, end, named), self._of_home

    def _glue(self, node: int, text: str, end: int, named: bool) -> Iterator[int]:
        """Yield what can follow the beginning of a word, with it."""
        pieces = self.pieces.automata
        if named and pieces.final(node):
            yield self._said_as(text, end)
        for piece, target in pieces.arcs(node).items():
            if piece == GAP:
                yield self._said_as(text, self.say(target, end, named))
            elif piece > 0:
                yield from self._glue(target, text + self.pieces.symbols.texts[piece], end, named)
            elif isinstance(self.lists[-piece - 1].source, WildcardSlotList):  # what stands before is part of the text
                yield from self._say_list(piece, target, end, named)
            else:  # "super{thing}": the list's words as pieces
                named_now = named or self.lists[-piece - 1].gives_context
                yield from self._glue(self._as_pieces(self._root(piece), target), text, end, named_now)

    def _say_list(self, number: int, node: int, end: int, named: bool) -> Iterator[int]:
        """Yield what can follow a list, with it."""
        pieces = self.pieces.automata
        named = named or self.lists[-number - 1].gives_context
        apart = {GAP: pieces.arcs(node)[GAP]} if GAP in pieces.arcs(node) else {}
        glued = {piece: target for piece, target in pieces.arcs(node).items() if piece > 0}
        then = self.say(pieces.node(pieces.final(node), apart), end, named)
        yield self.words.after(number, then)
        if isinstance(self.lists[-number - 1].source, WildcardSlotList):
            yield self.words.after(number, self._after_word(glued, end, named))
        elif glued and not isinstance(self.lists[-number - 1].source, RangeSlotList):  # "{room}s"
            yield self.say(self._as_pieces(self._root(number), pieces.node(False, glued)), end, named)

    def _after_word(self, glued: Mapping[int, int], end: int, named: bool) -> int:
        """Return what can follow free text with an ending, which is part of it here and hassil's to look at."""
        pieces = self.pieces.automata
        found = []
        for target in glued.values():
            found += [end] if named and pieces.final(target) else []
            arcs = pieces.arcs(target)
            if GAP in arcs:
                found.append(self.say(arcs[GAP], end, named))
            found.append(self._after_word({piece: then for piece, then in arcs.items() if piece > 0}, end, named))
        return self.words.union(found)

    def _said_as(self, text: str, then: int) -> int:
        found = []
        for words in self.speech.variants(text):
            node = then
            for word in reversed(words):
                node = self.words.after(self.symbols[word], node)
            found.append(node)
        return self.words.union(found)

    def _as_pieces(self, words: int, then: int) -> int:
        """Return the pieces of words, after which comes `then` without a gap."""
        pieces = self.pieces.automata
        found = []
        for word, target in self.words.arcs(words).items():
            after = [then] if self.words.final(target) else []
            if self.words.arcs(target):
                after.append(pieces.after(GAP, self._as_pieces(target, then)))
            found.append(pieces.after(self.pieces.symbols[self.symbols.texts[word]], pieces.union(after)))
        return pieces.union(found)

    def fill(self, node: int) -> int:
        """Return an automaton in which the words of lists stand for the lists."""
        known = self._filled.get(node)
        if known is None:
            self._link(node)
            arcs = {word: self.fill(target) for word, target in self.words.arcs(node).items() if word > 0}
            lists = [
                self.words.chain(self._root(number), self.fill(target))
                for number, target in self.words.arcs(node).items()
                if number < 0
            ]
            known = self._filled[node] = self.words.union((self.words.node(self.words.final(node), arcs), *lists))
        return known

    def _link(self, node: int) -> None:
        """Remember what a node is filled with."""
        if node not in self._linked:
            self._linked.add(node)
            for symbol, target in self.words.arcs(node).items():
                self._users.setdefault(target, []).append(node)
                if symbol < 0:
                    self._users.setdefault(symbol, []).append(node)


def _text(value: TextSlotValue) -> str:
    assert isinstance(value.text_in, TextChunk)  # a name is never parsed
    return value.text_in.text


def _kind(value: TextSlotValue) -> _Kind:
    return tuple((value.context or {}).items())


def _values(source: SlotList) -> list[TextSlotValue]:
    assert isinstance(source, TextSlotList)
    return source.values
