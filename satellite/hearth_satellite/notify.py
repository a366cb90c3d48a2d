"""Telling systemd that the satellite is up, and that it lives. Does nothing where systemd does not ask for it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator, Mapping

_LOG = logging.getLogger(__name__)


class Notifier:
    """Sends what `sd_notify` sends.

    Args:
        environment: where systemd says how it wants to be told.

    Source: sd_notify(3) and sd_watchdog_enabled(3), systemd 252.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self.watchdog_s: float | None = None
        """So often a sign of life is wanted; None if it is not."""
        with contextlib.suppress(ValueError):
            microseconds = int(environment.get("WATCHDOG_USEC", "0"))
            mine = int(environment.get("WATCHDOG_PID", "0")) in (0, os.getpid())
            if microseconds > 0 and mine:
                self.watchdog_s = microseconds / 1e6

    def send(self, *lines: str) -> None:
        """Send assignments such as `READY=1`; what cannot be sent is let go."""
        if not self._address:
            return
        # @ stands for the zero byte of an abstract socket.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as link:
                link.setblocking(False)  # a full queue must not hold the sound up
                link.sendto("\n".join(lines).encode(), address)
        except OSError as error:
            _LOG.debug("systemd cannot be told %s: %s", lines, error)

    @contextlib.asynccontextmanager
    async def ready(self, status: str) -> AsyncIterator[None]:
        """Say that we are ready, give signs of life while the block runs, and say that we stop.

        The signs come from the event loop: when it hangs, they fail to come, and systemd starts the satellite again.
        """
        self.send("READY=1", f"STATUS={status}")
        living = asyncio.create_task(self._live(), name="watchdog")
        try:
            yield
        finally:
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)
            self.send("STOPPING=1")

    async def _live(self) -> None:
        while self.watchdog_s is not None:
            self.send("WATCHDOG=1")
            await asyncio.sleep(self.watchdog_s / 3)  # twice late is still in time
