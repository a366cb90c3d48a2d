"""The chimes."""

from __future__ import annotations

import numpy as np
import pytest

from hearth_satellite.chime import CHIME_RATE, Chime, render


@pytest.mark.parametrize("chime", list(Chime))
def test_a_chime_is_short_quiet_and_does_not_click(chime: Chime) -> None:
    wave = np.frombuffer(render(chime), "<i2").astype(np.int32)
    assert 0.05 < len(wave) / CHIME_RATE < 0.5
    assert 4000 < np.abs(wave).max() < 10000
    assert abs(wave[0]) < 50
    assert abs(wave[-1]) < 50
    steepest = 0.25 * 32767 * 2 * np.pi * max(hertz for hertz, _ in chime.value) / CHIME_RATE
    assert np.abs(np.diff(wave)).max() < 1.1 * steepest, "no step is steeper than its sine"


def test_the_chimes_differ() -> None:
    assert len({render(chime) for chime in Chime}) == len(Chime)
