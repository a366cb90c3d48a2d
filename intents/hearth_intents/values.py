"""What the lists in sentences can be filled with, for the matcher to look up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from hassil.intents import TextSlotValue

from .sounds import Code
from .spoken import Words


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
        numbers: whether they are numbers, which are nothing if they are not quite right.
        longest: words of the longest entry.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        self.by_words: dict[Words, list[int]] = {}
        self._by_context: dict[str, tuple[TextSlotValue, list[int]]] = {}
        for at, entry in enumerate(self.entries):
            self.by_words.setdefault(entry.words, []).append(at)
            if entry.source is not None:
                self._by_context.setdefault(repr(entry.source.context), (entry.source, []))[1].append(at)
        self.numbers = all(entry.source is None for entry in self.entries)
        self.longest = max((len(entry.words) for entry in self.entries), default=0)

    def places(self, keep: Callable[[TextSlotValue], bool]) -> frozenset[int]:
        """Return the places of the entries that are kept; values with the same context are kept or dropped together."""
        return frozenset(at for sample, places in self._by_context.values() if keep(sample) for at in places)
