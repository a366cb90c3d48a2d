"""The server judges wake words for its satellites, over TCP, with the shipped model on a real recording."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from wyoming.audio import AudioStart
from wyoming.pipeline import PipelineStage, RunPipeline
from wyoming.wake import Detection

from hearth_core.audio import read_recording
from hearth_core.control_event import HELLO, VERDICT, WakeSound
from hearth_core.errors import EngineError
from hearth_server.asr.micro.engine import MicroEngine
from hearth_server.satellites import SatelliteLink
from hearth_server.voice import ChimeVoice
from tests.fakes import FakeEngine, silence, tone
from tests.server.conftest import PipelineFactory
from tests.server.test_satellite_rooms import stream, two, wake, words
from tests.server.test_satellites import LIMITS, FakeSatellite, driving

ALEXA = Path(__file__).parent.parent / "data" / "satellite" / "alexa-slt.flac"


class HearingEngine(FakeEngine):
    """A fake one for the commands, with the shipped model for the wake word."""

    model = MicroEngine()
    broken = False

    def phrase_fit(self, phrase: str, pcm: bytes) -> float | None:
        if self.broken:
            raise EngineError("the model fails")
        return self.model.phrase_fit(phrase, pcm)


async def begin(satellite: FakeSatellite, command_id: str) -> None:
    """Begin a command as a satellite of Hearth does."""
    assert satellite.handler is not None
    context = {"command_id": command_id}
    opened = RunPipeline(PipelineStage.ASR, PipelineStage.TTS, wake_word_name="alexa").event()
    opened.data["context"] = context
    for event in (Detection("alexa", context=context).event(), opened, AudioStart(16_000, 2, 1).event()):
        await satellite.handler.write_event(event)


async def ask(satellite: FakeSatellite, sound: bytes, question: str, phrase: str = "Alexa", *, sure: bool) -> None:
    assert satellite.handler is not None
    await satellite.handler.write_event(WakeSound(id=question, phrase=phrase, sure=sure).event(sound))


@pytest.mark.parametrize(
    ("phrase", "said", "reason"),
    [("Alexa", True, ""), ("Okay Nabu", False, "heard another"), ("Xyzzyq", False, "does not know")],
)
async def test_a_word_that_is_not_sure_gets_a_verdict(
    running: PipelineFactory, phrase: str, said: bool, reason: str
) -> None:
    async with running() as pipeline, FakeSatellite().run() as satellite:
        pipeline.engine = HearingEngine()
        async with driving(pipeline, satellite):
            await ask(satellite, read_recording(ALEXA), "q1", phrase, sure=False)
            verdict = await satellite.next(VERDICT)
            assert (verdict.data["id"], verdict.data["said"]) == ("q1", said)
            assert reason in verdict.data["reason"]


@pytest.mark.parametrize(("phrase", "text"), [("Alexa", "lock the front door"), ("Okay Nabu", "")])
async def test_a_sure_word_that_was_not_said_ends_its_command_without_an_answer(
    running: PipelineFactory, phrase: str, text: str
) -> None:
    async with running() as pipeline, FakeSatellite().run() as satellite:
        pipeline.engine = HearingEngine(["lock the front door"])
        async with driving(pipeline, satellite) as link:
            await begin(satellite, "c1")
            await ask(satellite, read_recording(ALEXA), "c1", phrase, sure=True)
            if text:
                await satellite.stream(tone(1) + silence(1.5))
            transcript = await satellite.next("transcript")
            assert transcript.data["text"] == text
            if not text:
                assert transcript.data["context"]["answered_by"] == ""
                await link.resting.wait()
                assert pipeline.house.home.entities["lock.front_door"].state.value == "unlocked"


async def test_a_verdict_on_another_command_ends_none(running: PipelineFactory) -> None:
    async with running() as pipeline, FakeSatellite().run() as satellite:
        pipeline.engine = HearingEngine(["lock the front door"])
        async with driving(pipeline, satellite):
            await begin(satellite, "c1")
            await ask(satellite, silence(1), "c0", sure=True)
            await ask(satellite, silence(1), "q1", sure=False)
            await satellite.next(VERDICT)
            await satellite.stream(tone(1) + silence(1.5))
            assert (await satellite.next("transcript")).data["text"] == "lock the front door"


async def test_a_model_that_fails_turns_down_no_sure_word(running: PipelineFactory) -> None:
    async with running() as pipeline, FakeSatellite().run() as satellite:
        engine = pipeline.engine = HearingEngine(["lock the front door"])
        engine.broken = True
        async with driving(pipeline, satellite):
            await begin(satellite, "c1")
            await ask(satellite, silence(1), "c1", sure=True)
            await satellite.stream(tone(1) + silence(1.5))
            assert (await satellite.next("transcript")).data["text"] == "lock the front door"


@pytest.mark.parametrize("can", [False, True])
async def test_only_a_server_that_can_tell_offers_it(running: PipelineFactory, can: bool) -> None:
    async with running() as pipeline, FakeSatellite().run() as satellite:
        if can:
            pipeline.engine = HearingEngine()
        link = SatelliteLink("fake", f"tcp://127.0.0.1:{satellite.port}", "", pipeline, ChimeVoice(), limits=LIMITS)
        task = asyncio.create_task(link.run())
        try:
            assert (await satellite.next(HELLO)).data.get("verifies", False) is can
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_one_satellite_misheard_the_word_and_the_other_answers(running: PipelineFactory) -> None:
    async with running("lock the front door", confidence=0.9) as pipeline:
        pipeline.engine = HearingEngine(["lock the front door"])
        async with two(pipeline) as (kitchen, office, answers):
            await wake(kitchen, {"command_id": "k1", "awaits_claim": True})
            assert (await kitchen.next("hearth-claim")).data["granted"]
            await wake(office, {"command_id": "o1", "awaits_claim": True})
            await office.next("hearth-claim")
            await ask(kitchen, silence(1), "k1", sure=True)
            await ask(office, read_recording(ALEXA), "o1", sure=True)
            refused = await kitchen.next("transcript", "synthesize", "error")
            assert (refused.type, refused.data["text"]) == ("transcript", "")
            await stream(office, words(2500))
            assert (await office.next("synthesize")).data["text"]
            assert [answer.context.area_id for answer in answers] == ["office"]
            assert pipeline.house.home.entities["lock.front_door"].state.value == "locked"
