"""Sounds one after the other, beside everything else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from hearth_core.audio import PcmFormat
from hearth_satellite import playback as playback_module
from hearth_satellite.playback import Playback, Sound
from hearth_satellite.speaker import NullSpeaker
from tests.satellite.fakes import RecordingSpeaker

FORMAT = PcmFormat(16000, 2, 1)


@asynccontextmanager
async def running(speaker: NullSpeaker, finished: list[Sound]) -> AsyncIterator[Playback]:
    playback = Playback(speaker, finished.append)
    task = asyncio.create_task(playback.run())
    try:
        yield playback
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: object, what: str) -> None:
    async with asyncio.timeout(5):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0)
    assert what


async def test_sounds_are_played_in_order_as_they_arrive() -> None:
    speaker, finished = RecordingSpeaker(), list[Sound]()
    first, second = Sound(FORMAT, "first"), Sound(FORMAT, "second")
    async with running(speaker, finished) as playback:
        playback.play(first)
        playback.play(second)
        playback.feed(second, b"cc")
        playback.feed(first, b"aa")
        await until(lambda: b"aa" in speaker.said, "played before it is complete")
        playback.feed(first, b"bb")
        playback.end(second)
        playback.end(first)
        await until(lambda: finished == [first, second], "both are heard")
    assert speaker.said == [16000, b"aa", b"bb", "finish", 16000, b"cc", "finish", "stop"]
    assert first.seconds == pytest.approx(4 / 32000)


async def test_stop_is_heard_at_once_and_drops_what_waits() -> None:
    speaker, finished = RecordingSpeaker(), list[Sound]()
    speaker.free.clear()
    playing, waiting, later = (Sound(FORMAT, label) for label in ("playing", "waiting", "later"))
    async with running(speaker, finished) as playback:
        playback.play(playing)
        playback.play(waiting)
        playback.feed(playing, b"aa")
        await until(lambda: speaker.said == [16000], "it plays")
        await asyncio.sleep(0)
        playback.stop()
        assert not playback.feed(playing, b"bb")
        speaker.free.set()
        playback.play(later)
        playback.end(later)
        await until(lambda: finished == [later], "what comes after is played")
    assert speaker.said == [16000, "stop", 16000, "finish", "stop"]


async def test_a_speaker_that_fails_does_not_hang_the_next_sound(caplog: pytest.LogCaptureFixture) -> None:
    speaker, finished = RecordingSpeaker(), list[Sound]()
    broken, good = Sound(PcmFormat(8000, 2, 1), "answer"), Sound(FORMAT, "chime")
    async with running(speaker, finished) as playback:
        playback.play(broken)
        playback.play(good)
        playback.feed(broken, b"aa")
        playback.end(good)
        await until(lambda: "cannot play the answer" in caplog.text, "told once")
        assert finished == [], "its driver is still sending it"
        playback.end(broken)
        await until(lambda: finished == [broken, good], "both are over")


async def test_a_flood_of_audio_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playback_module, "MAX_BUFFERED_BYTES", 1000)
    speaker, finished = RecordingSpeaker(), list[Sound]()
    speaker.free.clear()
    sound = Sound(FORMAT, "answer")
    async with running(speaker, finished) as playback:
        playback.play(sound)
        taken = [playback.feed(sound, bytes(100)) for _ in range(20)]
        assert taken == [True] * 10 + [False] * 10
        speaker.free.set()
        await until(lambda: len(speaker.said) == 11, "the rest is heard")
        assert playback.feed(sound, bytes(100)), "there is room again"
        playback.end(sound)
        await until(lambda: finished == [sound], "heard")


async def test_what_comes_first_interrupts_and_the_rest_goes_on_where_it_was() -> None:
    speaker, finished = SlowSpeaker(), list[str]()
    edges: list[bool] = []
    playback = Playback(speaker, lambda sound: finished.append(sound.label), edges.append)
    task = asyncio.create_task(playback.run())
    answer, announcement = Sound(FORMAT, "answer"), Sound(FORMAT, "announcement")
    for number in range(3):
        playback.feed(answer, bytes([number]) * 4)
    playback.end(answer)
    playback.play(answer)
    await speaker.wants(b"\0\0\0\0")
    speaker.go.set()
    await speaker.wants(b"\1\1\1\1")
    playback.feed(announcement, b"!!!!")
    playback.end(announcement)
    playback.play(announcement, first=True)
    speaker.go.set()
    for wanted in (b"!!!!", b"\1\1\1\1", b"\2\2\2\2"):
        await speaker.wants(wanted)
        speaker.go.set()
    async with asyncio.timeout(5):
        while len(finished) < 2 or edges != [True, False]:
            await asyncio.sleep(0)
    assert finished == ["announcement", "answer"]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


class SlowSpeaker(NullSpeaker):
    """Takes a piece when a test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.wanted: asyncio.Queue[bytes] = asyncio.Queue()

    async def write(self, pcm: bytes) -> None:
        self.go.clear()
        self.wanted.put_nowait(pcm)
        await self.go.wait()

    async def wants(self, pcm: bytes) -> None:
        async with asyncio.timeout(5):
            assert await self.wanted.get() == pcm
