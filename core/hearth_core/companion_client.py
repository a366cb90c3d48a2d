"""Home Assistant's side of the companion protocol: ask who a server is, pair with it, stay connected to it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from wyoming.event import Event

from . import __version__, address
from .companion import PREFIX, PROTOCOL, Dialogue, Handler, RefusedError, refusal_of
from .errors import PeerError, WireError
from .pairing_proof import CLIENT, SERVER, new_nonce, pairing_key, proof, same
from .wire import Connection, connect

CONNECT_S: Final = 5.0
ANSWER_S: Final = 5.0  # the server answers from memory
PROOF_S: Final = 30.0  # what a small machine that is busy takes for 64 MiB of scrypt
# Both sides say something at least so often; three times silent is gone.
PING_S: Final = 5.0
SILENT_S: Final = 16.0
# What came of connecting where somebody answers, but not as our server does.
_ANSWERED: Final = (ssl.SSLError, ConnectionResetError, ConnectionAbortedError, BrokenPipeError)
ANOTHER_SERVER: Final = "Pair it again if it was set up anew; if not, somebody else answers in its place"


class SecuredPortError(PeerError):
    """The server answers, and its port for TLS does not: a firewall or a container keeps it closed.

    Args:
        port: that port.
        why: what came of connecting to it.
    """

    def __init__(self, port: int, why: str) -> None:
        super().__init__(
            f"the server answers, but not where it speaks TLS: {why}",
            remedy=f"Let port {port} through to the server, in its firewall or the container's ports",
        )
        self.port = port


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a server is.

    Attributes:
        server_id: stable, whatever its name and address.
        protocol: version of this protocol that it speaks.
        fingerprint: SHA-256 of its certificate, empty if it has no TLS.
        tls_port: where it speaks TLS.
    """

    server_id: str
    name: str
    version: str
    protocol: int
    language: str
    fingerprint: str = ""
    tls_port: int = 0

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Identity:
        """Return what these fields say.

        Raises:
            WireError: they are not what a Hearth server says of itself.
        """
        server_id, name, version = (_text(data, key) for key in ("server_id", "name", "version"))
        protocol = data.get("protocol")
        if type(protocol) is not int or not server_id.isalnum():
            raise WireError("what answers is not a Hearth server")
        fingerprint, tls_port = data.get("fingerprint", ""), data.get("tls_port", 0)
        secured = isinstance(fingerprint, str) and re.fullmatch("[0-9a-f]{64}", fingerprint) is not None
        if secured != (type(tls_port) is int and 0 < tls_port < 65536) or (fingerprint and not secured):
            raise WireError("what answers is not a Hearth server: its certificate is half told")
        return cls(server_id, name, version, protocol, _text(data, "language"), fingerprint, tls_port)


def uri(host: str, port: int) -> str:
    """Return the address of a server's Wyoming port."""
    return f"tcp://{address.join(host, port)}"


async def identify(host: str, port: int) -> Identity:
    """Return who answers there.

    Raises:
        InputError, PeerError, WireError: nobody, or no Hearth server.
    """
    async with _asking(host, port) as connection:
        return Identity.of(await _exchange(connection, "describe", {}, "identity"))


async def request_code(host: str, port: int) -> float:
    """Let the server show a pairing code to its owner; return for how many seconds it is valid.

    Raises:
        RefusedError: it shows none, because too many wrong ones were tried.
        InputError, PeerError, WireError: as `identify`.
    """
    async with _asking(host, port) as connection:
        told = await _exchange(connection, "pair", {}, "pairing")
    valid_s = told.get("valid_s")
    return float(valid_s) if isinstance(valid_s, int | float) else 0.0


async def pair(host: str, port: int, code: str, name: str, server: Identity) -> str:
    """Give the code that the server showed, return the secret token that opens it from now on.

    Args:
        host: the server's.
        port: the server's.
        code: six digits; blanks and dashes do not count.
        name: what the server calls us in its log.
        server: from `identify`. If it tells a certificate, the code is proven and not said, and the server has to
            prove that it knows it too; if not, the code and the token go in the clear.

    Raises:
        RefusedError: the code is wrong, too old, or was wrong too often; or "not-proven": somebody stands in between.
        SecuredPortError: the server's port for TLS is closed; the code is still good.
        InputError, PeerError, WireError: as `identify`.
    """
    digits = "".join(c for c in code if c.isalnum())[:32]
    if not server.fingerprint:
        async with _asking(host, port) as connection:
            said = {"code": digits, "name": name[:100]}
            told = await _exchange(connection, "pair-code", said, "paired", PROOF_S)
        return _text(told, "token")
    nonce = new_nonce()
    key = await asyncio.to_thread(pairing_key, digits, nonce)
    ours, theirs = (proof(key, who, server.server_id, server.fingerprint) for who in (CLIENT, SERVER))
    async with _secured(host, server) as connection:
        said = {"proof": ours, "nonce": nonce, "name": name[:100]}
        told = await _exchange(connection, "pair-code", said, "paired", PROOF_S)
    if not same(told.get("proof"), theirs):
        raise RefusedError("not-proven", "what answers does not know the code: somebody stands in between")
    return _text(told, "token")


@contextlib.asynccontextmanager
async def opened(
    host: str, port: int, token: str, server_id: str, role: str, fingerprint: str = ""
) -> AsyncIterator[Opened]:
    """Connect and be let in, for the length of the block; the token is sent to the server with this id only.

    Args:
        host: the server's.
        port: the server's.
        token: from `pair`.
        server_id: who it is to be.
        role: "home" for the lasting connection, "speech" for one utterance.
        fingerprint: of its certificate, as it was when we were paired; empty if the two speak in the clear.

    Raises:
        RefusedError: "unknown-token", "protocol", or "another-server": somebody else answers at this address.
            "unknown-token" as well if the server has another certificate, none any more, or one only now.
        SecuredPortError: its port for TLS is closed.
        InputError, PeerError, WireError: as `identify`.
    """
    async with _asking(host, port) as connection:
        identity = Identity.of(await _exchange(connection, "describe", {}, "identity"))
        if identity.server_id != server_id:
            raise RefusedError("another-server", f"another Hearth server answers at {connection.peer}")
        if not fingerprint and identity.fingerprint:
            # The token went in the clear before: whoever heard it is not to be let in over TLS with it.
            raise RefusedError("unknown-token", f"{connection.peer} speaks TLS now", remedy="Pair again")
        if not fingerprint:
            yield await _let_in(connection, identity, token, role)
            return
        if identity.fingerprint != fingerprint:
            raise RefusedError(
                "unknown-token",
                f"{connection.peer} has another certificate than when it was paired, or none",
                remedy=ANOTHER_SERVER,
            )
    async with _secured(host, identity) as secured:
        yield await _let_in(secured, identity, token, role)


async def _let_in(connection: Connection, identity: Identity, token: str, role: str) -> Opened:
    hello = {"token": token, "protocol": PROTOCOL, "version": __version__, "role": role}
    return Opened(connection, identity, await _exchange(connection, "hello", hello, "welcome"))


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection on which we were let in, and what we were told at the door."""

    connection: Connection
    identity: Identity
    welcome: Mapping[str, Any]

    async def converse(
        self, handlers: Mapping[str, Handler], on_ready: Callable[[Dialogue], object] = lambda _: None
    ) -> None:
        """Be in dialogue until the server leaves; it always does.

        Raises:
            PeerError: it left, or has been silent for too long.
            WireError: it broke the protocol.
        """
        dialogue = Dialogue(self.connection, handlers)
        pinging = asyncio.create_task(self._ping(dialogue), name="ping the Hearth server")
        on_ready(dialogue)
        try:
            while (event := await self.connection.read(timeout=SILENT_S)) is not None:
                await dialogue.receive(event)
            raise PeerError(f"{self.connection.peer} closed the connection")
        finally:
            pinging.cancel()
            await asyncio.gather(pinging, return_exceptions=True)
            await dialogue.close()

    async def leave(self) -> None:
        """Take the pairing back; the token opens nothing any more.

        Raises:
            RefusedError, PeerError, WireError: the server could not be told.
        """
        dialogue = Dialogue(self.connection, {})

        async def read() -> None:
            while (event := await self.connection.read(timeout=SILENT_S)) is not None:
                await dialogue.receive(event)

        reading = asyncio.create_task(read(), name="read the Hearth server")
        try:
            await dialogue.request("unpair", timeout=ANSWER_S)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await dialogue.close()

    async def _ping(self, dialogue: Dialogue) -> None:
        while True:
            await asyncio.sleep(PING_S)
            with contextlib.suppress(PeerError):  # the reader notices as well
                await dialogue.request("ping", timeout=SILENT_S)


@contextlib.asynccontextmanager
async def _asking(host: str, port: int) -> AsyncIterator[Connection]:
    async with await connect(uri(host, port), timeout=CONNECT_S) as connection:
        yield connection


@contextlib.asynccontextmanager
async def _secured(host: str, server: Identity) -> AsyncIterator[Connection]:
    try:
        connection = await connect(
            uri(host, server.tls_port), timeout=CONNECT_S, fingerprint=server.fingerprint, if_another=ANOTHER_SERVER
        )
    except PeerError as error:
        why = error.__cause__
        if not isinstance(why, OSError) or isinstance(why, _ANSWERED):
            raise
        raise SecuredPortError(server.tls_port, error.message) from error
    async with connection:
        yield connection


async def _exchange(
    connection: Connection, method: str, fields: Mapping[str, Any], answer: str, timeout: float | None = None
) -> Mapping[str, Any]:
    """Ask before there is a dialogue."""
    await connection.write(Event(PREFIX + method, dict(fields)))
    try:
        async with asyncio.timeout(ANSWER_S if timeout is None else timeout):
            while True:
                event = await connection.read()
                if event is None:
                    raise PeerError(f"{connection.peer} closed the connection")
                if event.type == PREFIX + "refused":
                    raise refusal_of(event.data or {})
                if event.type == PREFIX + answer:
                    return event.data or {}
    except TimeoutError:
        # A Wyoming server that is not Hearth's ignores what it does not know.
        raise PeerError(f"{connection.peer} did not answer as a Hearth server does") from None


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value or len(value) > 300 or not value.isprintable():
        raise WireError(f"what answers is not a Hearth server: its {key} is missing")
    return value
