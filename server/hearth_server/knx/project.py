"""From an ETS project to entities: rooms become areas, functions become entities.

Only what the project says in so many words is taken: the type of a function and the role of each of its group
addresses, where the datapoint type fits the role. A name is never interpreted. Whatever is left is kept as a remark for
a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hearth_core.config_home import slug

# Of ETS's own function types (knx_master.xml, FunctionTypes), those that say what the thing is.
_DOMAINS = {
    "FT-1": "light",  # switchable light
    "FT-6": "light",  # dimmable light
    "FT-7": "cover",  # sun protection
    "FT-8": "climate",  # heating, switching variable
    "FT-9": "climate",  # heating, continuous variable
    "FT-10": "switch",  # switchable socket
}
_ROOMS = frozenset({"Room", "Corridor", "Stairway", "Area", "Ground"})
_FLOOR = "Floor"


@dataclass(frozen=True, slots=True)
class _Role:
    """What a role is in the configuration: the point, its side, and the datapoint types that fit.

    `subs` empty takes any: the main number alone says how the value is written on the wire.
    """

    point: str
    side: str
    main: int
    subs: frozenset[int] = frozenset()

    def fits(self, dpt: Mapping[str, Any]) -> bool:
        return dpt["main"] == self.main and (not self.subs or dpt["sub"] in self.subs)


_ONE = frozenset({1})
_LIGHT = {
    "SwitchOnOff": _Role("switch", "write", 1),
    "InfoOnOff": _Role("switch", "state", 1),
    "DimmingControl": _Role("dim", "write", 3, frozenset({7})),
    "DimmingValue": _Role("brightness", "write", 5, _ONE),
    "InfoDimmingValue": _Role("brightness", "state", 5, _ONE),
}
_ROLES: Mapping[str, Mapping[str, _Role]] = {
    "light": _LIGHT,
    "switch": {role: _LIGHT[role] for role in ("SwitchOnOff", "InfoOnOff")},
    "cover": {
        "MoveUpDown": _Role("move", "write", 1),
        "StopStepUpDown": _Role("stop", "write", 1),
        "AbsolutePositionBlindsPercentage": _Role("position", "write", 5, _ONE),
        "CurrentAbsolutePositionBlindsPercentage": _Role("position", "state", 5, _ONE),
    },
    "climate": {
        "TempRoom": _Role("temperature", "state", 9, _ONE),
        "TempRoomSetpoint": _Role("setpoint", "write", 9, _ONE),
        "InfoTempRoomSetpoint": _Role("setpoint", "state", 9, _ONE),
        "HVACMode": _Role("mode", "write", 20, frozenset({102})),
        "InfoHVACMode": _Role("mode", "state", 20, frozenset({102})),
    },
}
# Without one of these there is nothing to command.
_NEEDED = {
    "light": (("switch", "write"),),
    "switch": (("switch", "write"),),
    "cover": (("move", "write"), ("position", "write")),
    "climate": (("setpoint", "write"),),
}


@dataclass(frozen=True, slots=True)
class Remark:
    """A group address that was left out, and why.

    Attributes:
        address: e.g. 1/2/3.
        name: as in the project.
        dpt: e.g. 5.001, empty if the project has none.
        reason: for a person.
    """

    address: str
    name: str
    dpt: str
    reason: str


@dataclass(frozen=True, slots=True)
class Draft:
    """An entity as far as the project says it.

    Attributes:
        name: the function's.
        area: the room's name, None if it is in none.
        entity: as in the configuration, None if the essential is missing.
        remarks: what is left out of it.
    """

    name: str
    area: str | None
    entity: Mapping[str, Any] | None
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """What a project comes to; `unused` are the group addresses that no function has."""

    project: str
    areas: tuple[Mapping[str, Any], ...]
    drafts: tuple[Draft, ...]
    unused: tuple[Remark, ...] = ()


@dataclass(slots=True)
class _Ids:
    """Entity ids that are taken already."""

    taken: set[str] = field(default_factory=set)

    def make(self, domain: str, area: str | None, name: str) -> str:
        """Return a free id of the room and the name; letters that an id cannot have are left out."""
        words = [slug(area)] if area and not slug(name).startswith(slug(area)) else []
        stem = re.sub(r"[^a-z0-9_]+", "", "_".join([*words, slug(name)])).strip("_") or "unnamed"
        number = 1
        found = f"{domain}.{stem[:200]}"
        while found in self.taken:
            number += 1
            found = f"{domain}.{stem[:200]}_{number}"
        self.taken.add(found)
        return found


def imported(project: Mapping[str, Any]) -> Imported:
    """Return the areas and entities of a project, as xknxproject has parsed it; pure.

    Raises:
        KeyError, TypeError: it is of another form.
    """
    rooms = _told_apart(dict(_rooms(project["locations"], None)))
    areas: dict[str, dict[str, Any]] = {}
    for name, floor in rooms.values():
        areas.setdefault(slug(name), {"name": name, **({"floor": floor} if floor else {})})
    ids = _Ids()
    drafts = []
    used: set[str] = set()
    for function in project["functions"].values():
        room = rooms.get(function["space_id"])
        drafts.append(_draft(function, room[0] if room else None, project["group_addresses"], ids))
        used.update(ref["address"] for ref in function["group_addresses"].values())
    unused = tuple(
        _remark(address, project["group_addresses"], "in no function")
        for address in project["group_addresses"]
        if address not in used
    )
    return Imported(_plain(project["info"]["name"]), tuple(areas.values()), tuple(drafts), unused)


def _rooms(spaces: Mapping[str, Any], floor: str | None) -> Iterator[tuple[str, tuple[str, str | None]]]:
    """Yield the id, name and floor of each room."""
    for space in spaces.values():
        name = _plain(space["name"])
        here = name if space["type"] == _FLOOR and name else floor
        if space["type"] in _ROOMS and name:
            yield space["identifier"], (name, floor)
        yield from _rooms(space["spaces"], here)


def _told_apart(rooms: Mapping[str, tuple[str, str | None]]) -> dict[str, tuple[str, str | None]]:
    """Return the rooms, those of one name on several floors with the floor's name after it."""
    floors: dict[str, set[str | None]] = {}
    for name, floor in rooms.values():
        floors.setdefault(slug(name), set()).add(floor)
    return {
        key: (f"{name} {floor}" if floor and len(floors[slug(name)]) > 1 else name, floor)
        for key, (name, floor) in rooms.items()
    }


def _draft(function: Mapping[str, Any], area: str | None, addresses: Mapping[str, Any], ids: _Ids) -> Draft:
    name = _plain(function["name"]) or function["identifier"]
    refs = [(ref["role"] or "", ref["address"]) for ref in function["group_addresses"].values()]
    domain = _DOMAINS.get(function["function_type"])
    if domain is None:
        kind = _plain(function["usage_text"]) or function["function_type"]
        reason = f"function of type {kind}: what it is has to be said"
        return Draft(name, area, None, tuple(_remark(address, addresses, reason) for _, address in refs))
    points: dict[str, dict[str, str]] = {}
    remarks: list[Remark] = []
    for role, address in refs:
        misfit = _misfit(domain, role, address, refs, addresses)
        if misfit is not None:
            remarks.append(_remark(address, addresses, misfit))
            continue
        place = _ROLES[domain][role]
        points.setdefault(place.point, {})[place.side] = address
        dpt = addresses[address]["dpt"]
        if dpt["sub"] is not None:
            points[place.point].setdefault("dpt", _dpt(dpt))
    if not any(side in points.get(point, {}) for point, side in _NEEDED[domain]):
        wanted = " or ".join(sorted(r for r, p in _ROLES[domain].items() if (p.point, p.side) in _NEEDED[domain]))
        left = [_remark(a, addresses, f"a {domain} needs a {wanted}") for r, a in refs]
        return Draft(name, area, None, tuple(remarks or left))
    entity: dict[str, Any] = {"entity_id": ids.make(domain, area, name), "name": name}
    if area:
        entity["area"] = area
    return Draft(name, area, {**entity, **points}, tuple(remarks))


def _misfit(
    domain: str, role: str, address: str, refs: list[tuple[str, str]], addresses: Mapping[str, Any]
) -> str | None:
    """Return why an address cannot be used in its role, None if it can."""
    place = _ROLES[domain].get(role)
    if place is None:
        return f"role {role}: not supported" if role else "has no role"
    if sum(other == role for other, _ in refs) > 1:
        return f"role {role}: several addresses have it"
    dpt = addresses[address]["dpt"]
    if dpt is None:
        return f"role {role}: the address has no datapoint type"
    if not place.fits(dpt):
        wanted = f"{place.main}.{min(place.subs):03d}" if place.subs else f"{place.main}.xxx"
        return f"role {role}: its datapoint type should be {wanted}"
    return None


def _remark(address: str, addresses: Mapping[str, Any], reason: str) -> Remark:
    known = addresses[address]
    dpt = known["dpt"]
    return Remark(address, _plain(known["name"]), _dpt(dpt) if dpt else "", reason)


def _dpt(dpt: Mapping[str, Any]) -> str:
    return str(dpt["main"]) if dpt["sub"] is None else f"{dpt['main']}.{dpt['sub']:03d}"


def _plain(text: object) -> str:
    """Return a name as one line of printable text: whatever stands in a project, it stays inside its comment."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(text or "")).split())[:200]
