"""Every error that Hearth raises on purpose, in one tree.

    HearthError                code             who causes it
    |-- ConfigError            config           a configuration file or value
    |-- SentenceError          sentences        a sentence file or template
    |-- AudioError             audio            a recording or an audio device
    |-- EngineError            engine           a recogniser, voice or model
    |-- WireError              wire             a peer that breaks the Wyoming framing
    |-- PeerError              peer             a peer that is away, late, or closes in the middle
    |-- BusError               bus              Home Assistant, KNX or MQTT refused or is away
    `-- InputError             input            any other argument that a person gave

Each carries a `code` for machines, a `message` for people and, where there is one, a `remedy`: what to do about it.
"""

from __future__ import annotations

from typing import ClassVar


class HearthError(Exception):
    """Base of the tree.

    Args:
        message: one line for people, naming the file, key or peer.
        remedy: one line saying what to do, empty if there is nothing.
    """

    code: ClassVar[str] = "hearth"

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}. {self.remedy}" if self.remedy else self.message


class ConfigError(HearthError):
    """A configuration file cannot be read or holds a wrong value."""

    code = "config"


class SentenceError(HearthError):
    """A sentence file cannot be read, or a template in it cannot be parsed or compiled."""

    code = "sentences"


class AudioError(HearthError):
    """A recording or an audio device cannot be used."""

    code = "audio"


class EngineError(HearthError):
    """A recogniser, a voice or a model is unknown, not installed, or broken."""

    code = "engine"


class WireError(HearthError):
    """A peer sent a frame that is not Wyoming, or one over the limits; the connection is to be closed."""

    code = "wire"


class PeerError(HearthError):
    """A peer cannot be reached, does not answer in time, or closed in the middle."""

    code = "peer"


class BusError(HearthError):
    """A home's bus (Home Assistant, KNX, MQTT) refused an action or cannot be reached."""

    code = "bus"


class InputError(HearthError):
    """An argument that a person gave cannot be used."""

    code = "input"
