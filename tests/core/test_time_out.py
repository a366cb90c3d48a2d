"""A time-out counts the time in which the event loop runs, and hardly that in which it stands still."""

from __future__ import annotations

import asyncio

import pytest

from hearth_core.time_out import time_out
from tests.fakes import stand_still


async def test_what_does_not_come_is_late() -> None:
    with pytest.raises(TimeoutError):
        async with time_out(0.02):
            await asyncio.Event().wait()


@pytest.mark.parametrize("seconds", [None, 60.0])
async def test_what_comes_is_not(seconds: float | None) -> None:
    async with time_out(seconds):
        await asyncio.sleep(0)


@pytest.mark.parametrize("stops", [1, 3])
async def test_standing_still_is_not_the_others_time(stops: int) -> None:
    here = asyncio.Event()
    async with time_out(60.0):
        for _ in range(stops):
            stand_still(1000.0)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(here.set)
        await here.wait()


async def test_what_has_come_while_it_stood_still_in_the_last_part_is_taken() -> None:
    loop = asyncio.get_running_loop()
    here = asyncio.Event()
    async with time_out(60.0):
        for _ in range(5):
            stand_still(1000.0)
            loop.call_soon(here.set)
            await here.wait()
            here.clear()


async def test_a_loop_that_only_ever_stands_still_is_late_at_last() -> None:
    async def wait() -> None:
        async with time_out(60.0):
            while True:
                stand_still(1000.0)
                await asyncio.sleep(0)

    with pytest.raises(TimeoutError):
        await wait()


async def test_being_cancelled_is_not_being_late() -> None:
    async def wait() -> None:
        async with time_out(60.0):
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
