"""Actions carried out: nothing hangs, nothing raises, nothing counts as done that was not confirmed."""

from __future__ import annotations

import asyncio

import pytest

from hearth_core.command import Action, Outcome, OutcomeStatus, ResponseKind
from hearth_core.home import State
from hearth_server import execute as execute_module
from hearth_server.execute import execute
from hearth_server.house import House
from hearth_server.plan import Plan
from tests.house_fakes import FaultyHome, said

SHORT_S = 0.05
BOTH = ("light.kitchen_lights", "light.counter_light")


def planned(*actions: Action) -> Plan:
    return Plan(said("HassTurnOn"), ResponseKind.DONE, actions)


async def test_every_entity_is_done_and_confirmed() -> None:
    house = House([FaultyHome({})])
    await house.start()
    plan = planned(Action("light.turn_on", BOTH, {}, "on"), Action("lock.lock", ("lock.front_door",)))
    outcomes = await execute(plan, house)
    assert outcomes == tuple(Outcome(i, OutcomeStatus.DONE) for i in (*BOTH, "lock.front_door"))
    assert [house.home.entities[i].state.value for i in (*BOTH, "lock.front_door")] == ["on", "on", "locked"]


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("refuses", OutcomeStatus.FAILED),
        ("silent", OutcomeStatus.UNCONFIRMED),
        ("hangs", OutcomeStatus.UNCONFIRMED),
        ("breaks", OutcomeStatus.FAILED),
    ],
)
async def test_faulty_device_is_an_outcome(
    fault: str, status: OutcomeStatus, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(execute_module, "GRACE_S", SHORT_S)
    house = House([FaultyHome({"light.kitchen_lights": fault})])
    await house.start()
    first = Action("light.turn_on", ("light.kitchen_lights",), {}, "on")
    second = Action("lock.lock", ("lock.front_door",), {}, "locked")
    outcomes = await execute(planned(first, second), house, SHORT_S)
    assert [(o.entity_id, o.status) for o in outcomes] == [
        ("light.kitchen_lights", status),
        ("lock.front_door", OutcomeStatus.DONE),
    ]
    assert outcomes[0].detail
    assert ("demo failed at light.turn_on" in caplog.text) == (fault == "breaks")


async def test_one_silent_device_does_not_take_its_neighbours_along() -> None:
    house = House([FaultyHome({"light.kitchen_lights": "silent"})])
    await house.start()
    outcomes = await execute(planned(Action("light.turn_on", BOTH, {}, "on")), house, SHORT_S)
    assert [o.status for o in outcomes] == [OutcomeStatus.UNCONFIRMED, OutcomeStatus.DONE]


async def test_bus_that_is_away_is_unreachable_and_not_asked() -> None:
    demo = FaultyHome({})
    house = House([demo])
    await house.start()
    before = house.home
    demo.up = False
    outcomes = await execute(planned(Action("light.turn_on", BOTH, {}, "on")), house, SHORT_S)
    assert [o.status for o in outcomes] == [OutcomeStatus.UNREACHABLE] * 2
    assert house.home is before


async def test_bus_that_swallows_its_cancellation_does_not_hang_the_command(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(execute_module, "GRACE_S", SHORT_S)
    release = asyncio.Event()

    class Stubborn(FaultyHome):
        async def perform(self, action: Action, timeout_s: float) -> tuple[Outcome, ...]:
            while not release.is_set():
                try:
                    await release.wait()
                except asyncio.CancelledError:
                    continue
            return ()

    house = House([Stubborn({})])
    outcomes = await execute(planned(Action("light.turn_on", BOTH)), house, SHORT_S)
    assert [o.status for o in outcomes] == [OutcomeStatus.UNCONFIRMED] * 2
    assert "does not end though cancelled" in caplog.text
    release.set()
    await asyncio.sleep(0)


async def test_bus_that_forgets_an_entity_has_not_confirmed_it() -> None:
    class Forgetful(FaultyHome):
        async def perform(self, action: Action, timeout_s: float) -> tuple[Outcome, ...]:
            return (await super().perform(action, timeout_s))[:1]

    outcomes = await execute(planned(Action("light.turn_on", BOTH)), House([Forgetful({})]), SHORT_S)
    assert [o.status for o in outcomes] == [OutcomeStatus.DONE, OutcomeStatus.UNCONFIRMED]


async def test_late_confirmation_within_the_limit_counts() -> None:
    demo = FaultyHome({"light.kitchen_lights": "silent"})
    house = House([demo])
    await house.start()
    doing = asyncio.create_task(execute(planned(Action("light.turn_on", BOTH[:1], {}, "on")), house, 30))
    await asyncio.sleep(0.01)
    assert not doing.done()
    demo.set_states({"light.kitchen_lights": State("off")})  # another state is no confirmation
    await asyncio.sleep(0.01)
    assert not doing.done()
    attributes = demo.home.entities["light.kitchen_lights"].state.attributes
    demo.set_states({"light.kitchen_lights": State("on", {**attributes, "brightness": 255})})
    assert [o.status for o in await doing] == [OutcomeStatus.DONE]


async def test_nothing_to_do_is_nothing_done() -> None:
    assert await execute(planned(), House([FaultyHome({})])) == ()


RING = Action("mqtt.publish", ("mqtt:bell",), {"topic": "bell", "payload": "", "qos": 1, "retain": False})


class WritingHome(FaultyHome):
    """A demo home on which things can be published."""

    name = "mqtt"
    status = OutcomeStatus.DONE

    async def write(self, action: Action, timeout_s: float) -> Outcome:
        return Outcome(action.entity_ids[0], self.status)


@pytest.mark.parametrize("status", [OutcomeStatus.DONE, OutcomeStatus.UNCONFIRMED])
async def test_what_is_written_to_a_bus_goes_there(status: OutcomeStatus) -> None:
    bus = WritingHome({})
    bus.status = status
    house = House([bus])
    await house.start()
    assert await execute(planned(RING), house) == (Outcome("mqtt:bell", status),)
    bus.up = False
    (away,) = await execute(planned(RING), house)
    assert away.status is OutcomeStatus.UNREACHABLE


@pytest.mark.parametrize("name", ["knx", "demo"], ids=["no such bus", "a bus that cannot"])
async def test_bus_that_is_not_configured_is_told_and_logged(name: str, caplog: pytest.LogCaptureFixture) -> None:
    house = House([FaultyHome({})])
    await house.start()
    plan = planned(Action(f"{name}.write", (f"{name}:1/2/3",), {}), Action("lock.lock", ("lock.front_door",)))
    outcomes = await execute(plan, house)
    assert [outcome.status for outcome in outcomes] == [OutcomeStatus.UNCONFIGURED, OutcomeStatus.DONE]
    assert f"no bus {name} is configured" in caplog.text
