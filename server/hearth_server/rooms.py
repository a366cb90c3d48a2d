"""Which room is meant: from what every satellite heard of one command to a decision that can be explained. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

# Above this nobody hears a difference, and it says more about a quiet room than about who is near.
_CLEAN_SNR_DB: Final = 30.0
# A detection that is later than this was held up by something else than the way of the sound.
_MAX_ONSET_S: Final = 0.3


@dataclass(frozen=True, slots=True)
class Weights:
    """Points for each unit of evidence; 1 dB of level at weight 1 is the measure of all."""

    level: float = 1.0  # a dB
    snr: float = 0.2  # a dB
    clarity: float = 0.1  # a dB
    onset: float = 20.0  # a second
    wake_score: float = 2.0  # 0 to 1
    confidence: float = 2.0  # 0 to 1


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one satellite knows of the command.

    Attributes:
        satellite: its name.
        level_dbfs: of the speech, the noise taken off, as a microphone of the usual gain would show it.
        noise_dbfs: of its room, on the same scale.
        clarity_db: between the speech and its gaps.
        detected_s: when it detected the wake word, in seconds of the server's clock, the way on the network taken off.
        uncertain_s: how far that may be wrong.
        wake_score: how sure the wake word was, 0 to 1; None if it does not say.
        confidence: of the recogniser for what it sent, 0 to 1, 0 if nothing was heard; None if it was not recognised.
    """

    satellite: str
    level_dbfs: float
    noise_dbfs: float
    clarity_db: float = 0.0
    detected_s: float = 0.0
    uncertain_s: float = 0.0
    wake_score: float | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """One satellite in a decision: its points, and which evidence gave how many, each beside the satellites' mean."""

    evidence: Evidence
    points: float
    parts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Decision:
    """Who answers, and why: `standings` has the winner first."""

    standings: tuple[Standing, ...]
    first: str  # whose detection came first
    likeness: Mapping[str, float] = field(default_factory=dict)  # to the winner's sound, by satellite

    @property
    def winner(self) -> str:
        """The satellite that is meant."""
        return self.standings[0].evidence.satellite

    @property
    def margin(self) -> float | None:
        """Points ahead of the next; None if there was no other."""
        return self.standings[0].points - self.standings[1].points if len(self.standings) > 1 else None

    def facts(self) -> dict[str, Any]:
        """Return it as plain data, for the log and for whoever asks why this room answered."""
        return {
            "winner": self.winner,
            "first": self.first,
            "margin": None if self.margin is None else round(self.margin, 1),
            "satellites": {s.evidence.satellite: self._seen(s) for s in self.standings},
        }

    def _seen(self, standing: Standing) -> dict[str, Any]:
        seen = standing.evidence
        alike = self.likeness.get(seen.satellite)
        return {
            "points": round(standing.points, 1),
            "parts": {name: round(value, 1) for name, value in standing.parts.items()},
            "level_dbfs": round(seen.level_dbfs, 1),
            "noise_dbfs": round(seen.noise_dbfs, 1),
            "wake_score": None if seen.wake_score is None else round(seen.wake_score, 3),
            "confidence": None if seen.confidence is None else round(seen.confidence, 3),
            "likeness": None if alike is None else round(alike, 2),
        }


def decide(evidence: Sequence[Evidence], weights: Weights, first: str = "") -> Decision:
    """Return who is meant; between equals the one that came first in `evidence`.

    Each kind of evidence counts as the difference from the satellites' mean, so that a satellite that does not send it
    neither wins nor loses by it.

    Args:
        evidence: of at least one satellite, in the order of arrival.
        weights: what the kinds count.
        first: whose detection came first, for the record; the first of `evidence` if empty.

    Raises:
        ValueError: no evidence.
    """
    if not evidence:
        raise ValueError("there is nobody to decide between")
    kinds: dict[str, tuple[float, list[float | None]]] = {
        "level": (weights.level, [e.level_dbfs for e in evidence]),
        "snr": (weights.snr, [min(e.level_dbfs - e.noise_dbfs, _CLEAN_SNR_DB) for e in evidence]),
        "clarity": (weights.clarity, [min(e.clarity_db, _CLEAN_SNR_DB) for e in evidence]),
        "onset": (weights.onset, [-late for late in _lateness(evidence)]),
        "wake score": (weights.wake_score, [e.wake_score for e in evidence]),
        "confidence": (weights.confidence, [e.confidence for e in evidence]),
    }
    parts: list[dict[str, float]] = [{} for _ in evidence]
    for kind, (weight, values) in kinds.items():
        for part, value in zip(parts, _beside_mean(values), strict=True):
            part[kind] = weight * value
    standings = [Standing(e, sum(part.values()), part) for e, part in zip(evidence, parts, strict=True)]
    standings.sort(key=lambda standing: -standing.points)  # stable: the earlier stays first
    return Decision(tuple(standings), first or evidence[0].satellite)


def _lateness(evidence: Sequence[Evidence]) -> list[float]:
    """Return by how much each detection is certainly later than the earliest, in seconds, up to `_MAX_ONSET_S`."""
    earliest = min(e.detected_s for e in evidence)
    return [min(max(0.0, e.detected_s - earliest - e.uncertain_s), _MAX_ONSET_S) for e in evidence]


def _beside_mean(values: Sequence[float | None]) -> list[float]:
    known = [value for value in values if value is not None]
    mean = sum(known) / len(known) if known else 0.0
    return [0.0 if value is None else value - mean for value in values]
