"""Every sentence of a language as one automaton that ends in what it means, for the matcher to search.

Unlike the recogniser's graph its lists are not filled: a list is one symbol, and what fills it is looked up when a text
is there. So a home's size hardly matters, and each sentence ends in a tag that says which templates it comes from.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from hassil.errors import MissingListError, MissingRuleError
from hassil.intents import IntentData, RangeSlotList, SlotList, TextSlotList, TextSlotValue, WildcardSlotList
from hassil.sample import sample_expression

from hearth_core.home import Home

from .automaton import EMPTY, Arcs
from .phrasing import ListUse, Phrasing
from .sentences import Sentences
from .sounds import Code, Codes, sounds
from .spoken import Words

# A word of the vocabulary cannot hold it.
_TAG = "\0"

# Numbers of more words are understood to the letter alone: a thousand of them sound too much alike.
_NUMBER_WORDS = 2

# A word of so many sounds may be overheard.
_SHORT = 2

# Values of a list that is written as templates; none of Home Assistant's has a tenth.
_MAX_SAMPLES = 2_000

# Numbers of a range that are looked up as words; the others only as digits.
_MAX_NUMBERS = 2_001


@dataclass(frozen=True, slots=True)
class Block:
    """Sentences of one intent that stand together in a file; `order` is their place among all."""

    intent: str
    data: IntentData
    order: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One way to fill a list.

    Attributes:
        text: as hassil is to read it.
        words: as it is said.
        code: as it sounds.
        value: what it stands for.
        source: hassil's own value, None for a number.
    """

    text: str
    words: Words
    code: Code
    value: Any
    source: TextSlotValue | None = None


class Values:
    """What one list can be filled with.

    Attributes:
        entries: each way to fill it.
        by_words: the entries' places by the words that say them.
        codes: how each entry sounds.
        numbers: whether they are numbers, which are nothing if they are not quite right.
        longest: words of the longest entry.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        self.by_words: dict[Words, list[int]] = {}
        for at, entry in enumerate(self.entries):
            self.by_words.setdefault(entry.words, []).append(at)
        self.numbers = all(entry.source is None for entry in self.entries)
        self.longest = max((len(entry.words) for entry in self.entries), default=0)


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """A list where it stands in sentences.

    Attributes:
        values: what it can be filled with, shared by all that have the same list; None for free text.
        allowed: which of the values go here; None for all.
        names: whether these are names of the home's things or places.
    """

    values: Values | None
    allowed: frozenset[int] | None = None
    names: bool = False


class Index:
    """The sentences of one language with the names of one home, ready to be searched.

    Attributes:
        start: the automaton's first node.
        vocabulary: symbol of each word that stands in sentences.
        symbols: these symbols.
        codes: how the word of each of these symbols sounds.
        texts: the word of any symbol.
        slots: the lists, by symbol.
        uses: what fills lists, with the symbols of the lists that it fills.
        list_codes: how the entries of all lists sound, each sound once; long numbers are not forgiven.
        longest: words of the longest entry of a list.
        sounding: for each of these the entries that sound so, as (place in uses, place among the values).
        known: every word of sentences and lists.
        short: the words of sentences that may be overheard, by symbol, with their sounds.
        skipped: what may be said before and after a sentence.
    """

    def __init__(self, sentences: Sentences, home: Home) -> None:
        self.sounds = sounds(sentences.language)
        self.speech = sentences.speech
        self._spelled: dict[str, str] = {}
        self._same_places: dict[frozenset[int], frozenset[int]] = {}
        self._same_values: dict[tuple[Any, ...], Values] = {}
        phrasing = Phrasing(sentences, home, free_text=True)
        self._automata = phrasing.words
        self._blocks: dict[int, Block] = {}
        roots = []
        for name, intent in sentences.intents.intents.items():
            for number, data in enumerate(intent.data):
                tag = phrasing.symbols[f"{_TAG}{name}{_TAG}{number}"]
                self._blocks[tag] = Block(name, data, len(self._blocks))
                end = phrasing.words.after(tag, EMPTY)
                scope = phrasing.scope(data)
                for sentence in data.sentences:
                    pieces = phrasing.pieces.build(sentence.expression, EMPTY, scope)
                    roots.append(phrasing.say(pieces, end, True))
        self.start = phrasing.words.union(roots)
        self.skipped = frozenset(
            words for phrase in sentences.intents.skip_words for words in self.speech.variants(phrase)
        )
        texts = phrasing.symbols.texts
        used = {s for node in phrasing.words.reachable(self.start) for s in phrasing.words.arcs(node)}
        self.vocabulary = {texts[symbol]: symbol for symbol in used if symbol > 0 and symbol not in self._blocks}
        self.symbols = tuple(self.vocabulary.values())
        self.texts = texts
        self.codes = Codes(self.code((text,)) for text in self.vocabulary)
        known: dict[int, Values] = {}
        self.slots = {
            number: self._slot(phrasing, phrasing.lists[-number - 1], known) for number in sorted(used) if number < 0
        }
        by_values: dict[int, tuple[Values | None, list[int]]] = {}
        for number, slot in self.slots.items():
            by_values.setdefault(id(slot.values), (slot.values, []))[1].append(number)
        self.uses = tuple((values, tuple(numbers)) for values, numbers in by_values.values())
        by_code: dict[Code, list[tuple[int, int]]] = {}
        for use, (values, _) in enumerate(self.uses):
            for row, entry in enumerate(values.entries if values is not None else ()):
                if entry.source is not None or len(entry.words) <= _NUMBER_WORDS:
                    by_code.setdefault(entry.code, []).append((use, row))
        self.list_codes, self.sounding = Codes(by_code), tuple(by_code.values())
        self.longest = max((values.longest for values, _ in self.uses if values is not None), default=0)
        self.known = frozenset(self.vocabulary).union(
            *(entry.words for values, _ in self.uses if values is not None for entry in values.entries)
        )
        lengths = ((symbol, len(code.fine)) for symbol, code in zip(self.symbols, self.codes.codes, strict=True))
        self.short = {symbol: length for symbol, length in lengths if length <= _SHORT}

    def code(self, words: Words) -> Code:
        """Return how words sound; what stands for letters, as TV does, is said letter by letter."""
        return self.sounds.words([said for word in words for said in self._spelled.get(word, word).split()])

    def arcs(self, node: int) -> Arcs:
        """Return the node after each symbol."""
        return self._automata.arcs(node)

    def blocks(self, node: int) -> Iterator[Block]:
        """Yield what a sentence that ends in a node comes from."""
        for symbol in self._automata.arcs(node):
            if symbol in self._blocks:
                yield self._blocks[symbol]

    def _slot(self, phrasing: Phrasing, use: ListUse, known: dict[int, Values]) -> Slot:
        source = use.source
        if isinstance(source, WildcardSlotList):
            return Slot(None)
        values = known.get(id(source))
        if values is None:
            entries = self._numbers(source) if isinstance(source, RangeSlotList) else self._texts(phrasing, source)
            values = known[id(source)] = self._shared(tuple(entries)) if not use.gives_context else Values(entries)
        allowed = None
        if use.gives_context:
            keep = use.keep
            places = frozenset(at for at, e in enumerate(values.entries) if e.source is not None and keep(e.source))
            allowed = self._same_places.setdefault(places, places)
        return Slot(values, allowed, bool(use.role))

    def _shared(self, entries: tuple[Entry, ...]) -> Values:
        """Return values with these entries: the files of an author and ours often have the same list again."""
        key = tuple((entry.text, entry.words, repr(entry.value)) for entry in entries)
        if key not in self._same_values:
            self._same_values[key] = Values(entries)
        return self._same_values[key]

    def _entry(self, text: str, words: Words, value: Any, source: TextSlotValue | None = None) -> Entry:
        self._spelled |= self.speech.spelled(text)
        return Entry(text, words, self.code(words), value, source)

    def _numbers(self, source: RangeSlotList) -> Iterator[Entry]:
        for number in itertools.islice(source.get_numbers(), _MAX_NUMBERS):
            digits = f"{number:g}"
            for words in dict.fromkeys((*self.speech.number(number), *self.speech.variants(digits))):
                yield self._entry(digits, words, number)

    def _texts(self, phrasing: Phrasing, source: SlotList) -> Iterator[Entry]:
        assert isinstance(source, TextSlotList)
        intents = phrasing.sentences.intents
        for value in source.values:
            said = sample_expression(value.text_in, intents.slot_lists, intents.expansion_rules)
            try:
                for text in itertools.islice(said, _MAX_SAMPLES):
                    for words in self.speech.variants(text):
                        yield self._entry(text.strip(), words, value.value_out, value)
            except (MissingRuleError, MissingListError):  # of one block alone; hassil itself still knows it
                continue
