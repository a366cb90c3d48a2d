"""The clocks that the schedule goes by, behind a seam, so that tests move time."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Two clocks: the one on the wall, which may be set, and one that only goes on."""

    def wall(self) -> float:
        """Return the time of day, seconds since 1970 UTC."""

    def steady(self) -> float:
        """Return seconds that nobody sets, counted in sleep too."""

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Return when the event is set, at the latest after so many seconds."""


class SystemClock:
    """The clocks of this machine."""

    def wall(self) -> float:
        """Return the time of day."""
        return time.time()

    def steady(self) -> float:
        """Return seconds since the machine started, those that it slept included, where the system counts them."""
        boot: int | None = getattr(time, "CLOCK_BOOTTIME", None)
        return time.monotonic() if boot is None else time.clock_gettime(boot)

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Wait for the event."""
        with suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), seconds)


def zone_of(name: str) -> tzinfo:
    """Return a time zone, the machine's own for an empty name; its rules of summer time are known where they can be.

    Raises:
        ZoneInfoNotFoundError: there is none of that name.
    """
    if name:
        return ZoneInfo(name)
    with suppress(KeyError, ValueError, OSError):
        if os.environ.get("TZ"):
            return ZoneInfo(os.environ["TZ"].lstrip(":"))
        local = Path("/etc/localtime")
        _, found, key = str(local.resolve()).partition("zoneinfo/")
        if found:
            return ZoneInfo(key)
        with local.open("rb") as file:
            return ZoneInfo.from_file(file)
    return datetime.now().astimezone().tzinfo or UTC
