"""A microphone that died is opened again: sound devices stop, or give nothing but zeros, without a word."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Final

from hearth_core.audio import BYTES_PER_SECOND
from hearth_core.errors import AudioError
from hearth_core.time_out import time_out

from .microphone import Microphone

_LOG = logging.getLogger(__name__)

# PortAudio may wait for ever for a device that was pulled out; its thread is left behind then.
_CLOSE_S: Final = 5.0
_OPEN_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a microphone may be dead, and when it is tried again; in seconds.

    Attributes:
        stall_s: without any sound.
        zeros_s: with nothing but zeros, counted in sound.
        retry_s: before the first attempt; each that fails, or whose microphone is dead too, doubles it.
        retry_max_s: the most between two attempts.
    """

    stall_s: float = 3.0
    zeros_s: float = 20.0
    retry_s: float = 0.5
    retry_max_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the microphone works; `reason` says what is wrong, `reopened` how often it had to be opened again."""

    ok: bool
    reason: str = ""
    reopened: int = 0


class Watchdog:
    """Judges a microphone by what it delivers. Pure but for its clock.

    Args:
        patience: how long it may be dead.
        clock: monotonic seconds.
    """

    def __init__(self, patience: Patience, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._clock = clock
        self._failures = 0
        self.opened()

    def opened(self) -> None:
        """Take note that the microphone was opened."""
        self._heard_at = self._clock()
        self._zero_bytes = 0

    def heard(self, chunk: bytes) -> str | None:
        """Take what the microphone delivered; return what is wrong with it, None if nothing is."""
        self._heard_at = self._clock()
        if any(chunk):
            self._zero_bytes = self._failures = 0
            return None
        self._zero_bytes += len(chunk)
        if self._zero_bytes < self._patience.zeros_s * BYTES_PER_SECOND:
            return None
        return f"it has given nothing but zeros for {self._patience.zeros_s:g} s"

    def alive(self) -> bool:
        """Whether the microphone has given something other than zeros since it last failed."""
        return self._failures == 0

    def left_s(self) -> float:
        """Return for how many seconds it may still deliver nothing."""
        return max(0.0, self._heard_at + self._patience.stall_s - self._clock())

    def stalled(self) -> str:
        """Return what is wrong with a microphone that has delivered nothing for too long."""
        return f"it has given no sound for {self._patience.stall_s:g} s"

    def retry_after_s(self) -> float:
        """Count a failure; return how long to wait before the microphone is opened again."""
        delay = min(self._patience.retry_max_s, self._patience.retry_s * 2.0 ** min(self._failures, 30))
        self._failures += 1
        return delay


class WatchedMicrophone:
    """A microphone that is closed and opened again when it dies.

    While it is dead nothing comes from it; whoever waits for sound has a time limit of its own. It is not ok again
    before it has delivered something other than zeros.

    Args:
        make: returns a microphone to enter; called again for each attempt with the number of those that failed.
        patience: how long it may be dead.
        on_health: told each change; never waits.
        clock: monotonic seconds.
        sleep: waits.

    Raises:
        AudioError: on entering, it does not open: a mistake of the configuration is told at the start.
    """

    def __init__(
        self,
        make: Callable[[int], Microphone],
        patience: Patience,
        *,
        on_health: Callable[[Health], None] = lambda health: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._make = make
        self._watchdog = Watchdog(patience, clock)
        self._on_health = on_health
        self._sleep = sleep
        self._microphone: Microphone | None = None
        self.health = Health(True)

    async def __aenter__(self) -> WatchedMicrophone:
        microphone = self._make(0)
        await microphone.__aenter__()
        self._microphone = microphone
        self._watchdog.opened()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            problem = "it could not be opened"
            if self._microphone is not None:
                chunks = aiter(self._microphone)
                while isinstance(heard := await self._next(chunks), bytes):
                    yield heard
                problem = heard.reason
            await self._reopen(problem)

    async def _next(self, chunks: AsyncIterator[bytes]) -> bytes | Health:
        """Return the next sound, or what is wrong with the microphone."""
        try:
            async with time_out(self._watchdog.left_s()):
                chunk = await anext(chunks)
        except TimeoutError:
            return Health(False, self._watchdog.stalled())
        except StopAsyncIteration:
            return Health(False, "it ended")
        except AudioError as error:
            return Health(False, error.message)
        wrong = self._watchdog.heard(chunk)
        if wrong is not None:
            return Health(False, wrong)
        if not self.health.ok and self._watchdog.alive():
            self._set(Health(True, reopened=self.health.reopened))
        return chunk

    async def _reopen(self, problem: str) -> None:
        delay = self._watchdog.retry_after_s()
        self._set(Health(False, problem, self.health.reopened + 1))
        await self._close()
        await self._sleep(delay)
        microphone = self._make(self.health.reopened)
        try:
            async with time_out(_OPEN_S):
                await microphone.__aenter__()
        except (AudioError, TimeoutError) as error:
            _LOG.warning("the microphone cannot be opened again: %s", str(error) or f"it takes over {_OPEN_S:g} s")
            return
        self._microphone = microphone
        self._watchdog.opened()

    def _set(self, health: Health) -> None:
        if health.ok:
            _LOG.info("the microphone works again")
        elif self.health.reason != health.reason:
            _LOG.warning("the microphone is closed and opened again: %s", health.reason)
        changed = (health.ok, health.reason) != (self.health.ok, self.health.reason)
        self.health = health
        if changed:
            self._on_health(health)

    async def _close(self) -> None:
        microphone, self._microphone = self._microphone, None
        if microphone is None:
            return
        closing = asyncio.ensure_future(microphone.__aexit__(None, None, None))
        with suppress(AudioError):
            done, _ = await asyncio.wait([closing], timeout=_CLOSE_S)
            if not done:
                _LOG.warning("the microphone does not close; it is left behind")
                closing.add_done_callback(_swallow)
                return
            closing.result()


def _swallow(closing: asyncio.Future[None]) -> None:
    if not closing.cancelled() and (error := closing.exception()) is not None:
        _LOG.warning("the microphone closed at last: %s", error)
