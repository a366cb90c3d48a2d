"""How long the network takes to one peer, from the pings that are sent anyway."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

_REMEMBERED: Final = 16  # half a minute of pings
_OPEN: Final = 8  # pings under way; older ones are lost


class Latency:
    """The way there and back; the least of the last ones is the way itself, what is above it is jitter.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sent: OrderedDict[str, float] = OrderedDict()
        self._took: deque[float] = deque(maxlen=_REMEMBERED)
        self._count = 0

    def ping(self) -> str:
        """Return the text of the ping that is sent now."""
        self._count += 1
        text = f"hearth-{self._count}"
        self._sent[text] = self._clock()
        while len(self._sent) > _OPEN:
            self._sent.popitem(last=False)
        return text

    def pong(self, text: str | None) -> None:
        """Take note of an answer; one without the ping's text, as older peers give it, is to the oldest ping."""
        if text is None and self._sent:
            text = next(iter(self._sent))
        sent = self._sent.pop(text, None) if text is not None else None
        if sent is not None:
            self._took.append(max(0.0, self._clock() - sent))

    @property
    def delay_s(self) -> float:
        """One way, about; 0 before the first answer."""
        return min(self._took, default=0.0) / 2

    @property
    def jitter_s(self) -> float:
        """How much longer a message may have taken: as the slowest of the last ones, or all of the way both ways."""
        return max(self._took, default=0.0) - self.delay_s
