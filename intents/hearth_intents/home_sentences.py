"""Every template of the sentences as the automaton of what it can say in one home: for those who look into them.

Templates with free text have none: what anybody may say cannot be counted or compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

from hassil.expression import Expression, Group, ListReference, RuleReference
from hassil.intents import IntentData, WildcardSlotList

from hearth_core.home import Home

from .automaton import NOTHING, Automata
from .compile import Compiler
from .sentences import Sentences, action_of, is_authors, source_of

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class HomeTemplate:
    """A template in a home.

    Attributes:
        intent: what it means.
        text: as it is written.
        where: `file:line`, or `home-assistant-intents`.
        block: the block of sentences that it stands in.
        node: where its automaton starts; NOTHING if it can say nothing here.
        authors: whether it is an author's.
    """

    intent: str
    text: str
    where: str
    block: IntentData
    node: int
    authors: bool

    @property
    def effect(self) -> str:
        """What is done when it is said; templates of equal effect are as good as one."""
        facts = [self.intent, action_of(self.block), self.block.slots]
        return json.dumps(facts, sort_keys=True, default=str)

    @property
    def context(self) -> str:
        """What must hold when it is said; templates of different contexts do not meet."""
        facts = [self.block.requires_context, self.block.excludes_context]
        return json.dumps(facts, sort_keys=True, default=str)


class HomeSentences:
    """The templates of a language in a home.

    Args:
        sentences: the language's.
        home: whose names can be said.
    """

    def __init__(self, sentences: Sentences, home: Home) -> None:
        self._compiler = Compiler(sentences, home)
        self._sentences = sentences
        self._counts: dict[int, int] = {}

    @property
    def automata(self) -> Automata:
        """The family that the templates' automata belong to."""
        return self._compiler.words

    def text(self, symbol: int) -> str:
        """Return the word that a symbol stands for."""
        return self._compiler.symbols.texts[symbol]

    @cached_property
    def templates(self) -> tuple[HomeTemplate, ...]:
        """All of them, in the order in which they are written.

        Raises:
            SentenceError: they make an automaton that is too large.
        """
        return tuple(self._templates())

    def _templates(self) -> Iterator[HomeTemplate]:
        for name, intent in self._sentences.intents.intents.items():
            for block in intent.data:
                for sentence in block.sentences:
                    text = sentence.text or ""
                    node = self._compiler.template(block, sentence)
                    yield HomeTemplate(name, text, source_of(block, text), block, node, is_authors(block))

    def has_free_text(self, template: HomeTemplate) -> bool:
        """Return whether a part of a template, rules included, is free text."""
        rules = {**self._sentences.intents.expansion_rules, **template.block.expansion_rules}
        lists = {**self._sentences.intents.slot_lists, **template.block.slot_lists}

        def free(item: Expression) -> bool:
            if isinstance(item, ListReference):
                return isinstance(lists.get(item.list_name), WildcardSlotList)
            if isinstance(item, RuleReference):
                return free(rules[item.rule_name].expression)
            return isinstance(item, Group) and any(free(each) for each in item.items)

        return any(free(each.expression) for each in template.block.sentences if each.text == template.text)

    def count(self, node: int) -> int:
        """Return how many sentences an automaton says."""
        if node not in self._counts:
            rest = sum(self.count(target) for target in self.automata.arcs(node).values())
            self._counts[node] = rest + self.automata.final(node)
        return self._counts[node]

    def sample(self, node: int, rng: Random) -> Words:
        """Return a sentence of an automaton that says some, each with the same chance."""
        said: list[str] = []
        while True:
            pick = rng.randrange(self.count(node))
            if self.automata.final(node):
                if pick == 0:
                    return tuple(said)
                pick -= 1
            for symbol, target in self.automata.arcs(node).items():
                if pick < self.count(target):
                    said.append(self.text(symbol))
                    node = target
                    break
                pick -= self.count(target)

    def accepts(self, node: int, words: Sequence[str]) -> bool:
        """Return whether an automaton says these words."""
        for word in words:
            node = next((t for s, t in self.automata.arcs(node).items() if self.text(s) == word), NOTHING)
        return self.automata.final(node)

    def common(self, one: int, other: int) -> Words | None:
        """Return a sentence that both automata say, None if there is none."""
        failed: set[tuple[int, int]] = set()

        def walk(a: int, b: int) -> Words | None:
            if self.automata.final(a) and self.automata.final(b):
                return ()
            if (a, b) in failed:
                return None
            arcs = self.automata.arcs(b)
            for symbol, target in self.automata.arcs(a).items():
                if symbol in arcs and (rest := walk(target, arcs[symbol])) is not None:
                    return (self.text(symbol), *rest)
            failed.add((a, b))
            return None

        return walk(one, other)

    def within(self, one: int, others: Iterable[int]) -> bool:
        """Return whether the others say everything that the one does."""
        all_others = self.automata.union(others)
        held: set[tuple[int, int]] = set()

        def walk(a: int, b: int) -> bool:
            if (a, b) in held or a == b:
                return True
            if self.automata.final(a) and not self.automata.final(b):
                return False
            arcs = self.automata.arcs(b)
            if not all(s in arcs and walk(t, arcs[s]) for s, t in self.automata.arcs(a).items()):
                return False
            held.add((a, b))
            return True

        return walk(one, all_others)
