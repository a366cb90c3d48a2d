"""A text as time phrases are found in it: folded, numbers in digits, and every character's place in the original."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

_APOSTROPHES = "’ʼ`´"
_BLANKS = "-‐‑–—"


@dataclass(frozen=True, slots=True)
class Folded:
    """A text in lower case, composed, with single blanks; numbers are digits and stand apart from letters.

    `starts` and `ends` hold, for each character of `text`, where what it stands for begins and ends in the original.
    """

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Return the span in the original of a span here that is not empty."""
        return self.starts[start], self.ends[end - 1]


def fold(text: str) -> Folded:
    """Fold a text, words for numbers left as they are."""
    kept: list[tuple[str, int, int]] = []
    for start, end in _clusters(text):
        for char in unicodedata.normalize("NFC", text[start:end]).lower():
            if char in _APOSTROPHES:
                char = "'"
            elif char.isspace() or char in _BLANKS or unicodedata.category(char).startswith("C"):
                char = " "
            last = kept[-1][0] if kept else " "
            if char == " " and last == " ":
                continue
            if (last.isdecimal() and char.isalpha()) or (last.isalpha() and char.isdecimal()):
                kept.append((" ", start, start))  # "9pm", "7h30"
            kept.append((char, start, end))
    return Folded("".join(c for c, _, _ in kept), tuple(s for _, s, _ in kept), tuple(e for _, _, e in kept))


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of characters with the marks that follow them."""
    at = 0
    while at < len(text):
        end = at + 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        yield at, end
        at = end


class NumberWords:
    """Turns numbers in words into digits.

    Args:
        values: numbers by the words that say them.
    """

    def __init__(self, values: Mapping[str, float]) -> None:
        self._values = {fold(words).text: f"{value:g}" for words, value in values.items()}
        longest_first = sorted(self._values, key=len, reverse=True)
        self._pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)") if values else None

    def in_text(self, text: str) -> str:
        """Return a folded text with digits."""
        return self._pattern.sub(lambda found: self._values[found[0]], text) if self._pattern else text

    def in_folded(self, folded: Folded) -> Folded:
        """Return it with digits; each digit stands for all the words of its number."""
        if self._pattern is None:
            return folded
        parts: list[tuple[Iterable[str], Iterable[int], Iterable[int]]] = []
        at = 0
        for found in self._pattern.finditer(folded.text):
            start, end = found.span()
            parts.append((folded.text[at:start], folded.starts[at:start], folded.ends[at:start]))
            digits = self._values[found[0]]
            first, last = folded.original(start, end)
            parts.append((digits, [first] * len(digits), [last] * len(digits)))
            at = end
        parts.append((folded.text[at:], folded.starts[at:], folded.ends[at:]))
        return Folded(
            "".join("".join(text) for text, _, _ in parts),
            tuple(start for _, starts, _ in parts for start in starts),
            tuple(end for _, _, ends in parts for end in ends),
        )
