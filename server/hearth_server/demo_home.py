"""The demo home: a whole house in memory, behind the same interface as a real bus."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from hearth_core.command import Action, Outcome, OutcomeStatus
from hearth_core.errors import BusError
from hearth_core.home import Area, Binding, Entity, Floor, Home, State

from .bus import Readback, Watcher
from .demo_devices import Call, after

NAME = "demo"


class _Item(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str
    name: str
    aliases: tuple[str, ...] = ()


class _Floor(_Item):
    level: int | None = None


class _Area(_Item):
    floor: str | None = None


class _Entity(_Item):
    area: str | None = None
    device_class: str | None = Field(None, alias="class")
    can: frozenset[str] = frozenset()
    state: str
    attributes: dict[str, Any] = Field({}, alias="with")
    sets: dict[str, dict[str, Any]] = {}


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    floors: tuple[_Floor, ...]
    areas: tuple[_Area, ...]
    entities: tuple[_Entity, ...]
    colors: dict[str, list[int]]


@dataclass(frozen=True, slots=True)
class DemoHouse:
    """What demo_home.yaml describes.

    Attributes:
        home: floors, areas and entities.
        scenes: by scene, the states that it gives to which entities.
        colors: red, green and blue, 0 to 255, by name.
    """

    home: Home
    scenes: Mapping[str, Mapping[str, State]]
    colors: Mapping[str, list[int]]


def load_demo_house() -> DemoHouse:
    """Return the demo home as it is before anybody said a word."""
    text = (resources.files(__package__) / "demo_home.yaml").read_text(encoding="utf-8")
    file = _File.model_validate(yaml.safe_load(text))
    binding = (Binding(NAME),)
    home = Home.of(
        (Floor(floor.id, floor.name, floor.aliases, floor.level) for floor in file.floors),
        (Area(area.id, area.name, area.aliases, area.floor) for area in file.areas),
        (
            Entity(e.id, e.name, e.aliases, e.area, e.device_class, e.can, State(e.state, e.attributes), binding)
            for e in file.entities
        ),
    )
    scenes = {
        entity.id: {
            k: State(str(v["state"]), {n: a for n, a in v.items() if n != "state"}) for k, v in entity.sets.items()
        }
        for entity in file.entities
        if entity.sets
    }
    return DemoHouse(home, scenes, file.colors)


class DemoHome:
    """The demo home as a bus.

    Args:
        now: the clock that scenes and scripts write down.
    """

    name = NAME

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now().astimezone()) -> None:
        house = load_demo_house()
        self._home = house.home
        self._scenes = house.scenes
        self._colors = house.colors
        self._now = now
        self._watcher: Watcher | None = None
        self._readback = Readback()

    @property
    def home(self) -> Home:
        """The home as it is now."""
        return self._home

    @property
    def reachable(self) -> bool:
        """Always."""
        return True

    async def start(self, watcher: Watcher) -> None:
        """Report to this watcher from now on."""
        self._watcher = watcher

    async def stop(self) -> None:
        """Report no more."""
        self._watcher = None

    async def perform(self, action: Action, timeout_s: float) -> tuple[Outcome, ...]:
        """Do the action to each of its entities; see `Bus`."""
        return tuple(await asyncio.gather(*(self._perform(action, i, timeout_s) for i in action.entity_ids)))

    async def _perform(self, action: Action, entity_id: str, timeout_s: float) -> Outcome:
        entity = self._home.entities.get(entity_id)
        if entity is None:
            return Outcome(entity_id, OutcomeStatus.FAILED, "there is no such entity")
        try:
            state = after(Call(entity, action.service, action.data, self._now(), self._colors))
            await self.deliver(entity_id, state)
        except BusError as error:
            return Outcome(entity_id, OutcomeStatus.FAILED, str(error))

        def confirmed() -> bool:
            return self._home.entities[entity_id].state == state and action.expected in (None, state.value)

        if await self._readback.wait(entity_id, confirmed, timeout_s):
            return Outcome(entity_id, OutcomeStatus.DONE)
        return Outcome(entity_id, OutcomeStatus.UNCONFIRMED, f"its state is not {action.expected or state.value}")

    async def deliver(self, entity_id: str, state: State) -> None:
        """Bring the device into this state, and what else a scene moves.

        Raises:
            BusError: the device refuses.
        """
        moved = {k: self._blended(k, s) for k, s in self._scenes.get(entity_id, {}).items()}
        self.set_states({**moved, entity_id: state})

    def set_states(self, states: Mapping[str, State]) -> None:
        """Change states as if somebody in the house had: at a switch, with a key, by the weather."""
        self._home = self._home.with_states(states)
        if self._watcher is not None:
            self._watcher.states_changed(states)
        for entity_id in states:
            self._readback.seen(entity_id)

    def _blended(self, entity_id: str, state: State) -> State:
        before = self._home.entities[entity_id].state.attributes
        return State(state.value, {**before, **state.attributes})
