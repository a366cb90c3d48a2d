"""Pruning takes the smallest weights, as many as are due, and leaves shared ones shared."""

import pytest
import torch

from hearth_train.model import Block, Encoder, Shape
from hearth_train.sparsity import GROWS, Pruning, zeros

SMALL = Shape(channels=16, hidden=32, blocks=4, shared=2)


def wide(encoder: Encoder, number: int) -> torch.Tensor:
    block = encoder.blocks[number]
    assert isinstance(block, Block)
    return block.wide.weight


def test_so_many_weights_are_zero_in_the_end() -> None:
    encoder = Encoder(SMALL)
    first, second = wide(encoder, 0), wide(encoder, 1)
    largest = first.abs().max()
    Pruning(encoder, 0.6).apply(1.0)
    assert zeros(encoder) == pytest.approx(0.6, abs=0.01)
    assert first is second
    assert first.abs().max() == largest
    assert not (encoder.leave.weight == 0).any()


def test_sparsity_grows_and_stays() -> None:
    pruning = Pruning(Encoder(SMALL), 0.8)
    shares = [pruning.sparsity(share) for share in torch.linspace(0, 1, 50).tolist()]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert pruning.sparsity(GROWS[1]) == pruning.sparsity(1.0) == pytest.approx(0.8)


def test_none_is_none() -> None:
    encoder = Encoder(SMALL)
    Pruning(encoder, 0.0).apply(1.0)
    assert zeros(encoder) == 0
    with pytest.raises(ValueError, match="sparsity"):
        Pruning(encoder, 1.0)
