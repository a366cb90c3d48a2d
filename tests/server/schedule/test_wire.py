"""Timers over the real Wyoming sockets: a client that types, a satellite that is spoken to and rings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from wyoming.asr import Transcript

from hearth_core.config import Config
from hearth_core.config_schedule import ScheduleConfig
from hearth_core.wire import Connection, connect
from hearth_server.pipeline import Pipeline
from hearth_server.satellites import SatelliteLink
from hearth_server.server import running_schedule
from tests.fakes import silence, tone
from tests.schedule_fakes import ZONE, FakeClock
from tests.server.conftest import PipelineFactory, serving
from tests.server.test_satellites import WAIT_S, FakeSatellite, driving


@dataclass
class House:
    """A server, a satellite that it drives, and a client."""

    pipeline: Pipeline
    satellite: FakeSatellite
    link: SatelliteLink
    client: Connection
    clock: FakeClock

    async def ask(self, text: str) -> str:
        """Type a text as a client, and return the reply."""
        await self.client.write(Transcript(text, context={"satellite_id": "fake"}).event())
        reply = await self.client.read(timeout=WAIT_S)
        assert reply is not None
        return str(reply.data["text"])


@asynccontextmanager
async def house(running: PipelineFactory, tmp_path: Path, *spoken: str) -> AsyncIterator[House]:
    clock = FakeClock()
    config = Config(schedule=ScheduleConfig(file=str(tmp_path / "schedule.db"), zone=ZONE))
    async with AsyncExitStack() as stack:
        pipeline = await stack.enter_async_context(running(*spoken))
        satellite = await stack.enter_async_context(FakeSatellite().run())
        link = await stack.enter_async_context(driving(pipeline, satellite))
        await stack.enter_async_context(running_schedule(config, pipeline, lambda: [link], clock))
        listener = await stack.enter_async_context(serving(pipeline))
        client = await connect(f"tcp://127.0.0.1:{listener.port}", timeout=WAIT_S)
        stack.push_async_callback(client.close)
        yield House(pipeline, satellite, link, client, clock)


async def test_a_typed_timer_rings_at_the_satellite(running: PipelineFactory, tmp_path: Path) -> None:
    async with house(running, tmp_path) as there:
        assert await there.ask("set a pizza timer for ten minutes") == "Timer set for 10 minutes named pizza"
        started = await there.satellite.next("timer-started")
        assert (started.data["name"], started.data["total_seconds"]) == ("pizza", 600)
        there.clock.advance(60)
        assert await there.ask("how much time is left") == "9 minutes left."
        there.clock.advance(540)
        finished = await there.satellite.next("timer-finished")
        assert finished.data["id"] == started.data["id"]
        assert (await there.satellite.next("synthesize")).data["text"] == "The pizza timer is done"
        assert (await there.satellite.next("audio-chunk")).payload
        await there.satellite.next("audio-stop")
        assert await there.ask("stop the alarm") == "Stopped"


async def test_a_spoken_timer_is_set_paused_and_cancelled(running: PipelineFactory, tmp_path: Path) -> None:
    texts = ("set a timer for ten minutes", "pause the timer", "cancel the timer")
    async with house(running, tmp_path, *texts) as there:
        for kind in ("timer-started", "timer-updated", "timer-cancelled"):
            await there.satellite.speak(silence(0.3) + tone(1) + silence(1.5))
            await there.satellite.next(kind)
            await there.satellite.next("audio-stop")


async def test_a_command_for_later_is_done_in_silence(running: PipelineFactory, tmp_path: Path) -> None:
    async with house(running, tmp_path) as there:
        assert await there.ask("lock the front door in ten minutes") == "I will do that in 10 minutes"
        before = there.pipeline.house.home.entities["lock.front_door"].state.value
        assert before != "locked"
        there.clock.advance(600)
        async with asyncio.timeout(WAIT_S):
            while there.pipeline.house.home.entities["lock.front_door"].state.value != "locked":
                await asyncio.sleep(0.01)
        assert await there.ask("what is scheduled") == "Nothing is scheduled"


async def test_what_rings_waits_for_the_command_under_way_and_yields_to_the_next(
    running: PipelineFactory, tmp_path: Path
) -> None:
    async with house(running, tmp_path, "lock the front door") as there:
        await there.ask("set a timer for ten minutes")
        there.clock.advance(600)
        await there.satellite.next("timer-finished")
        assert (await there.satellite.next("synthesize")).data["text"].endswith("is done")
        await there.satellite.speak(silence(0.3) + tone(1) + silence(1.5))
        assert (await there.satellite.next("transcript")).data["text"] == "lock the front door"


async def test_a_satellite_that_is_away_is_told_when_it_is_back(running: PipelineFactory, tmp_path: Path) -> None:
    async with house(running, tmp_path) as there:
        await there.ask("set a timer for ten minutes")
        assert there.satellite.handler is not None
        await there.satellite.handler.stop()
        await there.satellite.next("run-satellite")  # the link connects again
        async with asyncio.timeout(WAIT_S):
            await there.link.connected.wait()
        there.clock.advance(600)
        await there.satellite.next("timer-finished")


async def test_without_a_schedule_timers_are_refused(running: PipelineFactory) -> None:
    from hearth_core.command import Context, ResponseKind

    async with running() as pipeline:
        answer = await pipeline.answer_text("set a timer for ten minutes", Context())
    assert (answer.response.kind, answer.plan is not None) == (ResponseKind.FAILED, True)
    assert "not supported" in answer.response.text


@pytest.mark.parametrize("text", ["lock the front door in ten minutes", "wake me at seven"])
async def test_without_a_schedule_nothing_is_done_at_once(running: PipelineFactory, text: str) -> None:
    from hearth_core.command import Context, ResponseKind

    async with running() as pipeline:
        before = pipeline.house.home
        answer = await pipeline.answer_text(text, Context())
        assert answer.response.kind is ResponseKind.FAILED
        assert pipeline.house.home == before
