"""Which entities a sentence means: by name, area, floor, domain and device class, and by what they can do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from hearth_core.command import Context, IntentMatch, Slot
from hearth_core.home import Entity, Home


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing is done.

    Attributes:
        key: of the error texts of home-assistant-intents, or of Hearth's own phrases.
        values: what the text's template is filled with.
    """

    key: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an intent asks of its targets beside what the sentence says.

    Attributes:
        domains: of these kinds; any if empty.
        capability: with this capability.
        states: in one of these states now, the first of them naming all in a refusal; any if empty.
        here: in the satellite's area, where the sentence names neither a device nor a place.
    """

    domains: frozenset[str] = frozenset()
    capability: str | None = None
    states: tuple[str, ...] = ()
    here: bool = False


ANYTHING = Wanted()


@dataclass(frozen=True, slots=True)
class _Said:
    """What the sentence says about its targets, checked against the home."""

    domains: frozenset[str]
    device_classes: frozenset[str]
    area_id: str | None
    floor_id: str | None
    words: Mapping[str, str]  # the error texts' variables


def select(match: IntentMatch, home: Home, context: Context, wanted: Wanted = ANYTHING) -> tuple[Entity, ...] | Refusal:
    """Return the entities that the sentence means, at least one, or why there is none.

    A name that several entities share means the one in the area that was said, else the one in the satellite's area,
    else the one that can do it; if that leaves several, none. A `name` slot without text is a choice made before, and
    stands. A label means all that carry it and can do it.
    """
    placed = bool({"area", "floor", "name"} & match.slots.keys())
    if wanted.here and not placed and context.area_id in home.areas:
        match = replace(match, slots={**match.slots, "area": Slot(context.area_id, "")})
        placed = True
    said = _said(match, home)
    if isinstance(said, Refusal):
        return said
    if "name" not in match.slots:
        described = _described(home, said, wanted)
        able = described if isinstance(described, Refusal) else _able(described, wanted)
        if not isinstance(able, Refusal) and wanted.here and not placed and len(able) > 1:
            return Refusal("which_area")
        return able
    if group := home.labelled(match.value("name")):
        there = _placed(_of_kind(group, said), home, said)
        return _able(there, wanted) if there else _refusal("no_entity", said)
    found = _named(match, home, said)
    if isinstance(found, Refusal):
        return found
    found = _narrowed(found, context, wanted)
    return _able(found, wanted) if len(found) == 1 else _refusal("duplicate_entities", said)


def one_of(found: tuple[Entity, ...], match: IntentMatch, home: Home) -> Entity | Refusal:
    """Return the first of what `select` found; of a label that means several, nobody said which."""
    if len(found) > 1 and home.labelled(match.value("name")):
        return Refusal("duplicate_entities", {"entity": match.slots["name"].text})
    return found[0]


def _said(match: IntentMatch, home: Home) -> _Said | Refusal:
    words = {}
    area_id, floor_id = match.value("area"), match.value("floor")
    if area_id is not None:
        area = home.areas.get(str(area_id))
        words["area"] = area.name if area else match.slots["area"].text or str(area_id)
        if area is None:
            return Refusal("no_area", words)
    if floor_id is not None:
        floor = home.floors.get(str(floor_id))
        words["floor"] = floor.name if floor else match.slots["floor"].text or str(floor_id)
        if floor is None:
            return Refusal("no_floor", words)
    domains, device_classes = values_of(match, "domain"), values_of(match, "device_class")
    if domains:
        words["domain"] = " or ".join(sorted(domains))
    if device_classes:
        words["device_class"] = match.slots["device_class"].text or " or ".join(sorted(device_classes))
    if "name" in match.slots:
        name = match.slots["name"]
        known = home.entities.get(str(name.value))
        words["entity"] = name.text or (known.name if known else str(name.value))
    return _Said(domains, device_classes, area_id, floor_id, words)


def values_of(match: IntentMatch, slot: str) -> frozenset[str]:
    """Return the values of a slot that may hold one or several, empty if the sentence does not have it."""
    value = match.value(slot)
    if value is None:
        return frozenset()
    return frozenset((value,) if isinstance(value, str) else map(str, value))


def without(match: IntentMatch, slot: str) -> IntentMatch:
    """Return the match without a slot."""
    return replace(match, slots={name: value for name, value in match.slots.items() if name != slot})


def with_slots(match: IntentMatch, **slots: Slot) -> IntentMatch:
    """Return the match with these slots in place of those of the same names."""
    return replace(match, slots={**match.slots, **slots})


def _named(match: IntentMatch, home: Home, said: _Said) -> tuple[Entity, ...] | Refusal:
    name = match.slots["name"]
    chosen = home.entities.get(str(name.value))
    heard = name.text.strip().casefold()
    found = tuple(
        entity
        for entity in home.entities.values()
        if entity is chosen or (heard and any(heard == known.casefold() for known in entity.names))
    )
    if chosen is not None:
        found = tuple(entity for entity in found if entity.domain == chosen.domain)
    found = _of_kind(found, said)
    if not found:
        return Refusal("no_entity", said.words)
    there = _placed(found, home, said)
    return there or _refusal("no_entity", said)


def _of_kind(found: Iterable[Entity], said: _Said) -> tuple[Entity, ...]:
    """Return those of the kinds that the sentence says."""
    return tuple(
        entity
        for entity in found
        if (not said.domains or entity.domain in said.domains)
        and (not said.device_classes or entity.device_class in said.device_classes)
    )


def _described(home: Home, said: _Said, wanted: Wanted) -> tuple[Entity, ...] | Refusal:
    domains = said.domains or wanted.domains
    found: Iterable[Entity] = home.entities.values()
    if domains:
        found = (entity for entity in found if entity.domain in domains)
    if said.device_classes:
        found = (entity for entity in found if entity.device_class in said.device_classes)
    there = _placed(found, home, said)
    if there:
        return there
    if said.device_classes:
        return _refusal("no_device_class", said)
    if domains:
        return _refusal("no_domain", said, domain=" or ".join(sorted(domains)))
    return Refusal("feature_not_supported")


def _placed(found: Iterable[Entity], home: Home, said: _Said) -> tuple[Entity, ...]:
    if said.area_id is not None:
        return tuple(entity for entity in found if entity.area_id == said.area_id)
    if said.floor_id is not None:
        areas = home.on_floor(said.floor_id)
        return tuple(entity for entity in found if entity.area_id in areas)
    return tuple(found)


def _narrowed(found: tuple[Entity, ...], context: Context, wanted: Wanted) -> tuple[Entity, ...]:
    """Return those of several entities of one name that were probably meant."""
    if len(found) == 1:
        return found
    here = tuple(entity for entity in found if context.area_id is not None and entity.area_id == context.area_id)
    found = here or found
    if len(found) > 1:
        able = _able(found, wanted)
        found = found if isinstance(able, Refusal) else able
    return found


def _able(found: tuple[Entity, ...], wanted: Wanted) -> tuple[Entity, ...] | Refusal:
    able = tuple(
        entity
        for entity in found
        if (not wanted.domains or entity.domain in wanted.domains)
        and (wanted.capability is None or wanted.capability in entity.capabilities)
    )
    if not able:
        return Refusal("feature_not_supported")
    ready = tuple(entity for entity in able if not wanted.states or entity.state.value in wanted.states)
    if not ready:
        return Refusal("entity_wrong_state", {"state": wanted.states[0]})
    return ready


def _refusal(key: str, said: _Said, **words: str) -> Refusal:
    """Return the refusal in its form for the place that was said."""
    place = "_in_area" if "area" in said.words else "_in_floor" if "floor" in said.words else ""
    return Refusal(key + place, {**said.words, **words})
