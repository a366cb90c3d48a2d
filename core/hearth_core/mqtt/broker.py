"""The broker as the rest of Hearth sees it: there or away, messages in and out; it comes back by itself."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from collections.abc import Callable

from ..config_mqtt import BrokerConfig
from ..errors import BusError, ConfigError
from .session import Delivery, Incoming, Session, Will, tls_context

log = logging.getLogger(__name__)

Receiver = Callable[[Incoming], None]
ONLINE, OFFLINE = "online", "offline"
# Events and commands are about now: whoever comes later must not act on them.
EXPIRY_S = 10
# Messages of ours on their way at once; beyond it the broker is too slow, and what is said about the past is let go.
MAX_SAYING = 200


class Broker:
    """A connection that is kept, with our own presence on a topic: `online`, and `offline` by last will.

    Args:
        config: where and as whom.
        status_topic: where our presence is told, retained; None for a visitor, who must neither announce itself nor
            take its client id from it.
    """

    def __init__(self, config: BrokerConfig, status_topic: str | None) -> None:
        self._config = config
        self._status_topic = status_topic
        own = config.client_id if status_topic is not None else None
        self._client_id = own or f"hearth-{secrets.token_hex(6)}"
        self._receivers: dict[str, list[Receiver]] = {}
        self._queued: set[str] = set()
        self._listeners: list[Callable[[bool], None]] = []
        self._session: Session | None = None
        self._running: asyncio.Task[None] | None = None
        self._saying: set[asyncio.Task[None]] = set()
        self._told = ""

    @property
    def connected(self) -> bool:
        """True while messages can be sent."""
        return self._session is not None and not self._session.closed.is_set()

    def hear(self, topic: str, receiver: Receiver, *, every: bool = False) -> Callable[[], None]:
        """Call the receiver for messages on the topic from now on; return what ends that.

        Args:
            topic: without wildcards.
            receiver: called on the event loop.
            every: True if each message counts, False if only the newest does.
        """
        receivers = self._receivers.setdefault(topic, [])
        receivers.append(receiver)
        if every:
            self._queued.add(topic)
        if self._session is not None:
            self._session.subscribe(frozenset({topic}))
        return lambda: receivers.remove(receiver)

    def on_change(self, listener: Callable[[bool], None]) -> None:
        """Call the listener with True after each connection, with False after each loss."""
        self._listeners.append(listener)

    async def start(self) -> None:
        """Begin to connect; does not wait for it.

        Raises:
            ConfigError: the certificates cannot be used.
        """
        if self._config.tls is not None:
            await asyncio.to_thread(tls_context, self._config.tls)
        if self._running is None:
            self._running = asyncio.create_task(self._run(), name="mqtt broker")

    async def stop(self) -> None:
        """Say that we are offline, disconnect, and end every task; may be called more than once."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        for task in tuple(self._saying):
            task.cancel()
        await asyncio.gather(*self._saying, return_exceptions=True)

    async def publish(self, topic: str, payload: str, *, qos: int = 1, retain: bool = False) -> Delivery:
        """Publish a message about now, and return what became of it; if it was not taken, it is never sent later."""
        if self._session is None:
            return Delivery.AWAY
        return await self._session.publish(
            topic, payload, qos=qos, retain=retain, expiry_s=None if retain else EXPIRY_S
        )

    def abort(self) -> None:
        """Break off a connection that takes nothing, and what waits in it; a new one is made."""
        if self._session is not None:
            self._session.abort()

    def say(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Publish without waiting; if the broker is away or slow, the message is let go."""
        if not self.connected or len(self._saying) >= MAX_SAYING:
            log.debug("not said, the broker is %s: %s", "slow" if self.connected else "away", topic)
            return
        task = asyncio.create_task(self._say(topic, payload, retain), name=f"mqtt {topic}")
        self._saying.add(task)
        task.add_done_callback(self._saying.discard)

    async def _say(self, topic: str, payload: str, retain: bool) -> None:
        delivery = await self.publish(topic, payload, retain=retain)
        if delivery is Delivery.REFUSED:
            log.warning("the MQTT broker does not let us publish on %s; look at its access rules", topic)

    async def _run(self) -> None:
        shortest, longest = self._config.retry_s
        wait = shortest
        while True:
            try:
                session = await Session.open(
                    self._config,
                    self._client_id,
                    None if self._status_topic is None else Will(self._status_topic, OFFLINE),
                    self._receive,
                    self._queued,
                )
            except (BusError, ConfigError) as error:  # certificates may be being renewed
                self._tell(str(error))
            else:
                wait = shortest
                try:
                    await self._serve(session)
                finally:
                    await self._leave(session)
            # Jitter, so that a house full of clients does not come back to a restarted broker all in one moment.
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311
            wait = min(longest, wait * 2)

    async def _serve(self, session: Session) -> None:
        self._session = session
        self._told = ""
        host, port = self._config.address
        log.info("connected to the MQTT broker at %s:%d", host, port)
        session.subscribe(frozenset(self._receivers))
        if self._status_topic is not None:
            self.say(self._status_topic, ONLINE, retain=True)
        self._change(True)
        await session.closed.wait()
        log.warning("lost the MQTT broker: %s", session.reason)

    async def _leave(self, session: Session) -> None:
        self._session = None
        try:
            # Stopped, not lost: the last will is for losses only.
            if self._status_topic is not None and not session.closed.is_set():
                async with asyncio.timeout(1.0):
                    await session.publish(self._status_topic, OFFLINE, retain=True)
        except TimeoutError:
            log.debug("could not say goodbye to the broker")
        finally:
            await session.close()
            self._change(False)

    def _receive(self, message: Incoming) -> None:
        for receiver in tuple(self._receivers.get(message.topic, ())):
            receiver(message)

    def _change(self, connected: bool) -> None:
        for listener in self._listeners:
            try:
                listener(connected)
            except Exception:  # a listener's fault must not end the connection
                log.exception("a listener failed on the broker's %s", "coming" if connected else "going")

    def _tell(self, trouble: str) -> None:
        """Log a trouble once, not at every attempt."""
        if trouble != self._told:
            log.warning("%s; trying again until it is there", trouble)
            self._told = trouble
