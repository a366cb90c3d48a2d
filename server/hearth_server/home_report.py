"""What to show of a home, and what is wrong with its names for somebody who speaks to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hearth_core.home import Entity, Home, State
from hearth_intents.slots import home_names
from hearth_intents.spoken import Speech

from .asr.pronounce import SayAs, guessed, pronounce, say_as_key


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about the home's names; an error if a thing cannot be reached by voice as it is."""

    message: str
    remedy: str
    error: bool = True


def check_names(home: Home, speech: Speech) -> tuple[Remark, ...]:
    """Return what keeps things from being told apart, or from being said at all."""
    return (*_unsayable(home, speech), *_alike(home, speech))


def check_pronunciations(
    home: Home, spoken: Speech, dictionary: Path, say_as: SayAs | None = None
) -> tuple[Remark, ...]:
    """Return notes of the words of names: whose pronunciation is a guess, and how those are said that are configured.

    Args:
        home: whose names they are.
        spoken: how its language is spoken.
        dictionary: the recogniser's (`pronounce`).
        say_as: how words are said, as configured.
    """
    say_as = say_as or {}
    said = {word for name in home_names(home) for words in spoken.variants(name) for word in words}
    spelled = {k: v for name in home_names(home) for k, v in spoken.spelled(name).items()}
    configured = {word: key for word in said if (key := say_as_key(word, say_as))}
    notes: list[tuple[str, str]] = []
    if words := guessed(said - configured.keys(), spelled, dictionary):
        remedy = "If one is not recognised, spell it as it sounds under server: say_as:"
        notes.append((f"pronunciation guessed: {', '.join(words)}", remedy))
    if configured:
        phones = pronounce(configured, {}, dictionary, say_as)
        heard = "; ".join(f"{word} as {' or '.join(phones[word])}" for word in sorted(configured))
        notes.append((f"said as configured: {heard}", "If one is not recognised, spell it otherwise"))
    if unused := sorted(say_as.keys() - set(configured.values())):
        remedy = "Check how it is written, unless a sentence has it"
        notes.append((f"in no name, but under server: say_as: {', '.join(unused)}", remedy))
    return tuple(Remark(message, remedy, error=False) for message, remedy in notes)


def _unsayable(home: Home, speech: Speech) -> Iterable[Remark]:
    for kind, items in (("entity", home.entities), ("area", home.areas), ("floor", home.floors)):
        for key, item in items.items():
            if not any(speech.variants(name) for name in (item.name, *item.aliases)):
                yield Remark(f"{kind} {key}: its name {item.name!r} has nothing that can be said", "Give it an alias")


def _alike(home: Home, speech: Speech) -> Iterable[Remark]:
    """Yield the entities that one name means, in one place: no sentence tells them apart."""
    said: dict[tuple[str, str, str | None], set[str]] = defaultdict(set)
    for entity in home.entities.values():
        for name in entity.names:
            for words in speech.variants(name):
                said[" ".join(words), entity.domain, entity.area_id].add(entity.entity_id)
    told: set[frozenset[str]] = set()
    for (name, _, area_id), ids in said.items():
        if len(ids) > 1 and frozenset(ids) not in told:
            told.add(frozenset(ids))
            area = home.areas.get(area_id or "")
            where = f" in {area.name}" if area else ", in no area"
            remedy = "Rename one, give it another alias, or put them in different areas"
            yield Remark(f"{', '.join(sorted(ids))} are all called {name!r}{where}", remedy)


def state_text(state: State) -> str:
    """Return a state as people read it."""
    unit = state.attributes.get("unit_of_measurement")
    return f"{state.value} {unit}" if unit else state.value


def by_place(home: Home) -> list[tuple[str, list[tuple[str, list[Entity]]]]]:
    """Return the entities by floor name and area name, in the order of the floors' levels; the homeless come last."""
    areas: dict[str | None, list[Entity]] = defaultdict(list)
    for entity in home.entities.values():
        areas[entity.area_id if entity.area_id in home.areas else None].append(entity)
    floors: dict[str | None, list[tuple[str, list[Entity]]]] = defaultdict(list)
    for area in home.areas.values():
        floors[area.floor_id if area.floor_id in home.floors else None].append((area.name, areas[area.area_id]))
    ordered = sorted(home.floors.values(), key=lambda floor: (floor.level is None, floor.level or 0))
    shown = [(floor.name, floors[floor.floor_id]) for floor in ordered]
    rest = [*floors[None], *([("in no area", areas[None])] if areas[None] else [])]
    return [*shown, *([("elsewhere", rest)] if rest else [])]
