"""Sentences and what they should mean, read from files in the form of home-assistant/intents' own tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from hearth_core.command import Context
from hearth_core.home import Area, Entity, Floor, Home, State

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Said:
    """One sentence; `area` is the name of the satellite's room, empty for none."""

    language: str
    text: str
    intent: str
    slots: Mapping[str, Any] = field(default_factory=dict)
    area: str = ""
    response: str = ""

    def __str__(self) -> str:
        return f"{self.language}: {self.text}"


def sentences(language: str) -> Iterator[Said]:
    """Yield the sentences of a language's files."""
    for path in sorted((FOLDER / language).glob("*.yaml")):
        if path.name.startswith("_"):
            continue
        for test in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]:
            intent = test["intent"]
            area = (intent.get("context") or {}).get("area", "")
            for text in test["sentences"]:
                yield Said(language, text, intent["name"], intent.get("slots") or {}, area, test.get("response", ""))


@cache
def home(language: str) -> Home:
    """Return the house of a language's `_fixtures.yaml`."""
    data = yaml.safe_load((FOLDER / language / "_fixtures.yaml").read_text(encoding="utf-8"))
    return Home.of(
        [Floor(each["id"], each["name"]) for each in data["floors"]],
        [Area(each["id"], each["name"], floor_id=each.get("floor")) for each in data["areas"]],
        [_entity(each) for each in data["entities"]],
    )


def _entity(data: Mapping[str, Any]) -> Entity:
    attributes = dict(data.get("attributes", {}))
    return Entity(
        data["id"],
        data["name"],
        area_id=data.get("area"),
        device_class=attributes.pop("device_class", None),
        capabilities=frozenset(data.get("capabilities", ())),
        state=State(str(data["state"]), attributes),
    )


def context(said: Said) -> Context:
    """Return where it was said."""
    area = home(said.language).area_named(said.area) if said.area else None
    assert not said.area or area, f"no area {said.area}"
    return Context(language=said.language, area_id=area.area_id if area else None)


def meant(slots: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Return slots with the names of things and places in place of their ids."""
    house = home(language)
    known: dict[str, Mapping[str, Any]] = {"name": house.entities, "area": house.areas, "floor": house.floors}
    return {
        name: known[name][value].name if name in known and value in known[name] else value
        for name, value in slots.items()
    }
