"""One command from audio to answer, with a recogniser that hears what the test says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from hearth_core.command import Context, EndReason, OutcomeStatus, ResponseKind, Transcription
from hearth_core.errors import PeerError
from hearth_core.home import Home
from hearth_server.inbox import AudioInbox
from hearth_server.pipeline import Answer, Partial, Progress
from tests.fakes import FakeEngine, silence, tone
from tests.server.conftest import PipelineFactory, chunks

SPEECH = (silence(0.3), tone(1.0), silence(2.0))


async def test_a_command_is_heard_done_and_told(running: PipelineFactory) -> None:
    async with running("lock the front door") as pipeline:
        answer = await pipeline.answer(chunks(*SPEECH), Context())
        assert answer.transcription.end is EndReason.SILENCE
        assert [m.intent for m in answer.matches] == ["HassTurnOn"]
        assert [o.status for o in answer.outcomes] == [OutcomeStatus.DONE]
        assert pipeline.house.home.entities["lock.front_door"].state.value == "locked"
        assert answer.response.kind is ResponseKind.DONE
        assert answer.response.text


async def test_the_recogniser_is_told_what_is_in_the_room(running: PipelineFactory) -> None:
    async with running("lock the front door") as pipeline:
        await pipeline.answer(chunks(*SPEECH), Context(area_id="kitchen"))
        await pipeline.answer(chunks(*SPEECH), Context())
        home, engine = pipeline.house.home, pipeline.engine
        assert isinstance(engine, FakeEngine)
        there = {name for entity in home.entities.values() if entity.area_id == "kitchen" for name in entity.names}
        assert there
        assert [set(stream.near) for stream in engine.streams] == [there, set()]


async def test_audio_is_left_unread_after_the_end_of_speech(running: PipelineFactory) -> None:
    async with running("lock the front door") as pipeline:
        audio = chunks(silence(0.3), tone(1.0), silence(30))
        await pipeline.answer(audio, Context())
        left = sum([len(chunk) async for chunk in audio]) / 32_000
        assert left > 28


async def test_every_stage_is_timed_and_logged_with_the_command_id(
    running: PipelineFactory, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "hearth.command")
    async with running("lock the front door") as pipeline:
        answer = await pipeline.answer(chunks(*SPEECH), Context(command_id="c0ffee"))
    assert {"silence", "recognise", "understand", "plan", "act", "answer"} <= set(answer.milliseconds)
    assert 300 < answer.milliseconds["silence"] < 700  # of audio, not of the clock
    lines = [record.getMessage() for record in caplog.records if record.name == "hearth.command"]
    assert len(lines) >= 5
    assert all(line.startswith("c0ffee ") for line in lines)


async def test_silence_is_no_command(running: PipelineFactory) -> None:
    async with running("lock the front door") as pipeline:
        before = pipeline.house.home
        answer = await pipeline.answer(chunks(silence(7)), Context())
        assert answer.transcription.end is EndReason.NO_SPEECH
        assert answer.transcription.text == ""
        assert not answer.matches
        assert pipeline.house.home == before


async def test_what_is_not_in_the_grammar_is_not_done(running: PipelineFactory) -> None:
    async with running("") as pipeline:
        before = pipeline.house.home
        answer = await pipeline.answer(chunks(*SPEECH), Context())
        assert answer.response.kind is ResponseKind.NOT_UNDERSTOOD
        assert pipeline.house.home == before


async def test_endless_speech_is_cut_told_and_not_done(running: PipelineFactory) -> None:
    async with running("lock the front door", max_s=3.0) as pipeline:
        before = pipeline.house.home
        answer = await pipeline.answer(chunks(tone(60)), Context())
        assert answer.transcription.end is EndReason.LIMIT
        assert answer.transcription.audio_seconds == pytest.approx(3.0, abs=0.1)
        assert "3" in answer.response.text
        assert not answer.outcomes
        assert pipeline.house.home == before


async def test_audio_that_breaks_off_is_an_error_and_frees_the_recogniser(running: PipelineFactory) -> None:
    async with running("lock the front door") as pipeline:
        inbox = AudioInbox(starved_s=0.05)
        await inbox.put(tone(0.5))
        with pytest.raises(PeerError, match="stopped in the middle"):
            await pipeline.answer(inbox, Context())
        assert isinstance(pipeline.engine, FakeEngine)
        assert all(stream.closed for stream in pipeline.engine.streams)


async def test_the_room_of_the_satellite_decides_which_light(running: PipelineFactory) -> None:
    async with running() as pipeline:
        area = pipeline.area_id("Kitchen")
        answer = await pipeline.answer_text("turn on the lights", Context(area_id=area))
        moved = {outcome.entity_id for outcome in answer.outcomes}
        home = pipeline.house.home
        assert moved
        assert {home.entities[entity_id].area_id for entity_id in moved} == {area}


async def test_onlookers_see_partials_and_the_answer_and_cannot_disturb(running: PipelineFactory) -> None:
    seen: list[Progress] = []

    def broken(progress: Progress) -> None:
        raise RuntimeError("a broken screen")

    async with running("lock the front door") as pipeline:
        pipeline.observers += [broken, seen.append]
        answer = await pipeline.answer(chunks(*SPEECH), Context())
    assert any(isinstance(progress, Partial) for progress in seen)
    assert seen[-1] is answer


async def test_the_text_is_told_before_anything_is_done(running: PipelineFactory) -> None:
    order: list[str] = []

    def heard(transcription: Transcription) -> None:
        order.append(f"heard {transcription.text}")

    async with running("lock the front door") as pipeline:
        pipeline.house.subscribe(lambda _: order.append("changed"))
        await pipeline.answer(chunks(*SPEECH), Context(), heard)
    assert order[0] == "heard lock the front door"
    assert "changed" in order


async def test_commands_run_side_by_side(running: PipelineFactory) -> None:
    async with running("lock the front door", "turn on standing light") as pipeline:
        answers = await asyncio.gather(*(pipeline.answer(chunks(*SPEECH), Context()) for _ in range(2)))
    assert {answer.matches[0].text for answer in answers} == {"lock the front door", "turn on standing light"}
    assert all(isinstance(answer, Answer) for answer in answers)


async def test_of_two_things_of_one_name_neither_is_taken_by_guess(running: PipelineFactory) -> None:
    async with running() as pipeline:
        before = pipeline.house.home
        answer = await pipeline.answer_text("turn on the tv", Context())
        assert answer.response.kind is ResponseKind.FAILED
        assert "multiple" in answer.response.text
        assert pipeline.house.home == before
        here = await pipeline.answer_text("turn on the tv", Context(area_id="kitchen"))
        assert [outcome.entity_id for outcome in here.outcomes] == ["media_player.kitchen_tv"]


async def test_a_thing_that_goes_while_it_is_spoken_of_is_not_told_as_done(running: PipelineFactory) -> None:
    async with running("lock the front door") as pipeline:

        async def audio() -> AsyncIterator[bytes]:
            async for chunk in chunks(*SPEECH[:2]):
                yield chunk
            home = pipeline.house.home
            left = [entity for entity in home.entities.values() if entity.entity_id != "lock.front_door"]
            pipeline.house._home = Home.of(home.floors.values(), home.areas.values(), left)
            async for chunk in chunks(SPEECH[2]):
                yield chunk

        answer = await pipeline.answer(audio(), Context())
    assert answer.transcription.text == "lock the front door"
    assert answer.response.kind is ResponseKind.FAILED
    assert not any(outcome.status is OutcomeStatus.DONE for outcome in answer.outcomes)
