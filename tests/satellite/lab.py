"""A whole satellite on real sockets, with a microphone that a test speaks into."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from hearth_core.config_control import ControlConfig
from hearth_satellite.attached import attached
from hearth_satellite.control import WakeChoice
from hearth_satellite.events import Identity
from hearth_satellite.satellite import Listening, Options, Satellite
from hearth_satellite.session import State
from hearth_satellite.speaker import NullSpeaker, Speaker
from tests.satellite.fakes import ByteEnd, ByteWake

WAIT_S = 20


class SpokenInto:
    """A microphone that hears what a test puts into it."""

    def __init__(self) -> None:
        self.chunks: asyncio.Queue[bytes] = asyncio.Queue()

    def hear(self, *chunks: bytes) -> None:
        for chunk in chunks:
            self.chunks.put_nowait(chunk)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield await self.chunks.get()

    async def __aenter__(self) -> SpokenInto:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


@dataclass
class Running:
    """A satellite that runs."""

    satellite: Satellite
    microphone: SpokenInto
    listening: Listening
    task: asyncio.Task[None]

    def state(self) -> State:
        return self.satellite.session.state

    @property
    def port(self) -> int:
        assert self.listening.port is not None
        return self.listening.port


@asynccontextmanager
async def living(
    control: dict[str, Any] | None = None, *, speaker: Speaker | None = None, **options: Any
) -> AsyncIterator[Running]:
    """Run a satellite with this section `control`, until the block is left."""
    config, places = ControlConfig.model_validate(control or {}), list[Listening]()

    @asynccontextmanager
    async def attach(satellite: Satellite, listening: Listening) -> AsyncIterator[None]:
        async with attached(config, satellite, listening):
            places.append(listening)
            yield

    wake = WakeChoice(("alexa",), ("alexa", "okay_nabu"), 0.5, lambda words, sensitivity: ByteWake())
    settings: dict[str, Any] = {"port": 0, "wake": wake} | options
    satellite = Satellite(
        Identity("Kitchen satellite", "Kitchen"),
        ByteWake(),
        ByteEnd(),
        speaker or NullSpeaker(),
        Options(**settings),
        attach=attach,
    )
    microphone = SpokenInto()
    task = asyncio.create_task(satellite.run(microphone, lambda host, port: None))
    try:
        await until(lambda: bool(places) or task.done())
        if task.done():
            task.result()
        yield Running(satellite, microphone, places[0], task)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.005)


async def lines_of(path: Path, count: int = 1) -> list[str]:
    """Return the lines of a file when there are so many."""
    async with asyncio.timeout(WAIT_S):
        while not path.exists() or len(text := path.read_text().splitlines()) < count:
            await asyncio.sleep(0.01)
    return text
