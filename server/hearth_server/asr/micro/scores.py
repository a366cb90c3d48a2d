"""From a phone model's posteriors to the scores that a decoder adds up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hearth_core.errors import EngineError
from hearth_core.phones import BLANK, PHONES

SYMBOLS: Final = len(PHONES) + 1

# Below what a float32 softmax can tell from nothing; keeps what is impossible a number that can be added up.
FLOOR: Final = -100.0


@dataclass(frozen=True, slots=True)
class Scoring:
    """How posteriors become scores.

    A phone model trained by CTC says "blank" too often, and rare phones too seldom: as often as they stood in its
    training. What the audio itself says is the posterior over the prior.

    Attributes:
        acoustic_scale: what all is multiplied by in the end; less than 1 trusts the model less.
        prior_weight: how much of the model's prior is taken out, 0 nothing, 1 all.
        log_priors: natural log of each symbol's share of the training's frames, blank first; empty if unknown.
        blank_penalty: nats taken from the blank of each frame. Crude: it makes words out of noise.
    """

    acoustic_scale: float = 1.0
    prior_weight: float = 0.0
    log_priors: Sequence[float] = ()
    blank_penalty: float = 0.0

    def __post_init__(self) -> None:
        if self.log_priors and len(self.log_priors) != SYMBOLS:
            raise EngineError(f"a model has {SYMBOLS} priors, not {len(self.log_priors)}", remedy="Get the model again")
        if self.prior_weight and not self.log_priors:
            raise EngineError("the model brings no priors", remedy="Set prior_weight to 0, or get the model again")

    def correction(self) -> NDArray[np.float64]:
        """Return what is taken from each symbol's posterior, shape (40,)."""
        correction = np.zeros(SYMBOLS)
        if self.log_priors:
            correction += self.prior_weight * np.maximum(np.asarray(self.log_priors, dtype=np.float64), FLOOR)
        correction[BLANK] += self.blank_penalty
        return correction

    def scores(self, log_probs: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the scores of frames.

        Args:
            log_probs: natural log posteriors, shape (frames, 40), blank first.

        Returns:
            The same shape.

        Raises:
            EngineError: another shape, or values that are no logarithms of probabilities.
        """
        given = np.asarray(log_probs)
        if given.ndim != 2 or given.shape[1] != SYMBOLS:
            raise EngineError(
                f"a speech model gave an array of shape {given.shape} instead of (frames, {SYMBOLS})",
                remedy="Get the model again",
            )
        # NaN compares as false; a softmax in float32 may be a rounding above 0.
        if not bool(np.all(given < 0.01)):
            raise EngineError("a speech model gave what is no probability", remedy="Get the model again")
        return (np.maximum(given.astype(np.float64), FLOOR) - self.correction()) * self.acoustic_scale
