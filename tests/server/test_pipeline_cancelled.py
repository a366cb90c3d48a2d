"""A command that is given up in the middle: the recogniser is never closed while a thread is still in it."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

from hearth_core.command import Context
from hearth_server.listen import threads
from tests.fakes import FakeStream, tone
from tests.server.conftest import PipelineFactory, chunks


class SlowStream(FakeStream):
    """Stays in `feed` until it is let go, and notes whether it was closed in it."""

    def __init__(self) -> None:
        super().__init__("lock the front door", 0.9)
        self.entered, self.let_go = threading.Event(), threading.Event()
        self.busy = False
        self.closed_while_busy = False

    def feed(self, pcm: bytes) -> None:
        self.busy = True
        self.entered.set()
        self.let_go.wait(10)
        self.busy = False

    def close(self) -> None:
        super().close()
        self.closed_while_busy = self.busy


async def test_a_recogniser_is_closed_after_its_thread_has_left_it(
    running: PipelineFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = SlowStream()
    async with running() as pipeline:
        monkeypatch.setattr(pipeline.engine, "open", lambda: stream)
        listening = asyncio.create_task(pipeline.listen(chunks(tone(2)), Context()))
        assert await asyncio.to_thread(stream.entered.wait, 10)
        listening.cancel()
        await asyncio.sleep(0)
        closed = [stream.closed]
        stream.let_go.set()
        await asyncio.gather(listening, return_exceptions=True)
        assert listening.cancelled()
        assert [*closed, stream.closed] == [False, True]
        assert not stream.closed_while_busy


async def test_a_recogniser_works_in_the_threads_that_are_as_many_as_cores(
    running: PipelineFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = set()

    class Noting(FakeStream):
        def feed(self, pcm: bytes) -> None:
            names.add(threading.current_thread().name.partition("_")[0])

    async with running() as pipeline:
        monkeypatch.setattr(pipeline.engine, "open", lambda: Noting("lock the front door", 0.9))
        await pipeline.listen(chunks(tone(2)), Context())
    assert names == {"listening"}
    assert threads()._max_workers == max(2, len(os.sched_getaffinity(0)))
