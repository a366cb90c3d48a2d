"""The key `say_as` of the server: how the words of names are spoken, where the dictionary has it otherwise."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

MAX_WORDS = 1_000  # a home of thousands of things has some hundred words that no dictionary has
MAX_SPELLINGS = 8  # each is a way of its own through every sentence with the word
MAX_WORD_CHARS = 50
MAX_SPELLING_CHARS = 100

# What the dictionary has, and what the rules of spelling can pronounce in any case.
_SPELT = re.compile(r"[a-z]+(?:'[a-z]+)*'?")


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("’", "'").replace("\u00ad", "").lower()


def _word(text: str) -> str:
    """Return a word of a name; written in capitals or not, it is the same."""
    if not any(c.isalpha() for c in text) or not all(_in_word(c) for c in _folded(text)):
        raise PydanticCustomError("word", "should be one word of letters: a name of two has a line for each")
    return text


def _in_word(char: str) -> bool:
    return char.isalpha() or char == "'" or unicodedata.category(char).startswith("M")


def _spelling(text: str) -> str:
    words = _folded(text).replace("-", " ").split()
    if not words or not all(_SPELT.fullmatch(word) for word in words):
        raise PydanticCustomError("spelling", "should be words of the letters a to z, as English would be spelt")
    return " ".join(words)


def _once(entries: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for written, spellings in entries.items():
        word = _folded(written).strip("'")
        if word in found:
            raise PydanticCustomError("duplicate", "is there twice, in other letters", {"at": (written,)})
        found[word] = tuple(dict.fromkeys(spellings))
    return found


def _several(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


_Word = Annotated[str, Field(max_length=MAX_WORD_CHARS), AfterValidator(_word)]
_Spelling = Annotated[str, Field(max_length=MAX_SPELLING_CHARS), AfterValidator(_spelling)]
_Spellings = Annotated[
    tuple[_Spelling, ...],
    Field(min_length=1, max_length=MAX_SPELLINGS),
    BeforeValidator(_several),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MAX_SPELLINGS},
            ]
        }
    ),
]

# A word of names, in lower case, to the spellings of what is said for it.
SayAs = Annotated[
    dict[_Word, _Spellings],
    Field(max_length=MAX_WORDS),
    AfterValidator(_once),
    BeforeValidator(lambda value: {} if value is None else value),  # all of it commented out
]
