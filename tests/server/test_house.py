"""Several buses as one house: who has the say, who moves what, and who is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest

from hearth_core.command import Action, Outcome, OutcomeStatus
from hearth_core.errors import ConfigError
from hearth_core.home import UNAVAILABLE, Area, Binding, Entity, Home, State
from hearth_server.bus import Watcher
from hearth_server.house import Change, House


class FakeBus:
    """A bus that holds a few entities and says that everything was done."""

    def __init__(self, name: str, entities: Iterable[Entity], areas: Iterable[Area] = ()) -> None:
        self.name = name
        self.areas = tuple(areas)
        self.entities = tuple(replace(e, bindings=(Binding(name),)) for e in entities)
        self.reachable = True
        self.running = False
        self.refuses_to_start = False
        self.watcher: Watcher | None = None

    @property
    def home(self) -> Home:
        return Home.of((), self.areas, self.entities)

    async def start(self, watcher: Watcher) -> None:
        if self.refuses_to_start:
            raise ConfigError("no such broker")
        self.watcher, self.running = watcher, True

    async def stop(self) -> None:
        self.running = False

    async def perform(self, action: Action, timeout_s: float) -> tuple[Outcome, ...]:
        return tuple(Outcome(entity_id, OutcomeStatus.DONE) for entity_id in action.entity_ids)

    def set(self, **states: str) -> None:
        """Change states, e.g. light__a="on"."""
        changed = {name.replace("__", "."): State(value) for name, value in states.items()}
        self.entities = tuple(replace(e, state=changed.get(e.entity_id, e.state)) for e in self.entities)
        assert self.watcher is not None
        self.watcher.states_changed(changed)

    def rename(self, entity_id: str, name: str) -> None:
        self.entities = tuple(replace(e, name=name) if e.entity_id == entity_id else e for e in self.entities)
        assert self.watcher is not None
        self.watcher.part_changed()


@pytest.fixture
def knx() -> FakeBus:
    return FakeBus("knx", [Entity("light.a", "Lamp", ("Light",), capabilities=frozenset({"brightness"}))])


@pytest.fixture
def hass() -> FakeBus:
    attic = Area("attic", "Attic")
    a = Entity("light.a", "Attic Lamp", area_id="attic", capabilities=frozenset({"color"}), state=State("off"))
    return FakeBus("hass", [a, Entity("light.b", "Other", state=State("off"))], [attic])


def routes(house: House, *entity_ids: str) -> Mapping[str | None, tuple[str, ...]]:
    found = house.route(Action("light.turn_on", entity_ids))
    return {route.bus.name if route.bus else None: route.action.entity_ids for route in found}


def test_entity_on_two_buses_is_one_and_the_first_bus_has_the_say(knx: FakeBus, hass: FakeBus) -> None:
    entity = House([knx, hass]).home.entities["light.a"]
    assert (entity.name, entity.aliases, entity.area_id) == ("Lamp", ("Light", "Attic Lamp"), "attic")
    assert entity.capabilities == {"brightness", "color"}
    assert [binding.bus for binding in entity.bindings] == ["knx", "hass"]


def test_direct_bus_moves_what_both_know_and_the_other_stands_in(knx: FakeBus, hass: FakeBus) -> None:
    house = House([knx, hass])
    assert routes(house, "light.b", "light.a") == {"hass": ("light.b",), "knx": ("light.a",)}
    knx.reachable = False
    assert routes(house, "light.a", "light.b") == {"hass": ("light.a", "light.b")}
    hass.reachable = False
    assert routes(house, "light.a", "light.gone") == {None: ("light.a", "light.gone")}


async def test_listener_hears_states_and_vocabulary_apart(knx: FakeBus, hass: FakeBus) -> None:
    house = House([knx, hass])
    await house.start()
    heard: list[Change] = []
    end = house.subscribe(heard.append)
    hass.set(light__b="on")
    assert [(c.vocabulary, c.entity_ids) for c in heard] == [(False, frozenset({"light.b"}))]
    assert heard[0].home.entities["light.b"].state == State("on")
    hass.set(light__b="on")
    assert len(heard) == 1, "nothing changed"
    hass.rename("light.b", "Another")
    assert [c.vocabulary for c in heard] == [False, True]
    assert house.home.entities["light.b"].name == "Another"
    end()
    hass.set(light__b="off")
    assert len(heard) == 2
    assert house.home.entities["light.b"].state == State("off")


async def test_state_comes_from_the_direct_bus_while_it_has_one(knx: FakeBus, hass: FakeBus) -> None:
    house = House([knx, hass])
    await house.start()
    knx.set(light__a="on")
    hass.set(light__a="off")
    assert house.home.entities["light.a"].state == State("on")
    knx.set(light__a=UNAVAILABLE.value)
    assert house.home.entities["light.a"].state == State("off")


async def test_bus_that_can_never_work_stops_the_others(knx: FakeBus, hass: FakeBus) -> None:
    hass.refuses_to_start = True
    with pytest.raises(ConfigError):
        await House([knx, hass]).start()
    assert not knx.running


async def test_failing_listener_disturbs_nobody(knx: FakeBus, hass: FakeBus, caplog: pytest.LogCaptureFixture) -> None:
    house = House([knx, hass])
    await house.start()
    heard: list[Change] = []

    def fail(change: Change) -> None:
        raise ZeroDivisionError

    house.subscribe(fail)
    house.subscribe(heard.append)
    hass.set(light__b="on")
    assert len(heard) == 1
    assert "a listener failed" in caplog.text


async def test_bus_that_does_not_stop_does_not_keep_the_others(
    knx: FakeBus, hass: FakeBus, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    house = House([knx, hass])
    await house.start()
    monkeypatch.setattr(knx, "stop", fail)
    await house.stop()
    assert not hass.running
    assert "knx did not stop" in caplog.text


def test_two_buses_of_one_name_are_refused(knx: FakeBus) -> None:
    with pytest.raises(ValueError, match="same name"):
        House([knx, knx])
