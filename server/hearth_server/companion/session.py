"""One connection of a Home Assistant to the server: at the door, and inside."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from wyoming.event import Event

from hearth_core.command import Context, ResponseKind, Stopwatch, Transcription
from hearth_core.companion import MAX_PARTS, PART_BYTES, PREFIX, PROTOCOL, Dialogue, Handler, RefusedError, unpack
from hearth_core.errors import HearthError, InputError, PeerError, WireError
from hearth_core.pairing_proof import is_nonce
from hearth_core.wire import Connection

from ..handler import answer_facts
from ..pipeline import Answer, Partial, Pipeline, Progress
from . import satellites
from .bus import asked_by
from .companion import Companion
from .feed import told
from .pairing import Paired

log = logging.getLogger(__name__)

MAX_TEXT: Final = 1000
# A person reads a code and types it; a machine that asks more often guesses.
MAX_AT_THE_DOOR: Final = 20


class Session:
    """A connection from its first `hearth-` event to its end.

    Args:
        companion: what all sessions share.
        connection: this one's.
        pipeline: that does what is asked.
        secured: whether the connection is TLS.
    """

    def __init__(
        self, companion: Companion, connection: Connection, pipeline: Pipeline, *, secured: bool = False
    ) -> None:
        self._companion = companion
        self._connection = connection
        self._pipeline = pipeline
        self._secured = secured
        self._paired: Paired | None = None
        self._asked = 0
        self._parts: dict[int, bytes] = {}
        self.role = ""
        self.feeds = False
        self.dialogue = Dialogue(connection, self._handlers())

    @property
    def paired(self) -> Paired:
        """Whose session it is."""
        if self._paired is None:
            raise RefusedError("unknown-token", "this connection is not paired")
        return self._paired

    async def receive(self, event: Event) -> None:
        """Take an event of this protocol.

        Raises:
            WireError: it cannot be understood, or a stranger does not go away.
            PeerError: the connection is lost.
        """
        if self._paired is not None:
            await self.dialogue.receive(event)
            return
        self._asked += 1
        if self._asked > MAX_AT_THE_DOOR:
            raise WireError("a peer that is not paired asks too much")
        try:
            kind, fields = await self._at_the_door(event.type.removeprefix(PREFIX), event.data or {})
        except HearthError as error:
            refusal = error if isinstance(error, RefusedError) else RefusedError(error.code, error.message)
            log.warning("%s was refused: %s", self._connection.peer, refusal)
            kind, fields = "refused", refusal.data()
        await self._connection.write(Event(PREFIX + kind, fields))
        if kind == "welcome":
            self._companion.enter(self)

    async def close(self) -> None:
        """End what is under way."""
        if self._paired is not None:
            self._companion.leave(self)
        await self.dialogue.close()

    def end(self) -> None:
        """Cut the connection: its owner took the pairing back."""
        self._connection.abort()

    @contextlib.asynccontextmanager
    async def hearing(self, context: Context) -> AsyncIterator[None]:
        """Tell what is heard so far of this utterance, for the length of the block."""
        if self._paired is None:
            yield
            return
        latest: list[str] = []
        news = asyncio.Event()

        def observe(progress: Progress) -> None:
            if isinstance(progress, Partial) and progress.context.command_id == context.command_id:
                latest[:] = [progress.hypothesis.text]
                news.set()

        async def tell() -> None:
            while True:
                await news.wait()
                news.clear()
                with contextlib.suppress(PeerError):
                    await self.dialogue.note("partial", {"text": latest[0], "command_id": context.command_id})

        telling = asyncio.create_task(tell(), name="tell what is heard")
        self._pipeline.observers.append(observe)
        try:
            with self._companion.working():
                yield
        finally:
            self._pipeline.observers.remove(observe)
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)

    def heard(self, transcription: Transcription, watch: Stopwatch) -> None:
        """Take note of what was heard: Home Assistant gives it back as a text."""
        if self._paired is not None:
            self._companion.heard(transcription, watch.milliseconds())

    async def _at_the_door(self, method: str, fields: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        pairing = self._companion.pairing
        if method == "describe":
            return "identity", await asyncio.to_thread(self._companion.identity)
        if method == "pair":
            log.warning("%s asks to be paired", self._connection.peer)
            _, valid_s = await asyncio.to_thread(pairing.offer)
            return "pairing", {"valid_s": round(valid_s)}
        if method == "pair-code":
            self._refuse_in_the_clear()
            return "paired", await asyncio.to_thread(self._pair, fields)
        if method == "hello":
            self._refuse_in_the_clear()
            return "welcome", await self._welcome(fields)
        raise RefusedError("unknown-token", "this connection is not paired", remedy="Pair it first")

    def _pair(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        pairing, name = self._companion.pairing, str(fields.get("name"))[:100]
        if not self._secured:
            token = pairing.accept(str(fields.get("code"))[:32], name)
            return {"token": token, "server_id": pairing.server_id}
        nonce = fields.get("nonce")
        if not isinstance(nonce, str) or not is_nonce(nonce):
            raise RefusedError("input", "a proof comes with a nonce")
        token, ours = pairing.accept_proof(fields.get("proof"), nonce, self._companion.fingerprint, name)
        return {"token": token, "server_id": pairing.server_id, "proof": ours}

    def _refuse_in_the_clear(self) -> None:
        if self._companion.tls_port and not self._secured:
            raise RefusedError(
                "unknown-token",
                f"this server speaks to Home Assistant over TLS alone, on port {self._companion.tls_port}",
                remedy="Pair again",
            )

    async def _welcome(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        protocol, role = fields.get("protocol"), fields.get("role")
        if protocol != PROTOCOL:
            older = isinstance(protocol, int) and protocol < PROTOCOL
            raise RefusedError(
                "protocol",
                f"this server speaks version {PROTOCOL} of the protocol, not {str(protocol)[:10]}",
                remedy=f"Update {'the integration' if older else 'the server'}",
            )
        if role not in ("home", "speech"):
            raise RefusedError("input", f"{str(role)[:20]!a} is no role")
        paired = await asyncio.to_thread(self._companion.pairing.known, str(fields.get("token"))[:200])
        if paired is None or (self._secured and not paired.secured):
            raise RefusedError("unknown-token", "this server is not paired with you", remedy="Pair again")
        welcome = {**self._companion.identity(), "feed": self._companion.feeds, "status": self._companion.status()}
        self._paired, self.role, self.feeds = paired, str(role), self._companion.feeds
        return welcome

    # -- inside --------------------------------------------------------------------------------------------------------

    def _handlers(self) -> Mapping[str, Handler]:
        return {
            "ping": self._ping,
            "ask": self._ask,
            "home": self._home,
            "states": self._states,
            "announce": self._announce,
            "set": self._set,
            "reload": self._reload,
            "policy": self._policy,
            "unpair": self._unpair,
        }

    async def _ping(self, fields: Mapping[str, Any], payload: bytes) -> None:
        """Live."""

    async def _ask(self, fields: Mapping[str, Any], payload: bytes) -> Mapping[str, Any]:
        """Do what a text says."""
        text = fields.get("text")
        if not isinstance(text, str) or not text.strip() or len(text) > MAX_TEXT:
            raise InputError(f"a text of 1 to {MAX_TEXT} characters was expected")
        asked_by.set(str(fields.get("asked") or "")[:64])  # in this request's own task
        satellite, area = fields.get("satellite"), fields.get("area_id")
        context = Context(
            language=self._companion.language,
            satellite=satellite[:255] if isinstance(satellite, str) and satellite else None,
            area_id=area if isinstance(area, str) and area in self._pipeline.house.home.areas else None,
        )
        with self._companion.working():
            return ask_facts(await self._pipeline.answer_text(text, context))

    async def _home(self, fields: Mapping[str, Any], payload: bytes) -> None:
        """Take a part of the home; with the last one, the home."""
        part, parts = fields.get("part"), fields.get("parts")
        if type(part) is not int or type(parts) is not int or not 0 <= part < parts <= MAX_PARTS:
            raise WireError("a home came in parts that cannot be counted")
        if len(payload) > PART_BYTES:
            raise WireError(f"a part of a home is larger than {PART_BYTES} bytes")
        if part == 0:
            self._parts.clear()
        self._parts[part] = payload
        if part + 1 < parts:
            return
        if len(self._parts) != parts:
            self._parts.clear()
            raise WireError("a part of a home is missing")
        packed = b"".join(self._parts[number] for number in range(parts))
        self._parts.clear()
        home = await asyncio.to_thread(lambda: told(unpack(packed)))
        self._companion.bus.take_home(self.dialogue, home)
        if self._companion.work.sentences is not None:
            await self._companion.work.sentences(home.sentences)
        self._companion.changed()

    async def _states(self, fields: Mapping[str, Any], payload: bytes) -> None:
        """Take states that changed."""
        self._companion.bus.take_states(self.dialogue, fields)

    async def _announce(self, fields: Mapping[str, Any], payload: bytes) -> None:
        text = fields.get("text")
        if not isinstance(text, str) or not text.strip() or len(text) > MAX_TEXT:
            raise InputError(f"a text of 1 to {MAX_TEXT} characters was expected")
        satellite = satellites.named(self._companion.work.satellites, fields.get("satellite"))
        await satellites.announce(satellite, text, listen=fields.get("listen") is True)

    async def _set(self, fields: Mapping[str, Any], payload: bytes) -> None:
        satellite = satellites.named(self._companion.work.satellites, fields.get("satellite"))
        settings = fields.get("settings")
        if not isinstance(settings, dict) or not settings:
            raise InputError("settings were expected")
        await satellites.change(satellite, settings)
        self._companion.changed()

    async def _reload(self, fields: Mapping[str, Any], payload: bytes) -> Mapping[str, Any]:
        if self._companion.work.reload is None:
            raise RefusedError("unsupported", "this server cannot reload")
        return await self._companion.work.reload()

    async def _policy(self, fields: Mapping[str, Any], payload: bytes) -> Mapping[str, Any]:
        await asyncio.to_thread(self._companion.policies.set, fields.get("rules"))
        return {"rules": len(self._companion.policies.rules)}

    async def _unpair(self, fields: Mapping[str, Any], payload: bytes) -> None:
        await asyncio.to_thread(self._companion.pairing.revoke, self.paired.pairing_id)
        log.warning("%s is not paired with this server any more", self.paired.name)


def ask_facts(answer: Answer) -> dict[str, Any]:
    """Return what became of a command that Home Assistant asked for."""
    facts = answer_facts(answer)
    match = answer.matches[0] if answer.matches else None
    refusal = answer.plan.refusal if answer.plan else None
    return {
        # Whoever answers a question listens without a wake word; `answer_facts` may know better.
        "continue_conversation": answer.response.kind is ResponseKind.QUESTION,
        **facts,
        "text": answer.response.text,
        "slots": {k: {"value": _plain(s.value), "text": s.text} for k, s in match.slots.items()} if match else {},
        "refusal": refusal.key if refusal else None,
    }


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)
