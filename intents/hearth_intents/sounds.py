"""How near two texts sound, without a dictionary: spelling rules of the language, and classes of sounds alike.

A code is a text of one character a sound. The fine code keeps sounds apart that a careful listener hears; the coarse
one merges those that are confused with each other: b and p, d and t, one vowel and another. The distance of two texts
is half their edit distance in either code, so to confuse like sounds costs a half, anything else one.

Source: Soundex and its successors; the classes are those of articulation (Ladefoged, A Course in Phonetics).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
import yaml

VOWELS = "aeiouyAEIOUYW"

# Sounds that are mistaken for each other, each class under its first: made at the same place, or voiced and voiceless.
_CLASSES = ("pb", "tdT", "kgxX", "fvw", "szSCJZ", "nmN", "l", "r", "h", VOWELS)
_COARSE = {ord(sound): each[0] for each in _CLASSES for sound in each}
_RUN_OF_VOWELS = re.compile(f"{VOWELS[0]}+")
_DOUBLED = re.compile(r"(.)\1+")


@dataclass(frozen=True, slots=True)
class Code:
    """A text's two codes."""

    fine: str
    coarse: str

    def __add__(self, other: Code) -> Code:
        """Return the code of two texts said in one breath."""
        return Code(self.fine + other.fine, self.coarse + other.coarse)


NO_SOUND = Code("", "")


class Sounds:
    """The sounds of one language's spelling; of a script's letters where nothing is known of the language."""

    def __init__(self, rules: Sequence[tuple[str, str]] = (), irregular: Mapping[str, str] | None = None) -> None:
        self._irregular = dict(irregular or {})
        self._rules = tuple((re.compile(pattern), sound) for pattern, sound in rules)

    @lru_cache(maxsize=16_384)  # noqa: B019 - one object a language lives as long as the process
    def word(self, word: str) -> Code:
        """Return the code of a word."""
        text = unicodedata.normalize("NFC", word.casefold())
        text = self._irregular.get(text, text)
        for pattern, sound in self._rules:
            text = pattern.sub(sound, text)
        if not text.isascii():
            from anyascii import anyascii  # its tables are only needed beyond the rules

            text = anyascii(text)
        fine = _DOUBLED.sub(r"\1", "".join(c for c in text if c.isalnum()))
        coarse = fine.translate(_COARSE)
        return Code(fine, _DOUBLED.sub(r"\1", _RUN_OF_VOWELS.sub(VOWELS[0], coarse)))

    def words(self, words: Sequence[str]) -> Code:
        """Return the code of words in a row."""
        return Code("".join(self.word(w).fine for w in words), "".join(self.word(w).coarse for w in words))

    def distance(self, one: Code, other: Code) -> float:
        """Return how far apart two texts sound: about the number of sounds that differ."""
        from rapidfuzz.distance import Levenshtein

        return (Levenshtein.distance(one.fine, other.fine) + Levenshtein.distance(one.coarse, other.coarse)) / 2


class Codes:
    """Codes that are compared with others again and again."""

    def __init__(self, codes: Iterable[Code]) -> None:
        self.codes = tuple(codes)
        self.coarse = [code.coarse for code in self.codes]
        self.lengths = np.array([len(code.fine) for code in self.codes], dtype=np.int32)


def distances(some: Sequence[Code], others: Codes, share: float) -> Iterator[tuple[int, int, float]]:
    """Yield the pairs that sound alike: the place of the one, the place of the other, and their distance.

    Args:
        some: shape (n,).
        others: shape (m,).
        share: of the sounds of the longer of the two that may differ.
    """
    from rapidfuzz.distance import Levenshtein
    from rapidfuzz.process import cdist

    if not some or not others.codes:
        return
    limit = np.maximum.outer([len(code.fine) for code in some], others.lengths) * share
    # the coarse distance is the smaller, so what is beyond the limit there need not be looked at closer
    coarse = cdist([code.coarse for code in some], others.coarse, scorer=Levenshtein.distance, dtype=np.uint8)
    for row, column in zip(*(places.tolist() for places in np.nonzero(coarse <= limit)), strict=True):
        fine = Levenshtein.distance(some[row].fine, others.codes[column].fine)
        distance = (fine + int(coarse[row, column])) / 2
        if distance <= limit[row, column]:
            yield row, column, distance


@lru_cache(maxsize=64)
def sounds(language: str) -> Sounds:
    """Return the sounds of a language: by its rules beside this module, else by the general ones."""
    for code in dict.fromkeys((language, language.replace("_", "-").partition("-")[0], "default")):
        source = resources.files(__package__).joinpath("sounds", f"{code}.yaml")
        if re.fullmatch(r"[A-Za-z_-]+", code) and source.is_file():
            data: dict[str, Any] = yaml.safe_load(source.read_text(encoding="utf-8"))
            return Sounds([(str(pattern), str(sound)) for pattern, sound in data["rules"]], data.get("irregular"))
    return Sounds()
