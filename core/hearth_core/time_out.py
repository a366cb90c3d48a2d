"""A time-out for what others do, in which this process's own standing still does not count."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

# A stop costs one part, however long it is: what has come meanwhile is still taken, and what was not asked for in it,
# as a ping, is asked for in the others. Each part wakes the process once.
_PARTS: Final = 5


@asynccontextmanager
async def time_out(seconds: float | None) -> AsyncIterator[None]:
    """Let the block wait for so long, as `asyncio.timeout` does; None lets it wait for ever.

    The event loop stands still while another thread computes without giving up Python's lock, while the machine has
    more to do than it can, or sleeps. `asyncio.timeout` takes that time for the peer's: after it, it is late even
    though its answer lies in the socket, and even though it was asked nothing. Here it is not more than a fifth of the
    time, so that a peer is given up for its own silence only.

    Raises:
        TimeoutError: the loop has run for so long, and the block was not done.
    """
    async with asyncio.timeout(None) as limit:
        if seconds is None:
            yield
            return
        loop = asyncio.get_running_loop()
        part_s, left = seconds / _PARTS, _PARTS
        timer: asyncio.TimerHandle

        def pass_part() -> None:
            nonlocal left, timer
            left -= 1
            if left:
                timer = loop.call_later(part_s, pass_part)
            else:
                limit.reschedule(loop.time())

        timer = loop.call_later(part_s, pass_part)
        try:
            yield
        finally:
            timer.cancel()
