"""What every part of the schedule works with: the items on the disk, the clocks, and the texts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Final, TypeVar

from hearth_core.config_schedule import ScheduleConfig
from hearth_core.home import Home

from .clock import Clock
from .item import Item, Kind
from .store import Store
from .sun import next_sun
from .texts import Texts

log = logging.getLogger(__name__)

# Clocks of different machines drift by less in a wait of the runner; a clock that was set is off by more.
JUMP_S: Final = 2.0
T = TypeVar("T")


class Book:
    """The items, read and written in a thread, and the clocks.

    When the clock on the wall is set, what counts elapsed time and was set while this process runs is moved with it, so
    that it still comes when it would have. What was kept from before a start is left at its time of day: a machine
    without a clock of its own starts with a wrong one, and is set right soon after.
    """

    def __init__(
        self, store: Store, clock: Clock, config: ScheduleConfig, texts: Texts, zone: tzinfo, home: Callable[[], Home]
    ) -> None:
        self.config = config
        self.texts = texts
        self.changed = asyncio.Event()
        self._store = store
        self.clock = clock
        self._zone = zone
        self._home = home
        self._ahead = clock.wall() - clock.steady()
        self._counted: set[int] = set()

    def now(self) -> float:
        """Return the present, seconds since 1970 UTC."""
        return self.clock.wall()

    def local(self, at: float | None = None) -> datetime:
        """Return a moment, the present if none is given, in the house's zone."""
        return datetime.fromtimestamp(self.now() if at is None else at, self._zone)

    def next_sun(self, event: str, offset_s: float, after: datetime) -> datetime | None:
        """Return when the sun next does it, None if nobody knows where the house is."""
        return next_sun(event, offset_s, after, self._home(), self.config)

    def area_name(self, area_id: str | None) -> str:
        """Return the name of a room, empty if the home has none such."""
        area = self._home().areas.get(area_id) if area_id else None
        return area.name if area else ""

    async def items(self, *kinds: Kind) -> tuple[Item, ...]:
        """Return the items of these kinds, what comes first in front.

        Raises:
            StoreBrokenError: they cannot be read.
        """
        await self.check_clock()
        return await asyncio.to_thread(self._store.items, *kinds)

    async def get(self, item_id: int) -> Item | None:
        """Return an item, None if it is gone."""
        return await asyncio.to_thread(self._store.get, item_id)

    async def add(self, item: Item) -> Item:
        """Keep an item; it is on the disk when this returns.

        Raises:
            StoreFullError, StoreBrokenError: it is not kept.
        """
        await self.check_clock()
        kept = await asyncio.to_thread(self._store.add, item)
        self._count(kept)
        self.changed.set()
        return kept

    async def update(self, item: Item) -> bool:
        """Write an item anew; return whether it was still there."""
        there = await asyncio.to_thread(self._store.update, item)
        self._count(item)
        self.changed.set()
        return there

    async def remove(self, item: Item) -> bool:
        """Forget an item; return whether it was there."""
        self._counted.discard(item.id)
        self.changed.set()
        return await asyncio.to_thread(self._store.remove, item.id)

    async def check_clock(self) -> None:
        """Notice a clock that was set, and move what must not mind."""
        ahead = self.clock.wall() - self.clock.steady()
        jump = ahead - self._ahead
        if abs(jump) < JUMP_S:
            return
        self._ahead = ahead
        log.warning("the clock was set by %+.1f s to %s", jump, datetime.fromtimestamp(self.now(), UTC).isoformat())
        if self._counted:
            await asyncio.to_thread(self._store.shift, tuple(self._counted), jump)

    def _count(self, item: Item) -> None:
        if item.elapsed and item.due_at is not None:
            self._counted.add(item.id)
