"""A microphone that dies is noticed, opened again with back-off, and talked about; no test waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from types import TracebackType

import pytest

from hearth_core.errors import AudioError
from hearth_satellite.watchdog import Health, Patience, Watchdog, WatchedMicrophone
from tests.satellite.fakes import Clock

SOUND, ZEROS = b"\1\0" * 512, bytes(1024)
CHUNK_S = 0.032


class Mic:
    """A microphone that gives what it was made with; then it hangs, ends, or breaks."""

    def __init__(self, chunks: list[bytes], then: str = "hang", *, opens: bool = True) -> None:
        self.chunks, self.then, self.opens = chunks, then, opens
        self.closed = False

    async def __aenter__(self) -> Mic:
        if not self.opens:
            raise AudioError("no such device")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closed = True

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield chunk
        if self.then == "break":
            raise AudioError("the device is gone")
        if self.then == "hang":
            await asyncio.Event().wait()


class Bench:
    """A watched microphone over several that are opened one after the other."""

    def __init__(self, *mics: Mic, patience: Patience | None = None) -> None:
        self.mics = list(mics)
        self.opened: list[int] = []
        self.slept: list[float] = []
        self.told: list[Health] = []
        # The stall is real time here, but so short that nobody waits for it.
        patience = patience or Patience(stall_s=0.01, zeros_s=1.0, retry_s=1.0, retry_max_s=5.0)
        self.microphone = WatchedMicrophone(self.make, patience, on_health=self.told.append, sleep=self.sleep)

    def make(self, failures: int) -> Mic:
        self.opened.append(failures)
        return self.mics[len(self.opened) - 1]

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    async def hear(self, count: int) -> list[bytes]:
        async with asyncio.timeout(20), self.microphone, aclosing(aiter(self.microphone)) as chunks:  # type: ignore[type-var]
            return [await anext(chunks) for _ in range(count)]


@pytest.mark.parametrize(
    ("then", "reason"), [("hang", "no sound for 0.01 s"), ("end", "it ended"), ("break", "the device is gone")]
)
async def test_a_microphone_that_stops_is_opened_again(then: str, reason: str) -> None:
    bench = Bench(Mic([SOUND] * 2, then), Mic([SOUND] * 3))
    assert await bench.hear(5) == [SOUND] * 5
    assert bench.mics[0].closed
    assert [health.ok for health in bench.told] == [False, True]
    assert reason in bench.told[0].reason
    assert bench.microphone.health == Health(True, reopened=1)


async def test_nothing_but_zeros_is_a_dead_microphone_and_a_second_of_zeros_is_not() -> None:
    dead = [SOUND, *[ZEROS] * 40]
    bench = Bench(Mic(dead, "hang"), Mic([SOUND]), patience=Patience(10.0, 1.0, 1.0, 5.0))
    heard = await bench.hear(1 + 31 + 1)
    assert heard == [SOUND, *[ZEROS] * 31, SOUND], "32 chunks of zeros are more than a second"
    assert "nothing but zeros for 1 s" in bench.told[0].reason


async def test_the_waits_double_up_to_the_most_and_begin_anew_after_it_worked() -> None:
    bench = Bench(
        Mic([SOUND], "end"), *[Mic([], opens=False)] * 3, Mic([ZEROS], "end"), Mic([SOUND], "end"), Mic([SOUND])
    )
    assert await bench.hear(4) == [SOUND, ZEROS, SOUND, SOUND]
    assert bench.slept == [1.0, 2.0, 4.0, 5.0, 5.0, 1.0], "zeros are not yet a microphone that works"
    assert [health.ok for health in bench.told][-1] is True


async def test_devices_are_looked_for_again_only_after_an_attempt_failed() -> None:
    bench = Bench(Mic([SOUND], "end"), Mic([], opens=False), Mic([SOUND]))
    await bench.hear(2)
    assert bench.opened == [0, 1, 2]


async def test_one_that_does_not_come_to_open_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hearth_satellite.watchdog._OPEN_S", 0.01)

    class Stuck(Mic):
        async def __aenter__(self) -> Mic:
            await asyncio.Event().wait()
            raise AssertionError

    bench = Bench(Mic([SOUND], "end"), Stuck([]), Mic([SOUND]))
    assert await bench.hear(2) == [SOUND] * 2
    assert bench.opened == [0, 1, 2]


async def test_one_that_cannot_be_opened_at_the_start_is_told_at_once() -> None:
    with pytest.raises(AudioError, match="no such device"):
        await Bench(Mic([], opens=False)).hear(1)


async def test_one_that_does_not_close_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hearth_satellite.watchdog._CLOSE_S", 0.01)
    hanging = Mic([SOUND], "end")
    stuck = asyncio.Event()

    async def close(*args: object) -> None:
        await stuck.wait()

    monkeypatch.setattr(type(hanging), "__aexit__", close)
    bench = Bench(hanging, Mic([SOUND]))
    assert await bench.hear(2) == [SOUND] * 2
    stuck.set()
    await asyncio.sleep(0)


def test_patience_is_counted_from_the_last_sound() -> None:
    clock = Clock()
    dog = Watchdog(Patience(stall_s=3.0, zeros_s=1.0), clock)
    clock.now += 2
    assert dog.left_s() == pytest.approx(1.0)
    assert dog.heard(SOUND) is None
    assert dog.left_s() == pytest.approx(3.0)
    clock.now += 100
    assert dog.left_s() == 0.0


def test_zeros_are_counted_in_sound_and_any_sample_ends_them() -> None:
    dog = Watchdog(Patience(zeros_s=0.1))
    quiet = ZEROS[:-1] + b"\1"
    assert [dog.heard(chunk) is None for chunk in (ZEROS, ZEROS, ZEROS, quiet, ZEROS, ZEROS, ZEROS)] == [True] * 7
    assert dog.heard(ZEROS) is not None
