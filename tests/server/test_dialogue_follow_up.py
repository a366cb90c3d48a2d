"""What refers to what was said before: follow-ups, corrections and undoing, in the demo home."""

from __future__ import annotations

import pytest

from hearth_core.command import Clause, Context, IntentMatch, Response, ResponseKind, Slot
from hearth_server.conversation import QuestionKind
from hearth_server.dialogue import TalkSettings
from hearth_server.policy import BUILTIN, Decision, Rule
from tests.server.conftest import PipelineFactory

from .talking import say, script, state, talking


@pytest.mark.parametrize(
    ("first", "then", "entity_id", "becomes"),
    [
        ("turn on the kettle", "and the porch light too", "light.porch_light", "on"),
        ("turn on the kitchen lights", "and the bedroom too", "light.bed_light", "on"),
        ("turn on the kettle", "turn it off", "switch.kettle", "off"),
        ("turn on the bed light", "the other one", "light.wardrobe_light", "on"),
        ("open the velvet curtain", "close it", "cover.curtains", "closed"),
        ("is the bed light on", "turn it on", "light.bed_light", "on"),
        ("turn on the kitchen lights", "turn them off", "light.counter_light", "off"),
    ],
)
async def test_a_follow_up_means_what_was_spoken_of(
    running: PipelineFactory, first: str, then: str, entity_id: str, becomes: str
) -> None:
    async with talking(running) as (pipeline, _):
        answer = await say(pipeline, first, then)
        assert answer.response.kind is ResponseKind.DONE, answer.response
        assert state(pipeline, entity_id) == becomes


async def test_brighter_means_the_lamp_that_was_spoken_of(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        await say(pipeline, "turn on the floor lamp", "a bit brighter")
        level = pipeline.house.home.entities["light.floor_lamp"].state.attributes["brightness"]
        assert round(level / 2.55) == 70  # it was at 50 per cent


async def test_a_correction_undoes_the_one_and_does_the_other(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        answer = await say(pipeline, "turn on the bed light", "no, the wardrobe one")
        assert (state(pipeline, "light.bed_light"), state(pipeline, "light.wardrobe_light")) == ("off", "on")
        assert answer.response.kind is ResponseKind.DONE
        assert answer.matches[0].value("name") == "light.wardrobe_light"


@pytest.mark.parametrize(
    ("command", "entity_id"),
    [
        ("turn off the floor lamp", "light.floor_lamp"),
        ("set the floor lamp to 10 percent", "light.floor_lamp"),
        ("close the bay window", "cover.kitchen_window"),
        ("set the bedroom shutter to 20 percent", "cover.shutter"),
        ("turn on the kitchen lights", "light.counter_light"),
        ("unlock the back door", "lock.back_door"),
    ],
)
async def test_undo_brings_back_the_states_from_before(running: PipelineFactory, command: str, entity_id: str) -> None:
    async with talking(running) as (pipeline, _):
        before = pipeline.house.home.entities[entity_id].state
        await say(pipeline, command)
        if "unlock" in command:
            await say(pipeline, "yes")
        assert pipeline.house.home.entities[entity_id].state != before
        answer = await say(pipeline, "undo that")
        assert answer.response == Response("I put it back", ResponseKind.DONE)
        after = pipeline.house.home.entities[entity_id].state
        assert after.value == before.value
        for key in ("current_position", "brightness"):
            if before.value != "off":
                assert after.attributes.get(key) == pytest.approx(before.attributes.get(key), abs=2)
        assert (await say(pipeline, "undo that")).response.kind is not ResponseKind.DONE, "once"


async def test_what_cannot_be_undone_is_told(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        answer = await say(pipeline, "run party time", "undo that")
        assert answer.response.kind is ResponseKind.FAILED


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("lock the front door", "unlock it"),
        ("lock the front door", "undo that"),
        ("is the back door locked", "unlock it"),
        ("is the garage door open", "open it"),
    ],
)
async def test_a_pronoun_alone_never_unlocks_or_opens_what_is_guarded(
    running: PipelineFactory, first: str, then: str
) -> None:
    everything = TalkSettings((Rule("trusting", Decision.ALLOW, domains=frozenset({"lock", "cover"})), *BUILTIN))
    for talk in (None, everything):
        async with talking(running, talk) as (pipeline, _):
            answer = await say(pipeline, first, then)
            assert answer.response.kind is ResponseKind.FAILED
            assert "name" in answer.response.text
            await say(pipeline, "yes")
            for entity_id, shut in (("lock.back_door", "locked"), ("cover.garage_door", "closed")):
                assert state(pipeline, entity_id) == shut
            if "front" in first:
                assert state(pipeline, "lock.front_door") == "locked"


async def test_a_follow_up_with_a_name_is_guarded_like_any_command(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        answer = await say(pipeline, "unlock the front door", "yes", "and the back door too")
        assert answer.question is QuestionKind.CONFIRM
        assert state(pipeline, "lock.back_door") == "locked"


async def test_what_was_said_is_forgotten_after_a_while(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, clock):
        await say(pipeline, "turn on the kettle")
        clock.now += 61
        assert (await say(pipeline, "turn it off")).response.kind is ResponseKind.NOT_UNDERSTOOD
        assert state(pipeline, "switch.kettle") == "on"


async def test_a_follow_up_goes_before_a_sentence_that_had_to_be_forgiven(running: PipelineFactory) -> None:
    forgiven = IntentMatch("HassTurnOff", {"name": Slot("light.porch_light", "")}, "turn it off", score=0.8)
    async with talking(running) as (pipeline, _):
        script(pipeline, turn_it_off=[Clause("turn it off", (forgiven,))])
        await say(pipeline, "turn on the porch light", "turn on the kettle", "turn it off")
        assert (state(pipeline, "switch.kettle"), state(pipeline, "light.porch_light")) == ("off", "on")


async def test_conversations_are_kept_apart(running: PipelineFactory) -> None:
    async with talking(running) as (pipeline, _):
        await say(pipeline, "turn on the kettle")
        await say(pipeline, "turn it off", context=Context(conversation="satellite:office"))
        assert state(pipeline, "switch.kettle") == "on"
