"""How loud speech is beside the loudest of its command: who speaks here is loud, a television over there is not."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

import numpy as np

from .audio import RATE

# Words and their gaps become one level over 0.32 s; over 0.2 s three times as many commands end in their own pauses.
_SMOOTHED_S: Final = 0.32
# Where it never gets quieter than this below the speaker, something goes on behind; a room alone is 35 dB below.
_NOISY_DB: Final = 25.0


class Foreground:
    """Follows the level of one command.

    Args:
        margin_db: speech that is so much softer than the command's loudest is not the speaker's.

    Attributes:
        last_near: the end of the last window in which the speaker, and not the background, spoke, in samples.
    """

    def __init__(self, margin_db: float) -> None:
        self._margin_db = margin_db
        self._powers: deque[tuple[float, int]] = deque()
        self._power = 0.0  # of all of them; whole numbers, so that adding and taking away leaves nothing behind
        self._samples = 0
        self._loudest_db = -math.inf
        self._floor_db = math.inf
        self.last_near: int | None = None

    @property
    def noisy(self) -> bool:
        """Whether something has gone on behind the speaker all the time."""
        return self._floor_db > self._loudest_db - _NOISY_DB

    def hear(self, window: bytes, *, speech: bool, position: int) -> None:
        """Take a window, s16le mono, that ends at `position` in samples; `speech` is what the detector says of it."""
        samples = np.frombuffer(window, "<i2").astype(np.float64)
        self._powers.append((float(samples @ samples), len(samples)))
        self._power += self._powers[-1][0]
        self._samples += len(samples)
        while self._samples - self._powers[0][1] >= _SMOOTHED_S * RATE:
            power, count = self._powers.popleft()
            self._power, self._samples = self._power - power, self._samples - count
        level_db = 10.0 * math.log10(self._power / self._samples + 1e-3)
        if self._samples >= _SMOOTHED_S * RATE:
            self._floor_db = min(self._floor_db, level_db)
        if not speech:
            return
        self._loudest_db = max(self._loudest_db, level_db)
        if level_db >= self._loudest_db - self._margin_db:
            self.last_near = position
