"""What the levels say of a wake word: how loud it was, how loud the room is without it, and where it ended."""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np

from hearth_core.audio import BYTES_PER_SECOND
from hearth_core.loudness import FRAME_S, FrameLevels
from hearth_core.quantile import quantiles

_HEARD_S: Final = 3.0
# A wake word lasts 0.4 to 0.9 s, and its detection comes up to 0.3 s after it.
_WORD_S: Final = 1.2
# The room without speech is what is seldom undercut: a quarter, because a few frames lie in the gaps of any noise.
_ROOM_QUANTILE: Final = 0.25
_WORD_QUANTILE: Final = 0.9
# A detection comes no later after its word's end.
_LATEST_S: Final = 0.3
_PAUSE_DB: Final = 15.0
_PAUSE_S: Final = 0.08


class Loudness:
    """The levels of the last 3 s."""

    def __init__(self) -> None:
        self._frames = FrameLevels()
        self._levels: deque[float] = deque(maxlen=int(_HEARD_S / FRAME_S))
        self._waiting = bytearray()

    def hear(self, pcm: bytes) -> None:
        """Take the next sound, 16 kHz s16le mono; its levels are only worked out once a second, or when asked for."""
        self._waiting += pcm
        if len(self._waiting) >= BYTES_PER_SECOND:
            self._work_out()

    def _work_out(self) -> None:
        self._levels.extend(self._frames.feed(bytes(self._waiting)).tolist())
        self._waiting.clear()

    def facts(self) -> dict[str, float]:
        """Return what is known of `level_dbfs`, the wake word that has just ended, and `noise_dbfs` before it."""
        self._work_out()
        levels = np.array(self._levels)
        word = int(_WORD_S / FRAME_S)
        facts: dict[str, float] = {}
        if len(levels) >= word:
            facts["level_dbfs"] = round(float(quantiles(levels[-word:], _WORD_QUANTILE)[0]), 1)
        if len(levels) >= word * 2:
            facts["noise_dbfs"] = round(float(quantiles(levels[:-word], _ROOM_QUANTILE)[0]), 1)
        return facts


def word_end_ms(lead: bytes) -> int | None:
    """Return where the wake word ended, if a pause follows it.

    A detection comes up to 0.3 s after its word. If the speaker goes on at once, levels do not tell the words apart,
    and nothing of that time may be left out; if the speaker pauses, what is before the pause is the wake word's tail.

    Args:
        lead: the sound before the detection, 16 kHz s16le mono.

    Returns:
        The beginning of the pause in milliseconds from the lead's; None if there is none.
    """
    levels = FrameLevels().feed(lead)
    if not len(levels):
        return None
    quiet = levels < quantiles(levels, _WORD_QUANTILE)[0] - _PAUSE_DB
    first = max(0, len(levels) - round(_LATEST_S / FRAME_S))
    run = 0
    for index in range(first, len(levels)):
        run = run + 1 if quiet[index] else 0
        if run * FRAME_S >= _PAUSE_S:
            return round((index + 1 - run) * FRAME_S * 1000)
    return None
