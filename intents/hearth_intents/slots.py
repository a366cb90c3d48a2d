"""The home's names as slot lists, the same for recogniser and matcher."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from importlib import resources
from itertools import chain
from typing import Any

import yaml
from hassil.expression import TextChunk
from hassil.intents import SlotList, TextSlotList, TextSlotValue
from hassil.util import normalize_text

from hearth_core.home import Entity, Home, Label

from .spoken import Speech


def home_lists(home: Home, speech: Speech) -> dict[str, SlotList]:
    """Return the lists `name`, `area` and `floor`; their values are the ids, their texts as written and as said.

    A name carries the context that Home Assistant gives it: the entity's domain and device class. A label is a name,
    once for each kind of the things that carry it.
    """
    named = ((e.entity_id, e.names, entity_context(e)) for e in home.entities.values())
    return {
        "name": _listed("name", chain(named, _labels(home)), speech),
        "area": _listed("area", ((a.area_id, (a.name, *a.aliases), {}) for a in home.areas.values()), speech),
        "floor": _listed("floor", _floors(home, speech.language), speech),
    }


def _labels(home: Home) -> Iterator[tuple[str, tuple[str, ...], Mapping[str, Any]]]:
    for label in sayable_labels(home):
        kinds = {repr(kind): kind for kind in map(entity_context, home.labelled(label.value))}
        for _, kind in sorted(kinds.items()):
            yield label.value, (label.name,), kind


def sayable_labels(home: Home) -> tuple[Label, ...]:
    """Return the labels that things carry and whose names mean nothing else: a thing or a place goes before."""
    taken = {name.casefold() for name in _things_and_places(home)}
    return tuple(
        label for label in home.labels.values() if label.name.casefold() not in taken and home.labelled(label.value)
    )


def _floors(home: Home, language: str) -> Iterator[tuple[str, tuple[str, ...], Mapping[str, Any]]]:
    """Yield the floors' names, and for the only one of its level what people call that ("upstairs")."""
    taken = {name.casefold() for name in home_names(home)}
    levels = [floor.level for floor in home.floors.values()]
    for floor in home.floors.values():
        alone = floor.level is not None and levels.count(floor.level) == 1 and len(levels) > 1
        words = _floor_words(language).get(floor.level or 0, ()) if alone else ()
        extra = tuple(word for word in words if word.casefold() not in taken)
        yield floor.floor_id, (floor.name, *floor.aliases, *extra), {}


@cache
def _floor_words(language: str) -> Mapping[int, tuple[str, ...]]:
    file = resources.files(__package__) / "floors.yaml"
    found = yaml.safe_load(file.read_text(encoding="utf-8")).get(language.partition("-")[0], {})
    return {level: tuple(words) for level, words in found.items()}


def home_names(home: Home) -> Iterator[str]:
    """Return every name of the home: entities, areas, floors, with their aliases; labels."""
    yield from _things_and_places(home)
    yield from (label.name for label in sayable_labels(home))


def _things_and_places(home: Home) -> Iterator[str]:
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
        for text in _texts(tuple(names), speech):
            # a TextChunk, never parsed: a name may hold the brackets that templates are made of
            values.append(TextSlotValue(TextChunk(text), value, dict(context)))
    return TextSlotList(name=name, values=values)


@lru_cache(maxsize=16_384)  # a home whose names change by one is listed again
def _texts(names: tuple[str, ...], speech: Speech) -> tuple[str, ...]:
    texts: dict[str, str] = {}
    for name in names:
        said = (" ".join(words) for words in speech.variants(name))
        for text in (normalize_text(name).strip(), *said):
            if text:
                texts.setdefault(text.casefold(), text)
    return tuple(texts.values())
