"""Which one is meant, and when, asked where it is not clear, in the demo home."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from hearth_core.command import Clause, Context, Hypothesis, IntentMatch, Response, ResponseKind, Transcription, When
from hearth_server.conversation import QuestionKind
from hearth_server.pipeline import Pipeline
from tests.server.conftest import PipelineFactory

from .talking import KITCHEN, say, script, state, talking


@pytest.mark.parametrize(("reply", "entity_ids"), [
    ("the one in the kitchen", ["media_player.kitchen_tv"]),
    ("the first one", ["media_player.office_tv"]),
    ("both", ["media_player.office_tv", "media_player.kitchen_tv"]),
])  # fmt: skip
async def test_of_two_things_of_one_name_it_is_asked_which(
    running: PipelineFactory, reply: str, entity_ids: list[str]
) -> None:
    async with talking(running) as (pipeline, _):
        asked = await say(pipeline, "turn on the tv", context=replace(KITCHEN, area_id=None))
        assert asked.question is QuestionKind.WHICH
        assert asked.response.text == "Do you mean the TV in the Office or the TV in the Kitchen?"
        answer = await say(pipeline, reply, context=replace(KITCHEN, area_id=None))
        assert [outcome.entity_id for outcome in answer.outcomes] == entity_ids


async def test_between_rivals_it_is_asked_and_a_name_decides(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        real = pipeline.understanding.matcher
        first, second = (real.match(f"turn on the {name}", KITCHEN) for name in ("bed light", "wardrobe light"))
        script(pipeline, unclear=[Clause("unclear", first, rivals=second)])
        asked = await say(pipeline, "unclear")
        assert asked.response.text == "Do you mean the Bed Light or the Wardrobe Light?"
        await say(pipeline, "the wardrobe one")
        assert (state(pipeline, "light.bed_light"), state(pipeline, "light.wardrobe_light")) == ("off", "on")


async def test_between_close_readings_of_the_recogniser_it_is_asked(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        readings = (Hypothesis("turn on the bed light", 0.5), Hypothesis("turn on the wardrobe light", 0.4))
        (clause,) = pipeline.understanding.matcher.understand(Transcription(readings, "micro"), KITCHEN).clauses
        script(pipeline, unclear=[clause])
        asked = await say(pipeline, "unclear")
        assert asked.response.text == "Do you mean the Bed Light or the Wardrobe Light?"
        assert not asked.outcomes
        await say(pipeline, "the wardrobe one")
        assert (state(pipeline, "light.bed_light"), state(pipeline, "light.wardrobe_light")) == ("off", "on")


async def test_a_door_that_was_chosen_is_still_guarded(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        await say(pipeline, "lock the front door")
        real = pipeline.understanding.matcher
        first, second = (real.match(f"unlock the {name}", KITCHEN) for name in ("front door", "back door"))
        script(pipeline, unclear=[Clause("unclear", first, rivals=second)])
        answer = await say(pipeline, "unclear", "the front one")
        assert answer.question is QuestionKind.CONFIRM
        assert state(pipeline, "lock.front_door") == "locked"


def delayed(pipeline: Pipeline, text: str, when: When) -> Clause:
    command = text.removesuffix(when.text).strip()
    return Clause(text, pipeline.understanding.matcher.match(command, KITCHEN), when=when)


class FakeSchedule:
    """A schedule that keeps what it is given; a time before `now` has passed."""

    def __init__(self, now: datetime) -> None:
        self.kept: list[When | None] = []
        self._now = now

    async def handle(self, match: IntentMatch, context: Context) -> Response | None:
        return Response("Timer set", ResponseKind.DONE) if match.intent == "HassStartTimer" else None

    async def later(self, clause: Clause, context: Context) -> Response:
        assert clause.when is not None
        if clause.when.at is not None and clause.when.at < self._now:
            return Response("That was in the past. When?", ResponseKind.QUESTION)
        self.kept.append(clause.when)
        return Response("At nine, then", ResponseKind.DONE)


EIGHT, NINE = (datetime(2026, 11, 21, hour).astimezone() for hour in (20, 21))


def put_off(pipeline: Pipeline) -> FakeSchedule:
    """Let the pipeline have a schedule, and a matcher that reads three times."""
    schedule = FakeSchedule(datetime(2026, 11, 21, 20, 30).astimezone())
    pipeline.schedule = schedule
    script(
        pipeline,
        turn_on_the_kettle_at_ninish=[delayed(pipeline, "turn on the kettle at ninish", When("at ninish"))],
        turn_on_the_kettle_at_eight=[delayed(pipeline, "turn on the kettle at eight", When("at eight", EIGHT))],
        turn_on_the_kettle_at_nine=[delayed(pipeline, "turn on the kettle at nine", When("at nine", NINE))],
        unlock_the_back_door_at_nine=[delayed(pipeline, "unlock the back door at nine", When("at nine", NINE))],
    )
    return schedule


@pytest.mark.parametrize("first", ["turn on the kettle at ninish", "turn on the kettle at eight"])
async def test_a_time_that_cannot_be_read_or_has_passed_is_asked_for_never_dropped(
    running: PipelineFactory, first: str
) -> None:
    async with talking(running) as (pipeline, _):
        schedule = put_off(pipeline)
        asked = await say(pipeline, first)
        assert asked.question is QuestionKind.WHEN
        assert asked.response.text.endswith("When?")
        assert (await say(pipeline, "soonish")).question is QuestionKind.WHEN
        answer = await say(pipeline, "nine")
        assert schedule.kept == [When("at nine", NINE)]
        assert answer.response.text == "At nine, then"
        assert state(pipeline, "switch.kettle") == "off"


async def test_when_may_be_now(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        put_off(pipeline)
        await say(pipeline, "turn on the kettle at ninish", "right now")
        assert state(pipeline, "switch.kettle") == "on"


async def test_without_a_schedule_a_later_command_is_refused_not_done_now(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        put_off(pipeline)
        pipeline.schedule = None
        answer = await say(pipeline, "turn on the kettle at nine")
        assert answer.response.kind is ResponseKind.FAILED
        assert state(pipeline, "switch.kettle") == "off"


async def test_what_has_to_be_asked_about_cannot_be_put_off(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        schedule = put_off(pipeline)
        answer = await say(pipeline, "unlock the back door at nine", "yes")
        assert answer.response.kind is not ResponseKind.DONE
        assert not schedule.kept
        assert state(pipeline, "lock.back_door") == "locked"


async def test_a_timer_beside_a_command_is_set(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        put_off(pipeline)
        script(pipeline, both=["turn on the kettle", "set a timer for five minutes"])
        answer = await say(pipeline, "both")
        assert "Timer set" in answer.response.text
        assert state(pipeline, "switch.kettle") == "on"
