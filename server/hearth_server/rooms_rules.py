"""How a room is chosen: by which rules, with which recogniser, beside which commands that are answered already."""

from __future__ import annotations

from collections.abc import AsyncIterable
from dataclasses import dataclass, field
from typing import Protocol

from hearth_core.command import Context, Stopwatch, Transcription
from hearth_core.config_rooms import RoomsConfig
from hearth_core.speech import Endpointer

from .hearing import Word
from .rooms import Weights
from .rooms_sound import Envelope


class Recogniser(Protocol):
    """What the arbitration needs of the pipeline."""

    async def listen(
        self,
        audio: AsyncIterable[bytes],
        context: Context,
        watch: Stopwatch | None = None,
        *,
        word: Word | None = None,
    ) -> Transcription:
        """Read audio until the end of speech and return what was said; `word` is the wake word before."""

    def endpointer(self) -> Endpointer:
        """Return what finds the end of speech, for one utterance."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How rounds are held; see `RoomsConfig` for what each means."""

    window_s: float = 1.0
    patience_s: float = 0.8
    same_speech: float = 0.7
    trusted_confidence: float = 0.8
    weights: Weights = field(default_factory=Weights)

    @classmethod
    def of(cls, config: RoomsConfig) -> Rules:
        """Return the configured rules."""
        return cls(
            config.window_s,
            config.patience_s,
            config.same_speech,
            config.trusted_confidence,
            Weights(**config.weights.model_dump()),
        )


@dataclass(frozen=True, slots=True)
class Served:
    """A command that is being answered."""

    at_s: float  # its verdict
    detected_s: tuple[float, ...]  # by each satellite that took part
    envelope: Envelope
    snr_db: float
    text: str
    winner: str
    began_s: float  # when the winner's did
    alone: bool = False  # there was nothing to choose: its speaker used no wake word
