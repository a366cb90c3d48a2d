"""What a sentence comes to, and the three ways to make it: done, answered, refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hearth_core.command import Action, Context, IntentMatch, ResponseKind
from hearth_core.home import Entity, Home

from .targets import Refusal


@dataclass(frozen=True, slots=True)
class Plan:
    """What one sentence comes to.

    Attributes:
        match: the sentence.
        kind: what the response is if all that is planned gets done.
        actions: what to do; no entity is in two of them.
        matched: the entities that the response speaks about: an action's targets, or those for which a question holds.
        unmatched: those for which it does not.
        slots: values for the response beside the sentence's own slots, e.g. the time.
        refusal: why nothing is done, None if it is.
    """

    match: IntentMatch
    kind: ResponseKind
    actions: tuple[Action, ...] = ()
    matched: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()
    slots: Mapping[str, Any] = field(default_factory=dict)
    refusal: Refusal | None = None


# Makes the plan of one intent.
Handler = Callable[[IntentMatch, Home, Context], Plan]

# What a state says that knows nothing.
NOTHING_KNOWN = frozenset({"unknown", "unavailable"})


def refused(match: IntentMatch, refusal: Refusal) -> Plan:
    """Return the plan to do nothing and say why."""
    return Plan(match, ResponseKind.FAILED, refusal=refusal)


def done(match: IntentMatch, actions: Iterable[Action], **slots: Any) -> Plan:
    """Return the plan to do this."""
    found = tuple(actions)
    matched = dict.fromkeys(entity_id for action in found for entity_id in action.entity_ids)
    return Plan(match, ResponseKind.DONE, found, matched=tuple(matched), slots=slots)


def answer(
    match: IntentMatch, matched: tuple[Entity, ...] = (), unmatched: tuple[Entity, ...] = (), **slots: Any
) -> Plan:
    """Return the plan to say how things are."""
    return Plan(
        match,
        ResponseKind.ANSWER,
        matched=tuple(entity.entity_id for entity in matched),
        unmatched=tuple(entity.entity_id for entity in unmatched),
        slots=slots,
    )


def grouped(service: str, key: str, values: Mapping[str, Any], expected: str | None = None) -> tuple[Action, ...]:
    """Return one action of the service for each value; `values` by entity id, `key` is the datum's name."""
    groups: dict[Any, list[str]] = {}
    for entity_id, value in values.items():
        groups.setdefault(value, []).append(entity_id)
    return tuple(Action(service, tuple(ids), {key: value}, expected) for value, ids in groups.items())
