"""Alarms, said at 15:00 on a Wednesday."""

from __future__ import annotations

from pathlib import Path

import pytest

from hearth_core.command import ResponseKind
from hearth_server.understanding import Understanding
from tests.schedule_fakes import KITCHEN, OFFICE, Rig, rigged

SET = [
    ("wake me at seven", "Alarm set for 7 pm"),  # the next seven
    ("wake me at seven am", "Alarm set for 7 am tomorrow"),
    ("wake me up tomorrow at seven", "Alarm set for 7 am tomorrow"),
    ("set an alarm for half past six tomorrow morning", "Alarm set for 6:30 am tomorrow"),
    ("set an alarm for seven thirty in the morning", "Alarm set for 7:30 am tomorrow"),
    ("set a 7 am alarm", "Alarm set for 7 am tomorrow"),
    ("set an alarm for noon on friday", "Alarm set for noon on Friday"),
    ("wake me in twenty minutes", "Alarm set for 3:20 pm"),
    ("wake me every weekday at six", "Alarm set on weekdays, next at 6 am tomorrow"),
    ("wake me every day at seven", "Alarm set every day, next at 7 am tomorrow"),
    ("set an alarm for 3 december at eight", "Alarm set for 8 am on December 3"),
]


@pytest.mark.parametrize(("text", "told"), SET)
async def test_an_alarm_is_set(rig: Rig, text: str, told: str) -> None:
    response = await rig.say(text)
    assert (response.text, response.kind) == (told, ResponseKind.DONE)


@pytest.mark.parametrize("text", ["set an alarm", "wake me in the morning", "wake me at 25 o'clock",
                                  "set an alarm for dinner", "wake me today at 7 am"])  # fmt: skip
async def test_a_time_that_is_missing_or_unclear_is_asked(rig: Rig, text: str) -> None:
    response = await rig.say(text)
    assert (response.text, response.kind) == ("For when?", ResponseKind.QUESTION)
    assert await rig.told("what alarms are set") == "No alarm is set"


async def test_an_alarm_rings_at_its_time(rig: Rig) -> None:
    await rig.told("wake me at four pm")
    assert await rig.pass_s(3599) == []
    assert await rig.pass_s(1) == ["Your alarm. It is 4 pm"]
    assert await rig.told("I'm awake") == "Stopped"
    assert await rig.pass_s(86_400) == []


async def test_an_alarm_is_snoozed(rig: Rig) -> None:
    assert (await rig.say("snooze")).text == "Nothing is ringing"
    await rig.told("wake me at four pm")
    await rig.pass_s(3600)
    assert await rig.told("snooze") == "I will wake you again in 9 minutes"
    assert await rig.pass_s(539) == []
    assert await rig.pass_s(1) == ["Your alarm. It is 4:09 pm"]
    assert await rig.told("five more minutes") == "I will wake you again in 5 minutes"
    assert len(await rig.pass_s(300)) == 1


async def test_an_alarm_of_every_day_rings_every_day(rig: Rig) -> None:
    await rig.told("wake me every day at four pm")
    heard = []
    for _ in range(3):
        heard += (await rig.pass_s(3600))[:1]
        await rig.told("stop the alarm")
        await rig.pass_s(23 * 3600)
    assert heard == ["Your alarm. It is 4 pm"] * 3
    assert "every day" in await rig.told("what alarms are set")


async def test_alarms_are_listed(rig: Rig) -> None:
    await rig.told("wake me at seven am")
    assert await rig.told("when is my next alarm") == "There is an alarm at 7 am tomorrow"
    await rig.told("wake me at eight am")
    assert await rig.told("what alarms are set") == "There are 2 alarms: at 7 am tomorrow and at 8 am tomorrow"
    for hour in ("nine", "ten", "eleven"):
        await rig.told(f"wake me at {hour} am")
    assert (await rig.told("what alarms are set")).endswith("and 2 more")


async def test_an_alarm_is_cancelled_by_its_time_and_never_by_guess(rig: Rig) -> None:
    assert (await rig.say("cancel my alarm")).text == "No alarm is set"
    await rig.told("wake me at seven am")
    await rig.told("wake me at eight am")
    response = await rig.say("cancel my alarm")
    assert response.kind is ResponseKind.QUESTION
    assert response.text == "Which one? There are alarms at 7 am tomorrow and at 8 am tomorrow"
    assert (await rig.say("cancel the nine o'clock alarm")).kind is ResponseKind.FAILED
    assert await rig.told("cancel the seven o'clock alarm") == "Alarm at 7 am tomorrow cancelled"
    assert await rig.told("cancel my alarm") == "Alarm at 8 am tomorrow cancelled"


async def test_all_alarms_are_cancelled(rig: Rig) -> None:
    await rig.told("wake me at seven am")
    await rig.told("wake me at eight am", OFFICE)
    assert await rig.told("cancel all alarms") == "2 alarms cancelled"
    assert await rig.told("what alarms are set", KITCHEN) == "No alarm is set"


async def test_an_alarm_at_sunrise_needs_to_know_where_the_house_is(
    demo_understanding: Understanding, tmp_path: Path, rig: Rig
) -> None:
    response = await rig.say("wake me at sunrise")
    assert (response.kind, "sun rises" in response.text) == (ResponseKind.FAILED, True)
    async with rigged(demo_understanding, tmp_path / "berlin.db", latitude=52.5, longitude=13.4) as berlin:
        assert await berlin.told("wake me at sunrise") == "Alarm set for 7:35 am tomorrow"  # by the almanac


async def test_clocks_that_change_do_not_move_an_alarm(demo_understanding: Understanding, tmp_path: Path) -> None:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from tests.schedule_fakes import FakeClock

    # Clocks go back at 3:00 in the night after.
    clock = FakeClock(datetime(2026, 10, 24, 22, 0, tzinfo=ZoneInfo("Europe/Berlin")))
    async with rigged(demo_understanding, tmp_path / "autumn.db", clock) as rig:
        await rig.told("wake me every day at seven am")
        assert await rig.pass_s(10 * 3600 - 1) == []
        assert await rig.pass_s(1) == ["Your alarm. It is 7 am"]
        await rig.told("stop the alarm")
        assert await rig.pass_s(24 * 3600) == ["Your alarm. It is 7 am"]
