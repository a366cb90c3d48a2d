"""One service call on its way: from the command to what the states say that came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from hearth_core.command import Action, Outcome, OutcomeStatus
from hearth_core.errors import BusError, HearthError
from hearth_core.home import State

from ..bus import Readback
from .confirmation import failed, reached
from .states import Seen, States


class Caller(Protocol):
    """What carries a call to Home Assistant: its WebSocket, or its own integration."""

    async def command(self, kind: str, fields: Mapping[str, Any] | None = None, timeout_s: float = 30.0) -> Any:
        """Return what came of it; BusError if it is refused, PeerError if no answer comes in time."""


class Call:
    """A service called once for all its entities.

    Args:
        connection: over which it goes; if it is lost meanwhile, the states of the next one may still confirm it.
        states: what comes back.
        readback: whom it wakes.
        action: what to do; all its entities have a state.
    """

    def __init__(self, connection: Caller, states: States, readback: Readback, action: Action) -> None:
        self._connection = connection
        self._states = states
        self._readback = readback
        self._action = action
        self._before = {entity_id: _state(states.get(entity_id)) for entity_id in action.entity_ids}
        self._since = states.revision
        self._answer: asyncio.Task[Any] | None = None

    async def run(self, deadline: float) -> dict[str, Outcome]:
        """Call, and return what became of it for each entity by then, the event loop's time.

        A call is refused as a whole because of one entity that cannot; the others are then called each on its own, if
        that is harmless where the first call did reach them.
        """
        outcomes = await self._run(deadline)
        refused = [k for k, outcome in outcomes.items() if outcome.status is OutcomeStatus.FAILED]
        if len(outcomes) > 1 and refused and self._refusal is not None and _repeatable(self._action):
            alone = [
                Call(self._connection, self._states, self._readback, replace(self._action, entity_ids=(entity_id,)))
                for entity_id in refused
            ]
            for again in await asyncio.gather(*(call._run(deadline) for call in alone)):
                outcomes |= again
        return outcomes

    async def _run(self, deadline: float) -> dict[str, Outcome]:
        timeout_s = max(0.0, deadline - asyncio.get_running_loop().time())
        domain, _, service = self._action.service.partition(".")
        fields = {
            "domain": domain,
            "service": service,
            "service_data": dict(self._action.data),
            "target": {"entity_id": list(self._action.entity_ids)},
        }
        self._answer = asyncio.create_task(self._connection.command("call_service", fields, timeout_s + 1))
        self._answer.add_done_callback(lambda _: self._wake())
        try:
            found = await asyncio.gather(*(self._outcome(i, timeout_s) for i in self._action.entity_ids))
        finally:
            self._answer.cancel()
            await asyncio.gather(self._answer, return_exceptions=True)
        return {outcome.entity_id: outcome for outcome in found}

    def _wake(self) -> None:
        for entity_id in self._action.entity_ids:
            self._readback.seen(entity_id)

    async def _outcome(self, entity_id: str, timeout_s: float) -> Outcome:
        found: Outcome | None = None

        def decided() -> bool:
            nonlocal found
            found = self._decide(entity_id)
            return found is not None

        if await self._readback.wait(entity_id, decided, timeout_s) and found is not None:
            return found
        return Outcome(entity_id, OutcomeStatus.UNCONFIRMED, self._why_not(entity_id))

    def _decide(self, entity_id: str) -> Outcome | None:
        """Return the outcome as soon as there is one."""
        seen = self._states.get(entity_id)
        if seen is not None and seen.revision > self._since and failed(entity_id.partition(".")[0], seen.state):
            return Outcome(entity_id, OutcomeStatus.FAILED, f"it is {seen.state.value}")
        if seen is not None and self._confirms(entity_id, seen):
            return Outcome(entity_id, OutcomeStatus.DONE)
        if self._refusal is not None:
            return Outcome(entity_id, OutcomeStatus.FAILED, self._refusal)
        return None

    def _confirms(self, entity_id: str, seen: Seen) -> bool:
        fresh, returned = seen.revision > self._since, self._returned
        if not fresh and returned is None:
            return False  # what was known before the call proves nothing until it has returned
        shown = reached(self._action, self._before[entity_id], seen.state)
        if shown is None:
            return fresh and returned is not None and seen.context == _context(returned)
        return shown

    @property
    def _returned(self) -> Any:
        """The call's result, None as long as there is none or if it failed."""
        answer = self._answer
        if answer is None or not answer.done() or answer.cancelled() or answer.exception() is not None:
            return None
        return answer.result() or {}

    @property
    def _refusal(self) -> str | None:
        answer = self._answer
        if answer is None or not answer.done() or answer.cancelled():
            return None
        error = answer.exception()
        return error.message if isinstance(error, BusError) else None

    def _why_not(self, entity_id: str) -> str:
        seen = self._states.get(entity_id)
        if seen is None:
            return "it is gone"
        answer = self._answer
        lost = answer is not None and answer.done() and not answer.cancelled() and answer.exception()
        if isinstance(lost, HearthError):
            return lost.message
        return f"its state is {seen.state.value}"


def _repeatable(action: Action) -> bool:
    """Return True if calling it twice does what calling it once does: not for scripts, the next track, louder."""
    return action.expected is not None and not action.service.startswith("script.")


def _state(seen: Seen | None) -> State:
    assert seen is not None
    return seen.state


def _context(returned: Mapping[str, Any]) -> str | None:
    context = returned.get("context") if isinstance(returned, dict) else None
    return str(context.get("id")) if isinstance(context, dict) else None
