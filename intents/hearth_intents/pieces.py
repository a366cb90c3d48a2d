"""From sentence templates to automata over pieces: texts without blanks, gaps, and references to lists."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from hassil.expression import (
    Alternative,
    Expression,
    Group,
    ListReference,
    Permutation,
    RuleReference,
    Sentence,
    TextChunk,
)

from .automaton import NOTHING, Automata
from .spoken import FRACTION, MARKS, UNSPACED, UNSPACED_WORD, Speech

GAP = 0

# A character of a script without blanks is a word of its own.
_SPLIT = re.compile(rf"[\s_/-]+|[{UNSPACED}][{MARKS}]*|[^\s_/{UNSPACED}-]+")


class Symbols:
    """Texts as numbers from 1 on."""

    def __init__(self) -> None:
        self.texts: list[str] = [""]
        self._numbers: dict[str, int] = {}

    def __getitem__(self, text: str) -> int:
        number = self._numbers.get(text)
        if number is None:
            number = self._numbers[text] = len(self.texts)
            self.texts.append(text)
        return number


_SAID = re.compile(r"[\w'’]")


@dataclass(frozen=True, slots=True)
class Scope:
    """What the names in a template stand for.

    Attributes:
        key: equal for scopes in which all names stand for the same.
        rule: returns a rule by its name.
        list: returns a list's symbol, below 0; None for one with free text.
    """

    key: int
    rule: Callable[[str], Sentence]
    list: Callable[[ListReference], int | None]


class Pieces:
    """Automata over pieces: GAP, texts from 1 on, lists below 0."""

    def __init__(self, speech: Speech) -> None:
        self.automata = Automata()
        self.symbols = Symbols()
        self._signs = speech.symbols
        self._split_signs = re.compile(f"([{''.join(map(re.escape, self._signs))}])") if self._signs else None
        self._rules: dict[tuple[int, int, int], int] = {}

    def build(self, item: Expression, then: int, scope: Scope) -> int:
        """Return what accepts the pieces of a part of a template and then what `then` accepts."""
        if then == NOTHING:
            return NOTHING
        if isinstance(item, TextChunk):
            return self.text(item.text, then)
        if isinstance(item, RuleReference):
            rule = scope.rule(item.rule_name)
            key = (id(rule), then, scope.key)
            known = self._rules.get(key)
            if known is None:
                known = self._rules[key] = self.build(rule.expression, then, scope)
            return known
        if isinstance(item, ListReference):
            number = scope.list(item)
            return NOTHING if number is None else self.automata.after(number, then)
        if isinstance(item, Alternative):
            return self.automata.union([self.build(each, then, scope) for each in item.items])
        if isinstance(item, Permutation):
            return self._any_order(tuple(range(len(item.items))), item, then, scope, {})
        assert isinstance(item, Group)
        for each in reversed(item.items):
            then = self.build(each, then, scope)
        return then

    def text(self, text: str, then: int) -> int:
        """Return what accepts a text and then what `then` accepts."""
        if FRACTION.search(text):
            return NOTHING
        for piece in reversed(_SPLIT.findall(text)):
            if piece[0] in "_/-" or piece[0].isspace():
                then = self.automata.after(GAP, then)
                continue
            if UNSPACED_WORD.match(piece):
                then = self.automata.after(GAP, then)
                then = self.automata.after(self.symbols[piece], then)
                then = self.automata.after(GAP, then)
                continue
            # a sign that is said is a word of its own, as in "{brightness}%"
            for part in reversed(self._split_signs.split(piece) if self._split_signs else [piece]):
                if part in self._signs:
                    then = self.automata.after(GAP, then)
                    then = self.automata.after(self.symbols[self._signs[part]], then)
                    then = self.automata.after(GAP, then)
                elif _SAID.search(part):  # other signs are silent, "%" where nobody knows how it is said
                    then = self.automata.after(self.symbols[part.lower()], then)
        return then

    def _any_order(
        self, left: tuple[int, ...], items: Permutation, then: int, scope: Scope, known: dict[tuple[int, ...], int]
    ) -> int:
        """Return what accepts the items that are left, in any order: one automaton for each set of them."""
        if not left:
            return then
        if left not in known:
            orders = []
            for at, number in enumerate(left):
                rest = self._any_order((*left[:at], *left[at + 1 :]), items, then, scope, known)
                orders.append(self.build(items.items[number], rest, scope))
            known[left] = self.automata.union(orders)
        return known[left]
