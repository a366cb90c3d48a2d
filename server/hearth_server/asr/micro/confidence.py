"""How sure a reading is: how likely it is that its phones were said and no others, and how far the other readings are.

All phones in any order have the chance 1 together. What is no sentence of the grammar has left little of it to the best
sentence: that tells commands from talk and noise. Which sentence it was, the readings themselves tell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hearth_core.command import Hypothesis

from .choices import Choices
from .readings import Reading

# Nats a phone that a sentence with e times as many phones may be less likely and be believed as much: what is no
# command resembles some short one by chance, a long one hardly; unless there are many long ones to choose from. So of a
# grammar in which e times as many sentences are as long they must be likelier by the second. Found together on 2.1
# hours of other speech against homes of four and 1,000 things and the demo's: where two false readings an hour pass,
# as many in each home, 339 of 344 right ones do (orders, with noise and without, and home commands); without the choice
# 320, without both 235.
LENGTH_WEIGHT: Final = 1.7
CHOICE_WEIGHT: Final = 0.09
# Nats a phone for each number in it: any of a hundred will do, and they are words that much resembles ("to", "for",
# "ate"). Half of what other speech was taken for has one; of the 344 right readings none is turned down for it.
NUMBER_WEIGHT: Final = 0.15
# No sentence is taken for shorter: the shortest ("stop", "yes") need not be heard much more clearly than "lights off".
# With 10, one word of five phones that resembles another ("darker") is taken as easily as a sentence, and was half of
# all false commands; with 5 a lone "no" has to fit to the letter.
LEAST_PHONES: Final = 7

# Nats a phone by which a sentence must be likelier than silence, which in noise without speech it hardly is. Commands
# that were read right have 2.4 or more, with dishes at 6 dB too, 47 of 48 pieces of noise alone less than 1.4
# (`bench/calibrate.py` tells both).
LEAST_GAIN: Final = 1.4

# What a model's calibration is of; one of anything else does not hold for `fit`.
MEASURE: Final = "likelihood, length, choice and numbers"

_NEWTON_STEPS: Final = 50

_Numbers = NDArray[np.float64]


def fit(reading: Reading, choices: Choices) -> float:
    """Return how likely the best reading is, in nats a phone, for its length, numbers and the choice that there was."""
    if not reading.words:
        return -math.inf
    phones = sum(word.phones for word in reading.words)
    return (
        reading.log_probability / phones
        + LENGTH_WEIGHT * math.log(max(phones, LEAST_PHONES))
        - CHOICE_WEIGHT * choices.nats(phones)
        - NUMBER_WEIGHT * choices.numbers(word.text for word in reading.words)
    )


def gain(reading: Reading) -> float:
    """Return how much likelier a reading is than silence, in nats a phone."""
    return sum(word.gain for word in reading.words) / max(1, sum(word.phones for word in reading.words))


@dataclass(frozen=True, slots=True)
class Calibration:
    """From the best reading's fit to the chance that a sentence of the grammar was said; of one model and its settings.

    Fitted on commands and other speech (`bench/calibrate.py`). Which sentence it was is another matter: the readings'
    shares tell that.
    """

    slope: float
    offset: float

    def chance(self, score: float, more: float = 0.0) -> float:
        """Return the chance, 0 to 1; `more` is what else speaks for it, in nats."""
        evidence = self.slope * score + self.offset + more
        if evidence < -700.0 or math.isnan(evidence):  # exp has no larger number, and nothing was said
            return 0.0
        return 1.0 / (1.0 + math.exp(-evidence))


def hypotheses(readings: Sequence[Reading], chance: float) -> tuple[Hypothesis, ...]:
    """Return readings with their confidences: the chance that a sentence was said at all, shared.

    Two rivals share theirs, so whether to turn all down is to be judged by that chance alone.
    """
    return tuple(Hypothesis(each.text, round(chance * each.posterior, 3)) for each in readings)


def calibrate(scores: Sequence[float], right: Sequence[bool]) -> Calibration:
    """Return the calibration under which it is likeliest that just these were right.

    Args:
        scores: finite, one or more a class.
        right: whether each was; at least one was and one was not.

    Raises:
        ValueError: fewer than these.

    Source: Platt 1999, with his targets, which keep the slope finite where the scores part right from wrong.
    """
    x, y = np.asarray(scores, dtype=np.float64), np.asarray(right, dtype=np.bool_)
    good, bad = int(y.sum()), int((~y).sum())
    if len(x) != len(y) or not good or not bad or not np.isfinite(x).all():
        raise ValueError("calibration needs finite scores of readings that were right and of some that were wrong")
    target = np.where(y, (good + 1) / (good + 2), 1 / (bad + 2))
    middle, spread = float(x.mean()), float(x.std()) or 1.0
    features = np.stack(((x - middle) / spread, np.ones_like(x)), axis=1)
    weights = np.array([0.0, math.log((good + 1) / (bad + 1))])
    loss = _loss(features, weights, target)
    for _ in range(_NEWTON_STEPS):
        chance = _sigmoid(features @ weights)
        gradient = features.T @ (chance - target)
        curvature = features.T @ (features * (chance * (1 - chance))[:, None]) + 1e-9 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        while (after := _loss(features, weights - step, target)) > loss and np.abs(step).max() > 1e-12:
            step /= 2
        weights, loss = weights - step, after
        if np.abs(step).max() < 1e-9:
            break
    slope = float(weights[0]) / spread
    return Calibration(slope, float(weights[1]) - slope * middle)


def expected_calibration_error(confidences: Sequence[float], right: Sequence[bool], bins: int = 10) -> float:
    """Return by how much confidences are off on average: in each of the bins of equal width, their mean from the truth.

    Raises:
        ValueError: there are none.

    Source: Naeini et al. 2015.
    """
    given, truth = np.asarray(confidences, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if not len(given) or len(given) != len(truth):
        raise ValueError("there is nothing to compare")
    number = np.minimum((given * bins).astype(np.int64), bins - 1)
    off = np.bincount(number, weights=given - truth, minlength=bins)
    return float(np.abs(off).sum() / len(given))


def _sigmoid(values: _Numbers) -> _Numbers:
    return 1.0 / (1.0 + np.exp(-np.clip(values, -500.0, 500.0)))


def _loss(features: _Numbers, weights: _Numbers, target: _Numbers) -> float:
    """Return the cross entropy."""
    evidence = features @ weights
    return float(np.sum(np.logaddexp(0.0, evidence) - target * evidence))
