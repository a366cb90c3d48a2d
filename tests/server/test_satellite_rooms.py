"""Two satellites of the wyoming package's own server classes, one server: who chimes, who answers, who falls silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.pipeline import PipelineStage, RunPipeline
from wyoming.wake import Detection

from hearth_server.arbitration import Arbitration
from hearth_server.pipeline import Answer, Pipeline
from hearth_server.satellites import SatelliteLink
from hearth_server.voice import ChimeVoice
from tests.fakes import FakeEngine, silence, tone
from tests.server.conftest import PipelineFactory
from tests.server.test_satellites import LIMITS, WAIT_S, FakeSatellite

PATIENT = replace(LIMITS, silent_s=WAIT_S)


@asynccontextmanager
async def two(pipeline: Pipeline) -> AsyncIterator[tuple[FakeSatellite, FakeSatellite, list[Answer]]]:
    """Run a satellite in the kitchen and one in the office."""
    arbitration = Arbitration(pipeline)
    answers: list[Answer] = []
    pipeline.observers.append(lambda progress: answers.append(progress) if isinstance(progress, Answer) else None)
    async with FakeSatellite().run() as kitchen, FakeSatellite().run() as office:
        tasks = []
        for area, satellite in (("Kitchen", kitchen), ("Office", office)):
            uri = f"tcp://127.0.0.1:{satellite.port}"
            link = SatelliteLink(area, uri, area, pipeline, ChimeVoice(), limits=PATIENT, arbitration=arbitration)
            tasks.append(asyncio.create_task(link.run()))
        try:
            for satellite in (kitchen, office):
                await satellite.next("run-satellite")
            yield kitchen, office, answers
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await arbitration.close()


async def wake(satellite: FakeSatellite, context: dict[str, Any] | None = None) -> None:
    assert satellite.handler is not None
    await satellite.handler.write_event(Detection(name="okay_nabu", context=context).event())
    await satellite.handler.write_event(RunPipeline(PipelineStage.ASR, PipelineStage.TTS).event())
    await satellite.handler.write_event(AudioStart(16_000, 2, 1).event())


async def push(satellite: FakeSatellite) -> None:
    """Begin a command without a wake word."""
    assert satellite.handler is not None
    await satellite.handler.write_event(RunPipeline(PipelineStage.ASR, PipelineStage.TTS).event())
    await satellite.handler.write_event(AudioStart(16_000, 2, 1).event())


async def stream(satellite: FakeSatellite, pcm: bytes) -> None:
    await say(satellite, pcm)
    assert satellite.handler is not None
    await satellite.handler.write_event(AudioStop().event())


async def say(satellite: FakeSatellite, pcm: bytes) -> None:
    assert satellite.handler is not None
    for start in range(0, len(pcm), 1024):
        await satellite.handler.write_event(AudioChunk(16_000, 2, 1, pcm[start : start + 1024]).event())


def words(amplitude: int) -> bytes:
    """Return tones and gaps, as loud as that, over a little noise."""
    pcm = silence(0.3) + b"".join(tone(s, amplitude) + silence(0.1) for s in (0.3, 0.15, 0.4, 0.2)) + silence(1.5)
    noise = np.random.default_rng(amplitude).normal(0, 20, len(pcm) // 2)
    return (np.frombuffer(pcm, "<i2") + noise).astype("<i2").tobytes()


async def test_the_first_to_ask_is_granted_the_chime_and_the_nearer_answers(running: PipelineFactory) -> None:
    async with running("lock the front door", confidence=0.9) as pipeline, two(pipeline) as (kitchen, office, answers):
        await wake(kitchen, {"command_id": "k1", "awaits_claim": True})
        claim = await kitchen.next("hearth-claim")
        assert claim.data == {"command_id": "k1", "granted": True}
        await wake(office, {"command_id": "o1", "awaits_claim": True})
        assert (await office.next("hearth-claim")).data == {"command_id": "o1", "granted": False}
        await asyncio.gather(stream(kitchen, words(2500)), stream(office, words(12_000)))
        assert (await office.next("synthesize")).data["text"]
        silent = await kitchen.next("transcript", "synthesize", "error")
        assert (silent.type, silent.data["text"]) == ("transcript", "")
        assert silent.data["context"]["answered_by"] == "Office"
        assert [answer.context.area_id for answer in answers] == ["office"]
        assert answers[0].facts["rooms"]["winner"] == "Office"


async def test_a_plain_satellite_is_sent_nothing_that_it_does_not_know(running: PipelineFactory) -> None:
    async with running("lock the front door") as pipeline, two(pipeline) as (kitchen, office, answers):
        await wake(kitchen)
        await wake(office)
        await asyncio.gather(stream(kitchen, words(2500)), stream(office, words(12_000)))
        await office.next("synthesize")
        kinds = []
        async with asyncio.timeout(WAIT_S):
            while "transcript" not in kinds:
                kinds.append((await kitchen.events.get()).type)
        assert kinds == ["voice-stopped", "transcript"]
        assert len(answers) == 1


async def test_a_satellite_that_begins_anew_is_heard_while_the_other_is_answered(running: PipelineFactory) -> None:
    async with (
        running("lock the front door", "unlock the front door") as pipeline,
        two(pipeline) as (kitchen, office, answers),
    ):
        await wake(kitchen)
        await wake(office)
        await stream(office, words(12_000))
        await office.next("synthesize")
        await wake(kitchen)
        await stream(kitchen, words(9000)[: 2 * 16_000] + words(9000))
        async with asyncio.timeout(WAIT_S):
            while len(answers) < 2:
                await asyncio.sleep(0.01)
        assert [answer.context.area_id for answer in answers] == ["office", "kitchen"]


async def test_a_detection_whose_facts_are_junk_is_a_detection(running: PipelineFactory) -> None:
    junk: dict[str, Any] = {"wake_score": "much", "noise_dbfs": [1], "awaits_claim": "yes", "command_id": 7}
    async with running("lock the front door") as pipeline, two(pipeline) as (kitchen, _, answers):
        await wake(kitchen, junk)
        await stream(kitchen, words(9000))
        await kitchen.next("synthesize")
        assert len(answers) == 1
        assert answers[0].facts == {}


async def test_a_reply_goes_to_the_room_that_asked_though_another_one_is_woken_at_once(
    running: PipelineFactory,
) -> None:
    async with (
        running("unlock the back door", "yes", "what time is it") as pipeline,
        two(pipeline) as (kitchen, office, answers),
    ):
        await push(kitchen)
        await stream(kitchen, words(9000))
        assert (await kitchen.next("synthesize")).data["context"]["listen"] is True
        await kitchen.next("audio-stop")
        await push(kitchen)
        assert isinstance(pipeline.engine, FakeEngine)
        async with asyncio.timeout(WAIT_S):
            while len(pipeline.engine.streams) < 2:  # the second text is the kitchen's
                await asyncio.sleep(0.01)
        await wake(office, {"command_id": "o1", "awaits_claim": True})
        assert (await office.next("hearth-claim")).data["granted"] is True
        await say(kitchen, tone(0.3, 2500))
        other = b"".join(tone(s, 9000) + silence(0.25) for s in (0.15, 0.1, 0.5, 0.1, 0.6)) + silence(1.5)
        await stream(office, other)
        await stream(kitchen, silence(1.5))
        assert (await kitchen.next("synthesize")).data["context"]["kind"] == "done"
        await office.next("synthesize")
        assert [(a.context.area_id, a.transcription.text) for a in answers[:1]] == [
            ("kitchen", "unlock the back door"),
        ]
        assert {(a.context.area_id, a.transcription.text) for a in answers[1:]} == {
            ("kitchen", "yes"),
            ("office", "what time is it"),
        }
