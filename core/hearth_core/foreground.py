"""How loud speech is beside the loudest of its command: who speaks here is loud, a television over there is not."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

import numpy as np

from .audio import RATE

# Words and their gaps become one level over 0.32 s; over 0.2 s three times as many commands end in their own pauses.
_SMOOTHED_S: Final = 0.32
_WINDOW_BYTES: Final = 640  # 20 ms: one of 32 ms would leave out more of a word's end
# Where it never gets quieter than this below the speaker, something goes on behind; a room alone is 35 dB below.
_NOISY_DB: Final = 25.0


# A voice rises over this time; who was there before it is somebody else.
_RISE_S: Final = 0.5


class _Level:
    """The level of the last `_SMOOTHED_S`, in dB of one sample's unit."""

    def __init__(self) -> None:
        self._powers: deque[tuple[float, int]] = deque()
        self._power = 0.0  # of all of them; whole numbers, so that adding and taking away leaves nothing behind
        self._samples = 0

    @property
    def whole(self) -> bool:
        """Whether there was as much sound."""
        return self._samples >= _SMOOTHED_S * RATE

    def hear(self, window: bytes) -> float:
        """Take a window, s16le mono; return the level."""
        samples = np.frombuffer(window, "<i2").astype(np.float64)
        self._powers.append((float(samples @ samples), len(samples)))
        self._power += self._powers[-1][0]
        self._samples += len(samples)
        while self._samples - self._powers[0][1] >= _SMOOTHED_S * RATE:
            power, count = self._powers.popleft()
            self._power, self._samples = self._power - power, self._samples - count
        return 10.0 * math.log10(self._power / self._samples + 1e-3)


def loudest_db(pcm: bytes) -> float | None:
    """Return the highest level in a sound, s16le mono, as a `Foreground` measures it; None if it is too short."""
    level = _Level()
    windows = (pcm[start : start + _WINDOW_BYTES] for start in range(0, len(pcm) - _WINDOW_BYTES + 1, _WINDOW_BYTES))
    return max((heard for heard in map(level.hear, windows) if level.whole), default=None)


class Foreground:
    """Follows the level of one command.

    Args:
        margin_db: speech that is so much softer than the command's loudest is not the speaker's.
        near_db: from this level on it is the speaker, as the wake word told it; None if nobody knows.
        rise_db: who is softer than `near_db` by no more than this, and so much louder than all who spoke until half a
            second ago, is the speaker, too.

    Attributes:
        last_near: the end of the last window in which the speaker, and not the background, spoke, in samples.
        met: the speaker has spoken; true if nobody knows how loud that is.
    """

    def __init__(self, margin_db: float, near_db: float | None = None, rise_db: float = math.inf) -> None:
        self._margin_db = margin_db
        self._near_db = near_db
        self._rise_db = rise_db
        self._lately: deque[tuple[int, float]] = deque()  # position and level of the speech of the last `_RISE_S`
        self._others_db = -math.inf  # the loudest before that
        self._level = _Level()
        self._loudest_db = -math.inf
        self._floor_db = math.inf
        self.last_near: int | None = None
        self.met = near_db is None

    @property
    def noisy(self) -> bool:
        """Whether something has gone on behind the speaker all the time."""
        return self._floor_db > self._loudest_db - _NOISY_DB

    def hear(self, window: bytes, *, speech: bool, position: int) -> None:
        """Take a window, s16le mono, that ends at `position` in samples; `speech` is what the detector says of it."""
        level_db = self._level.hear(window)
        if self._level.whole:
            self._floor_db = min(self._floor_db, level_db)
        if not speech:
            return
        self._loudest_db = max(self._loudest_db, level_db)
        if level_db >= self._loudest_db - self._margin_db:
            self.last_near = position
        if self._near_db is not None and not self.met:
            self.met = level_db >= self._near_db or self._rises(level_db, self._near_db, position)

    def _rises(self, level_db: float, near_db: float, position: int) -> bool:
        """Whether somebody has begun who is clearly louder than those before, and about as loud as the wake word."""
        while self._lately and position - self._lately[0][0] >= _RISE_S * RATE:
            self._others_db = max(self._others_db, self._lately.popleft()[1])
        self._lately.append((position, level_db))
        least_db = max(self._others_db, near_db - 2 * self._rise_db) + self._rise_db
        return self._others_db > -math.inf and level_db >= least_db
