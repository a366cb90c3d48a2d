"""The words of the satellite's session: its states, how long each may last, and who is around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from wyoming.event import Event

from hearth_core.command import EndReason


class State(StrEnum):
    """What the satellite is doing."""

    IDLE = "idle"  # no driver, or it paused us; a rest
    LISTENING = "listening"  # waits for the wake word; a rest
    STREAMING = "streaming"  # sends a command
    ANSWERING = "answering"  # waits for the answer to it
    PLAYING = "playing"  # is heard itself


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How long each state may last, in seconds."""

    # The end-pointer ends a command in its own time, counted in audio; this is for a microphone that stops delivering.
    streaming_s: float = 20.0
    # Home Assistant gives a conversation agent 30 s as well.
    answer_s: float = 30.0
    # After a transcript without words: a driver that has something to say to that says it at once.
    empty_answer_s: float = 3.0
    # From the answer's text to its sound: a voice in the cloud takes some seconds, a driver without one sends nothing.
    voice_s: float = 10.0
    # Beyond the length of what is to be played; also the longest gap in an answer on its way.
    play_margin_s: float = 5.0
    # Home Assistant pings every 2 s; a driver that has pinged and then falls silent so long has lost its network.
    driver_silence_s: float = 20.0
    # Loudspeaker and microphone have buffers of their own, and a room its echo.
    echo_s: float = 0.25
    # Asked back, people answer within a second or two, or not at all.
    follow_up_s: float = 5.0
    # From the end of such a question to the first sound of the microphone: more than its buffers.
    follow_up_open_s: float = 2.0
    # "Not connected" is said to one who speaks to the satellite, not to a television that says the word all evening.
    not_connected_s: float = 3.0


@dataclass(frozen=True, slots=True)
class Manners:
    """How the satellite behaves towards people.

    Attributes:
        wake_chime: play a chime at the detection; what is said during it is lost.
        barge_in: a wake word stops an answer, and is listened to.
        stop_words: wake words that only stop: an answer, or a timer that rings.
        ring_s: a timer rings for so long at most.
        verify: a driver that can tell is asked whether the wake word was said.
        not_connected: what is said where no driver is there, as `NotConnected` has it; empty for a tone.
    """

    wake_chime: bool = False
    barge_in: bool = True
    stop_words: frozenset[str] = frozenset()
    ring_s: float = 120.0
    verify: bool = True
    not_connected: Mapping[str, bytes] = field(default_factory=dict, repr=False)


class Driver(Protocol):
    """Whoever runs the satellite, as the session sees it; no method waits.

    Attributes:
        verifies: it can tell whether a wake word was said.
    """

    name: str
    verifies: bool

    def send(self, event: Event) -> None:
        """Send an event, or give the driver up if it takes none."""

    def close(self, reason: str) -> None:
        """End the connection."""


class EndOfSpeech(Protocol):
    """Says when a command is over; `speech_started` says whether somebody has spoken in it."""

    speech_started: bool

    def feed(self, pcm: bytes) -> EndReason | None:
        """Take the next sound of the command; return why it is over, None while it is not."""

    def reset(self) -> None:
        """Begin another command."""

    def meet(self, word: bytes) -> None:
        """Take the sound of the wake word, before any of the command: how loud it is tells its speaker from others."""
