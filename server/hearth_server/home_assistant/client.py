"""One WebSocket connection to Home Assistant: from the handshake, through commands and events, to its end.

Protocol: https://developers.home-assistant.io/docs/api/websocket, as of 2026.11.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import aiohttp

from hearth_core.errors import BusError, HearthError, PeerError, WireError

from .access import REMEDY, Access

log = logging.getLogger(__name__)

# The longest message is the list of devices; a home of 5,000 entities sends some 5 MB. Home Assistant sets no limit.
MAX_MESSAGE_BYTES = 32 * 2**20
CONNECT_S = 10.0
COMMAND_S = 30.0  # a Raspberry Pi at its limits takes seconds to list thousands of entities
# A peer that is gone without a word, its plug pulled, is noticed after one and a half of these.
HEARTBEAT_S = 10.0
CLOSE_S = 2.0

EventHandler = Callable[[Any], None]


class Connection:
    """An authenticated connection.

    Attributes:
        version: Home Assistant's, e.g. "2026.11.0".
        ended: done when the connection is, with the reason as its exception.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, version: str) -> None:
        self._socket = socket
        self.version = version
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._handlers: dict[int, EventHandler] = {}
        self.ended: asyncio.Task[None] = asyncio.create_task(self._read(), name="read Home Assistant")

    async def command(self, kind: str, fields: Mapping[str, Any] | None = None, timeout_s: float = COMMAND_S) -> Any:
        """Send a command and return its result.

        Raises:
            BusError: Home Assistant refused it, or it cannot be written as JSON.
            PeerError: the connection ended before the result came, or it did not come in time.
        """
        return await self._command(next(self._ids), kind, fields or {}, timeout_s)

    async def subscribe(self, kind: str, handler: EventHandler, fields: Mapping[str, Any] | None = None) -> int:
        """Subscribe, call the handler with each event from now on, return the subscription's number.

        An event that is not what the handler can read makes it raise WireError, which ends the connection.

        Raises:
            BusError, PeerError: as `command`.
        """
        number = next(self._ids)
        self._handlers[number] = handler  # before the command: events may overtake its result
        try:
            await self._command(number, kind, fields or {}, COMMAND_S)
        except HearthError:
            del self._handlers[number]
            raise
        return number

    async def unsubscribe(self, subscription: int) -> None:
        """End a subscription; its handler is not called any more.

        Raises:
            BusError, PeerError: as `command`.
        """
        self._handlers.pop(subscription, None)
        await self.command("unsubscribe_events", {"subscription": subscription})

    async def close(self) -> None:
        """Close; commands that still wait fail."""
        self.ended.cancel()
        await asyncio.gather(self.ended, return_exceptions=True)
        await _close(self._socket)

    async def _command(self, number: int, kind: str, fields: Mapping[str, Any], timeout_s: float) -> Any:
        try:
            text = json.dumps({**fields, "id": number, "type": kind}, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise BusError(f"{kind} cannot be sent to Home Assistant: {error}") from error
        if self.ended.done():
            raise PeerError("the connection to Home Assistant is lost")
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            async with asyncio.timeout(timeout_s):
                await self._socket.send_str(text)
                return await answer
        except TimeoutError:
            raise PeerError(f"Home Assistant did not answer {kind} within {timeout_s:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise PeerError("the connection to Home Assistant is lost") from error
        finally:
            del self._waiting[number]

    async def _read(self) -> None:
        """Deliver answers and events until the connection ends.

        Raises:
            PeerError: it ended; it always does.
            WireError: what came is not Home Assistant's protocol.
        """
        try:
            while True:
                for message in _messages(await _receive(self._socket)):
                    self._deliver(message)
        finally:
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(PeerError("the connection to Home Assistant is lost"))

    def _deliver(self, message: Mapping[str, Any]) -> None:
        number, kind = message.get("id"), message.get("type")
        if not isinstance(number, int):
            return
        if kind == "event" and number in self._handlers:
            self._handlers[number](message.get("event"))
        elif kind == "result" and number in self._waiting and not self._waiting[number].done():
            if message.get("success") is True:
                self._waiting[number].set_result(message.get("result"))
            else:
                self._waiting[number].set_exception(_refusal(message))


@contextlib.asynccontextmanager
async def connected(access: Access) -> AsyncIterator[Connection]:
    """Connect, authenticate, and hold the connection for the length of the block.

    Raises:
        BusError: Home Assistant does not let us in; somebody has to do something about it.
        PeerError: it is not there, or not ready.
        WireError: what is there is not Home Assistant.
    """
    try:
        token = await asyncio.to_thread(access.token)
    except HearthError as error:
        raise BusError(error.message, remedy=error.remedy) from error
    async with aiohttp.ClientSession() as session:
        try:
            async with asyncio.timeout(CONNECT_S):
                socket = await _open(session, access.url)
                try:
                    version = await _authenticate(socket, access.url, token.get_secret_value())
                except BaseException:
                    await _close(socket)
                    raise
        except TimeoutError:
            raise PeerError(f"{access.url} does not answer within {CONNECT_S:g} s") from None
        connection = Connection(socket, version)
        try:
            yield connection
        finally:
            await connection.close()


async def _open(session: aiohttp.ClientSession, url: str) -> aiohttp.ClientWebSocketResponse:
    try:
        return await session.ws_connect(
            url,
            max_msg_size=MAX_MESSAGE_BYTES,
            heartbeat=HEARTBEAT_S,
            timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S),
        )
    except aiohttp.WSServerHandshakeError as error:
        if error.status in (401, 403):
            raise BusError(
                f"{url} answers {error.status}: this address may be banned",
                remedy="Look into Home Assistant's ip_bans.yaml",
            ) from error
        raise PeerError(f"{url} answers {error.status} instead of a WebSocket") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise PeerError(f"{url} cannot be reached: {error or type(error).__name__}") from error


async def _authenticate(socket: aiohttp.ClientWebSocketResponse, url: str, token: str) -> str:
    """Return Home Assistant's version."""
    if _messages(await _receive(socket))[0].get("type") != "auth_required":
        raise WireError(f"{url} does not speak Home Assistant's protocol")
    await socket.send_str(json.dumps({"type": "auth", "access_token": token}))
    answer = _messages(await _receive(socket))[0]
    if answer.get("type") == "auth_ok":
        return str(answer.get("ha_version", ""))[:40]
    if answer.get("type") == "auth_invalid":
        # Its message is not repeated: it may hold what we sent.
        raise BusError("Home Assistant does not accept the access token", remedy=REMEDY)
    raise WireError("Home Assistant's answer to the access token is neither yes nor no")


async def _close(socket: aiohttp.ClientWebSocketResponse) -> None:
    with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
        await socket.close()


async def _receive(socket: aiohttp.ClientWebSocketResponse) -> str:
    message = await socket.receive()
    if message.type is aiohttp.WSMsgType.TEXT:
        return str(message.data)
    if message.type is aiohttp.WSMsgType.ERROR:
        error = message.data
        if isinstance(error, aiohttp.WebSocketError):
            raise WireError(f"Home Assistant sent what is no message: {error}")
        raise PeerError(f"the connection to Home Assistant is lost: {error}")
    if message.type is aiohttp.WSMsgType.BINARY:
        raise WireError("Home Assistant sent a binary message")
    if message.data == aiohttp.WSCloseCode.MESSAGE_TOO_BIG:
        raise WireError(f"Home Assistant sent a message over {MAX_MESSAGE_BYTES} bytes")
    raise PeerError("Home Assistant closed the connection")


def _messages(text: str) -> list[Mapping[str, Any]]:
    """Return the messages in a frame, one or, coalesced, several."""
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        raise WireError("Home Assistant sent what is no JSON") from None
    messages = parsed if isinstance(parsed, list) else [parsed]
    if not messages or not all(isinstance(message, dict) for message in messages):
        raise WireError("Home Assistant sent JSON that is no message")
    return messages


def _refusal(message: Mapping[str, Any]) -> BusError:
    error = message.get("error")
    error = error if isinstance(error, dict) else {}
    why = " ".join(str(error.get("message") or "it did not say why").split())[:300]
    return BusError(f"Home Assistant refused: {why}", remedy=REMEDY if error.get("code") == "unauthorized" else "")
