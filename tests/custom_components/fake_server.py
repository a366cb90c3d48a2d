"""A Hearth server as the integration sees it: real sockets, the real protocol, and answers that a test decides."""

from __future__ import annotations

import asyncio
import atexit
import functools
import shutil
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStop
from wyoming.error import Error
from wyoming.event import Event

from hearth_core.companion import PREFIX, PROTOCOL, Dialogue, RefusedError, unpack
from hearth_core.pairing_proof import CLIENT, SERVER, pairing_key, proof
from hearth_core.trust import make_certificate, server_context
from hearth_core.wire import Connection, serve

SERVER_ID = "0123456789abcdef0123456789abcdef"
CODE = "123456"
TOKEN = "a token"
ENTRY = "the_entry"

SATELLITE: dict[str, Any] = {
    "name": "Kitchen",
    "connected": True,
    "area_id": None,
    "state": "idle",
    "mute": False,
    "volume": 0.5,
    "wake_word": "okay_nabu",
    "wake_words": ["okay_nabu", "hey_jarvis"],
    "sensitivity": 0.4,
    "microphone_ok": True,
    "level_dbfs": -40.0,
    "can": ["announce", "set"],
}
LAST: dict[str, Any] = {
    "text": "turn on the lamp",
    "kind": "done",
    "response": "Turned on the light",
    "intent": "HassTurnOn",
    "confidence": 0.93,
    "satellite": "Kitchen",
    "latency_ms": 321.5,
    "real_time_factor": 0.12,
    "stages_ms": {"recognise": 120.0},
}


def status(**changes: Any) -> dict[str, Any]:
    """Return a status with these changes."""
    return {
        "state": "idle",
        "engine": "pocketsphinx",
        "language": "en",
        "version": "0.1.0",
        "queue": 0,
        "home": {"entities": 12, "areas": 3, "floors": 1, "words": 400},
        "last": LAST,
        "satellites": [SATELLITE],
        "problems": [],
        **changes,
    }


class FakeServer:
    """What it was told, and what it answers.

    Attributes:
        secured: whether it speaks TLS, and tells so.
        knows_the_code: False for one that only pretends to be the server.
        refuse: by method at the door, or "hello": the refusal.
        answers: by method: what a request gets, a function of its fields, or an exception.
    """

    def __init__(self) -> None:
        self.port = 0
        self.tls_port = 0
        self.fingerprint = ""
        self.secured = True
        self.knows_the_code = True
        self.server_id = SERVER_ID
        self.protocol = PROTOCOL
        self.version = "0.1.0"
        self.status = status()
        self.feed = True
        self.refuse: dict[str, RefusedError] = {}
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.homes: list[Mapping[str, Any]] = []
        self.states: dict[str, Any] = {}
        self.dialogue: Dialogue | None = None
        self.speech: list[Event] = [Transcript("turn on the lamp").event()]
        self.enough: int | None = None  # bytes of sound after which it has heard the end of speech
        self.transcribe: Transcribe | None = None
        self.heard = b""
        self.paired = 0
        self.tokens: list[object] = []  # those that were said at the door
        self.connections: set[Connection] = set()
        self.told = asyncio.Event()
        self.hangs = False  # it is there, and does nothing
        self._parts: dict[int, bytes] = {}

    def identity(self) -> dict[str, Any]:
        return {
            "server_id": self.server_id,
            "name": "Test server",
            "version": self.version,
            "protocol": self.protocol,
            "language": "en",
            **({"fingerprint": self.fingerprint, "tls_port": self.tls_port} if self.fingerprint else {}),
        }

    async def tell(self, **changes: Any) -> None:
        """Tell another status."""
        self.status = status(**changes)
        assert self.dialogue is not None
        await self.dialogue.note("status", self.status)

    async def happen(self, event: str, **facts: Any) -> None:
        """Tell an event."""
        assert self.dialogue is not None
        await self.dialogue.note("event", {"event": event, "facts": facts})

    async def call(self, service: str, *entity_ids: str, asked: str = "", **data: Any) -> Mapping[str, Any]:
        """Ask for a service call."""
        assert self.dialogue is not None
        domain, _, name = service.partition(".")
        fields = {"domain": domain, "service": name, "service_data": data, "target": {"entity_id": list(entity_ids)}}
        return await self.dialogue.request("call", {**fields, "asked": asked})

    async def until(self, holds: Callable[[], Any]) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(10):
            while not holds():
                await asyncio.sleep(0.01)

    def drop(self) -> None:
        """Cut all connections, as a server that is killed."""
        for connection in tuple(self.connections):
            connection.abort()

    async def on_connection(self, connection: Connection) -> None:
        self.connections.add(connection)
        dialogue: Dialogue | None = None
        try:
            while (event := await connection.read(30)) is not None:
                while self.hangs:
                    await asyncio.sleep(0.01)
                method = event.type.removeprefix(PREFIX)
                if dialogue is None:
                    dialogue = await self._at_the_door(connection, method, event.data)
                elif event.type.startswith(PREFIX):
                    await dialogue.receive(event)
                else:
                    await self._on_speech(connection, event)
        finally:
            self.connections.discard(connection)
            if dialogue is not None:
                await dialogue.close()
                if dialogue is self.dialogue:
                    self.dialogue = None

    async def _at_the_door(self, connection: Connection, method: str, fields: Mapping[str, Any]) -> Dialogue | None:
        answer: tuple[str, dict[str, Any]]
        if method == "hello":
            self.tokens.append(fields.get("token"))
        if method in self.refuse:
            answer = "refused", self.refuse[method].data()
        elif method == "describe":
            answer = "identity", self.identity()
        elif method == "pair":
            answer = "pairing", {"valid_s": 600}
        elif method == "pair-code" and (proven := self._proven(fields)) is not None:
            self.paired += 1
            answer = "paired", {"token": TOKEN, "proof": proven}
        elif method == "pair-code":
            answer = "refused", RefusedError("wrong-code", "the code is wrong").data()
        elif fields.get("token") != TOKEN:
            answer = "refused", RefusedError("unknown-token", "not paired").data()
        else:
            answer = "welcome", {**self.identity(), "feed": self.feed, "status": self.status}
        await connection.write(Event(PREFIX + answer[0], answer[1]))
        if answer[0] != "welcome":
            return None
        methods = ("ask", "announce", "set", "reload", "policy", "unpair")
        handlers = {name: self._answering(name) for name in methods}
        handlers |= {"home": self._home, "states": self._states, "ping": self._ping}
        dialogue = Dialogue(connection, handlers)
        if fields["role"] == "home":
            self.dialogue = dialogue
        return dialogue

    def _proven(self, fields: Mapping[str, Any]) -> str | None:
        """Return our proof if the code is right, None if not."""
        if not self.fingerprint:
            return "" if fields["code"] == CODE else None
        key = pairing_key(CODE, fields["nonce"])
        theirs, ours = (proof(key, who, self.server_id, self.fingerprint) for who in (CLIENT, SERVER))
        if not self.knows_the_code:
            return "made up"
        return ours if fields["proof"] == theirs else None

    def _answering(self, name: str) -> Any:
        async def answer(fields: Mapping[str, Any], payload: bytes) -> Mapping[str, Any] | None:
            self.asked.append((name, fields))
            found = self.answers.get(name)
            if callable(found) and not isinstance(found, Mapping):
                found = found(fields)
            if asyncio.iscoroutine(found):
                found = await found
            if isinstance(found, Exception):
                raise found
            return found

        return answer

    async def _ping(self, fields: Mapping[str, Any], payload: bytes) -> None:
        pass

    async def _home(self, fields: Mapping[str, Any], payload: bytes) -> None:
        self._parts[fields["part"]] = payload
        if fields["part"] + 1 == fields["parts"]:
            home = unpack(b"".join(self._parts[number] for number in sorted(self._parts)))
            self._parts.clear()
            self.states = home["states"]
            self.homes.append(home)

    async def _states(self, fields: Mapping[str, Any], payload: bytes) -> None:
        self.states |= fields["a"]

    async def _on_speech(self, connection: Connection, event: Event) -> None:
        if Transcribe.is_type(event.type):
            self.transcribe = Transcribe.from_event(event)
            self.heard = b""
        elif AudioChunk.is_type(event.type):
            before, self.heard = len(self.heard), self.heard + AudioChunk.from_event(event).audio
            if self.enough is not None and before < self.enough <= len(self.heard):
                await self._answer_speech(connection)
        elif AudioStop.is_type(event.type) and self.enough is None:
            await self._answer_speech(connection)

    async def _answer_speech(self, connection: Connection) -> None:
        for answer in self.speech:
            if answer.type == "drop":
                connection.abort()
                return
            await connection.write(answer)


def names(home: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the names that were told, by entity id."""
    return {entity["id"]: entity["names"] for entity in home["entities"]}


@asynccontextmanager
async def serving(server: FakeServer) -> AsyncIterator[FakeServer]:
    """Listen on a free port of loopback, and on another for TLS."""
    async with await serve("127.0.0.1", server.port, server.on_connection) as listener:
        server.port = listener.port
        if not server.secured:
            yield server
            return
        context, server.fingerprint = certificate()
        async with await serve("127.0.0.1", 0, server.on_connection, tls=context) as secured:
            server.tls_port = secured.port
            yield server


@functools.cache
def certificate() -> tuple[ssl.SSLContext, str]:
    """Return a certificate for all servers of a run, and its fingerprint."""
    folder = Path(tempfile.mkdtemp(prefix="hearth-certificate-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    fingerprint = make_certificate(folder / "cert.pem", folder / "key.pem", "test")
    return server_context(folder / "cert.pem", folder / "key.pem"), fingerprint


def error(text: str) -> Event:
    """Return Wyoming's error."""
    return Error(text, "engine").event()


def partial(text: str) -> Event:
    """Return what is heard so far."""
    return Event(PREFIX + "partial", {"text": text})
