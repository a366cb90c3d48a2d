"""Home Assistant's registries, and the part of the house that they and the states make.

Only entities that are exposed to Assist are read: what its owner does not want to be spoken to is not there.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, StringConstraints, ValidationError

from hearth_core.errors import WireError
from hearth_core.home import Area, Binding, Entity, Floor, Home, Label, State

from .capabilities import capabilities
from .client import Connection
from .states import States

log = logging.getLogger(__name__)

NAME = "home_assistant"
# Home Assistant's own limit of an id is 255; no name that can be spoken is longer.
MAX_NAME = 255
# So many registry entries are 0.6 MB.
ENTRIES_AT_ONCE = 500

_Id = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class _Floor(BaseModel):
    floor_id: _Id
    name: str
    aliases: list[str] = []
    level: int | None = None


class _Area(BaseModel):
    area_id: _Id
    name: str
    aliases: list[str] = []
    floor_id: str | None = None


class _Label(BaseModel):
    label_id: _Id
    name: str


class _Device(BaseModel):
    id: _Id
    area_id: str | None = None
    labels: list[str] = []
    parent_device_id: str | None = None


class _Entry(BaseModel):
    """Of an entity; None among its aliases stands for the name that Home Assistant computes."""

    entity_id: _Id
    aliases: list[str | None] = []
    area_id: str | None = None
    device_id: str | None = None
    labels: list[str] = []


@dataclass(frozen=True, slots=True)
class Listing:
    """What the registry says of one exposed entity.

    Attributes:
        area_id: its own, or that of its device.
        aliases: beside the name that Home Assistant computes.
        computed: False if the first alias stands in place of that name.
    """

    entity_id: str
    area_id: str | None = None
    aliases: tuple[str, ...] = ()
    computed: bool = True


@dataclass(frozen=True, slots=True)
class Registry:
    """Floors, areas, labels with the entities that carry them, and the exposed entities by id."""

    floors: tuple[Floor, ...] = ()
    areas: tuple[Area, ...] = ()
    listings: Mapping[str, Listing] = field(default_factory=dict)
    labels: tuple[Label, ...] = ()


async def read_registry(connection: Connection) -> Registry:
    """Ask Home Assistant for its registries.

    Raises:
        BusError: it refuses, mostly because the token's user is no administrator.
        PeerError, WireError: the connection is lost, or an answer cannot be read.
    """
    floors = _items(_Floor, await connection.command("config/floor_registry/list"))
    areas = _items(_Area, await connection.command("config/area_registry/list"))
    labels = _items(_Label, await connection.command("config/label_registry/list"))
    exposed = _exposed(await connection.command("homeassistant/expose_entity/list"))
    entries: list[_Entry] = []
    for start in range(0, len(exposed), ENTRIES_AT_ONCE):
        some = exposed[start : start + ENTRIES_AT_ONCE]
        answer = await connection.command("config/entity_registry/get_entries", {"entity_ids": some})
        entries += _items(_Entry, [entry for entry in _mapping(answer).values() if entry is not None])
    devices = {device.id: device for device in _items(_Device, await connection.command("config/device_registry/list"))}
    return Registry(
        tuple(Floor(f.floor_id, clean(f.name, f.floor_id), _cleaned(f.aliases), f.level) for f in floors),
        tuple(Area(a.area_id, clean(a.name, a.area_id), _cleaned(a.aliases), a.floor_id) for a in areas),
        # Entities without a unique id have no entry, and no more than their state's name.
        {entity_id: Listing(entity_id) for entity_id in exposed} | _listings(entries, devices),
        tuple(
            Label(label.label_id, clean(label.name, label.label_id), _carriers(label.label_id, entries, devices))
            for label in labels
        ),
    )


def home_of(registry: Registry, states: States) -> Home:
    """Return the part of the house that Home Assistant knows: the exposed entities that have a state."""
    area_ids = {area.area_id for area in registry.areas}
    entities = []
    for entity_id, listing in registry.listings.items():
        seen = states.get(entity_id)
        if seen is not None:
            known = listing if listing.area_id in area_ids else replace(listing, area_id=None)
            entities.append(entity_of(known, seen.state))
    known_ids = frozenset(entity.entity_id for entity in entities)
    labels = (replace(label, entity_ids=label.entity_ids & known_ids) for label in registry.labels)
    return Home.of(registry.floors, registry.areas, entities, (label for label in labels if label.entity_ids))


def entity_of(listing: Listing, state: State) -> Entity:
    """Return the entity that the registry and its state make."""
    entity_id = listing.entity_id
    domain, _, object_id = entity_id.partition(".")
    computed = clean(state.attributes.get("friendly_name"), object_id.replace("_", " "))
    names = dict.fromkeys((computed, *listing.aliases) if listing.computed else listing.aliases or (computed,))
    name, *aliases = names
    device_class = state.attributes.get("device_class")
    return Entity(
        entity_id,
        name,
        tuple(aliases),
        listing.area_id,
        device_class if isinstance(device_class, str) else None,
        capabilities(domain, state.attributes),
        state,
        (Binding(NAME, {"entity_id": entity_id}),),
    )


def clean(name: Any, fallback: str) -> str:
    """Return a name in one line without control characters, the fallback if nothing is left of it."""
    text = "".join(c if unicodedata.category(c) != "Cc" else " " for c in name) if isinstance(name, str) else ""
    return " ".join(text.split())[:MAX_NAME].strip() or fallback


def _cleaned(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found for name in names if (found := clean(name, ""))))


def _listings(entries: Sequence[_Entry], devices: Mapping[str, _Device]) -> dict[str, Listing]:
    # Newer versions (2026.11 does) say with a None that the computed name is among the names; before, it always was.
    tells = any(None in entry.aliases for entry in entries)
    return {
        entry.entity_id: Listing(
            entry.entity_id,
            entry.area_id or _area_of(devices.get(entry.device_id or ""), devices),
            _cleaned(alias for alias in entry.aliases if alias is not None),
            not tells or None in entry.aliases or not entry.aliases,
        )
        for entry in entries
    }


def _carriers(label_id: str, entries: Sequence[_Entry], devices: Mapping[str, _Device]) -> frozenset[str]:
    """Return the entities that carry a label, themselves or by their device."""
    carrying = {device.id for device in devices.values() if label_id in device.labels}
    return frozenset(e.entity_id for e in entries if label_id in e.labels or e.device_id in carrying)


def _area_of(device: _Device | None, devices: Mapping[str, _Device]) -> str | None:
    if device is None or device.area_id is not None:
        return device.area_id if device else None
    parent = devices.get(device.parent_device_id or "")  # parents have no parents
    return parent.area_id if parent else None


def _exposed(answer: Any) -> list[str]:
    """Return the entities that Assist may use."""
    told = _mapping(_mapping(answer).get("exposed_entities"))
    return sorted(
        entity_id
        for entity_id, assistants in told.items()
        if isinstance(assistants, dict) and assistants.get("conversation") is True and 0 < len(entity_id) <= MAX_NAME
    )


_Item = TypeVar("_Item", bound=BaseModel)


def _items(model: type[_Item], answer: Any) -> list[_Item]:
    """Return the entries of a registry; one that cannot be read is left out, it must not take the others along."""
    if not isinstance(answer, list):
        raise WireError(f"Home Assistant sent {type(answer).__name__} in place of a list of entries")
    found, bad = [], 0
    for raw in answer:
        try:
            found.append(model.model_validate(raw))
        except ValidationError:
            bad += 1
    if bad:
        log.warning("Home Assistant: %d entries like %s cannot be read", bad, model.__name__.strip("_").lower())
    return found


def _mapping(answer: Any) -> Mapping[str, Any]:
    if not isinstance(answer, dict):
        raise WireError(f"Home Assistant sent {type(answer).__name__} in place of an object")
    return answer
