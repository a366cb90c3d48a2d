"""How the words of a grammar are pronounced.

As it is configured; else as the language spells it out ("tv"); else as the dictionary has it; else by a guess.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from hearth_core.g2p import guess

Pronunciations = dict[str, list[str]]
SayAs = Mapping[str, Sequence[str]]
"""Words as they are configured to be said: for each one or several spellings, e.g. {"xiao": ("show", "shee ow")}."""

_ALTERNATIVE = re.compile(r"\(\d+\)$")
# CMUdict is of North America; this is what people of other countries say for words of a home, in the same format.
_ALSO = Path(__file__).with_name("also.dict")
# So many words are searched for, in 2 ms each; more are looked for line by line, in 40 ms.
_FEW = 8
# Said so by everybody; the dictionary has the letter A as the article too.
_LETTER_NAMES = {"a": ["EY"]}
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_POSSESSIVE: Final = "'s"
_SIBILANTS: Final = frozenset({"S", "Z", "SH", "ZH", "CH", "JH"})
_VOICELESS: Final = frozenset({"P", "T", "K", "F", "TH"})
# A spelling of three words, each of which the dictionary has in two ways, is said in eight.
_MOST_WAYS: Final = 8


def pronounce(
    words: Iterable[str], spoken: Mapping[str, str], dictionary: Path, say_as: SayAs | None = None
) -> Pronunciations:
    """Return for each word its pronunciations, at least one, each as phones of CMUdict separated by blanks.

    Args:
        words: lower case.
        spoken: words that are said otherwise than written, e.g. {"tv": "t v"}; they go before the dictionary.
        dictionary: a file in the format of CMUdict, one word a line; further pronunciations as `word(2)`.
        say_as: words that are said as their spellings are, all of them, and in no other way. It holds for a word's
            possessive, too, and goes before all else.
    """
    wanted = set(words)
    keys = {word: key for word in wanted if (key := say_as_key(word, say_as or {}))}
    spellings = [spelling for key in keys.values() for spelling in (say_as or {})[key]]
    spellings += [spoken[word] for word in wanted & spoken.keys()]
    known = _looked_up(wanted | {part for spelling in spellings for part in spelling.split()}, dictionary)
    return {
        word: _as_configured(word, keys[word], say_as or {}, known) if word in keys else _said(word, spoken, known)
        for word in wanted
    }


def say_as_key(word: str, say_as: SayAs) -> str | None:
    """Return under which word it is configured how one is said: its own, that without 's, or None for neither."""
    return next((key for key in (word, word.removesuffix(_POSSESSIVE)) if key in say_as), None)


def respelled(text: str, say_as: SayAs) -> str:
    """Return a text with the first spelling of each word for which one is configured, for who reads it aloud."""

    def first(found: re.Match[str]) -> str:
        word = found[0].lower()
        key = say_as_key(word, say_as)
        return found[0] if key is None else say_as[key][0] + word[len(key) :]

    return _WORD.sub(first, text.replace("’", "'"))


def guessed(words: Iterable[str], spoken: Mapping[str, str], dictionary: Path) -> tuple[str, ...]:
    """Return the words whose pronunciation is a guess, sorted."""
    wanted = {part for word in words for part in spoken.get(word, word).split()}
    return tuple(sorted(wanted - _looked_up(wanted, dictionary).keys()))


def _as_configured(word: str, key: str, say_as: SayAs, known: Pronunciations) -> list[str]:
    said = [way for spelling in say_as[key] for way in _ways(spelling, known)]
    return list(dict.fromkeys(said if word == key else map(_possessive, said)))


def _said(word: str, spoken: Mapping[str, str], known: Pronunciations) -> list[str]:
    if word in spoken:
        return _ways(spoken[word], known)[:1]
    return known.get(word) or [guess(word)]


def _ways(spelling: str, known: Pronunciations) -> list[str]:
    """Return the ways to say a spelling, the usual one first."""
    parts = [_LETTER_NAMES.get(part) or known.get(part) or [guess(part)] for part in spelling.split()]
    return [" ".join(way) for way in itertools.islice(itertools.product(*parts), _MOST_WAYS)]


def _possessive(phones: str) -> str:
    """Return how a word with 's is said. Source: the regular English plural, as CMUdict writes it."""
    last = phones.rpartition(" ")[2]
    return f"{phones} {'IH Z' if last in _SIBILANTS else 'S' if last in _VOICELESS else 'Z'}"


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
