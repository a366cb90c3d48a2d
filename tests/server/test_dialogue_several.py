"""Several commands in one sentence, in the demo home."""

from __future__ import annotations

from hearth_core.command import ResponseKind
from tests.house_fakes import FaultyHome
from tests.server.conftest import PipelineFactory

from .talking import say, script, state, talking


async def test_every_command_of_a_sentence_is_done_in_order_and_told_once(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        script(pipeline, both=["turn on the kettle", "turn on the porch light"])
        answer = await say(pipeline, "both")
        assert state(pipeline, "switch.kettle") == state(pipeline, "light.porch_light") == "on"
        assert answer.response.kind is ResponseKind.DONE
        assert [plan.match.text for plan in answer.plans] == ["turn on the kettle", "turn on the porch light"]
        assert len(answer.outcomes) == 2


async def test_of_a_sentence_half_of_which_failed_both_halves_are_told(running: PipelineFactory) -> None:
    demo = FaultyHome({"cover.blinds": "refuses"})
    async with talking(running, demo=demo) as (pipeline, _):
        script(pipeline, both=["turn on the kettle", "open the roller blind"])
        answer = await say(pipeline, "both")
        assert answer.response.kind is ResponseKind.FAILED
        assert state(pipeline, "switch.kettle") == "on"
        told = answer.response.text
        assert "but the Roller Blind did not do it" in told
        assert told.index("but") > 3, "what was done stands first"


async def test_a_clause_that_is_not_understood_is_told_and_the_others_are_done(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        script(pipeline, both=["turn on the kettle", "flumox the garple"])
        answer = await say(pipeline, "both")
        assert state(pipeline, "switch.kettle") == "on"
        assert "flumox the garple" in answer.response.text
        assert answer.response.kind is ResponseKind.FAILED


async def test_nothing_is_done_if_what_was_not_understood_may_take_it_back(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        script(pipeline, both=["turn on the kettle", "but not if it is garpled"])
        before = pipeline.house.home
        answer = await say(pipeline, "both")
        assert pipeline.house.home == before
        assert answer.response.kind is ResponseKind.NOT_UNDERSTOOD


async def test_a_recital_of_commands_is_not_done_at_all(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        script(pipeline, many=["turn on the kettle"] * 9)
        before = pipeline.house.home
        assert not (await say(pipeline, "many")).outcomes
        assert pipeline.house.home == before


async def test_of_two_dangerous_commands_each_is_asked_about(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        script(pipeline, both=["unlock the back door", "open the garage door", "turn on the kettle"])
        first = await say(pipeline, "both")
        assert (state(pipeline, "switch.kettle"), state(pipeline, "lock.back_door")) == ("on", "locked")
        assert first.response.text.endswith("Unlock the Back Door?")
        second = await say(pipeline, "yes")
        assert state(pipeline, "lock.back_door") == "unlocked"
        assert second.response.text.endswith("Open the Garage Door?")
        await say(pipeline, "no")
        assert state(pipeline, "cover.garage_door") == "closed"
