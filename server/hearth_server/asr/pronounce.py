"""How the words of a grammar are pronounced: the dictionary first, then what the home says, then a guess."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from hearth_core.g2p import guess

Pronunciations = dict[str, list[str]]

_ALTERNATIVE = re.compile(r"\(\d+\)$")
# CMUdict is of North America; this is what people of other countries say for words of a home, in the same format.
_ALSO = Path(__file__).with_name("also.dict")
# So many words are searched for, in 2 ms each; more are looked for line by line, in 40 ms.
_FEW = 8
# Said so by everybody; the dictionary has the letter A as the article too.
_LETTER_NAMES = {"a": "EY"}


def pronounce(words: Iterable[str], spoken: Mapping[str, str], dictionary: Path) -> Pronunciations:
    """Return for each word its pronunciations, at least one, each as phones of CMUdict separated by blanks.

    Args:
        words: lower case.
        spoken: words that are said otherwise than written, e.g. {"tv": "t v"}; they go before the dictionary.
        dictionary: a file in the format of CMUdict, one word a line; further pronunciations as `word(2)`.
    """
    wanted = set(words)
    parts = {part for word in wanted & spoken.keys() for part in spoken[word].split()}
    known = _looked_up(wanted | parts, dictionary)
    return {word: _said(word, spoken, known) for word in wanted}


def guessed(words: Iterable[str], spoken: Mapping[str, str], dictionary: Path) -> tuple[str, ...]:
    """Return the words whose pronunciation is a guess, sorted."""
    wanted = {part for word in words for part in spoken.get(word, word).split()}
    return tuple(sorted(wanted - _looked_up(wanted, dictionary).keys()))


def _said(word: str, spoken: Mapping[str, str], known: Pronunciations) -> list[str]:
    if word in spoken:
        letters = [_LETTER_NAMES.get(part) or (known.get(part) or [guess(part)])[0] for part in spoken[word].split()]
        return [" ".join(letters)]
    return known.get(word) or [guess(word)]


def _looked_up(words: set[str], dictionary: Path) -> Pronunciations:
    """Return the words that the dictionary has, with what else is said for them elsewhere."""
    found = _in_dictionary(words, dictionary)
    for word, known in found.items():
        known += [phones for phones in _also().get(word, ()) if phones not in known]
    return found


@cache
def _also() -> Pronunciations:
    found: Pronunciations = {}
    for line in _ALSO.read_text("utf-8").splitlines():
        word, phones = line.split(" ", 1)
        found.setdefault(word, []).append(phones)
    return found


def _in_dictionary(words: set[str], dictionary: Path) -> Pronunciations:
    found: Pronunciations = {}
    if len(words) <= _FEW:
        text = b"\n" + dictionary.read_bytes()
        return {word: entries for word in words if (entries := _entries(text, word))}
    with dictionary.open(encoding="utf-8") as lines:
        for line in lines:
            entry, _, phones = line.partition(" ")
            word = _ALTERNATIVE.sub("", entry)
            if word in words:
                found.setdefault(word, []).append(phones.strip())
    return found


def _entries(text: bytes, word: str) -> list[str]:
    """Return the pronunciations of one word, found by how its lines begin."""
    entries = re.findall(rb"\n%s(?:\(\d+\))? ([^\n]*)" % re.escape(word.encode()), text)
    return [entry.decode().strip() for entry in entries]
