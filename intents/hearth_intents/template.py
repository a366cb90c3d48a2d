"""What is known of a sentence template before it is used: does it parse, is all there, and can it be matched in time.

hassil tries every way to read a text, so a template such as `[a] [a] [a] …` takes time that grows with the power of its
length. Nothing that Home Assistant's own sentences contain comes near the limits here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

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
from hassil.parse_expression import parse_sentence
from hassil.parser import ParseError

from hearth_core.errors import SentenceError

# After rules are put in. The longest of Home Assistant's has 489.
MAX_PARTS = 5_000

MAX_DEPTH = 40

# Orders of (a;b;c), multiplied over a template: 720 is one of six parts.
MAX_ORDERS = 720

# Bound on the ways in which one text can be read: hassil takes 30 us for each. English stays below 42,000.
MAX_READINGS = 50_000

# A list's values may overlap, so every list counts as the same word.
_ANY_LIST = "{}"


@dataclass(frozen=True, slots=True)
class Measure:
    """What a template or a part of one comes to.

    Attributes:
        parts: texts, lists and groups in it, rules put in.
        depth: how deep groups and rules stand in each other.
        orders: orders in which its permutations can be said.
        blanks: ways to read nothing as it.
        choices: bound on the ways that differ in what was left out alone.
        fixed: how often each word comes where nothing else can stand.
        words: how often each other word can at most come in one sentence.
    """

    parts: int = 1
    depth: int = 0
    orders: int = 1
    blanks: int = 0
    choices: int = 1
    fixed: Mapping[str, int] = field(default_factory=dict)
    words: Mapping[str, int] = field(default_factory=dict)

    @property
    def lists(self) -> bool:
        """Whether there is a list in it."""
        return _ANY_LIST in self.fixed or _ANY_LIST in self.words

    @property
    def readings(self) -> int:
        """Bound on the ways to read one text: which of the places of a word took the word."""
        places = math.prod(math.comb(count, count // 2) for count in self.words.values())
        return self.choices * places * self.orders


def parse_template(text: str) -> Sentence:
    """Return a parsed template.

    Raises:
        SentenceError: it cannot be parsed.
    """
    try:
        return parse_sentence(text, keep_text=True)
    except (ParseError, AssertionError, ValueError, IndexError) as error:
        # hassil asserts on empty brackets, and says where a bracket is missing in its own words
        raise SentenceError(f"cannot parse {_short(text)}", remedy="Check its brackets") from error
    except RecursionError as error:
        raise SentenceError(f"too many brackets in {_short(text)}", remedy="Use rules") from error


class TemplateCheck:
    """Checks templates against rules and lists.

    Args:
        rules: every rule that templates may name.
        lists: every list that they may name.
    """

    def __init__(self, rules: Mapping[str, Sentence], lists: frozenset[str]) -> None:
        self._rules = rules
        self._lists = lists
        self._known: dict[int, Measure] = {}
        self._open: list[str] = []

    @property
    def rules(self) -> Mapping[str, Sentence]:
        """The rules that templates may name."""
        return self._rules

    def check_rule(self, name: str) -> Measure:
        """Return a rule's measure; as `check`."""
        return self._check(RuleReference(name), f"<{name}>")

    def check(self, template: Sentence) -> Measure:
        """Return a template's measure.

        Raises:
            SentenceError: it names an unknown rule or list, a rule contains itself, or it is too large to be matched.
        """
        return self._check(template.expression, _short(template.text or ""))

    def _check(self, item: Expression, said: str) -> Measure:
        try:
            measure = self._measure(item)
        except RecursionError as error:
            raise SentenceError(f"{said} is nested too deeply", remedy="Use fewer levels") from error
        finally:
            self._open.clear()
        if measure.parts > MAX_PARTS or measure.depth > MAX_DEPTH:
            raise SentenceError(f"{said} is too large, rules included", remedy="Split it into several sentences")
        if measure.orders > MAX_ORDERS:
            raise SentenceError(f"{said} has too many parts in any order (;)", remedy="Six are the most")
        if measure.readings > MAX_READINGS:
            raise SentenceError(
                f"{said} can be read in too many ways",
                remedy="Repeat fewer words and lists in optional parts, or split it into several sentences",
            )
        return measure

    def _measure(self, item: Expression) -> Measure:
        if isinstance(item, TextChunk):
            words = item.text.casefold().split()
            return Measure(parts=max(1, len(words)), blanks=int(not words), fixed=Counter(words))
        if isinstance(item, ListReference):
            if item.list_name not in self._lists and not item.is_inline_range:
                raise SentenceError(f"there is no list {{{item.list_name}}}", remedy="Add it under lists")
            return Measure(fixed={_ANY_LIST: 1})
        if isinstance(item, RuleReference):
            return self._rule(item.rule_name)
        if isinstance(item, Group):
            return self._group(item, [self._measure(each) for each in item.items])
        raise SentenceError(f"unknown part of a template: {item}")

    def _rule(self, name: str) -> Measure:
        rule = self._rules.get(name)
        if rule is None:
            raise SentenceError(f"there is no rule <{name}>", remedy="Add it under expansion_rules")
        if name in self._open:
            circle = " ".join(f"<{each}>" for each in (*self._open[self._open.index(name) :], name))
            raise SentenceError(f"a rule contains itself: {circle}", remedy="Take one of them out of the circle")
        known = self._known.get(id(rule))
        if known is None:
            self._open.append(name)
            inner = self._measure(rule.expression)
            self._open.pop()
            known = self._known[id(rule)] = replace(inner, depth=inner.depth + 1)
        return known

    @staticmethod
    def _group(group: Group, items: list[Measure]) -> Measure:
        words: Counter[str] = Counter()
        fixed: Counter[str] = Counter()
        if isinstance(group, Alternative):
            for item in items:
                words |= Counter(item.words) + Counter(item.fixed)
            blanks = sum(item.blanks for item in items)
            choices = max([blanks, 1, *(item.choices for item in items)])
            orders = max([1, *(item.orders for item in items)])
        else:
            for item in items:
                words.update(item.words)
                fixed.update(item.fixed)
            blanks = math.prod(item.blanks for item in items)
            choices = math.prod(item.choices for item in items)
            orders = math.prod(item.orders for item in items)
            if isinstance(group, Permutation):
                orders *= math.factorial(min(len(items), 20))
        # bounds may be passed by far: kept from growing into numbers of a million digits
        ceiling = 10**9
        return Measure(
            parts=min(ceiling, 1 + sum(item.parts for item in items)),
            depth=1 + max((item.depth for item in items), default=0),
            orders=min(ceiling, orders),
            blanks=min(ceiling, blanks),
            choices=min(ceiling, choices),
            fixed=fixed,
            words={word: min(64, count) for word, count in words.items()},
        )


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")
