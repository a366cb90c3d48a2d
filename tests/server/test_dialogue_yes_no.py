"""What is asked about before it is done, and what counts as a yes, in the demo home."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime

import pytest

from hearth_core.command import Context, EndReason, Hypothesis, Response, ResponseKind, Stopwatch, Transcription
from hearth_server.conversation import QuestionKind
from hearth_server.dialogue import TalkSettings
from hearth_server.policy import BUILTIN, Decision, Rule
from tests.fakes import silence, tone
from tests.server.conftest import PipelineFactory, chunks

from .talking import KITCHEN, SPEECH, say, state, talking


async def test_a_door_is_unlocked_after_yes_and_only_then(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        asked = await say(pipeline, "unlock the back door")
        assert asked.response == Response("Unlock the Back Door?", ResponseKind.QUESTION)
        assert asked.question is QuestionKind.CONFIRM
        assert [str(r.decision) for r in asked.rulings] == ["confirm"]
        assert state(pipeline, "lock.back_door") == "locked"
        answer = await say(pipeline, "yes please")
        assert state(pipeline, "lock.back_door") == "unlocked"
        assert answer.response.kind is ResponseKind.DONE
        await say(pipeline, "lock the back door", "yes")
        assert state(pipeline, "lock.back_door") == "locked", "a yes answers once"


@pytest.mark.parametrize("reply", ["no", "never mind", "cancel that"])
async def test_no_means_no(running: PipelineFactory, reply: str) -> None:
    async with talking(running) as (pipeline, _):
        await say(pipeline, "unlock the back door", reply, "yes")
        assert state(pipeline, "lock.back_door") == "locked"


async def test_a_yes_after_the_time_limit_does_nothing(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, clock):
        await say(pipeline, "unlock the back door")
        clock.now += 31
        answer = await say(pipeline, "yes")
        assert answer.response.kind is ResponseKind.NOT_UNDERSTOOD
        assert state(pipeline, "lock.back_door") == "locked"


async def test_a_yes_in_another_room_does_nothing(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        await say(pipeline, "unlock the back door")
        await say(pipeline, "yes", context=Context(conversation="satellite:office"))
        assert state(pipeline, "lock.back_door") == "locked"


async def test_silence_ends_the_question(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        await say(pipeline, "unlock the back door")
        await pipeline.answer(chunks(silence(7)), KITCHEN)
        await say(pipeline, "yes")
        assert state(pipeline, "lock.back_door") == "locked"


async def test_endless_speech_ends_the_question(running: PipelineFactory) -> None:
    async with talking(running, max_s=3.0) as (pipeline, _):
        await say(pipeline, "unlock the back door")
        await pipeline.answer(chunks(tone(10)), KITCHEN)
        await say(pipeline, "yes")
        assert state(pipeline, "lock.back_door") == "locked"


async def test_what_is_no_answer_is_asked_again_once(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        again = await say(pipeline, "unlock the back door", "well the weather in spain")
        assert again.response.kind is ResponseKind.QUESTION
        assert "yes or no" in again.response.text
        dropped = await say(pipeline, "well the weather in spain")
        assert dropped.response.kind is ResponseKind.NOT_UNDERSTOOD
        await say(pipeline, "yes")
        assert state(pipeline, "lock.back_door") == "locked"


async def test_a_yes_that_the_recogniser_is_not_sure_of_is_asked_again(running: PipelineFactory) -> None:
    async with talking(running, confidence=0.3) as (pipeline, _):
        await say(pipeline, "unlock the back door")
        pipeline.engine._texts = ["yes"]  # type: ignore[attr-defined]
        answer = await pipeline.answer(chunks(*SPEECH), KITCHEN)
        assert answer.response.kind is ResponseKind.QUESTION
        assert state(pipeline, "lock.back_door") == "locked"


@pytest.mark.parametrize(
    ("readings", "unlocked"),
    [
        ([("okay", 0.4), ("ok", 0.4), ("no", 0.1)], "unlocked"),
        ([("okay", 0.3), ("no", 0.29), ("turn on the kettle", 0.28)], "locked"),
        ([("okay", 0.4), ("ok", None)], "locked"),
    ],
)
async def test_readings_that_all_say_yes_are_one_answer(
    running: PipelineFactory, readings: list[tuple[str, float | None]], unlocked: str
) -> None:
    async with talking(running) as (pipeline, _):
        await say(pipeline, "unlock the back door")
        heard = Transcription(tuple(Hypothesis(*each) for each in readings), "fake", EndReason.SILENCE)
        await pipeline.answer_heard(heard, KITCHEN, Stopwatch())
        assert state(pipeline, "lock.back_door") == unlocked


async def test_a_reading_far_behind_a_follow_up_of_nothing_is_not_done(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        readings = (Hypothesis("turn it off", 0.9), Hypothesis("turn on the kettle", 0.001))
        heard = Transcription(readings, "fake", EndReason.SILENCE)
        answer = await pipeline.answer_heard(heard, KITCHEN, Stopwatch())
        assert answer.response.kind is ResponseKind.NOT_UNDERSTOOD
        assert state(pipeline, "switch.kettle") == "off"


async def test_a_new_command_drops_the_question(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        await say(pipeline, "unlock the back door", "turn on the kettle", "yes")
        assert (state(pipeline, "switch.kettle"), state(pipeline, "lock.back_door")) == ("on", "locked")


async def test_where_no_answer_can_be_heard_nothing_is_asked(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        answer = await say(pipeline, "unlock the back door", context=Context())
        assert answer.response.kind is ResponseKind.FAILED
        assert state(pipeline, "lock.back_door") == "locked"


async def test_two_answers_at_once_unlock_once(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        await say(pipeline, "unlock the back door")
        answers = await asyncio.gather(*(say(pipeline, "yes") for _ in range(2)))
        assert sum(bool(answer.outcomes) for answer in answers) == 1


async def test_a_rule_of_ones_own_goes_before_the_built_in_ones(running: PipelineFactory) -> None:
    night = datetime(2026, 11, 21, 23, 30).astimezone()
    allow = Rule("hall", Decision.ALLOW, entities=frozenset({"lock.back_door"}), rooms=("Kitchen",))
    deny = Rule("no coffee", Decision.DENY, entities=frozenset({"script.coffee_machine"}))
    async with talking(running, TalkSettings((allow, deny, *BUILTIN))) as (pipeline, _):
        answer = await say(pipeline, "unlock the back door", context=replace(KITCHEN, now=night))
        assert state(pipeline, "lock.back_door") == "unlocked"
        assert answer.rulings[0].rule == "hall"
        denied = await say(pipeline, "i want a latte please")  # an author's action
        assert denied.response.kind is ResponseKind.FAILED
        assert not denied.outcomes
        assert denied.rulings[0].decision is Decision.DENY
