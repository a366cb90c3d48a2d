"""What an index has of the sentences alone: made once, and used again for each home that the names make anew.

A lamp that is renamed changes a list, not the sentences. Only where a name is glued to other text ("{name}s light") do
words of sentences change with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hassil.intents import IntentData

from hearth_core.home import Home

from .automaton import EMPTY, Automata
from .phrasing import Phrasing
from .sentences import Sentences
from .values import Entry, Values

# A word of the vocabulary cannot hold it.
_TAG = "\0"

# Names that are gone leave nodes behind; with so many times the nodes of the first home it is made anew.
_MOST_GROWTH = 2


@dataclass(frozen=True, slots=True)
class Block:
    """Sentences of one intent that stand together in a file; `order` is their place among all."""

    intent: str
    data: IntentData
    order: int


class Groundwork:
    """The sentences of one language as automata, with the names of one home after the other.

    Attributes:
        phrasing: the automata; its lists are those of the home that came last.
        blocks: what a sentence that ends in a tag comes from, by the tag's symbol.
        kept: what fills the lists that are not the home's, by the list's id; an `Index` makes them.
    """

    def __init__(self, sentences: Sentences, home: Home) -> None:
        self.sentences = sentences
        self.phrasing = Phrasing(sentences, home, free_text=True)
        self.blocks: dict[int, Block] = {}
        self.kept: dict[int, Values] = {}
        self._same_values: dict[tuple[object, ...], Values] = {}
        pieces = tuple(self._sentences())
        found = [self._root(each) for each in pieces]
        self._fixed = self.phrasing.words.union(root for of_home, root in found if not of_home)
        self._of_home = tuple(each for each, (of_home, _) in zip(pieces, found, strict=True) if of_home)
        self.start = self.words.union((self._fixed, *(root for of_home, root in found if of_home)))
        self._nodes = len(self.words)

    @property
    def words(self) -> Automata:
        """The automata over words and lists."""
        return self.phrasing.words

    def serves(self, sentences: Sentences, home: Home) -> bool:
        """Return whether `rehome` makes of it what a new one would be."""
        small = len(self.words) <= _MOST_GROWTH * self._nodes
        return sentences is self.sentences and small and self.phrasing.fits(home)

    def rehome(self, home: Home) -> None:
        """Take another home's names. An index that was made before goes on as it is."""
        self.phrasing.rehome(home)
        roots = [root for _, root in map(self._root, self._of_home)]
        self.start = self.words.union((self._fixed, *roots))

    def shared(self, entries: tuple[Entry, ...]) -> Values:
        """Return values with these entries: the files of an author and ours often have the same list again.

        Words that are said alike may go with other sentences: with another context they are another list.
        """
        key = tuple((e.text, e.words, repr(e.value), repr(e.source and e.source.context)) for e in entries)
        return self._same_values.setdefault(key, Values(entries))

    def _sentences(self) -> Iterator[tuple[int, int]]:
        """Yield each sentence's pieces, and what it ends in."""
        phrasing = self.phrasing
        for name, intent in self.sentences.intents.intents.items():
            for number, data in enumerate(intent.data):
                tag = phrasing.symbols[f"{_TAG}{name}{_TAG}{number}"]
                self.blocks[tag] = Block(name, data, len(self.blocks))
                end = phrasing.words.after(tag, EMPTY)
                scope = phrasing.scope(data)
                for sentence in data.sentences:
                    yield phrasing.pieces.build(sentence.expression, EMPTY, scope), end

    def _root(self, sentence: tuple[int, int]) -> tuple[bool, int]:
        root, of_home = self.phrasing.said_of_home(*sentence, True)
        return of_home, root
