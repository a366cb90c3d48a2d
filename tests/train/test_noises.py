"""Made-up noises are loud, finite and never the same."""

from collections.abc import Callable

import numpy as np
import pytest

from hearth_train import noises


@pytest.mark.parametrize("make", [noises.coloured, noises.clatter, noises.hum, noises.music])
def test_a_made_noise(make: Callable[[int, np.random.Generator], noises.Samples]) -> None:
    rng = np.random.default_rng(1)
    first, second = make(16_000, rng), make(16_000, rng)
    for sound in (first, second):
        assert sound.shape == (16_000,)
        assert np.isfinite(sound).all()
        assert sound.std() == pytest.approx(1000, rel=1e-3)
    assert np.abs(np.corrcoef(first, second)[0, 1]) < 0.9
