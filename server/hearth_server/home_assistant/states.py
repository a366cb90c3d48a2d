"""The states of entities as Home Assistant streams them: all of them once, then what changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from hearth_core.errors import WireError
from hearth_core.home import State


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of an entity.

    Attributes:
        state: its state.
        context: identifier of what caused it; a service call's result names the same one.
        revision: counts what came in about all entities; higher than before means seen since.
    """

    state: State
    context: str
    revision: int


class _Added(BaseModel):
    """A whole state: s its value, a its attributes, c its context, an identifier or an object with one."""

    s: str
    a: dict[str, Any] = {}
    c: str | dict[str, Any] = ""


class _Additions(BaseModel):
    s: str | None = None
    a: dict[str, Any] = {}
    c: str | dict[str, Any] = ""


class _Removals(BaseModel):
    a: list[str] = []


class _Changed(BaseModel):
    plus: _Additions = Field(_Additions(), alias="+")
    minus: _Removals = Field(_Removals(), alias="-")


class _Event(BaseModel):
    """One event of `subscribe_entities`: added, changed and removed entities."""

    a: dict[str, _Added] = {}
    c: dict[str, _Changed] = {}
    r: list[str] = []


class States:
    """The states of the entities that were subscribed to."""

    def __init__(self) -> None:
        self._seen: dict[str, Seen] = {}
        self._revision = 0

    @property
    def revision(self) -> int:
        """The revision of what came in last."""
        return self._revision

    def get(self, entity_id: str) -> Seen | None:
        """Return what is known of an entity, None if there is no such entity."""
        return self._seen.get(entity_id)

    def __iter__(self) -> Iterator[str]:
        return iter(self._seen)

    def apply(self, raw: Any) -> frozenset[str]:
        """Take in an event; return the entities that it was about.

        Raises:
            WireError: it is not an event of `subscribe_entities`.
        """
        try:
            event = _Event.model_validate(raw)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, first["loc"]))[:100]
            raise WireError(f"Home Assistant sent states that cannot be read: {where}: {first['msg']}") from None
        self._revision += 1
        for entity_id, added in event.a.items():
            self._set(entity_id, State(added.s, added.a), _context(added.c))
        for entity_id, changed in event.c.items():
            before = self._seen.get(entity_id)
            if before is None:  # its whole state is on its way, from a subscription that has just begun
                continue
            plus, removed = changed.plus, changed.minus.a
            attributes = {**before.state.attributes, **plus.a}
            for key in removed:
                attributes.pop(key, None)
            value = before.state.value if plus.s is None else plus.s
            self._set(entity_id, State(value, attributes), _context(plus.c) or before.context)
        for entity_id in event.r:
            self._seen.pop(entity_id, None)
        return frozenset((*event.a, *event.c, *event.r))

    def forget(self) -> None:
        """Forget all; what comes next is a whole picture."""
        self._seen.clear()

    def _set(self, entity_id: str, state: State, context: str) -> None:
        self._seen[entity_id] = Seen(state, context, self._revision)


def _context(raw: str | Mapping[str, Any]) -> str:
    return raw if isinstance(raw, str) else str(raw.get("id") or "")
