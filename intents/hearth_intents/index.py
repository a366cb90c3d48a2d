"""Every sentence of a language as one automaton that ends in what it means, for the matcher to search.

Unlike the recogniser's graph its lists are not filled: a list is one symbol, and what fills it is looked up when a text
is there. So a home's size hardly matters, and each sentence ends in a tag that says which templates it comes from.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hassil.errors import MissingListError, MissingRuleError
from hassil.intents import RangeSlotList, SlotList, TextSlotList, WildcardSlotList
from hassil.sample import sample_expression

from hearth_core.home import Home

from .automaton import Arcs
from .groundwork import Block, Groundwork
from .phrasing import ListUse
from .sentences import Sentences
from .slots import home_names
from .sounds import Code, Codes, sounds
from .spoken import Words
from .values import Entry, Values

# Numbers of more words are understood to the letter alone: a thousand of them sound too much alike.
_NUMBER_WORDS = 2

# A word of so many sounds may be overheard.
_SHORT = 2

# Values of a list that is written as templates; none of Home Assistant's has a tenth.
_MAX_SAMPLES = 2_000

# Numbers of a range that are looked up as words; the others only as digits.
_MAX_NUMBERS = 2_001


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

    Args:
        sentences: what can be said.
        home: whose names are meant.
        before: of the same sentences, whose work is taken over as far as other names leave it as it is.

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
        home_lists: the home's lists, as hassil takes them.
        known: every word of sentences and lists.
        short: the words of sentences that may be overheard, by symbol, with their sounds.
        skipped: what may be said before and after a sentence.
    """

    def __init__(self, sentences: Sentences, home: Home, before: Index | None = None) -> None:
        self.sounds = sounds(sentences.language)
        self.speech = sentences.speech
        self._same_places: dict[frozenset[int], frozenset[int]] = {}
        ground = before._ground if before is not None else None
        if ground is not None and ground.serves(sentences, home):
            ground.rehome(home)
        else:
            ground = Groundwork(sentences, home)
        self._ground: Groundwork = ground
        phrasing = self._ground.phrasing
        self.home_lists = phrasing.home_lists
        self._spelled: dict[str, str] = {}
        for name in home_names(home):
            self._spelled |= self.speech.spelled(name)
        self._automata, self._blocks, self.start = phrasing.words, self._ground.blocks, self._ground.start
        self.skipped = frozenset(
            words for phrase in sentences.intents.skip_words for words in self.speech.variants(phrase)
        )
        texts = phrasing.symbols.texts
        used = {s for node in phrasing.words.reachable(self.start) for s in phrasing.words.arcs(node)}
        self.vocabulary = {texts[symbol]: symbol for symbol in used if symbol > 0 and symbol not in self._blocks}
        self.symbols = tuple(self.vocabulary.values())
        self.texts = texts
        self.codes = Codes(self.sounds.words((text,)) for text in self.vocabulary)
        of_home: dict[int, Values] = {}
        self.slots = {n: self._slot(phrasing.lists[-n - 1], of_home) for n in sorted(used) if n < 0}
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
        return self._code(words, self._spelled)

    def _code(self, words: Words, spelled: Mapping[str, str]) -> Code:
        return self.sounds.words([said for word in words for said in spelled.get(word, word).split()])

    def arcs(self, node: int) -> Arcs:
        """Return the node after each symbol."""
        return self._automata.arcs(node)

    def blocks(self, node: int) -> Iterator[Block]:
        """Yield what a sentence that ends in a node comes from."""
        for symbol in self._automata.arcs(node):
            if symbol in self._blocks:
                yield self._blocks[symbol]

    def _slot(self, use: ListUse, of_home: dict[int, Values]) -> Slot:
        source = use.source
        if isinstance(source, WildcardSlotList):
            return Slot(None)
        known = of_home if use.of_home else self._ground.kept
        values = known.get(id(source))
        if values is None:
            entries = tuple(self._numbers(source) if isinstance(source, RangeSlotList) else self._texts(source))
            values = known[id(source)] = Values(entries) if use.of_home else self._ground.shared(entries)
        allowed = None
        if use.gives_context:
            places = values.places(use.keep)
            allowed = self._same_places.setdefault(places, places)
        return Slot(values, allowed, bool(use.role))

    def _numbers(self, source: RangeSlotList) -> Iterator[Entry]:
        for number in itertools.islice(source.get_numbers(), _MAX_NUMBERS):
            digits = f"{number:g}"
            for words in dict.fromkeys((*self.speech.number(number), *self.speech.variants(digits))):
                yield Entry(digits, words, self.code(words), number)

    def _texts(self, source: SlotList) -> Iterator[Entry]:
        assert isinstance(source, TextSlotList)
        intents = self._ground.sentences.intents
        for value in source.values:
            said = sample_expression(value.text_in, intents.slot_lists, intents.expansion_rules)
            try:
                for text in itertools.islice(said, _MAX_SAMPLES):
                    spelled = {**self._spelled, **self.speech.spelled(text)}
                    for words in self.speech.variants(text):
                        yield Entry(text.strip(), words, self._code(words, spelled), value.value_out, value)
            except (MissingRuleError, MissingListError):  # of one block alone; hassil itself still knows it
                continue
