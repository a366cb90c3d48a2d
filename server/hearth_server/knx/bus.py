"""Entities on a KNX bus, as one of the house's buses."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from xknx.exceptions import XKNXException

from hearth_core.command import Action, Outcome, OutcomeStatus
from hearth_core.config_knx import KnxConfig, KnxEntity, KnxScene
from hearth_core.errors import BusError, ConfigError
from hearth_core.home import UNAVAILABLE, UNKNOWN, Binding, Home, State

from ..bus import Readback, Watcher
from ..configured import entity_of, home_of, with_states
from ..expectation import fulfilled
from .group_write import telegram
from .link import GroupTelegram, KnxLink, Payload
from .outbox import Fate, Outbox
from .points import capabilities, points, state_of, told_by, unknown_dpts, writes

log = logging.getLogger(__name__)

NAME = "knx"

# Actuators tell their new state by themselves within a telegram or two. Those that only tell a change say nothing to
# "on" when they are on: they are asked.
ASK_AFTER_S = 0.4

_UNSENT: Mapping[Fate, tuple[OutcomeStatus, str]] = {
    Fate.EXPIRED: (OutcomeStatus.UNREACHABLE, "the KNX bus is away"),
    Fate.UNCERTAIN: (OutcomeStatus.UNCONFIRMED, "the KNX bus did not confirm the telegram"),
    Fate.FULL: (OutcomeStatus.FAILED, "too many telegrams wait for the KNX bus"),
}


class KnxBus:
    """The entities of the section `knx`.

    A command waits for a lost bus as long as its time and `max_age_s` allow, and is never sent after that. It is DONE
    when the status address of what was written has spoken after it and says so; a scene, which has no status, when the
    bus has taken it.

    Args:
        config: the section, with the entities of its file in it.

    Raises:
        ConfigError: an entity has a DPT that nobody can read.
    """

    name = NAME

    def __init__(self, config: KnxConfig) -> None:
        for entity in config.entities:
            for dpt in unknown_dpts(entity):
                raise ConfigError(f"{entity.entity_id}: DPT {dpt} is not known", remedy="Write e.g. 9.001")
        self._config = config
        self._entities: Mapping[str, KnxEntity] = {entity.entity_id: entity for entity in config.entities}
        self._link = KnxLink(config.connection, self._receive, self._changed)
        self._outbox: Outbox[GroupTelegram] = Outbox(self._link.send, config.writes_per_second, config.reads_per_second)
        self._by_address: dict[str, list[str]] = {}
        self._readable: dict[str, None] = {}
        for entity_id, entity in self._entities.items():
            for point in points(entity):
                if (address := told_by(point)) is not None:
                    self._by_address.setdefault(address, []).append(entity_id)
                if point.state is not None:
                    self._readable[point.state] = None
        self._heard: dict[str, Payload] = {}
        self._count: dict[str, int] = dict.fromkeys(self._by_address, 0)
        self._given_up: asyncio.TimerHandle | None = None
        self._waited_for = False
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

    @property
    def home(self) -> Home:
        """The entities as they are now."""
        return self._home

    @property
    def reachable(self) -> bool:
        """True while the bus is there, and so long after its loss as a command would wait for it."""
        return self._link.connected or self._waited_for

    async def start(self, watcher: Watcher) -> None:
        """Begin to connect and to report; see `Bus`."""
        self._watcher = watcher
        await self._link.start()
        self._outbox.start()

    async def stop(self) -> None:
        """Disconnect; see `Bus`."""
        self._watcher = None
        await self._outbox.stop()
        await self._link.stop()
        if self._given_up is not None:
            self._given_up.cancel()
            self._given_up = None
        self._waited_for = False

    async def perform(self, action: Action, timeout_s: float) -> tuple[Outcome, ...]:
        """Do the action to each of its entities; see `Bus`."""
        return tuple(await asyncio.gather(*(self._perform(action, i, timeout_s) for i in action.entity_ids)))

    async def write(self, action: Action, timeout_s: float) -> Outcome:
        """Write to a group address of no entity; DONE when the bus has acknowledged the telegram. See `Writes`."""
        (place,) = action.entity_ids
        try:
            found = telegram(action.data)
        except BusError as error:
            return Outcome(place, OutcomeStatus.FAILED, str(error))
        # nobody knows whether it does harm twice, so it is never sent again
        fate = await self._outbox.write(found, min(timeout_s, self._config.max_age_s), repeatable=False)
        if fate is not Fate.TAKEN:
            return Outcome(place, *_UNSENT[fate])
        return Outcome(place, OutcomeStatus.DONE, "the bus has taken it")

    async def _perform(self, action: Action, entity_id: str, timeout_s: float) -> Outcome:
        entity = self._entities.get(entity_id)
        if entity is None:
            return Outcome(entity_id, OutcomeStatus.FAILED, "there is no such entity on KNX")
        before = self._home.entities[entity_id].state
        try:
            wanted = writes(entity, action, before)
        except (BusError, XKNXException, ValueError, TypeError) as error:  # an author's sentence may give any value
            return Outcome(entity_id, OutcomeStatus.FAILED, str(error))
        deadline = asyncio.get_running_loop().time() + timeout_s
        counts = {write.answer: self._count[write.answer] for write in wanted if write.answer is not None}
        for write in wanted:
            left = deadline - asyncio.get_running_loop().time()
            age = min(left, self._config.max_age_s)
            fate = await self._outbox.write(write.telegram, age, repeatable=write.repeatable)
            if fate is not Fate.TAKEN:
                status, detail = _UNSENT[fate]
                return Outcome(entity_id, status, detail)
        if isinstance(entity, KnxScene):
            return Outcome(entity_id, OutcomeStatus.DONE, "the bus has taken it")
        if any(write.answer is None for write in wanted):
            return Outcome(entity_id, OutcomeStatus.UNCONFIRMED, "it has no status address")
        return await self._confirmation(action, entity_id, before, counts, deadline)

    async def _confirmation(
        self, action: Action, entity_id: str, before: State, counts: Mapping[str, int], deadline: float
    ) -> Outcome:
        """Wait for the status addresses; what they said before `counts` does not count."""

        def silent() -> list[str]:
            return [address for address, count in counts.items() if self._count[address] == count]

        def confirmed() -> bool:
            return not silent() and fulfilled(action, self._home.entities[entity_id].state, before)

        clock = asyncio.get_running_loop().time
        done = await self._readback.wait(entity_id, confirmed, min(ASK_AFTER_S, deadline - clock()))
        if not done:
            for address in counts:
                self._outbox.ask(GroupTelegram(address))
            done = await self._readback.wait(entity_id, confirmed, deadline - clock())
        if done:
            return Outcome(entity_id, OutcomeStatus.DONE)
        if mute := silent():
            return Outcome(entity_id, OutcomeStatus.UNCONFIRMED, f"{', '.join(mute)} did not answer")
        state = self._home.entities[entity_id].state
        return Outcome(entity_id, OutcomeStatus.UNCONFIRMED, f"its state is {state.value}")

    def _receive(self, telegram: GroupTelegram) -> None:
        touched = self._by_address.get(telegram.address)
        if touched is None or telegram.payload is None:
            return
        self._outbox.forget(GroupTelegram(telegram.address))
        self._heard[telegram.address] = telegram.payload
        self._count[telegram.address] += 1
        self._show({entity_id: self._state(entity_id) for entity_id in touched})
        for entity_id in touched:
            self._readback.seen(entity_id)

    def _state(self, entity_id: str) -> State:
        try:
            state = state_of(self._entities[entity_id], self._heard)
        except BusError as error:
            if self._troubles.get(entity_id) != error.message:  # once, not at every telegram of a chatty device
                log.warning("%s: %s", entity_id, error)
                self._troubles[entity_id] = error.message
            return UNKNOWN
        self._troubles.pop(entity_id, None)
        return state

    def _changed(self, connected: bool) -> None:
        self._outbox.set_open(connected)
        if self._given_up is not None:
            self._given_up.cancel()
            self._given_up = None
        self._waited_for = not connected
        if not connected:
            loop = asyncio.get_running_loop()
            self._given_up = loop.call_later(self._config.max_age_s, self._give_up)
            return
        self._show({entity_id: self._state(entity_id) for entity_id in self._entities})
        for address in self._readable:  # the outbox spreads them out
            self._outbox.read(GroupTelegram(address))

    def _give_up(self) -> None:
        """The bus is away longer than a command would wait: what was known of it may be untrue by now."""
        self._waited_for = False
        self._given_up = None
        self._heard.clear()
        self._show(dict.fromkeys(self._entities, UNAVAILABLE))

    def _show(self, states: Mapping[str, State]) -> None:
        self._home, news = with_states(self._home, states)
        if news and self._watcher is not None:
            self._watcher.states_changed(news)


def _address(entity: KnxEntity) -> dict[str, str]:
    """Return the group addresses, as `hearth home show` shows them."""
    found: dict[str, str] = {}
    for name in type(entity).model_fields:
        point = getattr(entity, name)
        for role in ("write", "state"):
            if (address := getattr(point, role, None)) is not None:
                found[f"{name} {role}"] = f"{address} ({point.dpt})"
    return found
