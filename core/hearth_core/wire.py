"""The wire guard: Wyoming connections on which junk, silence or greed of one peer costs nobody else anything.

Server and satellite use it on both sides. What may come in is bounded by `Limits`; whatever a peer does wrong is one of
two errors: `WireError`, it does not speak Wyoming, or `PeerError`, it is away or late.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Final

from wyoming.event import Event, Eventable

from . import address, trust
from .errors import ConfigError, HearthError, PeerError, WireError
from .frame import Decoder, Limits, encode, parse
from .time_out import time_out

__all__ = ["Connection", "Limits", "Listener", "connect", "parse", "serve"]

_LOGGER = logging.getLogger(__name__)

_READ_BYTES: Final = 64 * 1024  # one read: two seconds of speech, and what the stream reader holds back at most twice
_CLOSE_S: Final = 1.0  # whole frames were taken by the transport already; a peer that is slower than this is away
_HANDSHAKE_S: Final = 5.0  # of TLS: two round trips, and a Pi Zero's arithmetic
_STOP_S: Final = 5.0  # for the handlers of a listener to end after they were cancelled
_REFUSAL_LOG_S: Final = 60.0  # refused connections are counted and told once in this time, or a flood fills the disk


class Connection:
    """One Wyoming peer: events in, events out.

    `read` may be cancelled at any time and loses nothing; only one task may read. Any number of tasks may write.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limits: Limits, peer: str) -> None:
        self.peer = peer
        self._reader = reader
        self._writer = writer
        self._limits = limits
        self._decoder = Decoder(limits)
        self._frame_waited = 0.0  # seconds that were spent waiting for the rest of the frame that has begun
        self._write_lock = asyncio.Lock()
        self._closing: asyncio.Task[None] | None = None

    async def read(self, timeout: float | None = None) -> Event | None:
        """Return the next event, None if the peer closed after a whole one.

        Args:
            timeout: seconds to wait for a frame to begin, None for ever; how long it may take then, `Limits` says.

        Raises:
            WireError: a malformed or oversized frame; the connection is to be closed.
            PeerError: nothing came in time (between frames, reading may go on) or the connection was lost.
        """
        while True:
            event = self._decoder.next_event()
            if event is not None:
                self._frame_waited = 0.0
                return event
            if self._decoder.in_frame:
                chunk = await self._read_rest()
            else:
                chunk = await self._read_chunk(timeout, f"{self.peer} sent nothing for {timeout} s")
            if not chunk:
                if self._decoder.in_frame:
                    raise WireError(f"{self.peer} closed in the middle of a frame")
                return None
            self._decoder.feed(chunk)

    async def _read_rest(self) -> bytes:
        left = max(0.0, self._limits.frame_s - self._frame_waited)
        start = asyncio.get_running_loop().time()
        try:
            return await self._read_chunk(left, f"{self.peer} took more than {self._limits.frame_s} s for one frame")
        finally:
            self._frame_waited += asyncio.get_running_loop().time() - start

    async def _read_chunk(self, timeout: float | None, late: str) -> bytes:
        try:
            async with time_out(timeout):
                return await self._reader.read(_READ_BYTES)
        except TimeoutError as error:
            raise PeerError(late) from error
        except OSError as error:
            raise PeerError(f"the connection to {self.peer} was lost: {_reason(error)}") from error

    async def write(self, event: Event | Eventable) -> None:
        """Send an event; events of several tasks go out one after the other, each whole.

        Raises:
            WireError: the event is over the limits that every Hearth peer has; nothing was sent.
            PeerError: the peer is away, or took nothing for the limit's time; the connection is cut then.
        """
        frame = encode(event, self._limits)
        async with self._write_lock:
            if self._writer.is_closing():
                raise PeerError(f"the connection to {self.peer} is closed")
            try:
                async with time_out(self._limits.write_s):
                    self._writer.write(frame)
                    await self._writer.drain()
            except TimeoutError as error:
                self.abort()
                raise PeerError(f"{self.peer} has not read for {self._limits.write_s} s") from error
            except OSError as error:
                raise PeerError(f"the connection to {self.peer} was lost: {_reason(error)}") from error

    async def secure(self, context: ssl.SSLContext) -> None:
        """Speak TLS from here on, as the side that was connected to; nothing may have been read before.

        Raises:
            PeerError: the peer did not go through with the handshake, or not in time; the connection is cut.
        """
        try:
            await self._writer.start_tls(context, ssl_handshake_timeout=_HANDSHAKE_S)
        except OSError as error:  # ssl.SSLError is one
            self.abort()
            raise PeerError(f"it did not finish the TLS handshake: {_reason(error)}") from error

    def abort(self) -> None:
        """Cut the connection at once; what was not yet sent is dropped."""
        self._writer.transport.abort()

    async def close(self) -> None:
        """Send what was written and close, cutting the connection if the peer does not take it; may be repeated."""
        self._writer.close()
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._wait_closed(), name=f"close {self.peer}")
        try:
            await asyncio.wait({self._closing}, timeout=_CLOSE_S)
        finally:
            self.abort()  # nothing if it is closed
        await asyncio.wait({self._closing}, timeout=_CLOSE_S)

    async def _wait_closed(self) -> None:
        # In a task of its own, because the writer waits on one future: a time-out on it would cancel it for everybody.
        with suppress(OSError):
            await self._writer.wait_closed()

    async def __aenter__(self) -> Connection:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def connect(
    uri: str,
    *,
    timeout: float = 5.0,
    limits: Limits | None = None,
    fingerprint: str = "",
    if_another: str = trust.ANOTHER_SATELLITE,
) -> Connection:
    """Connect to a Wyoming peer at `tcp://host:port`.

    Args:
        uri: where.
        timeout: seconds until somebody must have answered.
        limits: what the peer may send.
        fingerprint: SHA-256 of the peer's certificate; given, the connection is TLS.
        if_another: what to do if the peer has another certificate.

    Raises:
        InputError: the address is not of this form.
        PeerError: nobody answers there in time, or somebody else does.
    """
    host, port = address.split(uri)
    peer = address.join(host, port)
    remedy = f"Check that it runs and that {peer} is its address"
    try:
        async with asyncio.timeout(timeout):
            context = trust.pinned_context() if fingerprint else None
            reader, writer = await asyncio.open_connection(host, port, limit=_READ_BYTES, ssl=context)
    except TimeoutError as error:
        raise PeerError(f"{peer} does not answer within {timeout} s", remedy=remedy) from error
    except (OSError, UnicodeError) as error:  # UnicodeError: a host name that the name service cannot take
        raise PeerError(f"cannot connect to {peer}: {_reason(error)}", remedy=remedy) from error
    connection = Connection(reader, writer, limits or Limits(), peer)
    if fingerprint:
        try:
            secured = writer.get_extra_info("ssl_object")
            trust.check_fingerprint(secured.getpeercert(binary_form=True), fingerprint, peer, if_another)
        except PeerError:
            connection.abort()
            raise
    return connection


class Listener:
    """A listening Wyoming socket and all its connections; made by `serve`.

    Beyond `max_connections` a new peer is refused: cut at once, before a byte is read, and the refusals are told in one
    warning a minute. Who is connected stays: a flood cannot push out the satellites that are at work. Who has not
    finished a TLS handshake counts as connected, and has a few seconds for it.
    """

    def __init__(
        self,
        on_connection: Callable[[Connection], Awaitable[None]],
        limits: Limits,
        max_connections: int,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.host = ""
        self.port = 0
        self._on_connection = on_connection
        self._limits = limits
        self._max_connections = max_connections
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._refused = 0  # since the last warning
        self._refusal_told: float | None = None

    async def _listen(self, host: str, port: int) -> None:
        remedy = "Set another host or port in the configuration"
        where = address.join(host, port)
        try:
            # Without `ssl`, which would tell of a connection only after its handshake: nobody would count those before.
            self._server = await asyncio.start_server(self._accept, host, port, limit=_READ_BYTES)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                remedy = f"Stop what listens on port {port}, or set another port in the configuration"
                raise ConfigError(f"port {port} of {host} is taken", remedy=remedy) from error
            raise ConfigError(f"cannot listen on {where}: {_reason(error)}", remedy=remedy) from error
        except (OverflowError, UnicodeError) as error:
            raise ConfigError(f"cannot listen on {where}: {error}", remedy=remedy) from error
        self.host, self.port = self._server.sockets[0].getsockname()[:2]

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name = writer.get_extra_info("peername")
        peer = address.join(*name[:2]) if name else "a peer that has gone"
        if self._closed:  # it came in while the listener was closing
            writer.transport.abort()
            return
        if len(self._tasks) >= self._max_connections:
            writer.transport.abort()
            self._tell_refusal(peer)
            return
        if self._tls is not None:
            # What the peer says first is for TLS, not for the reader.
            writer.transport.pause_reading()  # type: ignore[attr-defined]
        connection = Connection(reader, writer, self._limits, peer)
        task = asyncio.get_running_loop().create_task(self._run(connection), name=f"connection {peer}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _tell_refusal(self, peer: str) -> None:
        self._refused += 1
        now = asyncio.get_running_loop().time()
        if self._refusal_told is None or now - self._refusal_told >= _REFUSAL_LOG_S:
            _LOGGER.warning(
                "%s refused: %d connections are the most (max_connections); %d refused since the last such line",
                peer, self._max_connections, self._refused,
            )  # fmt: skip
            self._refused = 0
            self._refusal_told = now

    async def _run(self, connection: Connection) -> None:
        try:
            if self._tls is not None:
                await connection.secure(self._tls)
            await self._on_connection(connection)
        except PeerError as error:  # peers come and go
            _LOGGER.info("%s: %s", connection.peer, error)
        except HearthError as error:
            _LOGGER.warning("%s closed (%s): %s", connection.peer, error.code, error)
        except Exception:
            _LOGGER.exception("%s closed: its handler failed", connection.peer)
        finally:
            await connection.close()

    async def close(self) -> None:
        """Stop listening, end all connections and wait for their handlers; may be repeated."""
        if self._server is None:
            return
        self._closed = True
        self._server.close()
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            _, stuck = await asyncio.wait(tasks, timeout=_STOP_S)
            for task in stuck:
                _LOGGER.error("%s did not end within %s s of being cancelled", task.get_name(), _STOP_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOP_S):
                await self._server.wait_closed()

    async def __aenter__(self) -> Listener:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def serve(
    host: str,
    port: int,
    on_connection: Callable[[Connection], Awaitable[None]],
    *,
    limits: Limits | None = None,
    max_connections: int = 64,
    tls: ssl.SSLContext | None = None,
) -> Listener:
    """Listen; run `on_connection` in a task of its own for every peer and close the connection when it returns.

    What it raises ends its own connection only: PeerError is told at INFO, WireError and every other HearthError in one
    WARNING that names the peer, anything else with its traceback.

    Args:
        host: address to listen on.
        port: 0 takes a free one; `Listener.port` tells it.
        on_connection: speaks with one peer; it bounds the waits between frames itself (`Connection.read`).
        limits: what a peer may send.
        max_connections: more than these at a time are refused, handshakes included; `Listener` says how.
        tls: peers must speak TLS with this certificate.

    Raises:
        ConfigError: the address cannot be listened on.
    """
    listener = Listener(on_connection, limits or Limits(), max_connections, tls)
    await listener._listen(host, port)
    return listener


def _reason(error: Exception) -> str:
    """Return the error's reason as the system words it, e.g. `Connection refused`; asyncio's own wording hides it."""
    if isinstance(error, OSError) and error.errno:
        # The name service has negative numbers, which only it can word.
        return os.strerror(error.errno) if error.errno > 0 else str(error.strerror)
    return str(error) or type(error).__name__
