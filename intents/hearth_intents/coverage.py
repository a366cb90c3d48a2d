"""What the sentences of a language reach in a home: which things can be named, by which intents, and which cannot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from hassil.expression import Expression, Group, ListReference, RuleReference, Sentence
from hassil.util import check_excluded_context, check_required_context

from hearth_core.home import Home

from .automaton import NOTHING
from .home_sentences import HomeSentences
from .sentences import Sentences, languages
from .slots import entity_context


@dataclass(frozen=True, slots=True)
class Coverage:
    """What can be said in a home.

    Attributes:
        things: by entity id, the intents whose sentences can name it.
        places: by area or floor id, the intents whose sentences can name it.
        intents: by intent, how many of its templates can be said here.
        silent: intents that have templates of which none can be said here.
    """

    things: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    intents: Mapping[str, int] = field(default_factory=dict)
    silent: tuple[str, ...] = ()

    @property
    def unnamed(self) -> tuple[str, ...]:
        """The things that no sentence can name."""
        return tuple(entity_id for entity_id, intents in self.things.items() if not intents)


def coverage(sentences: Sentences, home: Home) -> Coverage:
    """Return what the sentences reach in a home."""
    counts: dict[str, int] = defaultdict(int)
    things: dict[str, dict[str, None]] = {entity_id: {} for entity_id in home.entities}
    places: dict[str, dict[str, None]] = {**{k: {} for k in home.areas}, **{k: {} for k in home.floors}}
    speakable = {entity_id: bool(_said(sentences, *e.names)) for entity_id, e in home.entities.items()}
    in_home = HomeSentences(sentences, home)
    for template in in_home.templates:
        if template.node == NOTHING and not in_home.has_free_text(template):
            counts[template.intent] += 0
            continue
        counts[template.intent] += 1
        block = template.block
        rules = {**sentences.intents.expansion_rules, **block.expansion_rules}
        lists = set().union(*(_lists(each.expression, rules) for each in block.sentences if each.text == template.text))
        for entity_id, entity in home.entities.items() if "name" in lists else ():
            context = entity_context(entity)
            required = check_required_context(block.requires_context, context, allow_missing_keys=True)
            if required and check_excluded_context(block.excludes_context, context) and speakable[entity_id]:
                things[entity_id][template.intent] = None
        for role, ids in (("area", home.areas), ("floor", home.floors)):
            for place in ids if role in lists else ():
                places[place][template.intent] = None
    return Coverage(
        things={key: tuple(sorted(found)) for key, found in things.items()},
        places={key: tuple(sorted(found)) for key, found in places.items()},
        intents={name: count for name, count in sorted(counts.items()) if count},
        silent=tuple(sorted(name for name, count in counts.items() if not count)),
    )


def intents_of_languages() -> Iterator[tuple[str, int, int]]:
    """Yield each language of Home Assistant's, how many intents it has sentences for, and how many templates."""
    from home_assistant_intents import get_intents

    for language in languages():
        data = get_intents(language) or {}
        sizes = [
            sum(len(block["sentences"]) for block in intent["data"]) for intent in data.get("intents", {}).values()
        ]
        yield language, sum(size > 0 for size in sizes), sum(sizes)


def _said(sentences: Sentences, *names: str) -> bool:
    return any(sentences.speech.variants(name) for name in names)


def _lists(item: Expression, rules: Mapping[str, Sentence]) -> frozenset[str]:
    if isinstance(item, ListReference):
        return frozenset({item.list_name})
    if isinstance(item, RuleReference):
        rule = rules.get(item.rule_name)
        return _lists(rule.expression, rules) if rule else frozenset()
    if isinstance(item, Group):
        return frozenset().union(*(_lists(each, rules) for each in item.items))
    return frozenset()
