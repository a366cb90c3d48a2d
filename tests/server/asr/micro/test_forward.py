"""The chance of some phones is the sum over all paths that say them, and only them."""

import itertools
import math

import numpy as np
import pytest

from hearth_core.phones import BLANK
from hearth_server.asr.micro.forward import log_probability
from hearth_server.asr.micro.scores import FLOOR, SYMBOLS


def posteriors(frames: int, symbols: int, seed: int = 0) -> np.ndarray:
    """Return log posteriors in which only so many symbols may be."""
    given = np.random.default_rng(seed).dirichlet(np.ones(symbols), frames)
    return np.log(np.pad(given, ((0, 0), (0, SYMBOLS - symbols)), constant_values=np.exp(FLOOR)))


def said(path: tuple[int, ...]) -> tuple[int, ...]:
    """Return what a path of CTC says."""
    return tuple(symbol for symbol, _ in itertools.groupby(path) if symbol != BLANK)


@pytest.mark.parametrize("phones", [(1,), (2,), (1, 2), (1, 1), (2, 1, 2), (1, 1, 2), (1, 1, 1)])
def test_it_is_the_sum_over_all_paths(phones: tuple[int, ...]) -> None:
    given = posteriors(6, 3)
    paths = [path for path in itertools.product(range(3), repeat=6) if said(path) == phones]
    total = math.fsum(math.exp(sum(given[frame, symbol] for frame, symbol in enumerate(path))) for path in paths)
    assert log_probability(given, phones) == pytest.approx(math.log(total))


def test_all_that_can_be_said_has_the_chance_of_one() -> None:
    given = posteriors(5, 3)
    everything = [phones for length in range(1, 6) for phones in itertools.product((1, 2), repeat=length)]
    spoken = math.fsum(math.exp(log_probability(given, phones)) for phones in everything)
    assert spoken + math.exp(float(given[:, BLANK].sum())) == pytest.approx(1.0)


def test_what_has_no_room_was_not_said() -> None:
    assert log_probability(posteriors(2, 3), (1, 1)) == -math.inf
    assert log_probability(np.zeros((0, SYMBOLS)), (1,)) == -math.inf


def test_it_stays_a_number_however_long_and_unlikely() -> None:
    given = np.full((2000, SYMBOLS), FLOOR)
    given[:, 5] = 0.0
    assert log_probability(given, (1, 2, 3)) == pytest.approx(2000 * FLOOR, rel=0.01)
