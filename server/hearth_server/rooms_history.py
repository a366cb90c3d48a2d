"""What the server has learnt of its satellites: each room's noise, and which microphone is louder than which.

A microphone's gain cannot be told from one command. But a wall is as thick from both sides: when somebody speaks
beside one satellite, it is some dB louder than the other, and beside the other as much quieter. The middle between the
two is the difference of the microphones, whichever room is used more and whoever was taken for the winner.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from hearth_core.quantile import quantiles

REMEMBERED: Final = 60
"""Commands that are remembered of each pair of satellites; older ones fade with the furniture."""

_LEAST_EACH: Final = 3  # commands nearer to the one, and as many nearer to the other
_LEAST_APART_DB: Final = 10.0  # between the two; less is one room with people who move about
_BELIEVED: Final = 0.7  # of what is found: rooms are not quite alike from both sides
_MOST_DB: Final = 12.0  # more is no microphone, but a satellite behind the sofa
_NOISE_RATE: Final = 0.2  # of a new value of the room's noise: five commands make it known, a fridge that starts too
_MOST_SATELLITES: Final = 256


@dataclass(slots=True)
class _Known:
    noise_dbfs: float
    usual_dbfs: float


@dataclass(slots=True)
class History:
    """Learns from each command; kept in memory, so a restarted server begins anew."""

    _known: dict[str, _Known] = field(default_factory=dict)
    _pairs: dict[tuple[str, str], deque[float]] = field(default_factory=dict)

    def noise_dbfs(self, satellite: str) -> float | None:
        """Return the room's usual noise, None before its first command."""
        known = self._known.get(satellite)
        return known.noise_dbfs if known else None

    def usual_dbfs(self, satellite: str) -> float | None:
        """Return the level that speech usually has there, None before its first command."""
        known = self._known.get(satellite)
        return known.usual_dbfs if known else None

    def learn(self, heard: Mapping[str, tuple[float, float]]) -> None:
        """Take note of one command: level and noise, dBFS, by satellite; all heard the same speech."""
        for satellite, (level, noise) in heard.items():
            known = self._known.get(satellite)
            if known is None:
                if len(self._known) < _MOST_SATELLITES:
                    self._known[satellite] = _Known(noise, level)
                continue
            known.noise_dbfs += _NOISE_RATE * (noise - known.noise_dbfs)
            known.usual_dbfs += _NOISE_RATE * (level - known.usual_dbfs)
        for one, other in itertools.combinations(sorted(set(heard) & set(self._known)), 2):
            self._pairs.setdefault((one, other), deque(maxlen=REMEMBERED)).append(heard[one][0] - heard[other][0])

    def gains_db(self, satellites: Sequence[str]) -> dict[str, float]:
        """Return by how much each microphone is louder than these satellites' mean, dB, as far as it is known."""
        return {
            one: sum(self._difference(one, other) for other in satellites) / max(1, len(satellites))
            for one in satellites
        }

    def _difference(self, one: str, other: str) -> float:
        if one > other:
            return -self._difference(other, one)
        pairs = self._pairs.get((one, other))
        if one == other or not pairs:
            return 0.0
        # Two clusters, one of commands spoken nearer to each: what only one of them hears is not among the pairs, so
        # a single cluster lies anywhere.
        differences = np.array(pairs)
        middle = (float(differences.min()) + float(differences.max())) / 2
        low, high = differences[differences <= middle], differences[differences > middle]
        if min(len(low), len(high)) < _LEAST_EACH:
            return 0.0
        below, above = (float(quantiles(each, 0.5)[0]) for each in (low, high))
        if above - below < _LEAST_APART_DB:
            return 0.0
        return _BELIEVED * min(max((below + above) / 2, -_MOST_DB), _MOST_DB)
