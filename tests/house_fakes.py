"""A sentence without a matcher, a demo home that misbehaves, and the response templates of the data."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from hearth_core.command import Context, IntentMatch, Slot
from hearth_core.errors import BusError
from hearth_core.home import State
from hearth_server.demo_home import DemoHome


def said(
    intent: str, response: str | None = None, action: Mapping[str, Any] | None = None, **slots: Any
) -> IntentMatch:
    """Return a match; a slot is `(value, words)`, or a value that nobody said in words."""
    made = {name: Slot(*slot) if isinstance(slot, tuple) else Slot(slot, "") for name, slot in slots.items()}
    return IntentMatch(intent, made, f"the words of {intent}", response=response, action=action)


def there(area_id: str | None = "office") -> Context:
    """Return the context of a satellite in this area."""
    return Context(area_id=area_id)


class FaultyHome(DemoHome):
    """The demo home, with devices that do not do what they should.

    Args:
        faults: by entity id: "refuses", "silent" (never changes), "hangs" (and does not end by itself), "breaks".
    """

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__()
        self.faults = faults
        self.up = True

    @property
    def reachable(self) -> bool:
        return self.up

    async def deliver(self, entity_id: str, state: State) -> None:
        fault = self.faults.get(entity_id)
        if fault == "refuses":
            raise BusError(f"{entity_id} is jammed")
        if fault == "breaks":
            raise ZeroDivisionError("a bug of the bus")
        if fault == "hangs":
            await asyncio.Event().wait()
        if fault != "silent":
            await super().deliver(entity_id, state)


@dataclass(frozen=True)
class DataTexts:
    """The response templates of home-assistant-intents, and those of an author over them."""

    language: str
    responses: Mapping[str, Mapping[str, str]]
    errors: Mapping[str, str]


@cache
def data_texts(language: str = "en") -> DataTexts:
    """Return the templates of one language."""
    from home_assistant_intents import get_intents

    found = get_intents(language)
    assert found is not None
    return DataTexts(language, found["responses"]["intents"], found["responses"]["errors"])
