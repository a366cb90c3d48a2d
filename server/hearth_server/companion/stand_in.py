"""The demo home on a server that nothing else was configured for: it gives way once a Home Assistant is there."""

from __future__ import annotations

from collections.abc import Callable

from hearth_core.command import Action, Outcome
from hearth_core.home import Home

from ..bus import Bus, Watcher


class StandIn:
    """A bus that is there as long as it is needed.

    Args:
        bus: what stands in.
        needed: whether it does.
    """

    def __init__(self, bus: Bus, needed: Callable[[], bool]) -> None:
        self.name = bus.name
        self._bus = bus
        self._needed = needed

    @property
    def home(self) -> Home:
        """The bus's part of the house, nothing when it is not needed."""
        return self._bus.home if self._needed() else Home()

    @property
    def reachable(self) -> bool:
        """Whether the bus is there; one that is not needed keeps nobody waiting."""
        return self._bus.reachable

    async def start(self, watcher: Watcher) -> None:
        """Start the bus."""
        await self._bus.start(watcher)

    async def stop(self) -> None:
        """Stop the bus."""
        await self._bus.stop()

    async def perform(self, action: Action, timeout_s: float) -> tuple[Outcome, ...]:
        """Do the action; see `Bus`."""
        return await self._bus.perform(action, timeout_s)
