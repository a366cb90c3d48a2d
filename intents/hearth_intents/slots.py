"""The home's names as slot lists, the same for recogniser and matcher."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hassil.expression import TextChunk
from hassil.intents import SlotList, TextSlotList, TextSlotValue
from hassil.util import normalize_text

from hearth_core.home import Entity, Home

from .spoken import Speech


def home_lists(home: Home, speech: Speech) -> dict[str, SlotList]:
    """Return the lists `name`, `area` and `floor`; their values are the ids, their texts as written and as said.

    A name carries the context that Home Assistant gives it: the entity's domain and device class.
    """
    return {
        "name": _listed("name", ((e.entity_id, e.names, entity_context(e)) for e in home.entities.values()), speech),
        "area": _listed("area", ((a.area_id, (a.name, *a.aliases), {}) for a in home.areas.values()), speech),
        "floor": _listed("floor", ((f.floor_id, (f.name, *f.aliases), {}) for f in home.floors.values()), speech),
    }


def home_names(home: Home) -> Iterator[str]:
    """Return every name of the home: entities, areas, floors, with their aliases."""
    for entity in home.entities.values():
        yield from entity.names
    for area in home.areas.values():
        yield from (area.name, *area.aliases)
    for floor in home.floors.values():
        yield from (floor.name, *floor.aliases)


def in_place(home: Home, entity_id: str, *, area: str | None = None, floor: str | None = None) -> bool:
    """Return whether an entity is in the area, if one is given, and on the floor, if one is given."""
    there = home.area_of(entity_id)
    if area is not None and (there is None or there.area_id != area):
        return False
    return floor is None or (there is not None and there.floor_id == floor)


def entity_context(entity: Entity) -> dict[str, Any]:
    """Return what sentences can require of an entity that they name, as Home Assistant gives it to them."""
    known = {"domain": entity.domain}
    return known | {"device_class": entity.device_class} if entity.device_class else known


def _listed(name: str, things: Iterable[tuple[str, Iterable[str], Mapping[str, Any]]], speech: Speech) -> TextSlotList:
    values = []
    for value, names, context in things:
        for text in _texts(names, speech):
            # a TextChunk, never parsed: a name may hold the brackets that templates are made of
            values.append(TextSlotValue(TextChunk(text), value, dict(context)))
    return TextSlotList(name=name, values=values)


def _texts(names: Iterable[str], speech: Speech) -> list[str]:
    texts: dict[str, str] = {}
    for name in names:
        said = (" ".join(words) for words in speech.variants(name))
        for text in (normalize_text(name).strip(), *said):
            if text:
                texts.setdefault(text.casefold(), text)
    return list(texts.values())
