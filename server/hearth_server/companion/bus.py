"""Home Assistant as a bus whose wire is its own integration: names and states are pushed, calls are carried.

No token of Home Assistant is needed. The integration calls services in the name of whoever gave the command, and for
entities alone that Assist may use; what it refuses is an outcome here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from hearth_core.command import Action, Outcome, OutcomeStatus
from hearth_core.companion import Dialogue, RefusedError
from hearth_core.errors import BusError
from hearth_core.home import UNAVAILABLE, UNKNOWN, Home, State

from ..bus import Readback, Watcher
from ..home_assistant.call import Call
from ..home_assistant.registry import NAME, Registry, entity_of, home_of
from ..home_assistant.states import States
from .feed import Told

log = logging.getLogger(__name__)

# The request of Home Assistant that is being carried out, so that its calls go in the name of whoever made it.
asked_by: ContextVar[str] = ContextVar("asked_by", default="")


class CompanionBus:
    """The bus; a session feeds it."""

    name = NAME

    def __init__(self) -> None:
        self._home = Home()
        self._registry = Registry()
        self._states = States()
        self._readback = Readback()
        self._watcher: Watcher | None = None
        self._feeder: Dialogue | None = None
        self._ready = False
        self.told = Told()

    @property
    def home(self) -> Home:
        """The entities that Assist may use; while Home Assistant is away, all unavailable."""
        return self._home

    @property
    def reachable(self) -> bool:
        """True while what is known of the home can be sent to; nobody waits for a home that was never told."""
        return self._ready or not self._registry.listings

    async def start(self, watcher: Watcher) -> None:
        """Report from now on."""
        self._watcher = watcher

    async def stop(self) -> None:
        """Report no more."""
        self._watcher = self._feeder = None

    def attach(self, feeder: Dialogue) -> None:
        """Take the home from this dialogue from now on; one that fed it before does no more."""
        self._feeder, self._ready = feeder, False

    def detach(self, feeder: Dialogue) -> None:
        """Take note that a dialogue is over."""
        if feeder is not self._feeder:
            return
        self._feeder, self._ready = None, False
        log.warning("Home Assistant is away")
        lost = {k: UNAVAILABLE for k, entity in self._home.entities.items() if entity.state != UNAVAILABLE}
        if lost:
            self._home = self._home.with_states(lost)
            self._tell(lost)

    def take_home(self, feeder: Dialogue, told: Told) -> None:
        """Take the whole home."""
        if feeder is not self._feeder:
            return
        self._states.forget()
        self._states.apply(told.states)
        self.told, self._registry = told, told.registry
        if not self._ready:
            log.info("Home Assistant is there: %d entities that Assist may use", len(told.registry.listings))
        self._ready = True
        self._rebuild()

    def take_states(self, feeder: Dialogue, event: Any) -> None:
        """Take states that changed.

        Raises:
            WireError: the event is none.
        """
        if feeder is not self._feeder or not self._ready:
            return
        changed = self._states.apply(event) & self._registry.listings.keys()
        news: dict[str, State] = {}
        for entity_id in changed:
            seen, known = self._states.get(entity_id), self._home.entities.get(entity_id)
            if seen is None or known is None or not self._same_thing(entity_id, seen.state):
                self._rebuild()  # it came, went, or is another thing now
                return
            if known.state != seen.state:
                news[entity_id] = seen.state
        if news:
            self._home = self._home.with_states(news)
            self._tell(news)
        for entity_id in changed:
            self._readback.seen(entity_id)

    async def perform(self, action: Action, timeout_s: float) -> tuple[Outcome, ...]:
        """Let the integration call the service once for all entities that can be reached; see `Bus`."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        feeder = self._feeder
        if feeder is None or not self._ready:
            away = "Home Assistant is away"
            return tuple(Outcome(entity_id, OutcomeStatus.UNREACHABLE, away) for entity_id in action.entity_ids)
        there = tuple(
            i for i in action.entity_ids if (seen := self._states.get(i)) and seen.state.value != UNAVAILABLE.value
        )
        outcomes: dict[str, Outcome] = {}
        if there:
            carrier = _Carrier(feeder, asked_by.get())
            outcomes = await Call(carrier, self._states, self._readback, replace(action, entity_ids=there)).run(
                deadline
            )
        lost = OutcomeStatus.UNREACHABLE
        return tuple(outcomes.get(i) or Outcome(i, lost, "Home Assistant does not reach it") for i in action.entity_ids)

    def _same_thing(self, entity_id: str, state: State) -> bool:
        known = self._home.entities[entity_id]
        listing = replace(self._registry.listings[entity_id], area_id=known.area_id)
        return replace(entity_of(listing, state), state=UNKNOWN) == replace(known, state=UNKNOWN)

    def _rebuild(self) -> None:
        before, self._home = self._home, home_of(self._registry, self._states)
        if self._watcher is not None and before != self._home:
            self._watcher.part_changed()
        for entity_id in self._home.entities:
            self._readback.seen(entity_id)

    def _tell(self, states: Mapping[str, State]) -> None:
        if self._watcher is not None:
            self._watcher.states_changed(states)


class _Carrier:
    """Service calls over the dialogue, as `Call` makes them."""

    def __init__(self, dialogue: Dialogue, asked: str) -> None:
        self._dialogue = dialogue
        self._asked = asked

    async def command(self, kind: str, fields: Mapping[str, Any] | None = None, timeout_s: float = 30.0) -> Any:
        """Call the service and return its context.

        Raises:
            BusError: the integration, or the service, refuses.
            PeerError: no answer came in time.
        """
        try:
            return await self._dialogue.request("call", {**(fields or {}), "asked": self._asked}, timeout=timeout_s)
        except RefusedError as error:
            raise BusError(f"Home Assistant refused: {error.message}", remedy=error.remedy) from error
