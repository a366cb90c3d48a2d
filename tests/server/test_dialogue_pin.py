"""The PIN: what it opens, and that nobody reads it, in the demo home."""

from __future__ import annotations

import json
import logging

import pytest
from pydantic import SecretStr

from hearth_core.command import Context, ResponseKind
from hearth_server.conversation import QuestionKind
from hearth_server.dialogue import TalkSettings
from hearth_server.handler import answer_facts
from hearth_server.mqtt.announcement import announcements
from hearth_server.mqtt.own_topics import OwnTopics
from hearth_server.pin import PinGate
from hearth_server.pipeline import Answer, Progress
from hearth_server.policy import BUILTIN, Decision, Rule
from tests.server.conftest import PipelineFactory, chunks

from .talking import KITCHEN, SPEECH, Clock, say, state, talking

PIN = "24681357"  # so long that no measured time has these digits by chance
SPOKEN_PIN = "two four six eight one three five seven"
PIN_ON_LOCKS = (Rule("front", Decision.PIN, services=frozenset({"lock.unlock"})), *BUILTIN)


def with_pin(clock: Clock | None = None) -> TalkSettings:
    gate = PinGate(SecretStr(PIN), 3, 300.0, clock or Clock())
    return TalkSettings(PIN_ON_LOCKS, gate)


async def test_the_pin_unlocks_and_is_nowhere_to_be_read(
    running: PipelineFactory, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    seen: list[Progress] = []
    heard: list[str] = []
    async with talking(running, with_pin()) as (pipeline, _):
        pipeline.observers.append(seen.append)
        asked = await say(pipeline, "unlock the back door")
        assert asked.question is QuestionKind.PIN
        assert (await say(pipeline, "yes")).question is QuestionKind.PIN, "a yes is no PIN"
        pipeline.engine._texts = [SPOKEN_PIN]  # type: ignore[attr-defined]
        answer = await pipeline.answer(chunks(*SPEECH), KITCHEN, lambda t: heard.append(t.text))
        assert state(pipeline, "lock.back_door") == "unlocked"
    assert answer.transcription.text == "…"
    topics = OwnTopics("hearth/x")
    read = [
        caplog.text,
        repr(seen),
        repr(heard),
        repr(answer),
        json.dumps(answer_facts(answer)),
        *(m.payload for each in seen if isinstance(each, Answer) for m in announcements(each, topics, hermes=True)),
    ]
    for text in read:
        assert PIN not in text
        assert SPOKEN_PIN not in text
        assert "six eight" not in text


async def test_three_wrong_pins_lock_it_for_a_while_for_everybody(
    running: PipelineFactory, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    clock = Clock()
    async with talking(running, with_pin(clock)) as (pipeline, _):
        await say(pipeline, "unlock the back door")
        for wrong in ("1 2 3 4", "twelve thirty-four"):
            again = await say(pipeline, wrong)
            assert again.response.kind is ResponseKind.QUESTION
            assert again.question is QuestionKind.PIN
        locked = await say(pipeline, "9 9 9 9")
        assert locked.response.kind is ResponseKind.FAILED
        assert "5 minutes" in locked.response.text
        office = Context(conversation="satellite:office")
        refused = await say(pipeline, "unlock the back door", context=office)
        assert "wrong PIN" in refused.response.text
        await say(pipeline, SPOKEN_PIN)
        assert state(pipeline, "lock.back_door") == "locked"
        clock.now += 301
        await say(pipeline, "unlock the back door", SPOKEN_PIN)
        assert state(pipeline, "lock.back_door") == "unlocked"
    for text in ("1 2 3 4", "twelve", "9 9 9 9", SPOKEN_PIN):
        assert text not in caplog.text


@pytest.mark.parametrize("late", [SPOKEN_PIN, "two four six ate", "unlock the back door two four six eight"])
async def test_a_pin_said_late_badly_or_unasked_is_not_logged(
    running: PipelineFactory, caplog: pytest.LogCaptureFixture, late: str
) -> None:
    caplog.set_level(logging.DEBUG)
    async with talking(running, with_pin()) as (pipeline, clock):
        if "unlock" not in late:
            await say(pipeline, "unlock the back door")
            clock.now += 45
        answer = await say(pipeline, late)
    assert "two four six" not in caplog.text + repr(answer)


async def test_a_pin_given_for_one_door_opens_no_other(running: PipelineFactory) -> None:
    async with talking(running, with_pin()) as (pipeline, _):
        await say(pipeline, "lock the front door", "unlock the back door", SPOKEN_PIN)
        assert (state(pipeline, "lock.front_door"), state(pipeline, "lock.back_door")) == ("locked", "unlocked")
