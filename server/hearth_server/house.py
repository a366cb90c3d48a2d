"""The one `Home` that all buses make together, and the way from an entity to the bus that moves it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hearth_core.command import Action
from hearth_core.home import UNAVAILABLE, Area, Entity, Floor, Home, Label, State

from .bus import Bus, Watcher, Writes, written_to

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """A new picture of the house.

    Attributes:
        home: the house as it is now.
        vocabulary: True if grammar and matcher are to be built anew, False if only states changed.
        entity_ids: the entities whose state changed; empty if the vocabulary did.
    """

    home: Home
    vocabulary: bool
    entity_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Route:
    """An action on its way: the bus that does it (None if none of its buses is there) and its share of entities.

    `configured` is False for what is written to a bus that this house has not got.
    """

    bus: Bus | None
    action: Action
    configured: bool = True


Listener = Callable[[Change], None]


class House:
    """Merges the parts that the buses contribute, and routes actions back to them.

    Args:
        buses: in order of preference, the direct ones (KNX, MQTT) before those that go through another system. An
            entity that several know keeps the name and area of the first and the bindings of all; it is moved by the
            first that can be reached.
    """

    def __init__(self, buses: Sequence[Bus]) -> None:
        self._buses = tuple(buses)
        self._by_name = {bus.name: bus for bus in self._buses}
        if len(self._by_name) != len(self._buses):
            raise ValueError("two buses have the same name")
        self._listeners: list[Listener] = []
        self._home = self._merge()

    @property
    def home(self) -> Home:
        """The house as it is now."""
        return self._home

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call the listener, on the event loop, at every change from now on; return what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def start(self) -> None:
        """Start every bus, all at once.

        Raises:
            ConfigError: a bus can never work as configured; the others are stopped again.
        """
        try:
            await asyncio.gather(*(bus.start(_Watch(self, bus)) for bus in self._buses))
        except BaseException:
            await self.stop()
            raise
        self._part_changed()

    async def settled(self, timeout_s: float) -> None:
        """Wait until every bus can be reached, `timeout_s` at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not all(bus.reachable for bus in self._buses):  # noqa: ASYNC110 - buses do not tell of this
                    await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """Stop every bus; one that fails to stop does not keep the others."""
        results = await asyncio.gather(*(bus.stop() for bus in self._buses), return_exceptions=True)
        for bus, result in zip(self._buses, results, strict=True):
            if isinstance(result, BaseException):
                log.error("%s did not stop", bus.name, exc_info=result)

    def route(self, action: Action) -> tuple[Route, ...]:
        """Share the action out over the buses that own its entities."""
        if len(action.entity_ids) == 1 and (name := written_to(action.entity_ids[0])) is not None:
            named = self._by_name.get(name)
            able = isinstance(named, Writes)
            return (Route(named if named and able and named.reachable else None, action, configured=able),)
        shares: dict[str | None, list[str]] = {}
        for entity_id in action.entity_ids:
            bus = self._bus_of(entity_id)
            shares.setdefault(bus.name if bus else None, []).append(entity_id)
        return tuple(
            Route(None if name is None else self._by_name[name], replace(action, entity_ids=tuple(entity_ids)))
            for name, entity_ids in shares.items()
        )

    def _bus_of(self, entity_id: str) -> Bus | None:
        entity = self._home.entities.get(entity_id)
        for binding in entity.bindings if entity else ():
            bus = self._by_name.get(binding.bus)
            if bus is not None and bus.reachable:
                return bus
        return None

    def _merge(self) -> Home:
        floors: dict[str, Floor] = {}
        areas: dict[str, Area] = {}
        entities: dict[str, Entity] = {}
        labels: dict[str, Label] = {}
        for bus in self._buses:
            part = bus.home
            floors = {**part.floors, **floors}
            areas = {**part.areas, **areas}
            labels = {**part.labels, **labels}
            for entity_id, entity in part.entities.items():
                known = entities.get(entity_id)
                entities[entity_id] = entity if known is None else _joined(known, entity)
        return Home.of(floors.values(), areas.values(), entities.values(), labels.values())

    def _state(self, entity_id: str) -> State | None:
        """Return the state that the most preferred bus knows."""
        states = [bus.home.entities[entity_id].state for bus in self._buses if entity_id in bus.home.entities]
        return next((state for state in states if state != UNAVAILABLE), states[0] if states else None)

    def _states_changed(self, entity_ids: Iterable[str]) -> None:
        states = {
            entity_id: state
            for entity_id in entity_ids
            if (state := self._state(entity_id)) is not None
            and (entity := self._home.entities.get(entity_id)) is not None
            and entity.state != state
        }
        if states:
            self._home = self._home.with_states(states)
            self._tell(Change(self._home, vocabulary=False, entity_ids=frozenset(states)))

    def _part_changed(self) -> None:
        before, self._home = self._home, self._merge()
        if before.vocabulary() != self._home.vocabulary():
            self._tell(Change(self._home, vocabulary=True))
            return
        changed = frozenset(k for k, e in self._home.entities.items() if e.state != before.entities[k].state)
        if changed:
            self._tell(Change(self._home, vocabulary=False, entity_ids=changed))

    def _tell(self, change: Change) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(change)
            except Exception:  # a listener's fault must not reach the bus that reported the change
                log.exception("a listener failed on a change of the house")


class _Watch(Watcher):
    """One bus's line to the house."""

    def __init__(self, house: House, bus: Bus) -> None:
        self._house = house
        self._bus = bus

    def states_changed(self, states: Mapping[str, State]) -> None:
        self._house._states_changed(states)

    def part_changed(self) -> None:
        log.info("%s changed its part of the house", self._bus.name)
        self._house._part_changed()


def _joined(first: Entity, second: Entity) -> Entity:
    """Return one entity of what two buses know of it; the first has the say."""
    names = dict.fromkeys((*first.names, *second.names))
    names.pop(first.name)
    return replace(
        first,
        aliases=tuple(names),
        area_id=first.area_id or second.area_id,
        device_class=first.device_class or second.device_class,
        capabilities=first.capabilities | second.capabilities,
        state=second.state if first.state == UNAVAILABLE else first.state,
        bindings=(*first.bindings, *second.bindings),
    )
