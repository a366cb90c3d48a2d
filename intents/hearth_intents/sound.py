"""How alike two names sound: by their phones where they are known, by a rough key of letters in any language."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from hearth_core.home import Home

from .spoken import Speech

Sounds = tuple[Hashable, ...]
Say = Callable[[str], Sounds]
"""From a text in lower case to its sounds."""

# From here on two names are told to be alike: one of six sounds differs, which noise in a room makes the same.
ALIKE = 0.83

# Pairs that are compared; a home of 2,000 names has two million, most of which differ in length.
MAX_PAIRS = 3_000_000

# Letters whose sounds are near each other in most languages that use them; others stand for themselves.
_CLASSES = ("aàâäáã", "eéèêëiíìîïyj", "oóòôöuúùûüw", "bp", "dt", "gkqcx", "fv", "szß", "mn", "h")
_CLASS = {letter: name[0] for name in _CLASSES for letter in name}
_SILENT = "h"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two names of different things that sound alike.

    Attributes:
        first: a name.
        second: the other's.
        first_id: whose it is: id of an entity, area or floor.
        second_id: whose the other is.
        likeness: 0 to 1; 1 sounds the same.
    """

    first: str
    second: str
    first_id: str
    second_id: str
    likeness: float


@lru_cache(maxsize=65_536)
def key(text: str) -> Sounds:
    """Return a rough key of how a text sounds: classes of letters, doubled ones once, marks and blanks left out."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("ß", "s"))
    found: list[str] = []
    for letter in plain:
        if not letter.isalnum():
            continue
        sound = _CLASS.get(letter, letter)
        if sound != _SILENT and (not found or found[-1] != sound):
            found.append(sound)
    return tuple(found)


def likeness(one: str, other: str, say: Say = key) -> float:
    """Return how alike two texts sound, 0 to 1."""
    return _likeness(say(one), say(other), 0.0)


def alike(home: Home, speech: Speech, say: Say = key, least: float = ALIKE) -> tuple[Pair, ...]:
    """Return the names of different things that sound alike, the most alike first; equal names are not among them.

    Args:
        home: whose names.
        speech: how they are said.
        say: their sounds.
        least: from which likeness on.
    """
    names = list(_names(home, speech))
    sounds = [(name, owner, say(said), said) for name, owner, said in names]
    sounds.sort(key=lambda each: len(each[2]))
    closest: dict[frozenset[str], Pair] = {}
    compared = 0
    for index, (name, owner, heard, said) in enumerate(sounds):
        for other_name, other, other_heard, other_said in sounds[index + 1 :]:
            if len(heard) < least * len(other_heard) or compared > MAX_PAIRS:
                break  # those that follow are longer still
            compared += 1
            if owner == other or said == other_said:
                continue
            found = _likeness(heard, other_heard, least)
            if found >= least:
                pair = Pair(name, other_name, owner, other, round(found, 2))
                kept = closest.get(frozenset((owner, other)))
                if kept is None or kept.likeness < found:
                    closest[frozenset((owner, other))] = pair
    return tuple(sorted(closest.values(), key=lambda pair: (-pair.likeness, pair.first, pair.second)))


def nearest_names(home: Home, speech: Speech, text: str, limit: int = 5, say: Say = key) -> tuple[Pair, ...]:
    """Return the names that come nearest to any words of a text, the nearest first; `first` is what was said."""
    words = [word for word in text.casefold().split() if word]
    found: dict[str, Pair] = {}
    for name, owner, said in _names(home, speech):
        size = len(said.split())
        for length in {max(1, size - 1), size, size + 1}:
            for start in range(max(0, len(words) - length + 1)):
                heard = " ".join(words[start : start + length])
                score = _likeness(say(heard), say(said), 0.5)
                kept = found.get(owner)
                if score >= 0.5 and (kept is None or kept.likeness < score):
                    found[owner] = Pair(heard, name, "", owner, round(score, 2))
    nearest = sorted(found.values(), key=lambda pair: (-pair.likeness, -len(pair.first), pair.second))
    return tuple(nearest[:limit])


def _names(home: Home, speech: Speech) -> Iterator[tuple[str, str, str]]:
    """Yield every name, whose it is, and how it is said."""
    things: Iterable[tuple[str, Iterable[str]]] = (
        *((e.entity_id, e.names) for e in home.entities.values()),
        *((a.area_id, (a.name, *a.aliases)) for a in home.areas.values()),
        *((f.floor_id, (f.name, *f.aliases)) for f in home.floors.values()),
    )
    for owner, names in things:
        for name in names:
            said = " ".join(speech.words(name))
            if said:
                yield name, owner, said


def _likeness(one: Sounds, other: Sounds, least: float) -> float:
    longest = max(len(one), len(other))
    if not longest:
        return 0.0
    allowed = (1 - least) * longest
    if least > 0 and sum((Counter(one) - Counter(other)).values()) > allowed:
        return 0.0  # so many sounds have no partner, in whatever order
    return 1 - _distance(one, other) / longest


def _distance(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    """Return Levenshtein's distance."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]
