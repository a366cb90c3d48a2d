"""Quantiles of few values. Numpy's own load `numpy.ma` at their first call: 10 MB, and 50 ms in the first command."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def quantiles(values: NDArray[np.floating], *shares: float) -> list[Any]:
    """Return what `numpy.quantile` does along the first axis, which may not be empty; shares are 0 to 1."""
    last = len(values) - 1
    at = [share * last for share in shares]
    places = [min(int(place) + more, last) for place in at for more in (0, 1)]
    ordered = np.partition(values, places, axis=0)
    found = [ordered[place] for place in places]
    return [
        low + (high - low) * (place - int(place)) for low, high, place in zip(found[::2], found[1::2], at, strict=True)
    ]
