"""Pruning while training: the smallest weights of the matrices become zero, a few more at every step, and stay so.

Source: Zhu and Gupta 2017, "To prune, or not to prune": sparsity grows by a cubic rule, fast while many weights are
idle.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import nn

# Between these shares of the run the sparsity grows; after it the rest learns to do without.
GROWS: Final = (0.05, 0.7)


class Pruning:
    """Keeps a share of a model's matrices at zero.

    Args:
        model: the linear layers of whose blocks are pruned; those at its ends are small and decide.
        target: share of their weights that is zero in the end, 0 to 1.
    """

    def __init__(self, model: nn.Module, target: float) -> None:
        if not 0 <= target < 1:
            raise ValueError(f"sparsity {target} is not from 0 to below 1")
        self._target = target
        found = {id(m.weight): m.weight for n, m in model.named_modules() if isinstance(m, nn.Linear) and "blocks" in n}
        self._weights = list(found.values())  # shared ones once
        self._gone = [torch.zeros_like(weight, dtype=torch.bool) for weight in self._weights]

    def sparsity(self, share: float) -> float:
        """Return the share of zeros that is due when so much of the run is over."""
        first, last = GROWS
        left = 1 - min(1.0, max(0.0, (share - first) / (last - first)))
        return self._target * (1 - left**3)

    @torch.no_grad()
    def apply(self, share: float) -> None:
        """Make the smallest weights of each matrix zero."""
        due = self.sparsity(share)
        for weight, gone in zip(self._weights, self._gone, strict=True):
            weight[gone] = 0.0  # the step has moved them
            count = int(due * weight.numel())
            if count:
                threshold = weight.abs().flatten().kthvalue(count).values
                gone |= weight.abs() <= threshold
                weight[gone] = 0.0


def zeros(model: nn.Module) -> float:
    """Return the share of the weights of the blocks' matrices that is zero."""
    matrices = [m.weight for n, m in model.named_modules() if isinstance(m, nn.Linear) and "blocks" in n]
    total = sum(weight.numel() for weight in matrices)
    return sum(int((weight == 0).sum()) for weight in matrices) / max(1, total)
