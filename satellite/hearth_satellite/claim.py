"""May this satellite chime? Where several hear one wake word, a Hearth server grants it to the first.

The detection asks (`awaits_claim`), and the server answers at once `hearth-claim` with `granted`. Meanwhile the
satellite streams; it waits for the answer no longer than `WAIT_S`, and not at all for a driver that did not answer the
last time: Home Assistant and other drivers know no claims.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from wyoming.event import Event

CLAIM: Final = "hearth-claim"

# On a house's network the answer takes 2 to 20 ms; a chime that is later than this no longer feels like an answer.
WAIT_S: Final = 0.08

_NEVER: Final = float("inf")


class Claim:
    """The chime of one command after another.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._command_id = ""
        self._chime_at = _NEVER
        self._asked = self._granted = False
        self._driver_answers = True  # as far as is known

    def new_driver(self) -> None:
        """Forget how the last driver was."""
        self._driver_answers, self._chime_at = True, _NEVER

    def ask(self, command_id: str, *, detected: bool) -> dict[str, bool]:
        """Begin a command that wants to chime; return what to say with its detection.

        Without a detection, as when a button was pressed, nobody else is asked.
        """
        self._command_id, self._asked, self._granted = command_id, detected, False
        self._chime_at = self._clock() + (WAIT_S if detected and self._driver_answers else 0.0)
        return {"awaits_claim": True} if detected else {}

    def answer(self, event: Event) -> None:
        """Take the driver's answer; one that is late, or to another command, changes no chime."""
        self._driver_answers = True
        if event.data.get("command_id") == self._command_id and self._chime_at != _NEVER:
            self._granted = event.data.get("granted") is True
            self._chime_at = self._clock() if self._granted else _NEVER

    def forget(self) -> None:
        """The command is over: no chime any more."""
        self._chime_at = _NEVER

    def due(self) -> bool:
        """Return True once, when the chime is to be heard."""
        if self._clock() < self._chime_at:
            return False
        if self._asked:
            self._driver_answers = self._granted
        self._chime_at = _NEVER
        return True
