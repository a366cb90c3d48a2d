"""The last seconds of sound."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from hearth_core.audio import BYTES_PER_SECOND
from hearth_satellite.ring import Ring


@given(st.lists(st.integers(1, 3000)), st.floats(0, 0.3))
def test_it_keeps_the_newest_sound_without_a_gap_at_least_as_much_as_wanted(sizes: list[int], seconds: float) -> None:
    ring = Ring(seconds)
    chunks = [bytes([index % 256]) * size for index, size in enumerate(sizes)]
    for chunk in chunks:
        ring.add(chunk)
    shorter = ring.last(seconds / 2)
    assert chunks[len(chunks) - len(shorter) :] == shorter
    whole = ring.last(seconds)
    kept = ring.last(math.inf)
    assert whole == kept
    assert chunks[len(chunks) - len(kept) :] == kept
    wanted = seconds * BYTES_PER_SECOND
    length = sum(map(len, kept))
    assert length >= min(wanted, sum(sizes))
    assert not kept or length - len(kept[0]) < wanted or wanted == 0, "and no chunk more"
    ring.clear()
    assert ring.last(math.inf) == []
