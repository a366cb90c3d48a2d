"""Quantiles are numpy's, and the first command waits for nothing that numpy loads for its own."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_core.quantile import quantiles

NUMBERS = st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=50)
SHARES = st.lists(st.floats(0, 1), min_size=1, max_size=4)

FIRST_COMMAND = """
import sys
import numpy as np
from hearth_satellite.loudness import Loudness, word_end_ms
from hearth_server.rooms_sound import Envelope, likeness, measure, speaking
pcm = np.random.default_rng(1).normal(0, 1000, 48_000).astype("<i2").tobytes()
loudness, one, other = Loudness(), Envelope(), Envelope()
loudness.hear(pcm)
for envelope in (one, other):
    envelope.feed(pcm)
    measure(envelope), speaking(envelope)
print(len(loudness.facts()), word_end_ms(pcm), likeness(one, other) is not None, "numpy.ma" in sys.modules)
"""


@given(NUMBERS, SHARES)
def test_they_are_numpys(numbers: list[float], shares: list[float]) -> None:
    values = np.array(numbers)
    assert quantiles(values, *shares) == pytest.approx(np.quantile(values, shares).tolist(), abs=1e-9)


@pytest.mark.parametrize("count", [1, 2, 3, 10, 11, 500])
def test_of_few_and_of_many(count: int) -> None:
    values = np.random.default_rng(count).normal(0, 20, count)
    assert quantiles(values, 0.1, 0.9) == pytest.approx(np.quantile(values, (0.1, 0.9)).tolist(), abs=1e-9)


def test_along_the_first_axis() -> None:
    values = np.random.default_rng(1).normal(size=(30, 4))
    (found,) = quantiles(values, 0.2)
    assert found == pytest.approx(np.quantile(values, 0.2, axis=0))


def test_a_first_command_loads_no_more_of_numpy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FIRST_COMMAND], capture_output=True, text=True, timeout=60, check=True
    )  # fmt: skip
    assert done.stdout.split() == ["2", "None", "True", "False"]
