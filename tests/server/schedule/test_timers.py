"""Timers, from the sentence to the satellite."""

from __future__ import annotations

import pytest
from wyoming.timer import TimerStarted

from hearth_core.command import Context, ResponseKind
from tests.schedule_fakes import KITCHEN, OFFICE, Rig


async def test_a_timer_is_set_told_and_rings_where_it_was_set(rig: Rig) -> None:
    assert await rig.told("set a pizza timer for ten minutes") == "Timer set for 10 minutes named pizza"
    started = TimerStarted.from_event(rig.bell.events[0])
    assert (started.total_seconds, started.name, started.start_minutes) == (600, "pizza", 10)
    assert await rig.pass_s(599) == []
    rig.bell.events.clear()
    rig.clock.advance(1)
    await rig.schedule.runner.tick()
    await rig.schedule.runner.settled()
    assert rig.bell.said == [("The pizza timer is done", "kitchen")]
    assert [event.type for event in rig.bell.events] == ["timer-finished"]
    assert rig.bell.events[0].data["id"] == started.id


async def test_a_timer_rings_so_many_times_and_is_gone(rig: Rig) -> None:
    await rig.told("set a timer for 1 minute")
    heard = await rig.pass_s(60)
    for _ in range(20):
        heard += await rig.pass_s(10)
    assert heard == ["The timer for 1 minute is done"] * 6
    assert [event.type for event in rig.bell.events].count("timer-finished") == 1
    assert await rig.told("how much time is left") == "No timers."


@pytest.mark.parametrize("text", ["stop the alarm", "stop ringing", "cancel the timer", "stop the timer"])
async def test_what_rings_is_stopped(rig: Rig, text: str) -> None:
    await rig.told("set a timer for 1 minute")
    await rig.told("set a timer for 5 minutes")
    assert await rig.pass_s(60)
    assert (await rig.say(text)).kind is ResponseKind.DONE
    assert await rig.pass_s(30) == []
    assert "left" in await rig.told("how much time is left")


async def test_several_timers_run_at_once_and_are_told_apart(rig: Rig) -> None:
    await rig.told("set a pizza timer for ten minutes")
    await rig.told("set a 5 minute timer")
    await rig.told("set a timer for 20 minutes", OFFICE)
    rig.clock.advance(60)
    assert "9 minutes" in await rig.told("how much time is left on the pizza timer")
    assert "4 minutes" in await rig.told("how much time is left on my 5 minute timer")
    assert "19 minutes" in await rig.told("how much time is left on the office timer")
    assert await rig.told("how much time is left") == "3 running timers. 4 minutes left on 5 minute Kitchen timer."


async def test_a_timer_that_could_be_either_is_not_guessed(rig: Rig) -> None:
    await rig.told("set a pizza timer for ten minutes")
    await rig.told("set a pasta timer for eight minutes")
    response = await rig.say("cancel the timer")
    assert response.kind is ResponseKind.FAILED
    assert "multiple" in response.text
    assert "2 running timers" in await rig.told("how much time is left")


async def test_the_timer_of_the_speakers_room_is_meant_first(rig: Rig) -> None:
    await rig.told("set a timer for ten minutes")
    await rig.told("set a timer for eight minutes", OFFICE)
    await rig.told("cancel the timer", OFFICE)
    assert "10 minutes left." in await rig.told("how much time is left", OFFICE)


@pytest.mark.parametrize("text", ["cancel the timer", "pause the timer", "add 5 minutes to the timer",
                                  "how much time is left on the pizza timer"])  # fmt: skip
async def test_a_timer_that_is_not_there_is_told(rig: Rig, text: str) -> None:
    response = await rig.say(text)
    assert response.kind is ResponseKind.FAILED
    assert "couldn't find that timer" in response.text


async def test_a_paused_timer_stands_still(rig: Rig) -> None:
    await rig.told("set a timer for ten minutes")
    rig.clock.advance(60)
    assert await rig.told("pause the timer") == "Timer paused"
    assert await rig.pass_s(3600) == []
    assert await rig.told("how much time is left") == "Timer is paused. 9 minutes left."
    assert await rig.told("resume the timer") == "Timer resumed"
    assert await rig.pass_s(539) == []
    assert await rig.pass_s(1) == ["The timer for 10 minutes is done"]
    assert [e.type for e in rig.bell.events] == ["timer-started", "timer-updated", "timer-updated", "timer-finished"]


async def test_time_is_added_and_taken(rig: Rig) -> None:
    await rig.told("set a timer for ten minutes")
    assert "5 minutes added" in await rig.told("add 5 minutes to the timer")
    assert await rig.told("how much time is left") == "15 minutes left."
    assert "2 minutes removed" in await rig.told("remove 2 minutes from the timer")
    assert await rig.told("how much time is left") == "13 minutes left."
    await rig.told("remove 20 minutes from the timer")
    assert await rig.tick() == ["The timer for 10 minutes is done"]


async def test_all_timers_are_cancelled_and_counted(rig: Rig) -> None:
    await rig.told("set a timer for ten minutes")
    await rig.told("set a timer for ten minutes", OFFICE)
    assert await rig.told("cancel all office timers") == "Canceled 1 timer in office."
    assert await rig.told("cancel all timers") == "Canceled 1 timer."
    assert await rig.told("cancel all timers") == "No timers were canceled."
    assert [event.type for event in rig.bell.events].count("timer-cancelled") == 2


@pytest.mark.parametrize(("text", "seconds"), [
    ("set a timer for an hour and a half", 5400), ("set a timer for half an hour", 1800),
    ("set a timer for an hour", 3600), ("set a timer for 1 hour and 10 minutes", 4200), ("timer for 90 seconds", 90),
    ("set a ten minute pizza timer", 600), ("set a timer called pasta for eight minutes", 480),
])  # fmt: skip
async def test_lengths_of_time(rig: Rig, text: str, seconds: int) -> None:
    await rig.told(text)
    assert rig.bell.events[0].data["total_seconds"] == seconds


async def test_a_timer_that_nobody_would_hear_is_refused(rig: Rig) -> None:
    rig.bell.there = False
    response = await rig.say("set a timer for ten minutes")
    assert (response.kind, "not supported" in response.text) == (ResponseKind.FAILED, True)
    assert (await rig.say("wake me at seven")).kind is ResponseKind.FAILED


async def test_a_typed_timer_rings_too(rig: Rig) -> None:
    await rig.told("set a timer for 1 minute", Context())
    assert await rig.pass_s(60) == ["The timer for 1 minute is done"]


async def test_more_than_fit_are_refused_and_told(rig: Rig) -> None:
    for _ in range(100):
        await rig.told("set a timer for ten minutes", KITCHEN)
    response = await rig.say("set a timer for ten minutes")
    assert response.kind is ResponseKind.FAILED
    assert response.text.startswith("100 timers")
