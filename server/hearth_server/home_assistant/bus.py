"""Home Assistant as a bus: connected as long as it can be, its part of the house kept fresh, actions confirmed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hearth_core.command import Action, Outcome, OutcomeStatus
from hearth_core.errors import BusError, HearthError, PeerError
from hearth_core.home import UNAVAILABLE, UNKNOWN, Home, State

from ..bus import Readback, Watcher
from .access import Access
from .call import Call
from .client import COMMAND_S, Connection, connected
from .registry import NAME, Registry, entity_of, home_of, read_registry
from .states import States

log = logging.getLogger(__name__)

# What changes the house. An entity without a unique id changes its exposure without an event: see REFRESH_S.
_EVENTS = ("floor_registry_updated", "area_registry_updated", "device_registry_updated", "entity_registry_updated")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the bus waits, in seconds.

    Attributes:
        retry_s: before it connects again the first time; doubled at each failure.
        retry_longest_s: and not longer than this. Home Assistant restarts in 20 s to a few minutes.
        refused_s: after a refusal, which only a person can end; each attempt shows in Home Assistant as a failed login.
        settle_s: after a change of the registries, for the rest of the burst.
        refresh_s: between two readings of the registries that nothing asked for.
        running_s: how long a Home Assistant that is just starting may take to load its devices.
    """

    retry_s: float = 0.5
    retry_longest_s: float = 15.0
    refused_s: float = 300.0
    settle_s: float = 0.3
    refresh_s: float = 300.0
    running_s: float = 120.0


class HomeAssistant:
    """The bus.

    Args:
        access: where it is, and the token.
        patience: how long to wait for what.
    """

    name = NAME

    def __init__(self, access: Access, patience: Patience | None = None) -> None:
        self._access = access
        self._patience = patience or Patience()
        self._home = Home()
        self._registry = Registry()
        self._states = States()
        self._readback = Readback()
        self._connection: Connection | None = None  # while actions can be sent
        self._watcher: Watcher | None = None
        self._task: asyncio.Task[None] | None = None
        self._stale = asyncio.Event()  # the house is to be built anew
        self._outdated = True  # and the registries read before
        self._changed: set[str] = set()
        self._trouble: HearthError | None = None

    @property
    def home(self) -> Home:
        """The exposed entities with their floors and areas; while Home Assistant is away, all unavailable."""
        return self._home

    @property
    def reachable(self) -> bool:
        """True while connected, authenticated and up to date."""
        return self._connection is not None

    @property
    def trouble(self) -> HearthError | None:
        """Why it is not reachable, as last found; None while it is, and before it was tried."""
        return self._trouble

    async def start(self, watcher: Watcher) -> None:
        """Begin to connect and to report; see `Bus`."""
        self._watcher = watcher
        self._task = asyncio.create_task(self._stay_connected(), name="Home Assistant")

    async def stop(self) -> None:
        """Disconnect."""
        task, self._task, self._watcher = self._task, None, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._connection = None

    async def perform(self, action: Action, timeout_s: float) -> tuple[Outcome, ...]:
        """Call the service once for all entities that can be reached; see `Bus`."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        connection = self._connection
        if connection is None:
            why = self._trouble.message if self._trouble else "Home Assistant is away"
            return tuple(Outcome(entity_id, OutcomeStatus.UNREACHABLE, why) for entity_id in action.entity_ids)
        # Home Assistant leaves out what is unavailable without a word.
        there = tuple(
            i for i in action.entity_ids if (seen := self._states.get(i)) and seen.state.value != UNAVAILABLE.value
        )
        outcomes: dict[str, Outcome] = {}
        if there:
            call = Call(connection, self._states, self._readback, replace(action, entity_ids=there))
            outcomes = await call.run(deadline)
        away = OutcomeStatus.UNREACHABLE
        return tuple(outcomes.get(i) or Outcome(i, away, "Home Assistant does not reach it") for i in action.entity_ids)

    async def write(self, action: Action, timeout_s: float) -> Outcome:
        """Call a service that is for no entity; DONE when Home Assistant says that it ran. See `Writes`."""
        (place,) = action.entity_ids
        connection = self._connection
        if connection is None:
            return Outcome(place, OutcomeStatus.UNREACHABLE, "Home Assistant is away")
        domain, _, service = action.service.partition(".")
        fields = {"domain": domain, "service": service, "service_data": dict(action.data)}
        try:
            await connection.command("call_service", fields, timeout_s)
        except BusError as error:
            return Outcome(place, OutcomeStatus.FAILED, error.message)
        except PeerError as error:
            return Outcome(place, OutcomeStatus.UNCONFIRMED, error.message)
        return Outcome(place, OutcomeStatus.DONE, "Home Assistant has done it")

    # -- the connection ------------------------------------------------------------------------------------------------

    async def _stay_connected(self) -> None:
        failures = 0
        while True:
            try:
                async with connected(self._access) as connection:
                    fresh = asyncio.create_task(self._keep_fresh(connection), name="keep the home fresh")
                    try:
                        await asyncio.wait({fresh, connection.ended}, return_when=asyncio.FIRST_COMPLETED)
                        (connection.ended if connection.ended.done() else fresh).result()
                    finally:
                        fresh.cancel()
                        await asyncio.gather(fresh, return_exceptions=True)
            except HearthError as error:
                trouble = error
            except Exception as error:
                log.exception("the connection to Home Assistant failed")
                trouble = BusError(f"the connection to Home Assistant failed: {error}")
            failures = 0 if self._connection is not None else failures + 1
            self._away(trouble)
            if isinstance(trouble, BusError):
                await self._refused()
            else:
                delay_s = min(self._patience.retry_longest_s, self._patience.retry_s * 2 ** min(failures, 16))
                # Many clients of a Home Assistant that restarts must not come back in step.
                await asyncio.sleep(delay_s * random.uniform(0.5, 1.0))  # noqa: S311 - no secret

    async def _refused(self) -> None:
        """Wait long, but not once the token has changed."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._patience.refused_s
        refused = await self._token()
        while loop.time() < until and await self._token() == refused:  # noqa: ASYNC110 - a file does not tell
            await asyncio.sleep(min(5.0, self._patience.refused_s))

    async def _token(self) -> str | None:
        try:
            return (await asyncio.to_thread(self._access.token)).get_secret_value()
        except HearthError:
            return None

    def _away(self, trouble: HearthError) -> None:
        if self._connection is not None or self._trouble is None or str(trouble) != str(self._trouble):
            log.log(logging.ERROR if isinstance(trouble, BusError) else logging.WARNING, "%s", trouble)
        self._connection, self._trouble = None, trouble
        self._changed.clear()
        lost = {k: UNAVAILABLE for k, entity in self._home.entities.items() if entity.state != UNAVAILABLE}
        if lost:
            self._home = self._home.with_states(lost)
            self._tell(lost)

    # -- the picture of the house --------------------------------------------------------------------------------------

    async def _keep_fresh(self, connection: Connection) -> None:
        """Read the house, and again whenever a registry changes.

        Raises:
            BusError, PeerError, WireError: Home Assistant refuses, is lost, or cannot be understood.
        """
        # Several messages in a frame, as its own frontend takes them: a burst costs both sides less.
        await connection.command("supported_features", {"features": {"coalesce_messages": 1}})
        for event in _EVENTS:
            await connection.subscribe("subscribe_events", self._on_registry, {"event_type": event})
        await self._until_running(connection)
        subscription: int | None = None
        followed: frozenset[str] = frozenset()
        self._states.forget()
        self._outdated = True
        while True:
            self._stale.clear()
            if self._outdated:
                self._outdated = False  # before the reading: what changes meanwhile is read again
                self._registry = await read_registry(connection)
                wanted = frozenset(self._registry.listings)
                if wanted != followed:
                    subscription, before = await self._follow(connection, wanted), subscription
                    followed = wanted
                    if before is not None:
                        await connection.unsubscribe(before)
            self._rebuild(connection)
            try:
                async with asyncio.timeout(self._patience.refresh_s):
                    await self._stale.wait()
            except TimeoutError:
                self._outdated = True
            await asyncio.sleep(self._patience.settle_s)

    def _on_registry(self, event: Any) -> None:
        self._outdated = True
        self._stale.set()

    async def _until_running(self, connection: Connection) -> None:
        """Wait for a Home Assistant that is just starting: until then most of its devices are missing."""
        running = asyncio.Event()
        await connection.subscribe("subscribe_events", lambda _: running.set(), {"event_type": "homeassistant_started"})
        config = await connection.command("get_config")
        if isinstance(config, dict) and config.get("state") == "RUNNING":
            return
        log.info("Home Assistant is starting")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience.running_s):
                await running.wait()

    async def _follow(self, connection: Connection, entity_ids: frozenset[str]) -> int | None:
        """Subscribe to these entities' states; return, when they are there, the subscription's number."""
        if not entity_ids:  # an empty list would mean all
            return None
        arrived = asyncio.Event()

        def on_event(event: Any) -> None:
            self._on_states(event)
            arrived.set()

        number = await connection.subscribe("subscribe_entities", on_event, {"entity_ids": sorted(entity_ids)})
        try:
            async with asyncio.timeout(COMMAND_S):
                await arrived.wait()
        except TimeoutError:
            raise PeerError(f"Home Assistant sent no states within {COMMAND_S:g} s") from None
        return number

    def _on_states(self, event: Any) -> None:
        if not self._changed:  # a burst is told once
            asyncio.get_running_loop().call_soon(self._flush)
        self._changed |= self._states.apply(event)

    def _flush(self) -> None:
        changed, self._changed = self._changed, set()
        if self._connection is None:
            return
        states: dict[str, State] = {}
        for entity_id in changed:
            listing, seen = self._registry.listings.get(entity_id), self._states.get(entity_id)
            known = self._home.entities.get(entity_id)
            if listing is None or (seen is None and known is None):
                continue
            if seen is None or known is None or not self._same_thing(entity_id, seen.state):
                self._stale.set()  # it came, went, or is another thing now
            if seen is not None and known is not None and known.state != seen.state:
                states[entity_id] = seen.state
        if states:
            self._home = self._home.with_states(states)
            self._tell(states)
        for entity_id in changed:
            self._readback.seen(entity_id)

    def _same_thing(self, entity_id: str, state: State) -> bool:
        known = self._home.entities[entity_id]
        listing = replace(self._registry.listings[entity_id], area_id=known.area_id)
        return replace(entity_of(listing, state), state=UNKNOWN) == replace(known, state=UNKNOWN)

    def _rebuild(self, connection: Connection) -> None:
        """Show the house as registries and states have it."""
        before, self._home = self._home, home_of(self._registry, self._states)
        if self._connection is None:
            self._trouble = None
            count, version = len(self._home.entities), connection.version
            log.info("Home Assistant %s is there: %d entities that Assist may use", version, count)
        self._connection = connection
        if self._watcher is not None and before != self._home:
            self._watcher.part_changed()
        for entity_id in self._home.entities:
            self._readback.seen(entity_id)

    def _tell(self, states: Mapping[str, State]) -> None:
        if self._watcher is not None:
            self._watcher.states_changed(states)
