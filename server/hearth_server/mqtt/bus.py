"""Entities bound to MQTT topics, as one of the house's buses."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from hearth_core.command import Action, Outcome, OutcomeStatus
from hearth_core.config_mqtt import MqttConfig, MqttEntity
from hearth_core.errors import BusError
from hearth_core.home import UNAVAILABLE, UNKNOWN, Binding, Home, State
from hearth_core.mqtt.broker import Broker
from hearth_core.mqtt.session import Delivery, Incoming

from ..bus import Readback, Watcher
from ..configured import entity_of, home_of, with_states
from ..expectation import fulfilled
from .topics import StateTopics, capabilities, commands, state_of, state_topics

log = logging.getLogger(__name__)

NAME = "mqtt"

_UNDELIVERED: Mapping[Delivery, tuple[OutcomeStatus, str]] = {
    Delivery.UNHEARD: (OutcomeStatus.UNREACHABLE, "nobody hears {topic}"),
    Delivery.REFUSED: (OutcomeStatus.FAILED, "the MQTT broker does not let us publish on {topic}"),
    Delivery.LOST: (OutcomeStatus.UNCONFIRMED, "the MQTT broker was lost while the message was on its way"),
    Delivery.AWAY: (OutcomeStatus.UNREACHABLE, "the MQTT broker is away"),
}


class MqttBus:
    """The entities of the section `mqtt`.

    A command is published once, with an expiry, and never again after the broker was lost. It is DONE when the state
    topic has spoken after it and says so; what was known before does not count.

    Args:
        config: the section.
        broker: the connection; the bus starts and stops it.
    """

    name = NAME

    def __init__(self, config: MqttConfig, broker: Broker) -> None:
        self._broker = broker
        self._entities: Mapping[str, MqttEntity] = {entity.entity_id: entity for entity in config.entities}
        self._topics: Mapping[str, StateTopics] = {k: state_topics(entity) for k, entity in self._entities.items()}
        self._heard: dict[str, str] = {}
        self._answers: dict[str, int] = dict.fromkeys(self._entities, 0)  # how often each entity's answer topics spoke
        self._watcher: Watcher | None = None
        self._readback = Readback()
        self._troubles: dict[str, str] = {}
        self._home = home_of(
            config.areas,
            (entity.area for entity in config.entities),
            (
                entity_of(entity, Binding(NAME, _address(entity)), config.areas, capabilities(entity))
                for entity in config.entities
            ),
        ).with_states(dict.fromkeys(self._entities, UNAVAILABLE))
        listeners: dict[str, list[str]] = {}
        for entity_id, topics in self._topics.items():
            for topic in topics.all:
                listeners.setdefault(topic, []).append(entity_id)
        self._by_topic: Mapping[str, list[str]] = listeners
        for topic in listeners:
            broker.hear(topic, self._receive)
        broker.on_change(self._changed)

    @property
    def home(self) -> Home:
        """The entities as they are now."""
        return self._home

    @property
    def reachable(self) -> bool:
        """True while the broker is there."""
        return self._broker.connected

    async def start(self, watcher: Watcher) -> None:
        """Begin to connect and to report; see `Bus`."""
        self._watcher = watcher
        await self._broker.start()

    async def stop(self) -> None:
        """Disconnect; see `Bus`."""
        self._watcher = None
        await self._broker.stop()

    async def perform(self, action: Action, timeout_s: float) -> tuple[Outcome, ...]:
        """Do the action to each of its entities; see `Bus`."""
        return tuple(await asyncio.gather(*(self._perform(action, i, timeout_s) for i in action.entity_ids)))

    async def write(self, action: Action, timeout_s: float) -> Outcome:
        """Publish on a topic of no entity; DONE when the broker has acknowledged it. See `Writes`."""
        (place,) = action.entity_ids
        topic, qos, retain = str(action.data["topic"]), int(action.data["qos"]), bool(action.data["retain"])
        try:
            async with asyncio.timeout(timeout_s):
                delivery = await self._broker.publish(topic, str(action.data["payload"]), qos=qos, retain=retain)
        except TimeoutError:
            self._broker.abort()  # else it would be done whenever the network comes back
            return Outcome(place, OutcomeStatus.UNCONFIRMED, "the MQTT broker did not take it in time")
        except ValueError as error:  # paho's word for a payload that is too long
            return Outcome(place, OutcomeStatus.FAILED, str(error))
        if delivery is not Delivery.TAKEN and not (retain and delivery is Delivery.UNHEARD):
            status, detail = _UNDELIVERED[delivery]
            return Outcome(place, status, detail.format(topic=topic))
        if qos == 0:
            return Outcome(place, OutcomeStatus.UNCONFIRMED, "with qos 0 the broker does not confirm")
        return Outcome(place, OutcomeStatus.DONE, "the broker has it")

    async def _perform(self, action: Action, entity_id: str, timeout_s: float) -> Outcome:
        entity = self._entities.get(entity_id)
        if entity is None:
            return Outcome(entity_id, OutcomeStatus.FAILED, "there is no such entity on MQTT")
        before = self._home.entities[entity_id].state
        if before == UNAVAILABLE:
            away = "it says that it is away" if self.reachable else "the MQTT broker is away"
            return Outcome(entity_id, OutcomeStatus.UNREACHABLE, away)
        try:
            messages = commands(entity, action, before)
        except (BusError, ValueError, TypeError) as error:  # an author's sentence may give any value
            return Outcome(entity_id, OutcomeStatus.FAILED, str(error))
        deadline = asyncio.get_running_loop().time() + timeout_s
        answers = self._answers[entity_id]
        try:
            async with asyncio.timeout_at(deadline):
                for message in messages:
                    delivery = await self._broker.publish(message.topic, message.payload, qos=entity.qos)
                    if delivery is not Delivery.TAKEN:
                        status, detail = _UNDELIVERED[delivery]
                        return Outcome(entity_id, status, detail.format(topic=message.topic))
        except TimeoutError:
            self._broker.abort()  # else it would be done whenever the network comes back
            return Outcome(entity_id, OutcomeStatus.UNCONFIRMED, "the MQTT broker did not take it in time")
        if not self._topics[entity_id].answers:
            return Outcome(entity_id, OutcomeStatus.UNCONFIRMED, "it has no state topic")

        def confirmed() -> bool:
            state = self._home.entities[entity_id].state
            return self._answers[entity_id] > answers and fulfilled(action, state, before)

        left = deadline - asyncio.get_running_loop().time()
        if await self._readback.wait(entity_id, confirmed, left):
            return Outcome(entity_id, OutcomeStatus.DONE)
        told = self._answers[entity_id] > answers
        state = self._home.entities[entity_id].state
        return Outcome(
            entity_id, OutcomeStatus.UNCONFIRMED, f"its state is {state.value}" if told else "its state topic is silent"
        )

    def _receive(self, message: Incoming) -> None:
        try:
            self._heard[message.topic] = message.payload.decode()
        except UnicodeDecodeError:
            log.warning("the payload on %s is not text", message.topic)
            return
        touched = self._by_topic[message.topic]
        for entity_id in touched:
            if message.topic in self._topics[entity_id].answers:
                self._answers[entity_id] += 1
        self._show({entity_id: self._state(entity_id) for entity_id in touched})
        for entity_id in touched:
            self._readback.seen(entity_id)

    def _state(self, entity_id: str) -> State:
        try:
            state = state_of(self._entities[entity_id], self._heard)
        except BusError as error:
            if self._troubles.get(entity_id) != error.message:  # once, not at every message of a chatty device
                log.warning("%s: %s", entity_id, error)
                self._troubles[entity_id] = error.message
            return UNKNOWN
        self._troubles.pop(entity_id, None)
        return state

    def _changed(self, connected: bool) -> None:
        if connected:
            # What was heard before may be long untrue; the retained messages that come now say how it is.
            self._heard.clear()
        self._show({k: self._state(k) if connected else UNAVAILABLE for k in self._entities})
        for entity_id in self._entities:
            self._readback.seen(entity_id)

    def _show(self, states: Mapping[str, State]) -> None:
        self._home, news = with_states(self._home, states)
        if news and self._watcher is not None:
            self._watcher.states_changed(news)


def _address(entity: MqttEntity) -> dict[str, str]:
    """Return the topics, as `hearth home show` shows them."""
    return {key: value for key, value in entity.model_dump().items() if key.endswith("_topic") and value}
