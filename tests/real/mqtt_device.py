"""A device on a broker, with a client of its own: it remembers what it was told, and answers as it is made to."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from .mosquitto import PASSWORD, USER

WAIT_S = 10.0


class Device:
    """An MQTT client beside Hearth's. It reconnects by itself, as devices do.

    Attributes:
        heard: (topic, payload, retained) in the order in which they came.
        expiries: the seconds after which each would have been forgotten, None for never.
    """

    def __init__(self, port: int, *topics: str, answer: Callable[[str, str], dict[str, str]] | None = None) -> None:
        self.heard: queue.SimpleQueue[tuple[str, str, bool]] = queue.SimpleQueue()
        self.expiries: list[int | None] = []
        self._answer = answer
        self._topics = topics
        self._ready = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
        self._client.username_pw_set(USER, PASSWORD)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._ready.wait(WAIT_S)

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Publish, and wait until the broker has it."""
        self._client.publish(topic, payload, 1, retain).wait_for_publish(WAIT_S)

    def wait_until_there(self) -> None:
        """Wait until it has connected again and hears its topics."""
        assert self._ready.wait(WAIT_S)

    def next(self, topic: str) -> tuple[str, bool]:
        """Return payload and retain flag of the next message on the topic; others before it are let go."""
        until = time.monotonic() + WAIT_S
        while True:
            found, payload, retained = self.heard.get(timeout=max(0.0, until - time.monotonic()))
            if found == topic:
                return payload, retained

    def silent(self) -> bool:
        """Return True if nothing more has come."""
        return self.heard.empty()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if self._topics:
            client.subscribe([(topic, 1) for topic in self._topics])
        else:
            self._ready.set()

    def _on_subscribe(self, client: Client, userdata: Any, mid: int, reasons: Any, properties: Any) -> None:
        self._ready.set()

    def _on_message(self, client: Client, userdata: Any, message: Any) -> None:
        payload = message.payload.decode()
        self.expiries.append(getattr(message.properties, "MessageExpiryInterval", None))
        self.heard.put((message.topic, payload, bool(message.retain)))
        for topic, answer in (self._answer(message.topic, payload) if self._answer else {}).items():
            client.publish(topic, answer, 1, True)
