"""Who drives the satellite: one at a time, who may pause it, fall silent, or leave."""

from __future__ import annotations

import logging
from collections.abc import Callable

from wyoming.event import Event
from wyoming.ping import Ping

from .news import Happening, News
from .states import Driver

_LOG = logging.getLogger(__name__)


class Post:
    """The driver's place.

    Args:
        news: is told who comes and goes.
        silence_s: a driver that has pinged, and then is silent for so long, has lost its network.
        clock: monotonic seconds.

    Attributes:
        driver: who runs the satellite; None if nobody does, or it is paused.
    """

    def __init__(self, news: News, silence_s: float, clock: Callable[[], float]) -> None:
        self.driver: Driver | None = None
        self._news = news
        self._silence_s = silence_s
        self._clock = clock
        self._paused_by: Driver | None = None
        self._heard = 0.0
        self._pings = False

    @property
    def alone(self) -> bool:
        """True if no driver is there; one that has paused the satellite is."""
        return self.driver is None and self._paused_by is None

    def take(self, driver: Driver) -> None:
        """Let this driver run the satellite."""
        if self.driver is None:
            _LOG.info("%s runs the satellite", driver.name)
            self._news.tell(Happening.CONNECTED, driver=driver.name)
        self.driver, self._paused_by = driver, None
        self._heard, self._pings = self._clock(), False

    def pause(self) -> None:
        """Take note that the driver rests, and is still there."""
        self.driver, self._paused_by = None, self.driver

    def leave(self, driver: Driver) -> bool:
        """Take note that a peer is gone; return True if it ran the satellite."""
        ran = driver is self.driver
        if ran or driver is self._paused_by:
            self.driver = self._paused_by = None
            self._news.tell(Happening.DISCONNECTED, driver=driver.name)
        return ran

    def hear(self, event: Event) -> bool:
        """Take note that the driver lives; return True if that is all that the event says."""
        self._heard = self._clock()
        self._pings |= Ping.is_type(event.type)
        return Ping.is_type(event.type)

    def lost(self) -> Driver | None:
        """Return the driver if it has lost its network."""
        return self.driver if self._pings and self._clock() - self._heard > self._silence_s else None

    def send(self, event: Event) -> None:
        """Send the driver an event, if there is one."""
        if self.driver is not None:
            self.driver.send(event)
