"""Which state the satellite is in, and until when."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from .attention import Attention
from .news import Happening, News
from .states import State

_LOG = logging.getLogger(__name__)

NEVER: Final = float("inf")


class Course:
    """The state, with its time limit; every change of it is told.

    Args:
        attention: begins anew with each rest: what was heard in another state is no beginning of a command.
        news: is told.
        clock: monotonic seconds.

    Attributes:
        state: what the satellite is doing.
        deadline: when it is to be left at the latest.
    """

    def __init__(self, attention: Attention, news: News, clock: Callable[[], float]) -> None:
        self.state = State.IDLE
        self.deadline = NEVER
        self._attention = attention
        self._news = news
        self._clock = clock

    @property
    def overdue(self) -> bool:
        """True if the state has lasted longer than it may."""
        return self._clock() >= self.deadline

    def enter(self, state: State, limit_s: float = NEVER) -> None:
        """Be in a state for so many seconds at most."""
        former, self.state = self.state, state
        self.deadline = self._clock() + limit_s
        if state is not former:
            _LOG.debug("%s -> %s", former, state)
            self._news.tell(Happening.STATE, state=str(state))

    def listen(self) -> None:
        """Wait for the wake word."""
        self._attention.forget()
        self.enter(State.LISTENING)

    def rest(self) -> None:
        """Wait for a driver."""
        self._attention.forget()
        self.enter(State.IDLE)
