"""The demo home with a fake recogniser, behind a real port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from hearth_core.speech import EndpointSettings
from hearth_core.wire import Connection, Listener, serve
from hearth_intents.sentences import load_sentences
from hearth_server.demo_home import DemoHome
from hearth_server.dialogue import TalkSettings
from hearth_server.handler import Client
from hearth_server.house import House
from hearth_server.pipeline import Pipeline, PipelineSettings
from hearth_server.understanding import Understanding, understand_home
from tests.fakes import FakeEngine, LoudnessDetector

PipelineFactory = Callable[..., AbstractAsyncContextManager[Pipeline]]


@pytest.fixture(scope="session")
def demo_understanding() -> Understanding:
    """The demo home in English, built once: it takes longer than everything else here."""
    barista = Path(__file__).parents[2] / "examples" / "barista" / "sentences"
    return understand_home(load_sentences("en", [barista]), House([DemoHome()]).home)


@pytest.fixture
def running(demo_understanding: Understanding) -> PipelineFactory:
    """A factory of pipelines that hear what the test says."""

    @asynccontextmanager
    async def run(
        *texts: str,
        max_s: float = 15.0,
        confidence: float | None = 0.9,
        talk: TalkSettings | None = None,
        demo: DemoHome | None = None,
    ) -> AsyncIterator[Pipeline]:
        house = House([demo or DemoHome()])
        await house.start()
        engine = FakeEngine(texts or ("",), confidence)
        settings = PipelineSettings(EndpointSettings(max_s=max_s), talk=talk or TalkSettings())
        try:
            yield Pipeline(engine, house, demo_understanding, settings, LoudnessDetector)
        finally:
            await house.stop()

    return run


@asynccontextmanager
async def serving(pipeline: Pipeline) -> AsyncIterator[Listener]:
    """Serve a pipeline on a free port of loopback."""

    async def on_connection(connection: Connection) -> None:
        await Client(connection, pipeline, "en").run()

    async with await serve("127.0.0.1", 0, on_connection) as listener:
        yield listener


async def chunks(*parts: bytes, size: int = 1024) -> AsyncIterator[bytes]:
    """Yield audio in pieces, as a microphone does."""
    for part in parts:
        for start in range(0, len(part), size):
            yield part[start : start + size]
            await asyncio.sleep(0)
