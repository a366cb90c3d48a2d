"""Commands for later, said at 15:00 on a Wednesday in Berlin."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path

import pytest

from hearth_core.command import Clause, Response, ResponseKind, When
from hearth_core.errors import BusError
from hearth_core.home import Entity, Home, State
from hearth_server.understanding import Understanding
from tests.schedule_fakes import KITCHEN, NOW, OFFICE, Rig, rigged

CONTEXT = replace(KITCHEN, now=NOW)
SAID = [
    ("lock the front door in ten minutes", "I will do that in 10 minutes", 600),
    ("in ten minutes lock the front door", "I will do that in 10 minutes", 600),
    ("lock the front door in an hour and a half", "I will do that in 1 hour and 30 minutes", 5400),
    ("lock the front door at four", "I will do that at 4 pm", 3600),
    ("tomorrow lock the front door at three pm", "I will do that at 3 pm tomorrow", 86_400),
    ("lock the front door every day at four pm", "I will do that every day, next at 4 pm", 3600),
]


@pytest.mark.parametrize(("text", "told", "seconds"), SAID)
async def test_a_command_is_kept_told_and_done_at_its_time(rig: Rig, text: str, told: str, seconds: int) -> None:
    response = await rig.say(text, CONTEXT)
    assert (response.text, response.kind) == (told, ResponseKind.DONE)
    await rig.pass_s(seconds - 1)
    assert not rig.done
    assert await rig.pass_s(1) == []  # what is done needs no word
    ((command, context),) = rig.done
    assert command == "lock the front door"
    assert (context.satellite, context.area_id, context.language) == ("kitchen", "kitchen", "en")
    assert context.now.timestamp() == rig.clock.wall()


async def test_a_command_that_comes_again_is_done_again(rig: Rig) -> None:
    await rig.say("lock the front door every weekday at four pm", CONTEXT)
    for _ in range(7):
        await rig.pass_s(3600)
        await rig.pass_s(23 * 3600)
    assert len(rig.done) == 5  # Wednesday to Tuesday


async def test_words_without_a_meaning_are_not_kept(rig: Rig) -> None:
    response = await rig.say("sing a song in ten minutes", CONTEXT)
    assert response.kind is ResponseKind.NOT_UNDERSTOOD
    assert await rig.told("what is scheduled") == "Nothing is scheduled"


@pytest.mark.parametrize("text", ["lock the front door later", "lock the front door in the evening"])
async def test_an_unclear_time_is_asked_and_nothing_is_kept(rig: Rig, text: str) -> None:
    response = await rig.say(text, CONTEXT)
    assert (response.text, response.kind) == ("When should I do that?", ResponseKind.QUESTION)
    assert await rig.told("what is scheduled") == "Nothing is scheduled"


async def test_a_time_without_summer_time_is_read_anew_in_the_houses_zone(rig: Rig) -> None:
    fixed = replace(CONTEXT, now=NOW.astimezone(timezone(timedelta(hours=-5))))
    assert await rig.told("tomorrow lock the front door at seven am", fixed) == "I will do that at 7 am tomorrow"


async def test_a_moment_that_cannot_be_read_anew_is_taken_as_it_is(rig: Rig) -> None:
    matches = rig.understanding.matcher.match("lock the front door", CONTEXT)
    when = When("to a later moment", NOW + timedelta(minutes=7))
    assert (await rig.schedule.later(Clause("x", matches, when=when), CONTEXT)).text == "I will do that in 7 minutes"
    gone = When("to a moment that is gone", NOW - timedelta(minutes=7))
    response = await rig.schedule.later(Clause("x", matches, when=gone), CONTEXT)
    assert (response.kind, "has passed" in response.text) == (ResponseKind.QUESTION, True)


async def test_what_is_scheduled_is_listed_and_the_last_is_cancelled(rig: Rig) -> None:
    await rig.say("lock the front door in ten minutes", CONTEXT)
    await rig.say("unlock the front door at four", CONTEXT)
    listed = await rig.told("what is scheduled")
    assert listed == "Scheduled: lock the front door in 10 minutes and unlock the front door at 4 pm"
    assert await rig.told("cancel that") == "Cancelled: unlock the front door"
    assert await rig.told("cancel that", OFFICE) == "Cancelled: lock the front door"
    assert (await rig.say("cancel that")).kind is ResponseKind.FAILED


async def test_all_are_cancelled(rig: Rig) -> None:
    await rig.say("lock the front door in ten minutes", CONTEXT)
    await rig.say("lock the front door in 5 minutes", CONTEXT)
    assert await rig.told("cancel all scheduled commands") == "2 commands cancelled"
    await rig.pass_s(3600)
    assert not rig.done


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Response("It is open", ResponseKind.ANSWER), ["It is open"]),
        (Response("Unlock it? Say yes", ResponseKind.QUESTION), ["Lock the front door: Unlock it? Say yes"]),
        (Response("No answer", ResponseKind.FAILED), ["Lock the front door: No answer"]),
        (BusError("away"), ["Lock the front door: away"]),
        (RuntimeError("a bug"), ["Lock the front door: a bug"]),
    ],
)
async def test_what_is_not_simply_done_is_told(rig: Rig, answer: Response | Exception, told: list[str]) -> None:
    rig.answer = answer
    await rig.say("lock the front door in ten minutes", CONTEXT)
    assert await rig.pass_s(600) == told
    assert await rig.told("what is scheduled") == "Nothing is scheduled"


async def test_a_command_at_sunset_by_home_assistants_sun(rig: Rig) -> None:
    sun = Entity("sun.sun", "Sun", state=State("above_horizon", {"next_setting": "2026-11-18T15:30:00+00:00"}))
    rig.home = Home.of((), (), [sun])
    assert await rig.told("lock the front door at sunset", CONTEXT) == "I will do that at 4:30 pm"
    assert await rig.told("lock the front door 30 minutes before sunset", CONTEXT) == "I will do that at 4 pm"


async def test_a_command_at_sunset_every_day_goes_with_the_sun(
    demo_understanding: Understanding, tmp_path: Path
) -> None:
    async with rigged(demo_understanding, tmp_path / "s.db", latitude=52.5, longitude=13.4) as rig:
        assert "next at 4:08 pm" in await rig.told("lock the front door at sunset every day", CONTEXT)
        for _ in range(30):
            (item,) = await rig.schedule._book.items()
            assert item.due_at is not None
            await rig.pass_s(item.due_at - rig.clock.wall())
        assert "3:5" in await rig.told("what is scheduled")
        assert len(rig.done) == 30


async def test_without_a_place_the_sun_is_not_guessed(rig: Rig) -> None:
    response = await rig.say("lock the front door at sunset", CONTEXT)
    assert (response.kind, "I do not know when the sun" in response.text) == (ResponseKind.FAILED, True)
