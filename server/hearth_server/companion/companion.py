"""The server's side of the companion protocol for all connections: identity, pairing, the bus, what is told to whom."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hearth_core import __version__
from hearth_core.command import Transcription
from hearth_core.companion import PROTOCOL, RefusedError
from hearth_core.config_companion import CompanionConfig
from hearth_core.errors import HearthError
from hearth_intents.spoken import speech

from ..home_report import check_names
from ..house import Change
from ..pipeline import Answer, Pipeline, Progress
from .bus import CompanionBus
from .pairing import Pairing
from .policies import Policies
from .satellites import Satellite
from .status import MAX_PROBLEMS, Heard, event_of, last_command, status

if TYPE_CHECKING:
    from .session import Session

log = logging.getLogger(__name__)

# A command changes the status several times in a moment; one telling serves them all.
SETTLE_S: Final = 0.1
# The signal level of a satellite moves all the time; and a pairing may have been removed by the command line.
REFRESH_S: Final = 10.0
# Between hearing and understanding Home Assistant does little.
HEARD_S: Final = 10.0


@dataclass(slots=True)
class Work:
    """What the parts of the server that come later are asked for; `running_server` fills it in."""

    satellites: tuple[Satellite, ...] = ()
    reload: Callable[[], Awaitable[Mapping[str, Any]]] | None = None
    sentences: Callable[[Mapping[str, str]], Awaitable[None]] | None = None


class Companion:
    """What all connections of paired Home Assistants share.

    Args:
        config: the section `server.companion`.
        language: that the server speaks.
        show: brings a pairing code before the owner's eyes.
    """

    def __init__(self, config: CompanionConfig, language: str, show: Callable[[str, int], object]) -> None:
        self.name = config.name
        self.language = language
        self.folder: Path = config.folder
        self.pairing = Pairing(self.folder, show)
        self.policies = Policies(self.folder)
        self.bus = CompanionBus()
        self.feeds = True
        self.fingerprint = ""  # of the certificate; with the port it is told as soon as TLS is listened on
        self.tls_port = 0
        self.work = Work()
        self.pipeline: Pipeline | None = None
        self._sessions: set[Session] = set()
        self._queue = 0
        self._heard: Heard | None = None
        self._last: Mapping[str, Any] | None = None
        self._problems: list[dict[str, str]] | None = None  # with the names, until these change
        self._changed = asyncio.Event()
        self._news: asyncio.Queue[tuple[str, Mapping[str, Any]]] = asyncio.Queue(100)

    # -- what is told ------------------------------------------------------------------------------------------------

    def identity(self) -> dict[str, Any]:
        """Return who the server is; the only thing that a stranger is told."""
        return {
            "server_id": self.pairing.server_id,
            "name": self.name,
            "version": __version__,
            "protocol": PROTOCOL,
            "language": self.language,
            **({"fingerprint": self.fingerprint, "tls_port": self.tls_port} if self.tls_port else {}),
        }

    def status(self) -> dict[str, Any]:
        """Return how the server is."""
        if self.pipeline is None:
            raise RefusedError("starting", "the server is starting")
        told = status(self.pipeline, self.work.satellites, self._queue, self._last, self.language)
        return told | {"version": __version__, "problems": self._name_problems(self.pipeline)}

    def _name_problems(self, pipeline: Pipeline) -> list[dict[str, str]]:
        if self._problems is None:
            remarks = check_names(pipeline.house.home, speech(self.language))
            found = [{"message": r.message, "remedy": r.remedy} for r in remarks if r.error]
            self._problems = found[:MAX_PROBLEMS]
        return self._problems

    def changed(self) -> None:
        """Take note that the status is another now; it is told a moment later."""
        self._changed.set()

    def tell(self, event: str, facts: Mapping[str, Any]) -> None:
        """Tell all of something that happened: understood, not_understood, wake, near_miss."""
        with contextlib.suppress(asyncio.QueueFull):  # a flood of them is worth no memory
            self._news.put_nowait((event, facts))

    def heard(self, transcription: Transcription, milliseconds: Mapping[str, float]) -> None:
        """Take note of what was heard for Home Assistant; it comes back as a text, without its confidence."""
        now = asyncio.get_running_loop().time()
        self._heard = Heard(transcription, milliseconds, now + HEARD_S)

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Count a command as under way for the length of the block."""
        self._queue += 1
        self.changed()
        try:
            yield
        finally:
            self._queue -= 1
            self.changed()

    # -- sessions ----------------------------------------------------------------------------------------------------

    def enter(self, session: Session) -> None:
        """Take a session that was let in."""
        self._sessions.add(session)
        if session.role == "home" and session.feeds:
            self.bus.attach(session.dialogue)

    def leave(self, session: Session) -> None:
        """Take note that a session is over."""
        self._sessions.discard(session)
        self.bus.detach(session.dialogue)

    async def run(self, pipeline: Pipeline) -> None:
        """Tell what happens, until cancelled."""
        self.pipeline = pipeline
        pipeline.observers.append(self._observe)
        pipeline.house.subscribe(self._on_change)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tell_status())
            tasks.create_task(self._tell_news())

    def _on_change(self, change: Change) -> None:
        if change.vocabulary:
            self._problems = None
            self.changed()

    def _observe(self, progress: Progress) -> None:
        if isinstance(progress, Answer):
            heard, self._heard = self._heard, None
            fresh = heard is not None and asyncio.get_running_loop().time() < heard.until
            self._last = last_command(progress, heard if fresh else None)
            self.tell(event_of(progress), self._last)
            self.changed()

    async def _tell_status(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_S):
                    await self._changed.wait()
            await asyncio.sleep(SETTLE_S)
            self._changed.clear()
            if not self._sessions:
                continue
            known = {paired.pairing_id for paired in await asyncio.to_thread(self.pairing.paired)}
            for session in tuple(self._sessions):
                if session.paired.pairing_id not in known:
                    session.end()  # removed on the command line
            try:
                told = self.status()
            except Exception:  # the telling must not end with one status that cannot be made
                log.exception("the status cannot be made")
                continue
            await self._note("status", told)

    async def _tell_news(self) -> None:
        while True:
            event, facts = await self._news.get()
            await self._note("event", {"event": event, "facts": dict(facts)})

    async def _note(self, method: str, fields: Mapping[str, Any]) -> None:
        for session in tuple(self._sessions):
            if session.role == "home":
                try:
                    await session.dialogue.note(method, fields)
                except HearthError as error:  # its reader ends it
                    log.debug("%s was not told: %s", session.dialogue, error)
