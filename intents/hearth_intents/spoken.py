"""How names and numbers are said: the words that a recogniser hears for what people write."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

Words = tuple[str, ...]

# Ways to say one name that are kept; a name with this many numbers in it is a serial number.
MAX_VARIANTS = 8

# A longer run of digits is a code, said digit by digit.
_MAX_NUMBER_DIGITS = 6

# Abbreviations of up to this many capitals are spelled (LED, HDMI); longer ones are words in capitals.
_MAX_INITIALS = 3

# No abbreviation is longer; a longer word without a vowel is noise, or not of this language.
_MAX_SPELLED = 6

# Nobody says "one two" for 1/2, and sentences that have it have "half" beside it.
FRACTION = re.compile(r"\d/\d")

# Scripts written without blanks, as a regular expression's set: Thai, kana, Chinese characters.
UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
# What stands above or below a Thai letter belongs to it.
MARKS = "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
UNSPACED_WORD = re.compile(f"[{UNSPACED}]")
_MARK = re.compile(f"[{MARKS}]")

_NUMBER = re.compile(r"\d+(?:\.\d+|,\d{1,2}(?!\d))?")


@dataclass(frozen=True, slots=True, eq=False)
class Speech:
    """The spoken form of one language.

    Attributes:
        language: code, e.g. "en".
        symbols: signs that are said as a word, e.g. % as "percent"; others are silent.
        ordinals: endings that make a number an ordinal, e.g. nd in "2nd".
        vowels: a word of plain letters without any of them is spelled; empty: no word is.
        say_as: words that are said otherwise than written, e.g. whats as "what's".
        adds_nothing: words with which a sentence may go on that is whole, and mean the same.
        never_before, never_after: what may be left out of a sentence, but is not said before or after one.
        requests: what may be left out before a sentence, and asks to do it, e.g. "could you".
        verbs: words with which a sentence begins that a request stands before; empty: before any.
    """

    language: str
    symbols: Mapping[str, str] = field(default_factory=dict)
    ordinals: frozenset[str] = frozenset()
    vowels: frozenset[str] = frozenset()
    say_as: Mapping[str, str] = field(default_factory=dict)
    adds_nothing: frozenset[str] = frozenset()
    never_before: frozenset[str] = frozenset()
    never_after: frozenset[str] = frozenset()
    requests: frozenset[str] = frozenset()
    verbs: frozenset[str] = frozenset()

    def words(self, text: str) -> Words:
        """Return the usual way to say a text: lower-case words, numbers in words; empty if nothing can be said."""
        return next(iter(self.variants(text)), ())

    @lru_cache(maxsize=32_768)  # noqa: B019 - one object a language lives as long as the process
    def variants(self, text: str) -> tuple[Words, ...]:
        """Return the ways to say a text, the usual one first, none if nothing of it can be said."""
        parts = [self._part(token) for token in _tokens(text, self.symbols)]
        found = (sum(choice, ()) for choice in itertools.product(*parts))
        kept = dict.fromkeys(words for words in itertools.islice(found, MAX_VARIANTS) if words)
        return tuple(kept)

    def number(self, value: float) -> tuple[Words, ...]:
        """Return the ways to say a number; its digits as one word where the language's rules are not known."""
        return _numbers(self.language, value, False) or ((f"{value:g}",),)

    def ordinal(self, value: int) -> tuple[Words, ...]:
        """Return the ways to say a rank ("third"), none where the language's rules are not known."""
        return _numbers(self.language, value, True)

    @lru_cache(maxsize=32_768)  # noqa: B019 - as above
    def spelled(self, text: str) -> Mapping[str, str]:
        """Return the words of a text that are not said as written: {"tv": "t v"} for "Kitchen TV".

        Words are spelled that have no vowel, and short ones in capitals beside others that are not.
        """
        found: dict[str, str] = {}
        tokens = [token for token in _tokens(text, {}) if token[0].isalpha()]
        shouted = len(tokens) > 1 and all(token.isupper() for token in tokens)
        for token in tokens:
            word = token.lower()
            plain = word.isascii() and word.isalpha() and 1 < len(word) <= _MAX_SPELLED
            initials = token.isupper() and len(token) <= _MAX_INITIALS and not shouted
            if word in self.say_as:
                found[word] = self.say_as[word]
            elif self.vowels and plain and (initials or self.vowels.isdisjoint(word)):
                found[word] = " ".join(word)
        return found

    def _part(self, token: str) -> tuple[Words, ...]:
        if token in self.symbols:
            return ((self.symbols[token],),)
        if not token[0].isdigit():
            return ((token.lower(),),)
        digits = "".join(itertools.takewhile(lambda c: c.isdigit() or c in ".,", token))
        if digits != token:  # the tokens keep an ordinal's ending with its number
            ending = token[len(digits) :]
            if ending.lower() in self.ordinals:
                return _numbers(self.language, int(digits), True) or ((token.lower(),),)
            return tuple((*words, ending.lower()) for words in self._part(digits))
        if len(digits) > _MAX_NUMBER_DIGITS:
            return (tuple(itertools.chain.from_iterable(self.number(int(d))[0] for d in digits if d.isdigit())),)
        whole = float(digits.replace(",", "."))
        return self.number(int(whole) if whole.is_integer() else whole)


@lru_cache(maxsize=64)
def speech(language: str) -> Speech:
    """Return how a language is spoken; for one that has no file beside this module, letters and numbers alone."""
    for code in dict.fromkeys((language, language.replace("_", "-").partition("-")[0])):
        source = resources.files(__package__).joinpath("speech", f"{code}.yaml")
        if re.fullmatch(r"[A-Za-z_-]+", code) and source.is_file():
            data: dict[str, Any] = yaml.safe_load(source.read_text(encoding="utf-8"))
            return Speech(
                language=language,
                symbols=data.get("symbols", {}),
                ordinals=frozenset(data.get("ordinals", ())),
                vowels=frozenset(data.get("vowels", "")),
                say_as=data.get("say_as", {}),
                adds_nothing=frozenset(data.get("adds_nothing", ())),
                never_before=frozenset(data.get("never_before", ())),
                never_after=frozenset(data.get("never_after", ())),
                requests=frozenset(data.get("requests", ())),
                verbs=frozenset(data.get("verbs", ())),
            )
    return Speech(language)


def _tokens(text: str, symbols: Mapping[str, str]) -> list[str]:
    """Split a text into words, numbers (with the letters that follow them at once) and signs that are said."""
    text = unicodedata.normalize("NFKC", text).replace("’", "'").replace("\u00ad", "")
    tokens: list[str] = []
    at = 0
    while at < len(text):
        number = _NUMBER.match(text, at)
        end = number.end() if number else at
        while end < len(text) and _in_word(text, end):
            end += 1
            if not _MARK.match(text, end) and (UNSPACED_WORD.match(text, end - 1) or UNSPACED_WORD.match(text, end)):
                break
        if end > at:
            token = text[at:end].strip("'")
            if any(c.isalnum() for c in token):  # not a lone mark, as emoji have them
                tokens.append(token)
        elif text[at] in symbols:
            tokens.append(text[at])
        at = max(end, at + 1)
    return tokens


def _in_word(text: str, at: int) -> bool:
    return text[at].isalpha() or text[at] == "'" or unicodedata.category(text[at]).startswith("M")


@lru_cache(maxsize=8192)
def _numbers(language: str, value: float, ordinal: bool) -> tuple[Words, ...]:
    from hassil.numbers import get_rbnf_engine  # not needed where no number is said
    from unicode_rbnf import FormatPurpose
    from unicode_rbnf.engine import NoRuleForNumberError

    try:
        engine = get_rbnf_engine(language)
        purpose = FormatPurpose.ORDINAL if ordinal else FormatPurpose.CARDINAL
        texts: Iterable[str] = engine.format_number(value, purpose=purpose).text_by_ruleset.values()
    except (ValueError, NoRuleForNumberError):
        return ()
    said = (tuple(token.lower() for token in _tokens(text, {})) for text in texts)
    return tuple(dict.fromkeys(words for words in said if words))
