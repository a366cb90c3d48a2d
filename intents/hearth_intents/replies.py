"""What an answer to a question says: yes or no, which of several, digits. Pure; the words are in `replies/<lang>.yaml`.

Nothing here is forgiving: what is not said to the letter is no answer, and is asked again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

from .spoken import speech

Words = tuple[str, ...]

# The longest answer is a name in a frame; a television says more.
MAX_WORDS = 24
MAX_CHARS = 1_000
# Of a run of digits this many are a code that nobody else is to read, whatever it was said for.
SECRET_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Option:
    """One of several things to choose from: its names, and the names of the places that it is in."""

    names: tuple[str, ...]
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Replies:
    """The answers of one language; in a language without a file only digits and names are understood.

    Attributes:
        language: code.
        phrases: the lists of the file that are whole answers or words, by key: yes, no, both, last, now, …
        ordinals: the words for the first, the second, …
        choice: the frames in which a choice is said.
        moment: the frames in which a time is said.
        numbers: the digits of words, and of several words, e.g. ("thirty", "four"): "34".
        repeat: words that repeat the digit after them.
    """

    language: str
    phrases: Mapping[str, frozenset[Words]] = field(default_factory=dict)
    ordinals: tuple[frozenset[Words], ...] = ()
    choice: tuple[str, ...] = ("{x}",)
    moment: tuple[str, ...] = ("{x}",)
    numbers: Mapping[Words, str] = field(default_factory=dict)
    repeat: Mapping[Words, int] = field(default_factory=dict)

    def yes_or_no(self, text: str) -> bool | None:
        """Return whether a text agrees or declines, None if it does neither."""
        words = tokens(text)
        if words in self.phrases.get("no", ()):
            return False
        return True if words in self.phrases.get("yes", ()) else None

    def means_now(self, text: str) -> bool:
        """Return whether a text answers "when?" with now."""
        return tokens(text) in self.phrases.get("now", ())

    def moments(self, text: str) -> tuple[str, ...]:
        """Return the forms in which a time that was asked for may stand in a sentence: "nine", "at nine"."""
        return tuple(frame.replace("{x}", text.strip()) for frame in self.moment)

    def may_qualify(self, text: str) -> bool:
        """Return whether words that are not understood could take back, or limit, what stands beside them.

        Always in a language whose words for that are not known.
        """
        known = self.phrases.get("qualifiers")
        words = f" {' '.join(tokens(text))} "
        return known is None or any(f" {' '.join(phrase)} " in words for phrase in known)

    def choose(self, text: str, options: Sequence[Option]) -> tuple[int, ...] | None:
        """Return the places in the row of the options that a text chooses, None if it chooses none or is unsure."""
        words = tokens(text)
        if not words or len(words) > MAX_WORDS:
            return None
        if words in self.phrases.get("both", ()):
            return tuple(range(len(options)))
        found: set[int] = set()
        for said in self._framed(words):
            exact = {i for i, option in enumerate(options) if _is_called(said, (*option.names, *option.places))}
            if len(exact) == 1:
                return tuple(exact)
            ordinal = self._ordinal(said, len(options))
            if ordinal is not None:
                return (ordinal,)
            found |= _having(said, options)
        return tuple(found) if len(found) == 1 else None

    def digits(self, text: str) -> str | None:
        """Return the digits that a text consists of, None if there is anything else in it.

        "one two three four", "12 34" and "twelve thirty-four" are all 1234.
        """
        words = tokens(text)
        if not words or len(words) > MAX_WORDS:
            return None
        around = sorted(self.phrases.get("around_digits", ()), key=len, reverse=True)
        for _ in range(3):
            for phrase in around:
                if words[: len(phrase)] == phrase:
                    words = words[len(phrase) :]
                if phrase and words[-len(phrase) :] == phrase:
                    words = words[: -len(phrase)]
        read = self._read_digits(words, 0)
        return read[0] if read[0] and read[1] == len(words) else None

    def redacted(self, text: str) -> str:
        """Return a text with every run of four digits and more, in words or not, left out."""
        words = tokens(text)
        kept: list[str] = []
        at, hidden = 0, False
        while at < len(words):
            digits, end = self._read_digits(words, at)
            if len(digits) >= SECRET_DIGITS:
                kept.append("…")
                hidden = True
                at = end
            else:
                kept.append(words[at])
                at += 1
        return " ".join(kept) if hidden else text

    def _read_digits(self, words: Words, at: int) -> tuple[str, int]:
        """Return the digits that begin at a word, the longest numbers first, and where they end."""
        found, times = "", 1
        end = at
        longest = max((len(key) for key in self.numbers), default=1)
        while at < len(words):
            if (words[at],) in self.repeat:
                times = self.repeat[words[at],]
                at += 1
                continue
            for length in range(longest, 0, -1):
                number = self.numbers.get(words[at : at + length])
                if number is not None and at + length <= len(words):
                    break
            else:
                number, length = (words[at], 1) if words[at].isdecimal() else (None, 1)
            if number is None or (times > 1 and len(number) != 1):
                break
            found += str(number) * times
            times, at = 1, at + length
            end = at
        return "".join(str(unicodedata.digit(c)) for c in found), end

    def _framed(self, words: Words) -> Iterable[Words]:
        """Yield what stands in the place of {x}, for every frame that the words fit."""
        text = " ".join(words)
        for frame in self.choice:
            before, _, after = frame.partition("{x}")
            if text.startswith(before) and text.endswith(after) and len(text) > len(before) + len(after):
                yield tuple(text[len(before) : len(text) - len(after)].split())

    def _ordinal(self, said: Words, count: int) -> int | None:
        for index, known in enumerate(self.ordinals[:count]):
            if said in known:
                return index
        return count - 1 if said in self.phrases.get("last", ()) else None


def tokens(text: str) -> Words:
    """Return the words of a text: lower case; every sign, apostrophes and hyphens inside words too, is a blank.

    >>> tokens("Twelve thirty-four, please!")
    ('twelve', 'thirty', 'four', 'please')
    """
    plain = unicodedata.normalize("NFKC", text[:MAX_CHARS]).casefold()
    return tuple(re.findall(r"[^\W_]+", plain))


@lru_cache(maxsize=64)
def replies(language: str) -> Replies:
    """Return the answers of a language."""
    data: Mapping[str, Any] = language_data("replies", language)
    unheard: Mapping[str, Any] = data.get("unheard", {})
    lists = ("yes", "no", "both", "last", "now", "around_digits", "qualifiers")
    return Replies(
        language=language,
        phrases={key: frozenset(map(tokens, (*data[key], *unheard.get(key, ())))) for key in lists if key in data},
        ordinals=tuple(frozenset(map(tokens, each)) for each in data.get("ordinals", ())),
        choice=tuple(" ".join(_frame(frame)) for frame in data.get("choice", ("{x}",))),
        moment=tuple(data.get("moment", ("{x}",))),
        numbers=_numbers(language, {**data.get("digits", {}), **unheard.get("digits", {})}),
        repeat={tokens(word): times for word, times in data.get("repeat", {}).items()},
    )


def language_data(folder: str, language: str) -> Mapping[str, Any]:
    """Return the file of a language, or of its family ("de" for "de-CH"), in a folder of this package; else nothing."""
    for code in dict.fromkeys((language, language.replace("_", "-").partition("-")[0])):
        source = resources.files(__package__).joinpath(folder, f"{code}.yaml")
        if re.fullmatch(r"[A-Za-z_-]+", code) and source.is_file():
            found: Mapping[str, Any] = yaml.safe_load(source.read_text(encoding="utf-8"))
            return found
    return {}


def _frame(frame: str) -> Iterable[str]:
    before, _, after = frame.partition("{x}")
    return (*tokens(before), "{x}", *tokens(after))


def _numbers(language: str, more: Mapping[str, int]) -> dict[Words, str]:
    """Return the digits of the numbers from 0 to 99 as they are said, and of what else is said for a digit."""
    found = {tokens(word): str(digit) for word, digit in more.items()}
    for number in range(99, -1, -1):
        for words in speech(language).number(number):
            found[tokens(" ".join(words))] = str(number)
    return found


def _is_called(said: Words, names: Iterable[str]) -> bool:
    return any(said == tokens(name) for name in names)


def _having(said: Words, options: Sequence[Option]) -> set[int]:
    """Return the options that have all the words, where the words are not in every option's name."""
    having = set()
    for index, option in enumerate(options):
        words = {word for name in (*option.names, *option.places) for word in tokens(name)}
        if said and words.issuperset(said):
            having.add(index)
    return having if len(having) == 1 else set()
