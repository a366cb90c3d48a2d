"""One connection to a broker: paho's thread on one side, the event loop on the other.

A session is used once. When it ends, whatever was still on its way in it is gone with it: paho would send it again on
the next connection, and a light that goes on minutes after it was asked for is worse than one that does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable, Set
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, cast

from ..config_mqtt import BrokerConfig, TlsConfig
from ..errors import BusError, ConfigError

if TYPE_CHECKING:
    from paho.mqtt.client import Client

log = logging.getLogger(__name__)

# What a device or an author sends is far below; a broker that honours it never lets more come near us.
MAX_PACKET_BYTES = 65_536
# Messages waiting for the broker's acknowledgement; more than that, and it has stopped taking any.
MAX_UNACKNOWLEDGED = 500
# Texts waiting for the event loop; states need no bound, only the last of each topic waits.
MAX_WAITING = 64
# A thread that has been told to end sends its last packet and does; this is for a network that swallows it.
END_S = 2.0
_NO_SUBSCRIBERS = 0x10  # MQTT 5, 3.4.2.1: the broker took it, but nobody hears that topic


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as it came in."""

    topic: str
    payload: bytes
    retained: bool


class Delivery(Enum):
    """What became of a message."""

    TAKEN = auto()  # the broker has it
    UNHEARD = auto()  # the broker has it, and says that nobody hears that topic
    REFUSED = auto()  # the broker does not let us publish there
    LOST = auto()  # the connection broke while it was on its way: it may have arrived, and is not sent again
    AWAY = auto()  # it was not sent


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, retained, when it loses us."""

    topic: str
    payload: str


class Session:
    """A connection to the broker; made by `open`, over when `closed` is set."""

    def __init__(self, client: Client, received: Callable[[Incoming], None], queued: Set[str]) -> None:
        self.closed = asyncio.Event()
        self.reason = ""
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._received = received
        self._queued = queued
        self._inbox = _Inbox()
        self._connected: asyncio.Future[None] = self._loop.create_future()
        self._acknowledged: dict[int, asyncio.Future[Delivery]] = {}
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish

    @classmethod
    async def open(
        cls,
        config: BrokerConfig,
        client_id: str,
        will: Will | None,
        received: Callable[[Incoming], None],
        queued: Set[str] = frozenset(),
    ) -> Session:
        """Connect.

        Args:
            config: where, and as whom.
            client_id: our name there; a second client of the same name throws the first out.
            will: what is published when we are lost, if anything.
            received: called on the event loop for each message.
            queued: topics of which every message counts; of the others only the newest, if the loop is behind.

        Raises:
            BusError: no broker there, or it refuses us.
            ConfigError: a certificate cannot be used.
        """
        client = _client(config, client_id, will)
        session = cls(client, received, queued)
        host, port = config.address
        try:
            await _patiently(asyncio.to_thread(client.connect, host, port, config.keepalive_s, **_connect_options()))
        except (OSError, ValueError) as error:
            raise BusError(f"no MQTT broker at {host}:{port}: {error}") from error
        client.loop_start()
        try:
            async with asyncio.timeout(config.connect_timeout_s):
                await asyncio.shield(session._connected)
        except BaseException as error:
            await session.close()
            if isinstance(error, TimeoutError):
                raise BusError(f"the MQTT broker at {host}:{port} does not answer") from None
            raise
        return session

    def subscribe(self, topics: frozenset[str]) -> None:
        """Ask for the topics; their retained messages come at once."""
        ordered = sorted(topics)
        for start in range(0, len(ordered), 100):  # one packet must stay below what brokers accept
            self._client.subscribe([(topic, 1) for topic in ordered[start : start + 100]])

    async def publish(
        self, topic: str, payload: str, *, qos: int = 1, retain: bool = False, expiry_s: int | None = None
    ) -> Delivery:
        """Publish, and return as soon as it is known what became of it.

        Args:
            topic: where.
            payload: what.
            qos: 0 to 2; with 0 nothing comes back, and it counts as taken.
            retain: the broker keeps it for whoever comes later.
            expiry_s: the broker forgets it if it could not deliver it in this time.
        """
        from paho.mqtt.enums import MQTTErrorCode
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        if self.closed.is_set():
            return Delivery.AWAY
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if expiry_s is not None:
            properties.MessageExpiryInterval = expiry_s
        info = self._client.publish(topic, payload, qos, retain, properties)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            log.warning("the MQTT broker takes no message: %s", info.rc.name)
            return Delivery.AWAY
        if qos == 0:
            return Delivery.TAKEN
        # Registered before the thread's report can run, because both run on this loop.
        acknowledged: asyncio.Future[Delivery] = self._loop.create_future()
        self._acknowledged[info.mid] = acknowledged
        try:
            return await acknowledged
        finally:
            del self._acknowledged[info.mid]

    def abort(self) -> None:
        """Break the connection off, with all that the network has not taken yet: it would arrive late."""
        with contextlib.suppress(OSError):
            connection = cast("socket.socket | None", self._client.socket())
            if connection is not None:
                # Linger for nothing: closing then throws away what the kernel still holds.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.shutdown(socket.SHUT_RD)

    async def close(self) -> None:
        """Say goodbye and end the thread; returns within a few `END_S` whatever the network does."""
        self._client.disconnect()
        ending = asyncio.ensure_future(asyncio.to_thread(self._client.loop_stop))
        done, _ = await asyncio.wait({ending}, timeout=END_S)
        if not done:
            self.abort()  # the thread is stuck on a network that takes nothing: take the network from it
            done, _ = await asyncio.wait({ending}, timeout=END_S)
        if not done:
            log.error("the MQTT thread does not end")
        # It holds us, and we hold it: its sockets are to be closed now, not when the garbage collector comes by.
        client = self._client
        client.on_connect = client.on_disconnect = client.on_message = client.on_publish = None
        self._end("closed")

    def _end(self, reason: str) -> None:
        """On the event loop: everything that still waits is told that the connection is gone."""
        if not self._connected.done():
            self._connected.set_exception(BusError(f"the MQTT broker refuses the connection: {reason}"))
            self._connected.exception()  # whoever waits gets it; nobody must
        for waiting in self._acknowledged.values():
            if not waiting.done():
                waiting.set_result(Delivery.LOST)
        if not self.closed.is_set():
            self.reason = reason
            self.closed.set()

    # -- on paho's thread ----------------------------------------------------------------------------------------------

    def _call(self, function: Callable[..., None], *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, nobody is left to be told
            self._loop.call_soon_threadsafe(function, *arguments)

    def _on_connect(self, client: Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._call(self._end, str(reason))
        else:
            self._call(self._now_connected)

    def _now_connected(self) -> None:
        if not self._connected.done():
            self._connected.set_result(None)

    def _on_disconnect(self, client: Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        self._call(self._end, str(reason))

    def _on_publish(self, client: Client, userdata: Any, mid: int, reason: Any, properties: Any) -> None:
        self._call(self._acknowledge, mid, int(reason.value))

    def _acknowledge(self, mid: int, code: int) -> None:
        waiting = self._acknowledged.get(mid)
        if waiting is not None and not waiting.done():
            refused = Delivery.REFUSED if code >= 0x80 else Delivery.TAKEN  # MQTT 5, 2.4: reason codes from 0x80 on
            waiting.set_result(Delivery.UNHEARD if code == _NO_SUBSCRIBERS else refused)

    def _on_message(self, client: Client, userdata: Any, message: Any) -> None:
        incoming = Incoming(message.topic, bytes(message.payload), bool(message.retain))
        if self._inbox.put(incoming, queued=message.topic in self._queued):
            self._call(self._empty_inbox)

    def _empty_inbox(self) -> None:
        for message in self._inbox.take():
            try:
                self._received(message)
            except Exception:
                log.exception("a message on %s cannot be handled", message.topic)


class _Inbox:
    """Messages between the threads, bounded: of a state only the newest is worth having."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: dict[str, Incoming] = {}
        self._queue: deque[Incoming] = deque()

    def put(self, message: Incoming, *, queued: bool) -> bool:
        """Add a message; return True if the event loop has to be woken for it."""
        with self._lock:
            was_empty = not self._newest and not self._queue
            if not queued:
                self._newest[message.topic] = message
            elif len(self._queue) < MAX_WAITING:
                self._queue.append(message)
            else:
                log.warning("too many messages on %s at once: one is left out", message.topic)
            return was_empty

    def take(self) -> list[Incoming]:
        """Return and forget them all."""
        with self._lock:
            messages = [*self._newest.values(), *self._queue]
            self._newest.clear()
            self._queue.clear()
        return messages


def _client(config: BrokerConfig, client_id: str, will: Will | None) -> Client:
    from paho.mqtt.client import Client, MQTTv5
    from paho.mqtt.enums import CallbackAPIVersion

    client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTv5, reconnect_on_failure=False)
    client.connect_timeout = config.connect_timeout_s
    client.max_queued_messages_set(MAX_UNACKNOWLEDGED)
    client.on_socket_open = _without_delay
    if will is not None:
        client.will_set(will.topic, will.payload, qos=1, retain=True)
    if config.username is not None:
        client.username_pw_set(config.username, config.password.get_secret_value() if config.password else None)
    if config.tls is not None:
        client.tls_set_context(tls_context(config.tls))
    return client


class _ClosingSocket(ssl.SSLSocket):
    """Closes itself when the handshake fails, which paho leaves to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def _without_delay(client: Client, userdata: Any, connection: Any) -> None:
    """Send small packets at once: Nagle's algorithm holds the second back until the first is acknowledged, 40 ms."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def tls_context(config: TlsConfig) -> ssl.SSLContext:
    """Return what TLS needs, from the configured files.

    Raises:
        ConfigError: one of them cannot be read or is not what it should be.
    """
    try:
        context = ssl.create_default_context(cafile=config.ca_file)
        context.sslsocket_class = _ClosingSocket
        if config.cert_file is not None:
            secret = config.key_password.get_secret_value() if config.key_password else None
            context.load_cert_chain(config.cert_file, config.key_file, secret)
    except (OSError, ValueError) as error:
        files = ", ".join(file for file in (config.ca_file, config.cert_file, config.key_file) if file)
        raise ConfigError(f"the certificates for MQTT cannot be used ({files}): {error}") from error
    return context


def _connect_options() -> dict[str, Any]:
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.MaximumPacketSize = MAX_PACKET_BYTES
    return {"clean_start": True, "properties": properties}


async def _patiently(work: Any) -> None:
    """Await work in a thread to its end even when cancelled: a connection that nobody owns must not come about."""
    running = asyncio.ensure_future(work)
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        if not running.cancelled():
            running.exception()
        raise
