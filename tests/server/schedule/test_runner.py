"""What happens when the time has come, or had come while nobody was there."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from hearth_core.command import Context, Response, ResponseKind
from hearth_server.understanding import Understanding
from tests.schedule_fakes import KITCHEN, NOW, FakeBell, FakeClock, Rig, rigged

CONTEXT = replace(KITCHEN, now=NOW)


async def after_a_restart(understanding: Understanding, file: Path, said: str, away_s: float) -> tuple[list[str], int]:
    """Say something, stop the server for so long, start it again; return what is told, and how much is done."""
    clock = FakeClock()
    async with rigged(understanding, file, clock) as before:
        await before.say(said, CONTEXT)
    clock.advance(away_s)
    async with rigged(understanding, file, clock) as rig:
        return await rig.tick(), len(rig.done)


MISSED = [
    ("set a pizza timer for ten minutes", 605, ["The pizza timer is done"], 0),
    ("set a pizza timer for ten minutes", 600 + 1500, ["The pizza timer was done 25 minutes ago"], 0),
    ("set a pizza timer for ten minutes", 600 + 3601, ["I was away when the pizza timer was done"], 0),
    ("wake me at four pm", 3600 + 1800, ["Your alarm was due 30 minutes ago"], 0),
    ("wake me at four pm", 3600 + 7200, ["I was away when your alarm was due at 4 pm"], 0),
    ("lock the front door in ten minutes", 600 + 299, [], 1),
    ("lock the front door in ten minutes", 600 + 301,
     ["I was away at 3:10 pm, so I did not do this: lock the front door"], 0),
    ("lock the front door every day at four pm", 86_400 * 5,
     ["I was away at 4 pm on Wednesday, so I did not do this: lock the front door"], 0),
    ("set a timer for ten minutes", 599, [], 0),
]  # fmt: skip


@pytest.mark.parametrize(("said", "away_s", "told", "done"), MISSED)
async def test_what_was_missed_follows_its_rule(
    demo_understanding: Understanding, tmp_path: Path, said: str, away_s: float, told: list[str], done: int
) -> None:
    assert await after_a_restart(demo_understanding, tmp_path / "s.db", said, away_s) == (told, done)


async def test_what_comes_again_goes_on_after_it_was_missed(demo_understanding: Understanding, tmp_path: Path) -> None:
    clock = FakeClock()
    async with rigged(demo_understanding, tmp_path / "s.db", clock) as before:
        await before.say("wake me every day at four pm", CONTEXT)
    clock.advance(86_400 * 5)
    async with rigged(demo_understanding, tmp_path / "s.db", clock) as rig:
        assert len(await rig.tick()) == 1
        assert await rig.pass_s(3600) == ["Your alarm. It is 4 pm"]


async def test_a_command_cut_off_in_the_middle_is_told_and_not_done_again(
    demo_understanding: Understanding, tmp_path: Path
) -> None:
    clock = FakeClock()
    never = asyncio.Event()
    async with rigged(demo_understanding, tmp_path / "s.db", clock) as before:

        async def hang(text: str, context: Context) -> Response:
            await never.wait()
            return Response("", ResponseKind.DONE)

        before.schedule.runner._do = hang
        await before.say("lock the front door in ten minutes", CONTEXT)
        clock.advance(600)
        await before.schedule.runner.tick()
        await before.schedule.runner.tick()  # it is not begun a second time either
        for task in before.schedule.runner._tasks:
            task.cancel()
        await asyncio.gather(*before.schedule.runner._tasks, return_exceptions=True)
    async with rigged(demo_understanding, tmp_path / "s.db", clock) as rig:
        assert await rig.tick() == ["I was cut off while I did this, look whether it is done: lock the front door"]
        assert not rig.done
        assert await rig.pass_s(3600) == []


async def test_a_satellite_that_is_away_hears_it_when_it_is_back(rig: Rig) -> None:
    await rig.told("set a timer for 1 minute")
    rig.bell.away = True
    for _ in range(20):
        assert await rig.pass_s(60) == []
    rig.bell.away = False
    assert await rig.pass_s(60) == ["The timer for 1 minute was done 20 minutes ago"]
    assert [event.type for event in rig.bell.events] == ["timer-started", "timer-finished"]


async def test_a_satellite_that_stays_away_does_not_keep_it_ringing(rig: Rig) -> None:
    await rig.told("set a timer for 1 minute")
    rig.bell.away = True
    for _ in range(80):
        await rig.pass_s(60)
    rig.bell.away = False
    assert await rig.pass_s(60) == []


async def test_timers_do_not_mind_a_clock_that_is_set_and_alarms_go_by_it(rig: Rig) -> None:
    await rig.told("set a timer for ten minutes")
    await rig.told("wake me at four pm")
    await rig.say("lock the front door in twenty minutes", CONTEXT)
    rig.clock.advance(60)
    rig.clock.set_wall(1800)
    assert await rig.tick() == []
    assert await rig.told("how much time is left") == "9 minutes left."
    assert await rig.pass_s(540) == ["The timer for 10 minutes is done"]
    await rig.told("stop the timer")
    await rig.pass_s(600)
    assert len(rig.done) == 1
    rig.clock.set_wall(-600)
    assert await rig.told("what alarms are set") == "There is an alarm at 4 pm"
    assert await rig.pass_s(3600 - 1200 - 1800 + 600) == ["Your alarm. It is 4 pm"]


async def test_what_was_kept_before_a_start_stays_at_its_time_of_day(
    demo_understanding: Understanding, tmp_path: Path
) -> None:
    clock = FakeClock()
    async with rigged(demo_understanding, tmp_path / "s.db", clock) as before:
        await before.say("set a timer for ten minutes", CONTEXT)
    clock.advance(60)
    clock.set_wall(-86_400 * 30)  # a machine without a battery starts in the past
    async with rigged(demo_understanding, tmp_path / "s.db", clock) as rig:
        assert await rig.tick() == []
        clock.set_wall(86_400 * 30)  # and the time server sets it right
        assert await rig.told("how much time is left") == "9 minutes left."


async def test_one_item_that_fails_does_not_keep_the_others(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.answer = RuntimeError("a bug")
    await rig.say("lock the front door in ten minutes", CONTEXT)
    await rig.told("set a timer for ten minutes")
    heard = await rig.pass_s(600)
    assert "The timer for 10 minutes is done" in heard
    assert "the scheduled command failed" in caplog.text


async def test_the_runner_wakes_for_what_is_due_and_for_what_is_new(
    demo_understanding: Understanding, tmp_path: Path
) -> None:
    bell = FakeBell()
    async with rigged(demo_understanding, tmp_path / "s.db", bell=bell) as rig:
        running = asyncio.create_task(rig.schedule.runner.run())
        try:
            await rig.told("set a timer for ten minutes")
            rig.clock.advance(600)
            async with asyncio.timeout(10):
                while not bell.said:
                    await asyncio.sleep(0.01)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    assert bell.said == [("The timer for 10 minutes is done", "kitchen")]
