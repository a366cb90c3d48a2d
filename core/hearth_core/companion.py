"""The companion protocol: what a Home Assistant that is paired with a Hearth server says to it, and hears from it.

It runs on the server's Wyoming port in Wyoming's framing; every event type begins with `hearth-`, and a peer that is
not paired gets no further than the first three lines. Plain Wyoming clients never see any of it.

    Home Assistant                               server
    hearth-describe                           -> hearth-identity {fingerprint, tls_port}
    hearth-pair                               -> hearth-pairing      the server shows a code to its owner
    hearth-pair-code {proof, nonce, name}     -> hearth-paired {token, proof}
    hearth-hello {token, protocol, role}      -> hearth-welcome      or hearth-refused {code, message, remedy}
    hearth-<method> {id, …}                   -> hearth-reply {id, result} or {id, error}, and the other way round

From `hearth-pair-code` on everything goes over TLS, on a port of its own, with the certificate of that fingerprint:
both prove that they know the code and have seen the same certificate (`pairing_proof`). A server without TLS has no
fingerprint to tell; then `hearth-pair-code {code, name}` and the rest go in the clear, if the owner agrees.

A method without an id is a note: it is not answered. Methods of the server: ask, announce, converse, set, reload,
policy, unpair, home, states. Methods of Home Assistant: call, status, event.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import zlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

from wyoming.event import Event

from .errors import HearthError, PeerError, WireError

log = logging.getLogger(__name__)

# Raised when one side could no longer understand the other; both sides tell it, and what to update.
PROTOCOL: Final = 1
PREFIX: Final = "hearth-"
SERVICE_TYPE: Final = "_hearth._tcp.local."
# What Home Assistant takes for a service call that hangs is up to its caller; ours ends with the server's own limit.
REQUEST_S: Final = 15.0
# Requests of one peer at a time; a peer that asks more is told so. A home says one thing at a time, and asks one.
MAX_REQUESTS: Final = 32
# A home of 5,000 entities is 3 MB of JSON, 0.3 MB compressed; ten times that is not a home.
MAX_DOCUMENT_BYTES: Final = 32 * 2**20
PART_BYTES: Final = 512 * 1024
MAX_PARTS: Final = 16


class RefusedError(HearthError):
    """The other side understood and said no.

    Args:
        reason: for machines: wrong-code, locked, no-code, unknown-token, protocol, busy, unsupported…
        retry_s: seconds after which another attempt may succeed, 0 if time does not help.
    """

    code = "refused"

    def __init__(self, reason: str, message: str, *, remedy: str = "", retry_s: float = 0.0) -> None:
        super().__init__(message, remedy=remedy)
        self.reason = reason
        self.retry_s = retry_s

    def data(self) -> dict[str, Any]:
        """Return it as it travels."""
        told: dict[str, Any] = {"code": self.reason, "message": self.message, "remedy": self.remedy}
        return told | ({"retry_s": self.retry_s} if self.retry_s else {})


Handler = Callable[[Mapping[str, Any], bytes], Awaitable[Mapping[str, Any] | None]]


class Writer(Protocol):
    """Where events go out."""

    peer: str

    async def write(self, event: Event) -> None:
        """Send an event."""


class Dialogue:
    """Requests and notes in both directions over one connection.

    Args:
        writer: the connection.
        handlers: by method; each gets the request's fields and its payload, and returns its result.
    """

    def __init__(self, writer: Writer, handlers: Mapping[str, Handler]) -> None:
        self._writer = writer
        self._handlers = handlers
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Mapping[str, Any]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._notes: asyncio.Queue[tuple[Handler, Mapping[str, Any], bytes]] = asyncio.Queue(MAX_REQUESTS)
        self._noting: asyncio.Task[None] | None = None
        self._closed = False

    async def request(
        self, method: str, fields: Mapping[str, Any] | None = None, payload: bytes = b"", *, timeout: float = REQUEST_S
    ) -> Mapping[str, Any]:
        """Ask the other side and return its result.

        Raises:
            RefusedError: it said no.
            PeerError: it is away, or did not answer within `timeout` seconds.
            WireError: the request is larger than a frame may be.
        """
        if self._closed:
            raise PeerError(f"the connection to {self._writer.peer} is closed")
        number = next(self._ids)
        answer: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            async with asyncio.timeout(timeout):
                await self._writer.write(Event(PREFIX + method, {**(fields or {}), "id": number}, payload or None))
                return await answer
        except TimeoutError:
            raise PeerError(f"{self._writer.peer} did not answer {method} within {timeout:g} s") from None
        finally:
            del self._waiting[number]

    async def note(self, method: str, fields: Mapping[str, Any] | None = None, payload: bytes = b"") -> None:
        """Tell the other side something that needs no answer.

        Raises:
            PeerError, WireError: as `request`.
        """
        await self._writer.write(Event(PREFIX + method, dict(fields or {}), payload or None))

    async def receive(self, event: Event) -> bool:
        """Take an event; return False if it is none of this protocol's.

        Raises:
            WireError: it is, but cannot be understood.
        """
        if not event.type.startswith(PREFIX):
            return False
        method, fields = event.type.removeprefix(PREFIX), event.data or {}
        if method == "reply":
            self._on_reply(fields)
            return True
        number, handler, payload = fields.get("id"), self._handlers.get(method), event.payload or b""
        if number is None:
            if handler is not None:
                if self._noting is None:
                    self._noting = asyncio.create_task(self._take_notes(), name=f"notes of {self._writer.peer}")
                await self._notes.put((handler, fields, payload))
            return True
        if type(number) is not int:
            raise WireError(f"the id of {method[:40]!a} is not a number")
        if handler is None:
            refusal = RefusedError("unknown-method", f"{method[:40]!a} is not known here")
            await self._answer(number, {"error": refusal.data()})
        elif len(self._tasks) >= MAX_REQUESTS:
            await self._answer(number, {"error": RefusedError("busy", "too many requests at a time").data()})
        else:
            task = asyncio.create_task(self._handle(number, handler, fields, payload), name=f"answer {method}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return True

    async def close(self) -> None:
        """End what is under way; those who wait for an answer get a PeerError."""
        self._closed = True
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(PeerError(f"the connection to {self._writer.peer} is lost"))
        tasks = [*self._tasks, *([self._noting] if self._noting else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _on_reply(self, fields: Mapping[str, Any]) -> None:
        number = fields.get("id")
        answer = self._waiting.get(number) if type(number) is int else None
        if answer is None or answer.done():
            return  # it came too late
        error, result = fields.get("error"), fields.get("result")
        if isinstance(error, dict):
            answer.set_exception(refusal_of(error))
        else:
            answer.set_result(result if isinstance(result, dict) else {})

    async def _handle(self, number: int, handler: Handler, fields: Mapping[str, Any], payload: bytes) -> None:
        try:
            result = await handler(fields, payload)
            reply: dict[str, Any] = {"result": dict(result or {})}
        except RefusedError as error:
            reply = {"error": error.data()}
        except HearthError as error:
            reply = {"error": RefusedError(error.code, error.message, remedy=error.remedy).data()}
        except Exception:
            log.exception("a request of %s failed", self._writer.peer)
            reply = {"error": RefusedError("internal", "the request failed; the log says why").data()}
        await self._answer(number, reply)

    async def _answer(self, number: int, reply: Mapping[str, Any]) -> None:
        with contextlib.suppress(PeerError):  # who asked is gone
            try:
                await self._writer.write(Event(PREFIX + "reply", {**reply, "id": number}))
            except (WireError, TypeError, ValueError) as error:
                log.error("an answer to %s cannot be sent: %s", self._writer.peer, error)
                refusal = RefusedError("internal", "the answer cannot be sent").data()
                await self._writer.write(Event(PREFIX + "reply", {"error": refusal, "id": number}))

    async def _take_notes(self) -> None:
        """Take notes one after the other: states must not overtake each other."""
        while True:
            handler, fields, payload = await self._notes.get()
            try:
                await handler(fields, payload)
            except HearthError as error:
                log.warning("%s: %s", self._writer.peer, error)
            except Exception:
                log.exception("a note of %s failed", self._writer.peer)


def refusal_of(data: Mapping[str, Any]) -> RefusedError:
    """Return the refusal that these fields say; texts of a peer are cut to what people read."""
    retry_s = data.get("retry_s")
    return RefusedError(
        _line(data.get("code"), "refused"),
        _line(data.get("message"), "it did not say why"),
        remedy=_line(data.get("remedy"), ""),
        retry_s=float(retry_s) if isinstance(retry_s, int | float) and 0 < retry_s < 1e6 else 0.0,
    )


def _line(value: object, fallback: str) -> str:
    return (" ".join(value.split())[:300] or fallback) if isinstance(value, str) else fallback


def pack(text: bytes) -> tuple[bytes, ...]:
    """Return a document's parts as they travel: compressed, each small enough for a frame.

    Raises:
        WireError: it is larger than a home may be.
    """
    if len(text) > MAX_DOCUMENT_BYTES:
        raise WireError(f"a home of {len(text)} bytes is more than {MAX_DOCUMENT_BYTES}")
    packed = zlib.compress(text, 6)
    parts = tuple(packed[start : start + PART_BYTES] for start in range(0, len(packed), PART_BYTES))
    if len(parts) > MAX_PARTS:
        raise WireError(f"a home of {len(packed)} compressed bytes is more than {MAX_PARTS * PART_BYTES}")
    return parts


def unpack(packed: bytes) -> Any:
    """Return the document of these compressed bytes.

    Raises:
        WireError: they are none, or it is larger than a home may be.
    """
    decompressor = zlib.decompressobj()
    try:
        text = decompressor.decompress(packed, MAX_DOCUMENT_BYTES)
        if decompressor.unconsumed_tail or not decompressor.eof:
            raise WireError("a home is cut off, or larger than a home may be")
        return json.loads(text)
    except (zlib.error, ValueError, RecursionError):
        raise WireError("a home cannot be read: it is no compressed JSON") from None
