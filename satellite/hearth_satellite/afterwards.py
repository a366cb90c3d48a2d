"""What comes when everything that was to be heard has been: an answer that is still due, a reply, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_NEVER: Final = float("-inf")


class Afterwards:
    """Keeps what the sounds that are being heard leave to be done.

    Args:
        open_s: for so long after a question the next sound of the microphone begins a command.
        clock: monotonic seconds.

    Attributes:
        asks_back: the answer is a question.
    """

    def __init__(self, open_s: float, clock: Callable[[], float]) -> None:
        self.asks_back = False
        self._open_s = open_s
        self._clock = clock
        self._open_until = _NEVER
        self._answer_by: float | None = None

    @property
    def open(self) -> bool:
        """True if what is said now replies to a question that was heard."""
        return self._clock() < self._open_until

    def interrupt(self, answer_by: float) -> None:
        """An announcement comes before the answer, which is due by then."""
        self._answer_by = answer_by

    def answer_due(self) -> float | None:
        """Return once by when an answer is due that was interrupted; None if none was."""
        answer_by, self._answer_by = self._answer_by, None
        return answer_by

    def heard(self) -> None:
        """All is heard: if it was a question, its reply is listened for."""
        if self.asks_back:
            self._open_until = self._clock() + self._open_s
        self.asks_back = False

    def forget(self) -> None:
        """Nothing is left to be done."""
        self.asks_back, self._answer_by, self._open_until = False, None, _NEVER
