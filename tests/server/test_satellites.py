"""The server drives satellites: a satellite of the wyoming package's own server classes, over TCP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.info import Attribution, Describe, Info, Satellite
from wyoming.ping import Ping, Pong
from wyoming.pipeline import PipelineStage, RunPipeline
from wyoming.server import AsyncEventHandler, AsyncServer
from wyoming.snd import Played
from wyoming.wake import Detection

from hearth_core.command import Response, ResponseKind
from hearth_server.pipeline import Pipeline
from hearth_server.satellites import LinkLimits, SatelliteLink
from hearth_server.voice import ChimeVoice
from tests.fakes import silence, stand_still, tone
from tests.server.conftest import PipelineFactory

WAIT_S = 30  # far more than it takes, on a machine that does other things too
LIMITS = LinkLimits(ping_s=0.05, silent_s=0.5, played_margin_s=0.2, first_retry_s=0.02, last_retry_s=0.05)
NOWHERE = Attribution(name="", url="")


class FakeSatellite:
    """A satellite that speaks when it is told to, and records what it is sent."""

    def __init__(
        self,
        *,
        area: str | None = None,
        answers_pings: bool = True,
        says_played: bool = True,
        listens_at_once: bool = False,
    ) -> None:
        self.area = area
        self.listens_at_once = listens_at_once  # to the next command, as after a question
        self.answers_pings = answers_pings
        self.says_played = says_played
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.connections = 0
        self.handler: AsyncEventHandler | None = None
        self.port = 0

    async def speak(self, pcm: bytes, stage: PipelineStage = PipelineStage.ASR) -> None:
        assert self.handler is not None
        write = self.handler.write_event
        await write(Detection(name="okay_nabu").event())
        await write(RunPipeline(start_stage=stage, end_stage=PipelineStage.TTS).event())
        await write(AudioStart(16_000, 2, 1).event())
        await self.stream(pcm)

    async def stream(self, pcm: bytes) -> None:
        """Send more of what is spoken."""
        assert self.handler is not None
        for start in range(0, len(pcm), 1024):
            await self.handler.write_event(AudioChunk(16_000, 2, 1, pcm[start : start + 1024]).event())

    async def next(self, *kinds: str) -> Event:
        """Return the next event of one of these kinds."""
        async with asyncio.timeout(WAIT_S):
            while (event := await self.events.get()).type not in kinds:
                pass
            return event

    @asynccontextmanager
    async def run(self) -> AsyncIterator[FakeSatellite]:
        fake = self

        class Handler(AsyncEventHandler):
            async def handle_event(self, event: Event) -> bool:
                if Ping.is_type(event.type):
                    if fake.answers_pings:
                        await self.write_event(Pong().event())
                    return True
                if Describe.is_type(event.type):
                    satellite = Satellite(
                        name="fake", attribution=NOWHERE, installed=True, description="", version="1", area=fake.area
                    )
                    await self.write_event(Info(satellite=satellite).event())
                    return True
                if event.type == "run-satellite":
                    fake.connections += 1
                    fake.handler = self
                if AudioStop.is_type(event.type) and fake.says_played:
                    await self.write_event(Played().event())
                    if fake.listens_at_once:
                        run = RunPipeline(start_stage=PipelineStage.ASR, end_stage=PipelineStage.TTS)
                        await self.write_event(run.event())
                fake.events.put_nowait(event)
                return True

        server = AsyncServer.from_uri(f"tcp://127.0.0.1:{self.port}")
        await server.start(Handler)
        self.port = server._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        try:
            yield self
        finally:
            await server.stop()


@asynccontextmanager
async def driving(
    pipeline: Pipeline, satellite: FakeSatellite, area: str = "", limits: LinkLimits = LIMITS
) -> AsyncIterator[SatelliteLink]:
    uri = f"tcp://127.0.0.1:{satellite.port}"
    link = SatelliteLink("fake", uri, area, pipeline, ChimeVoice(), limits=limits)
    task = asyncio.create_task(link.run())
    try:
        await satellite.next("run-satellite")
        yield link
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_was_played_counts_even_if_the_satellite_listens_right_after_it(running: PipelineFactory) -> None:
    async with (
        running("lock the front door") as pipeline,
        FakeSatellite(listens_at_once=True).run() as satellite,
        driving(pipeline, satellite) as link,
    ):
        async with asyncio.timeout(WAIT_S):
            await link.announce(Response("what shall I do?", ResponseKind.QUESTION))  # raises if it was not heard


async def test_a_command_goes_from_the_satellite_to_the_house_and_the_answer_back(running: PipelineFactory) -> None:
    async with (
        running("lock the front door") as pipeline,
        FakeSatellite().run() as satellite,
        driving(pipeline, satellite),
    ):
        await satellite.speak(silence(0.3) + tone(1) + silence(1.5))
        assert (await satellite.next("transcript")).data["text"] == "lock the front door"
        synthesize = await satellite.next("synthesize")
        assert synthesize.data["text"]
        assert synthesize.data["context"]["kind"] == "done"
        audio = b"".join([(await satellite.next("audio-chunk")).payload or b""])
        assert audio
        await satellite.next("audio-stop")
        assert pipeline.house.home.entities["lock.front_door"].state.value == "locked"


@pytest.mark.parametrize(("configured", "announced"), [("Kitchen", None), ("", "kitchen"), ("Kitchen", "Office")])
async def test_the_room_of_the_satellite_is_the_room_of_the_command(
    running: PipelineFactory, configured: str, announced: str | None
) -> None:
    async with (
        running("turn off the lights") as pipeline,
        FakeSatellite(area=announced).run() as satellite,
        driving(pipeline, satellite, configured),
    ):
        answers: asyncio.Queue[object] = asyncio.Queue()
        pipeline.observers.append(answers.put_nowait)
        await satellite.speak(tone(1) + silence(1.5))
        await satellite.next("synthesize")
        answer = [answers.get_nowait() for _ in range(answers.qsize())][-1]
        assert answer.context.area_id == pipeline.area_id("Kitchen")  # type: ignore[attr-defined]


async def test_silence_after_the_wake_word_ends_with_an_error_not_with_talk(running: PipelineFactory) -> None:
    async with (
        running("lock the front door") as pipeline,
        FakeSatellite().run() as satellite,
        driving(pipeline, satellite),
    ):
        await satellite.speak(silence(8))
        assert (await satellite.next("error", "synthesize")).data["code"] == "no-speech"


async def test_a_satellite_that_never_says_played_is_heard_again(running: PipelineFactory) -> None:
    async with (
        running("lock the front door", "unlock the front door") as pipeline,
        FakeSatellite(says_played=False).run() as satellite,
        driving(pipeline, satellite),
    ):
        for text in ("lock the front door", "unlock the front door"):
            await satellite.speak(tone(1) + silence(1.5))
            assert (await satellite.next("transcript")).data["text"] == text
            await satellite.next("audio-stop")


async def test_a_speaker_who_begins_anew_is_heard_without_waiting_for_the_old_answer(running: PipelineFactory) -> None:
    async with (
        running("lock the front door", "unlock the front door") as pipeline,
        FakeSatellite(says_played=False).run() as satellite,
    ):
        patient = replace(LIMITS, played_margin_s=60.0)
        async with driving(pipeline, satellite, limits=patient):
            for text in ("lock the front door", "unlock the front door"):
                await satellite.speak(tone(1) + silence(1.5))
                assert (await satellite.next("transcript")).data["text"] == text


async def test_a_satellite_that_goes_silent_is_left_and_found_again(running: PipelineFactory) -> None:
    satellite = FakeSatellite(answers_pings=False)
    async with running("lock the front door") as pipeline, satellite.run(), driving(pipeline, satellite):
        await satellite.next("run-satellite")
        assert satellite.connections == 2


async def test_a_server_that_stood_still_does_not_take_the_satellite_for_lost(running: PipelineFactory) -> None:
    satellite = FakeSatellite(area="kitchen")
    async with running("lock the front door") as pipeline, satellite.run(), driving(pipeline, satellite) as link:
        while not link.announced_area:  # then it waits for what comes next
            await asyncio.sleep(0.001)
        stand_still(20 * LIMITS.silent_s)
        await asyncio.sleep(0)
        await satellite.speak(silence(0.3) + tone(1))
        while link.resting.is_set():
            assert satellite.connections == 1
            await asyncio.sleep(0.001)
        stand_still(20 * LIMITS.silent_s)  # in the middle of the command
        await satellite.stream(silence(1.5))
        assert (await satellite.next("transcript", "error")).data["text"] == "lock the front door"
        assert satellite.connections == 1


async def test_a_satellite_that_restarts_is_driven_again(running: PipelineFactory) -> None:
    satellite = FakeSatellite()
    async with running("lock the front door") as pipeline:
        async with satellite.run():
            link = SatelliteLink("fake", f"tcp://127.0.0.1:{satellite.port}", "", pipeline, ChimeVoice(), limits=LIMITS)
            task = asyncio.create_task(link.run())
            await satellite.next("run-satellite")
            assert satellite.handler is not None
            await satellite.handler.stop()
        async with satellite.run():
            await satellite.next("run-satellite")
            await satellite.speak(tone(1) + silence(1.5))
            assert (await satellite.next("transcript")).data["text"] == "lock the front door"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_command_spoken_whole_is_done_though_the_satellite_vanishes(running: PipelineFactory) -> None:
    async with (
        running("lock the front door") as pipeline,
        FakeSatellite().run() as satellite,
        driving(pipeline, satellite),
    ):
        await satellite.speak(tone(1) + silence(1.5))
        await satellite.next("transcript")
        assert satellite.handler is not None
        await satellite.handler.stop()
        async with asyncio.timeout(WAIT_S):
            while pipeline.house.home.entities["lock.front_door"].state.value != "locked":
                await asyncio.sleep(0.01)


async def test_a_pipeline_that_starts_at_the_wake_word_is_refused_with_the_remedy(running: PipelineFactory) -> None:
    async with running() as pipeline, FakeSatellite().run() as satellite, driving(pipeline, satellite):
        await satellite.speak(tone(0.2), PipelineStage.WAKE)
        assert (await satellite.next("error")).data["code"] == "unsupported-stage"
