"""What a driver may say: each Wyoming event, checked and handed to what it means here."""

from __future__ import annotations

import logging
from typing import Protocol

from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event
from wyoming.pipeline import PipelineStage, RunPipeline
from wyoming.tts import Synthesize

from hearth_core.audio import PcmFormat
from hearth_core.errors import AudioError, WireError
from hearth_core.wire import parse

_LOG = logging.getLogger(__name__)


class Driven(Protocol):
    """What a driver's events do; the session."""

    def transcript(self, text: str) -> None:
        """The command was heard as this text."""

    def answered_elsewhere(self) -> None:
        """Another satellite has heard the command better, and answers."""

    def answer_text(self, text: str, *, listen: bool) -> None:
        """This will be the answer; with `listen` it asks back."""

    def error(self, text: str, code: str) -> None:
        """The command failed."""

    def run_pipeline(self) -> None:
        """Begin a command without a wake word."""


class Heard(Protocol):
    """What a driver gives to be heard."""

    def audio_start(self, audio: PcmFormat, *, announcement: bool) -> None:
        """Something begins."""

    def audio_chunk(self, pcm: bytes) -> None:
        """More of it."""

    def audio_stop(self) -> None:
        """It is complete."""


def deliver(event: Event, driven: Driven, heard: Heard) -> None:
    """Hand an event over; one that means nothing here is left alone.

    Raises:
        WireError: its data are not what its type asks for.
    """
    if AudioChunk.is_type(event.type):
        heard.audio_chunk(parse(AudioChunk, event).audio)
    elif AudioStart.is_type(event.type):
        start = parse(AudioStart, event)
        heard.audio_start(
            _pcm_format(start.rate, start.width, start.channels), announcement=_context(event, "kind") == "announcement"
        )
    elif AudioStop.is_type(event.type):
        heard.audio_stop()
    elif Transcript.is_type(event.type):
        text = parse(Transcript, event).text
        if not text.strip() and isinstance(_context(event, "answered_by"), str):
            driven.answered_elsewhere()
        else:
            driven.transcript(text)
    elif Synthesize.is_type(event.type):
        driven.answer_text(parse(Synthesize, event).text, listen=_context(event, "listen") is True)
    elif Error.is_type(event.type):
        error = parse(Error, event)
        driven.error(error.text, error.code or "")
    elif RunPipeline.is_type(event.type):
        if parse(RunPipeline, event).start_stage in (PipelineStage.WAKE, PipelineStage.ASR):
            driven.run_pipeline()
    else:
        # `transcribe`, `voice-started`, `detection` and what later versions bring: nothing to be done.
        _LOG.debug("the driver sent %s", event.type)


def _context(event: Event, key: str) -> object:
    context = event.data.get("context")
    return context.get(key) if isinstance(context, dict) else None


def _pcm_format(rate: int, width: int, channels: int) -> PcmFormat:
    try:
        return PcmFormat(rate, width, channels)
    except AudioError as error:
        raise WireError(f"audio-start names a format that cannot be played: {error}") from error
