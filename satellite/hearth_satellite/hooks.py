"""Commands of people's own that run when something happens: bounded in number and time, so that none does harm.

A command gets the happening in its environment, `HEARTH_EVENT` and `HEARTH_<FACT>` for each fact, and as one JSON
object on standard input. Commands of one kind (what stands before the first dash: `timer`, `output`) run one after the
other, so that a lamp is not switched off before it is switched on; kinds run beside each other.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from .news import News, Told

_LOG = logging.getLogger(__name__)

_MAX_WAITING: Final = 16  # of one kind; what is older is of no more interest than what is newest
_MAX_FACT: Final = 4096  # characters in the environment
_TOLD: Final = 500  # characters of what a failed command has said
_DYING_S: Final = 2.0  # for a command that was killed to be gone


class Hooks:
    """Runs commands for what happens.

    Args:
        commands: program and arguments by happening.
        timeout_s: a command that takes longer is ended, and all that it has started.
        max_running: commands at a time.
    """

    def __init__(self, commands: Mapping[Any, Sequence[str]], timeout_s: float, max_running: int) -> None:
        self._commands = commands
        self._timeout_s = timeout_s
        self._free = asyncio.Semaphore(max_running)
        self._waiting: dict[str, deque[Told]] = {}
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._closed = False

    @contextlib.asynccontextmanager
    async def running(self, news: News) -> AsyncIterator[None]:
        """Run the commands of what is told, until the block is left."""
        unlisten = news.listen(self.on_news)
        try:
            yield
        finally:
            unlisten()
            self._closed = True
            lanes = list(self._lanes.values())
            for lane in lanes:
                lane.cancel()
            await asyncio.gather(*lanes, return_exceptions=True)

    def on_news(self, told: Told) -> None:
        """Run the command of this happening soon; returns at once."""
        if told.happening not in self._commands or self._closed:
            return
        kind = told.happening.partition("-")[0]
        waiting = self._waiting.setdefault(kind, deque())
        if len(waiting) >= _MAX_WAITING:
            _LOG.warning("the hook of %s is left out: too many wait", waiting.popleft().happening)
        waiting.append(told)
        lane = self._lanes.get(kind)
        if lane is None or lane.done():
            self._lanes[kind] = asyncio.create_task(self._run_lane(waiting), name=f"hooks of {kind}")

    async def _run_lane(self, waiting: deque[Told]) -> None:
        while waiting:
            async with self._free:
                await self._run(waiting.popleft())

    async def _run(self, told: Told) -> None:
        command = self._commands[told.happening]
        text = json.dumps({"event": str(told.happening), **told.facts}, ensure_ascii=False)
        try:
            # A session of its own, so that what it starts can be ended with it.
            process = await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=DEVNULL, stderr=PIPE, env=_environment(told), start_new_session=True
            )
        except (OSError, ValueError) as error:
            _LOG.warning("the hook of %s cannot be run: %s", told.happening, error)
            return
        try:
            async with asyncio.timeout(self._timeout_s):
                complaint = await _talk(process, text.encode())
        except TimeoutError:
            _LOG.warning("the hook of %s took more than %g s and was ended", told.happening, self._timeout_s)
            return
        finally:
            await _end(process)
        if process.returncode:
            said = complaint.decode("utf-8", "replace").strip()
            _LOG.warning("the hook of %s failed with %d: %s", told.happening, process.returncode, said)


async def _talk(process: asyncio.subprocess.Process, text: bytes) -> bytes:
    """Give a command its input; return the beginning of its complaints when it has ended."""
    assert process.stdin is not None
    assert process.stderr is not None
    with contextlib.suppress(OSError):  # it need not read
        process.stdin.write(text + b"\n")
        process.stdin.close()
    said = b""
    while more := await process.stderr.read(4096):  # to the end, or a command that talks much would hang
        said = (said + more)[:_TOLD]
    await process.wait()
    return said


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)  # its children too, even if it has ended itself
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DYING_S):
            await process.wait()
    # A grandchild in a session of its own may hold the pipe open: it is no concern of ours.
    process._transport.close()  # type: ignore[attr-defined]


def _environment(told: Told) -> dict[str, str]:
    facts = {f"HEARTH_{name.upper()}": _plain(value) for name, value in told.facts.items()}
    return {**os.environ, "HEARTH_EVENT": str(told.happening), **facts}


def _plain(value: object) -> str:
    """Return a fact as a shell takes it: lists by spaces, true and false in small letters, no zero bytes."""
    if isinstance(value, bool):
        return str(value).lower()
    text = " ".join(map(str, value)) if isinstance(value, list | tuple) else "" if value is None else str(value)
    return text.replace("\0", " ")[:_MAX_FACT]
