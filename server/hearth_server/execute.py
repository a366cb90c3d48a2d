"""Do a plan: every action on every bus at once, each within its time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from hearth_core.command import Action, Outcome, OutcomeStatus

from .bus import Bus, Writes, written_to
from .house import House
from .plan import Plan

log = logging.getLogger(__name__)

# What a bus may take beyond the time that it was given, before it is cut off: it ends its own waiting at the limit.
GRACE_S = 0.25


async def execute(plan: Plan, house: House, timeout_s: float = 5.0) -> tuple[Outcome, ...]:
    """Do the actions in parallel; return one outcome for each entity of each action, in the plan's order.

    Never raises for a bus and never takes longer than `timeout_s` and twice `GRACE_S`: a bus that fails gives FAILED,
    one that is away UNREACHABLE, one that is late UNCONFIRMED, one that is not configured UNCONFIGURED.
    """
    routes = [route for action in plan.actions for route in house.route(action)]
    tasks = {
        index: asyncio.create_task(_perform(route.bus, route.action, timeout_s), name=f"perform {route.action.service}")
        for index, route in enumerate(routes)
        if route.bus is not None
    }
    try:
        if tasks:
            await asyncio.wait(tasks.values(), timeout=timeout_s + GRACE_S)
    finally:
        late = [task for task in tasks.values() if not task.done()]
        for task in late:
            task.cancel()
        if late and (await asyncio.wait(late, timeout=GRACE_S))[1]:
            log.error("a bus does not end though cancelled")
    outcomes: list[Outcome] = []
    for index, route in enumerate(routes):
        if not route.configured:
            (written,) = route.action.entity_ids
            log.error("%s cannot be done: no bus %s is configured", route.action.service, written_to(written))
            outcomes += _all(route.action, OutcomeStatus.UNCONFIGURED, "its bus is not configured")
        elif index not in tasks:
            outcomes += _all(route.action, OutcomeStatus.UNREACHABLE, "its bus is away")
        elif tasks[index].done() and not tasks[index].cancelled():
            outcomes += tasks[index].result()
        else:
            outcomes += _all(route.action, OutcomeStatus.UNCONFIRMED, f"no answer within {timeout_s:g} s")
    return tuple(outcomes)


async def _perform(bus: Bus, action: Action, timeout_s: float) -> tuple[Outcome, ...]:
    """Return one outcome for each entity, whatever the bus does."""
    try:
        if written_to(action.entity_ids[0]) is not None and isinstance(bus, Writes):
            return (await bus.write(action, timeout_s),)
        outcomes = await bus.perform(action, timeout_s)
    except Exception as error:
        log.exception("%s failed at %s", bus.name, action.service)
        return _all(action, OutcomeStatus.FAILED, str(error))
    told: Mapping[str, Outcome] = {outcome.entity_id: outcome for outcome in outcomes}
    silent = Outcome("", OutcomeStatus.UNCONFIRMED, f"{bus.name} did not tell")
    return tuple(
        told.get(entity_id, Outcome(entity_id, silent.status, silent.detail)) for entity_id in action.entity_ids
    )


def _all(action: Action, status: OutcomeStatus, detail: str) -> tuple[Outcome, ...]:
    return tuple(Outcome(entity_id, status, detail) for entity_id in action.entity_ids)
