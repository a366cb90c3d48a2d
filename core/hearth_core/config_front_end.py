"""The keys of what the satellite does to the sound before anything listens to it."""

from __future__ import annotations

from pydantic import Field

from .section import Section


class FrontEndConfig(Section):
    """What is taken out of the sound; each part needs `pip install 'hearth-voice[front-end]'`."""

    echo_cancellation: bool = Field(
        default=False, description="Take out what the satellite itself plays; for a speaker beside the microphone."
    )
    echo_delay_ms: int = Field(
        default=0, ge=0, le=500, description="Milliseconds from writing a sound to hearing it, if known; 0 finds out."
    )
    noise_suppression: int = Field(default=0, ge=0, le=4, description="0 is off; 4 suppresses the most.")
    gain_dbfs: int = Field(
        default=0, ge=0, le=31, description="0 is off; else the level, dB below full scale, that speech is brought to."
    )
