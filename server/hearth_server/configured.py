"""A bus's part of the house, from what its configuration says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hearth_core.config_home import AreaConfig, EntityConfig, slug
from hearth_core.home import UNKNOWN, Area, Binding, Entity, Floor, Home, State


def entity_of(
    config: EntityConfig, binding: Binding, areas: Iterable[AreaConfig], capabilities: Iterable[str] = ()
) -> Entity:
    """Return the entity that is configured so, its state unknown."""
    return Entity(
        config.entity_id,
        config.name,
        config.aliases,
        _area_id(config.area, areas) if config.area else None,
        config.device_class,
        frozenset(capabilities),
        UNKNOWN,
        (binding,),
    )


def home_of(areas: Iterable[AreaConfig], rooms: Iterable[str | None], entities: Iterable[Entity]) -> Home:
    """Return the part of the house that has these entities.

    Args:
        areas: rooms that are described.
        rooms: names of rooms that entities are said to be in; those not described get their name and nothing else.
        entities: what is in the rooms.
    """
    described = tuple(areas)
    floors = {slug(area.floor): Floor(slug(area.floor), area.floor) for area in described if area.floor}
    made: dict[str, Area] = {}
    for area in described:
        made[area.area_id] = Area(area.area_id, area.name, area.aliases, slug(area.floor) if area.floor else None)
    for room in rooms:
        if room and (area_id := _area_id(room, described)) not in made:
            made[area_id] = Area(area_id, room)
    return Home.of(floors.values(), made.values(), entities)


def with_states(home: Home, states: Mapping[str, State]) -> tuple[Home, dict[str, State]]:
    """Return the home with these states, and those of them that are news."""
    news = {k: s for k, s in states.items() if k in home.entities and home.entities[k].state != s}
    return home.with_states(news), news


def _area_id(room: str, areas: Iterable[AreaConfig]) -> str:
    wanted = room.casefold()
    for area in areas:
        if wanted in (area.area_id.casefold(), *(name.casefold() for name in (area.name, *area.aliases))):
            return area.area_id
    return slug(room)
