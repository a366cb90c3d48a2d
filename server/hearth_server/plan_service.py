"""Intents that are one service of one domain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hearth_core.command import Action, Context, IntentMatch
from hearth_core.home import Home

from .planned import Plan, done, refused
from .targets import Refusal, Wanted, select

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Service:
    """An intent that is one service call.

    Attributes:
        service: e.g. `fan.set_percentage`; its domain is that of the targets.
        wanted: what the targets must be, beside their domain.
        data: the service's data, or a refusal, from the sentence.
        expected: the state after it, from the service's data.
    """

    service: str
    wanted: Wanted = field(default_factory=Wanted)
    data: Callable[[IntentMatch], Values | Refusal] = lambda match: {}
    expected: Callable[[Values], str | None] = lambda data: None

    def __call__(self, match: IntentMatch, home: Home, context: Context) -> Plan:
        """Plan the call."""
        data = self.data(match)
        if isinstance(data, Refusal):
            return refused(match, data)
        found = select(match, home, context, self.wanted)
        if isinstance(found, Refusal):
            return refused(match, found)
        return done(match, [Action(self.service, tuple(e.entity_id for e in found), data, self.expected(data))])


def wanted(domain: str, capability: str | None = None, *states: str) -> Wanted:
    """Return what is wanted in the satellite's room, where no place is named."""
    return Wanted(frozenset({domain}), capability, states, here=True)


def wanted_anywhere(domain: str, capability: str | None = None) -> Wanted:
    """Return what is wanted wherever it is, where no place is named."""
    return Wanted(frozenset({domain}), capability)


def always(state: str | None) -> Callable[[Values], str | None]:
    """Return the same expectation whatever the data."""
    return lambda data: state


def number(match: IntentMatch, slot: str, low: float, high: float) -> float | Refusal:
    """Return a slot's number, an int if it is whole, or why it cannot be used."""
    value = match.value(slot)
    try:
        found = float(value)
    except (TypeError, ValueError):
        return Refusal("not_a_number", {"value": str(value)})
    if not low <= found <= high:
        return Refusal("out_of_range", {"value": str(value), "low": f"{low:g}", "high": f"{high:g}"})
    return int(found) if found.is_integer() else found


def number_data(slot: str, key: str, low: float, high: float, scale: float = 1) -> Callable[[IntentMatch], Any]:
    """Return what makes a service's one datum of a slot's number."""

    def data(match: IntentMatch) -> Values | Refusal:
        found = number(match, slot, low, high)
        return found if isinstance(found, Refusal) else {key: found if scale == 1 else found * scale}

    return data


def step(match: IntentMatch, slot: str, amount: float | Refusal) -> float | Refusal:
    """Return the amount with the sign of a slot that says "up" or "down"."""
    direction = match.value(slot)
    if isinstance(amount, Refusal):
        return amount
    if direction not in ("up", "down"):
        return Refusal("not_a_number", {"value": str(direction)})
    return amount if direction == "up" else -amount
