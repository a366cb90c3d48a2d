"""How the server chooses between satellites that hear the same command."""

from __future__ import annotations

from pydantic import Field

from .section import Section


class HearingConfig(Section):
    """What a satellite's entry says of who else can hear what it hears."""

    group: str = Field(
        default="",
        max_length=100,
        description="Satellites of one group can hear the same person; a far building is a group of its own.",
    )
    gain_db: float = Field(
        default=0.0,
        ge=-30,
        le=30,
        description="dB by which its microphone is louder than the others'; learnt too, this helps from the first day.",
    )


class RoomWeightsConfig(Section):
    """How much each piece of evidence counts; one point is as much as one dB of level at weight 1."""

    level: float = Field(default=1.0, ge=0, le=10, description="Points for each dB of speech level.")
    snr: float = Field(default=0.2, ge=0, le=10, description="Points for each dB above the room's own noise.")
    clarity: float = Field(
        default=0.1, ge=0, le=10, description="Points for each dB between words and the gaps that an echo fills."
    )
    onset: float = Field(
        default=20.0, ge=0, le=1000, description="Points for each second of earlier detection, as far as it is certain."
    )
    wake_score: float = Field(default=2.0, ge=0, le=100, description="Points for a wake score of 1 over one of 0.")
    confidence: float = Field(
        default=2.0, ge=0, le=100, description="Points for a recogniser's confidence of 1 over one of 0."
    )


class RoomsConfig(Section):
    """Which room answers when several satellites hear one wake word."""

    window_s: float = Field(
        default=1.0,
        ge=0.1,
        le=5,
        description="Seconds after the first detection in which another is the same wake word.",
    )
    patience_s: float = Field(
        default=0.8, ge=0, le=5, description="Seconds to wait for the better placed satellite's end of the command."
    )
    same_speech: float = Field(
        default=0.7, ge=0, le=1, description="Likeness of two loudness curves from which they are the same speech."
    )
    trusted_confidence: float = Field(
        default=0.8, ge=0, le=1, description="Confidence from which the first recognised text is taken as it is."
    )
    weights: RoomWeightsConfig = Field(default=RoomWeightsConfig(), description="What the evidence counts.")
