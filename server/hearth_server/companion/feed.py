"""The home as the integration tells it: what Assist may use, with names, places and states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints, ValidationError

from hearth_core.errors import WireError
from hearth_core.home import Area, Floor, Label

from ..home_assistant.registry import Listing, Registry, clean

# More than any house has; Home Assistant itself becomes slow before.
MAX_ENTITIES = 20_000

_Id = Annotated[str, StringConstraints(min_length=1, max_length=255)]
_Names = Annotated[list[str], Field(max_length=200)]


class _Floor(BaseModel):
    id: _Id
    name: str
    aliases: _Names = []
    level: int | None = None


class _Area(BaseModel):
    id: _Id
    name: str
    aliases: _Names = []
    floor_id: str | None = None


class _Label(BaseModel):
    id: _Id
    name: str


class _Entity(BaseModel):
    """`names` in the order of their owner, the first is the name; empty for the state's own."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$", max_length=255)]
    names: _Names = []
    area_id: str | None = None
    labels: _Names = []


class _Home(BaseModel):
    floors: Annotated[list[_Floor], Field(max_length=1000)] = []
    areas: Annotated[list[_Area], Field(max_length=10_000)] = []
    labels: Annotated[list[_Label], Field(max_length=10_000)] = []
    entities: Annotated[list[_Entity], Field(max_length=MAX_ENTITIES)] = []
    states: dict[str, dict[str, Any]] = {}
    sentences: Annotated[dict[str, str], Field(max_length=500)] = {}


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of the home.

    Attributes:
        states: an event for `States`, all the states there are.
        sentences: texts of sentence files in Home Assistant's format, by file name.
    """

    registry: Registry = field(default_factory=Registry)
    states: Mapping[str, Any] = field(default_factory=dict)
    sentences: Mapping[str, str] = field(default_factory=dict)


def told(document: Any) -> Told:
    """Return what a document of `hearth-home` says.

    Raises:
        WireError: it is none.
    """
    try:
        home = _Home.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))[:100]
        raise WireError(f"the home that was sent cannot be read: {where}: {first['msg']}") from None
    labelled: dict[str, set[str]] = {}
    for entity in home.entities:
        for label in entity.labels:
            labelled.setdefault(label, set()).add(entity.id)
    return Told(
        Registry(
            tuple(Floor(f.id, clean(f.name, f.id), _cleaned(f.aliases), f.level) for f in home.floors),
            tuple(Area(a.id, clean(a.name, a.id), _cleaned(a.aliases), a.floor_id) for a in home.areas),
            {e.id: Listing(e.id, e.area_id, _cleaned(e.names), computed=not e.names) for e in home.entities},
            tuple(Label(i.id, clean(i.name, i.id), frozenset(labelled.get(i.id, ()))) for i in home.labels),
        ),
        {"a": home.states},
        home.sentences,
    )


def _cleaned(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found for name in names if (found := clean(name, ""))))
