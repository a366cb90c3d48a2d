"""A lamp is renamed under the running server: understood first, heard a little later."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hearth_core.command import Context, ResponseKind
from hearth_core.errors import EngineError
from hearth_core.home import Area, Entity
from hearth_intents.grammar import Grammar
from hearth_intents.sentence_folders import SentenceFolders
from hearth_server import renewal
from hearth_server.house import House
from hearth_server.pipeline import Pipeline
from hearth_server.renewal import keep_understanding
from hearth_server.understanding import understand_home
from tests.fakes import FakeEngine
from tests.server.test_house import FakeBus

SENTENCES = """
language: en
intents:
  HassTurnOn:
    data:
      - sentences: ["turn on [the] {name}"]
"""
WAIT_S = 200.0  # for a machine that has other things to do


class SlowEngine(FakeEngine):
    """Takes a grammar only when it is let to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.let = threading.Event()
        self.fails = False

    def use(self, grammar: Grammar) -> None:
        self.asked.set()
        assert self.let.wait(WAIT_S)
        if self.fails:
            raise EngineError("it is too large")
        super().use(grammar)


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "REST_S", 0.0)


@pytest.fixture
def folders(tmp_path: Path) -> SentenceFolders:
    """One sentence: what is rebuilt, and when, is the same with thousands."""
    (tmp_path / "own.yaml").write_text(SENTENCES)
    return SentenceFolders("en", [tmp_path], builtin=False)


@asynccontextmanager
async def renewing(
    engine: SlowEngine, folders: SentenceFolders, meanwhile: str = ""
) -> AsyncIterator[tuple[Pipeline, FakeBus]]:
    """Run a pipeline and its renewal; the lamp gets the name `meanwhile` after the first understanding was made."""
    bus = FakeBus("knx", [Entity("light.a", "Lamp", area_id="hall")], [Area("hall", "Hall")])
    house = House([bus])
    await house.start()
    home = house.home
    understanding = await asyncio.to_thread(understand_home, folders.load(), home)
    if meanwhile:
        bus.rename("light.a", meanwhile)
    pipeline = Pipeline(engine, house, understanding)
    keeping = asyncio.create_task(keep_understanding(pipeline, folders, home))
    await asyncio.sleep(0)
    try:
        yield pipeline, bus
    finally:
        engine.let.set()
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await house.stop()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not holds():
            await asyncio.sleep(0.01)


async def understood(pipeline: Pipeline, text: str) -> bool:
    return (await pipeline.answer_text(text, Context())).response.kind is ResponseKind.DONE


async def test_a_renamed_lamp_is_understood_before_the_recogniser_is_rebuilt(folders: SentenceFolders) -> None:
    engine = SlowEngine()
    async with renewing(engine, folders) as (pipeline, bus):
        old = pipeline.understanding
        bus.rename("light.a", "Zebra Lantern")
        await until(lambda: pipeline.understanding.matcher is not old.matcher)
        assert await understood(pipeline, "turn on the zebra lantern")
        assert not await understood(pipeline, "turn on the lamp")
        assert engine.grammars == []
        assert pipeline.understanding.grammar is old.grammar
        await until(engine.asked.is_set)
        # Renamed again while the recogniser is being rebuilt: nobody waits for that.
        bus.rename("light.a", "Yellow Sconce")
        matcher = pipeline.understanding.matcher
        await until(lambda: pipeline.understanding.matcher is not matcher)
        assert await understood(pipeline, "turn on the yellow sconce")
        assert engine.grammars == []
        engine.let.set()
        await until(lambda: len(engine.grammars) == 2)
        await until(lambda: pipeline.understanding.grammar is engine.grammars[-1])
        assert "zebra" in engine.grammars[0].graph.words
        assert "sconce" in engine.grammars[1].graph.words
        assert "zebra" not in engine.grammars[1].graph.words
        assert await understood(pipeline, "turn on the yellow sconce")


async def test_a_recogniser_that_cannot_take_the_names_leaves_texts_understood(
    folders: SentenceFolders, caplog: pytest.LogCaptureFixture
) -> None:
    engine = SlowEngine()
    engine.fails = True
    engine.let.set()
    async with renewing(engine, folders) as (pipeline, bus):
        old = pipeline.understanding
        bus.rename("light.a", "Zebra Lantern")
        await until(lambda: "it is too large" in caplog.text)
        assert await understood(pipeline, "turn on the zebra lantern")
        assert pipeline.understanding.grammar is old.grammar
        engine.fails = False
        bus.rename("light.a", "Yellow Sconce")
        await until(lambda: bool(engine.grammars))
        assert "sconce" in engine.grammars[-1].graph.words


async def test_names_that_never_rest_are_heard_all_the_same(
    folders: SentenceFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "MOST_PUT_OFF", 2)
    engine = SlowEngine()
    engine.let.set()
    async with renewing(engine, folders) as (_, bus):
        numbers = iter(range(10**6))

        async def restless() -> None:
            while True:
                bus.rename("light.a", f"Lamp {next(numbers)}")
                await asyncio.sleep(0.005)

        renaming = asyncio.create_task(restless())
        await until(lambda: bool(engine.grammars))
        renaming.cancel()
        await asyncio.gather(renaming, return_exceptions=True)


async def test_a_name_that_changed_while_the_server_started_is_learnt(folders: SentenceFolders) -> None:
    engine = SlowEngine()
    engine.let.set()
    async with renewing(engine, folders, "Zebra Lantern") as (pipeline, _):
        await until(lambda: bool(engine.grammars))
        assert await understood(pipeline, "turn on the zebra lantern")
        assert "zebra" in engine.grammars[-1].graph.words


def test_a_change_waits_for_the_one_before_but_not_for_one_of_an_hour_ago() -> None:
    now = [1000.0]
    rest = renewal.Rest(lambda: now[0])
    assert rest.left_s() == renewal.SOON_S
    now[0] += 0.5
    rest.after(1000.0)
    assert rest.left_s() == 0.5
    now[0] += 0.3
    assert rest.left_s() == pytest.approx(0.2)
    now[0] += 3600
    assert rest.left_s() == renewal.SOON_S
    rest.after(now[0] - 60)
    assert rest.left_s() == renewal.AT_MOST_S
