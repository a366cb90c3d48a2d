"""The Jinja templates of authors, looked at before a sentence is said: do they parse, and do their slots exist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hassil.expression import Expression, Group, ListReference, RuleReference, Sentence

from hearth_core.errors import SentenceError

# What a template can name beside slots: in every template, and in the text of an answer.
ALWAYS = frozenset({"slots", "range", "dict", "namespace"})
IN_ANSWERS = ALWAYS | {"state", "query", "states", "state_attr", "is_state"}


def slots_of(item: Expression, rules: Mapping[str, Sentence]) -> set[str]:
    """Return the slots that a template can fill; its rules are known not to go in circles."""
    if isinstance(item, ListReference):
        return {item.slot_name}
    if isinstance(item, RuleReference):
        rule = rules.get(item.rule_name)
        return slots_of(rule.expression, rules) if rule is not None else set()
    if isinstance(item, Group):
        return {slot for each in item.items for slot in slots_of(each, rules)}
    return set()


def strings(value: Any, where: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield every text in a value of mappings and lists, and the way to it."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from strings(each, (*where, str(key)))
    elif isinstance(value, list | tuple):
        for index, each in enumerate(value):
            yield from strings(each, (*where, index))
    elif isinstance(value, str):
        yield where, value


def check_template(template: str, slots: Iterable[str] | None, known: frozenset[str] = ALWAYS) -> None:
    """Check one template.

    Args:
        template: a text; one without a brace is always right.
        slots: those of the sentences that it belongs to; None: any.
        known: what it can name beside them.

    Raises:
        SentenceError: it cannot be parsed, or names a slot that no sentence fills.
    """
    if "{" not in template:
        return
    from jinja2 import Environment, TemplateSyntaxError, meta, nodes

    try:
        # nothing is rendered, and never HTML
        tree = Environment(autoescape=False, extensions=["jinja2.ext.loopcontrols"]).parse(template)  # noqa: S701
        if slots is None:
            return
        named = set(meta.find_undeclared_variables(tree))
        for dotted in tree.find_all(nodes.Getattr):
            if isinstance(dotted.node, nodes.Name) and dotted.node.name == "slots":
                named.add(dotted.attr)
        for item in tree.find_all(nodes.Getitem):
            if isinstance(item.node, nodes.Name) and item.node.name == "slots" and isinstance(item.arg, nodes.Const):
                named.add(str(item.arg.value))
    except TemplateSyntaxError as error:
        raise SentenceError(f"not a Jinja template: {error.message}", remedy="Check braces and filters") from error
    except RecursionError as error:
        raise SentenceError("not a Jinja template: nested too deeply", remedy="Use fewer brackets") from error
    there = set(slots)
    # a mapping has methods: `slots.items()`
    for name in sorted(named - there - known - {"items", "values", "keys", "get"}):
        remedy = f"The sentences fill {', '.join(sorted(there))}" if there else "The sentences fill no slot"
        raise SentenceError(f"no sentence fills a slot {name}", remedy=remedy)
