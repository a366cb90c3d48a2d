"""The picture of the house that everything after the recogniser shares.

A `Home` is an immutable snapshot. Whoever changes it makes a new one; the parts that did not change are shared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Floor:
    """A storey."""

    floor_id: str
    name: str
    aliases: tuple[str, ...] = ()
    level: int | None = None


@dataclass(frozen=True, slots=True)
class Area:
    """A room, or what else the people of the house call a place."""

    area_id: str
    name: str
    aliases: tuple[str, ...] = ()
    floor_id: str | None = None


# What a label is as the value of a slot; an entity's id has no colon.
_LABEL = "label:"


@dataclass(frozen=True, slots=True)
class Label:
    """A group that its owner made across rooms, e.g. the Christmas lights."""

    label_id: str
    name: str
    entity_ids: frozenset[str] = frozenset()

    @property
    def value(self) -> str:
        """What it is as the value of the slot `name`."""
        return _LABEL + self.label_id


@dataclass(frozen=True, slots=True)
class Binding:
    """How an entity is reached: the bus that owns it, and the address there (its form is the bus's own business)."""

    bus: str
    address: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class State:
    """The state of an entity in Home Assistant's words, e.g. `on` with {"brightness": 128}."""

    value: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


UNKNOWN = State("unknown")
UNAVAILABLE = State("unavailable")


@dataclass(frozen=True, slots=True)
class Entity:
    """A thing that can be named, switched or asked.

    `capabilities` are the optional services that it has, e.g. {"brightness", "color"} for a light.
    """

    entity_id: str
    name: str
    aliases: tuple[str, ...] = ()
    area_id: str | None = None
    device_class: str | None = None
    capabilities: frozenset[str] = frozenset()
    state: State = UNKNOWN
    bindings: tuple[Binding, ...] = ()

    @property
    def domain(self) -> str:
        """The kind of entity: light, cover, climate…"""
        return self.entity_id.partition(".")[0]

    @property
    def names(self) -> tuple[str, ...]:
        """The name and the aliases."""
        return (self.name, *self.aliases)


def _by_id(items: Iterable[Any], key: str) -> Mapping[str, Any]:
    return MappingProxyType({getattr(item, key): item for item in items})


@dataclass(frozen=True, slots=True)
class Home:
    """Floors, areas, entities and labels, each by its id."""

    floors: Mapping[str, Floor] = field(default_factory=dict)
    areas: Mapping[str, Area] = field(default_factory=dict)
    entities: Mapping[str, Entity] = field(default_factory=dict)
    labels: Mapping[str, Label] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        floors: Iterable[Floor],
        areas: Iterable[Area],
        entities: Iterable[Entity],
        labels: Iterable[Label] = (),
    ) -> Home:
        """Return a home of these parts."""
        return cls(
            _by_id(floors, "floor_id"),
            _by_id(areas, "area_id"),
            _by_id(entities, "entity_id"),
            _by_id(labels, "label_id"),
        )

    def with_states(self, states: Mapping[str, State]) -> Home:
        """Return the home with these entities' states; ids that it does not have are ignored."""
        known = {k: replace(self.entities[k], state=s) for k, s in states.items() if k in self.entities}
        if not known:
            return self
        return replace(self, entities=MappingProxyType({**self.entities, **known}))

    def labelled(self, value: object) -> tuple[Entity, ...]:
        """Return the entities of the label that is this value of a slot, none if it is no label."""
        label = self.labels.get(value.removeprefix(_LABEL)) if isinstance(value, str) and _LABEL in value else None
        ids = sorted(label.entity_ids) if label is not None else ()
        return tuple(self.entities[entity_id] for entity_id in ids if entity_id in self.entities)

    def area_of(self, entity_id: str) -> Area | None:
        """Return the area that the entity is in, None if it is in none."""
        entity = self.entities.get(entity_id)
        return self.areas.get(entity.area_id) if entity and entity.area_id else None

    def names_in(self, area_id: str) -> tuple[str, ...]:
        """Return the names and aliases of the things in an area."""
        return tuple(n for entity in self.entities.values() if entity.area_id == area_id for n in entity.names)

    def area_named(self, name: str) -> Area | None:
        """Return the area with this id, name or alias, in any case; None if there is none."""
        wanted = name.strip().casefold()
        for area in self.areas.values():
            if wanted in (area.area_id.casefold(), *(n.casefold() for n in (area.name, *area.aliases))):
                return area
        return None

    def on_floor(self, floor_id: str) -> frozenset[str]:
        """Return the ids of the areas on a floor."""
        return frozenset(a.area_id for a in self.areas.values() if a.floor_id == floor_id)

    def vocabulary(self) -> tuple[object, ...]:
        """Return all that grammar and matcher are built from: homes with equal vocabularies differ in states alone."""
        return (
            tuple(self.floors.values()),
            tuple(self.areas.values()),
            tuple(replace(entity, state=UNKNOWN, bindings=()) for entity in self.entities.values()),
            tuple(self.labels.values()),
        )
