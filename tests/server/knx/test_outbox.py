"""The queue to the bus: its pace, its order, and that nothing leaves it late."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from hearth_core.errors import BusError
from hearth_server.knx import outbox
from hearth_server.knx.outbox import Fate, Outbox


class Wire:
    """Where an outbox sends to; it can be cut, and be slow."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, float]] = []
        self.cut = False
        self.stuck: asyncio.Event | None = None

    async def send(self, telegram: str) -> None:
        self.sent.append((telegram, asyncio.get_running_loop().time()))
        if self.stuck is not None:
            await self.stuck.wait()
        if self.cut:
            raise BusError("the wire is cut")

    @property
    def telegrams(self) -> list[str]:
        return [telegram for telegram, _ in self.sent]


@pytest.fixture
def wire() -> Wire:
    return Wire()


async def test_writes_keep_their_order_and_the_pace(wire: Wire) -> None:
    box: Outbox[str] = Outbox(wire.send, 50, 50)
    box.start()
    box.set_open(True)
    fates = await asyncio.gather(*(box.write(f"w{i}", 5) for i in range(6)))
    assert fates == [Fate.TAKEN] * 6
    assert wire.telegrams == [f"w{i}" for i in range(6)]
    times = [time for _, time in wire.sent]
    # A sleep may end a clock tick early; what must not be is two at once.
    assert all(later - earlier > 0.018 for earlier, later in pairwise(times))
    await box.stop()


async def test_writes_go_before_questions_and_those_before_reads(wire: Wire) -> None:
    box: Outbox[str] = Outbox(wire.send, 200, 200)
    box.set_open(True)
    box.read("r")
    box.ask("q")
    box.ask("answered meanwhile")
    box.forget("answered meanwhile")
    write = asyncio.create_task(box.write("w", 5))
    await asyncio.sleep(0)
    box.start()
    assert await write is Fate.TAKEN
    async with asyncio.timeout(5):
        while len(wire.sent) < 3:
            await asyncio.sleep(0.005)
    assert wire.telegrams == ["w", "q", "r"]
    await box.stop()


async def test_write_waits_for_the_bus_and_is_sent_once(wire: Wire) -> None:
    box: Outbox[str] = Outbox(wire.send, 200, 200)
    box.start()
    write = asyncio.create_task(box.write("w", 5))
    await asyncio.sleep(0.05)
    assert wire.sent == []
    box.set_open(True)
    assert await write is Fate.TAKEN
    assert wire.telegrams == ["w"]
    await box.stop()


async def test_write_that_is_too_old_is_never_sent(wire: Wire) -> None:
    box: Outbox[str] = Outbox(wire.send, 200, 200)
    box.start()
    assert await box.write("late", 0.05) is Fate.EXPIRED
    box.set_open(True)
    assert await box.write("now", 5) is Fate.TAKEN
    assert wire.telegrams == ["now"]
    await box.stop()


async def test_failed_write_is_sent_again_unless_it_would_do_harm(wire: Wire) -> None:
    box: Outbox[str] = Outbox(wire.send, 100, 100)
    box.start()
    box.set_open(True)
    wire.cut = True
    brighter = asyncio.create_task(box.write("brighter", 0.15, repeatable=False))
    on = asyncio.create_task(box.write("on", 5))
    assert await brighter is Fate.UNCERTAIN
    wire.cut = False
    assert await on is Fate.TAKEN
    assert wire.telegrams.count("brighter") == 1
    assert wire.telegrams.count("on") > 1
    await box.stop()


async def test_write_whose_time_ends_while_it_is_sent_is_uncertain_and_not_repeated(wire: Wire) -> None:
    box: Outbox[str] = Outbox(wire.send, 100, 100)
    box.start()
    box.set_open(True)
    wire.stuck, wire.cut = asyncio.Event(), True
    assert await box.write("w", 0.05) is Fate.UNCERTAIN
    wire.stuck.set()
    wire.stuck, wire.cut = None, False
    assert await box.write("next", 5) is Fate.TAKEN
    assert wire.telegrams == ["w", "next"]
    await box.stop()


async def test_lost_bus_forgets_reads_and_lets_tried_writes_expire(wire: Wire) -> None:
    box: Outbox[str] = Outbox(wire.send, 100, 100)
    box.start()
    box.set_open(True)
    wire.cut = True
    write = asyncio.create_task(box.write("w", 0.2))
    await asyncio.sleep(0.05)
    box.read("r")
    box.set_open(False)
    assert await write is Fate.EXPIRED
    wire.cut = False
    box.set_open(True)
    assert await box.write("now", 5) is Fate.TAKEN
    assert "r" not in wire.telegrams
    assert wire.telegrams[-1] == "now"
    await box.stop()


async def test_too_many_writes_are_refused(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MAX_WRITES", 3)
    box: Outbox[str] = Outbox(wire.send, 100, 100)
    fates = await asyncio.gather(*(box.write(f"w{i}", 0.05) for i in range(5)))
    assert fates == [Fate.EXPIRED] * 3 + [Fate.FULL] * 2
