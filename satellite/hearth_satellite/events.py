"""What the satellite says on the wire.

The `command_id` is made here, at the beginning of a command. It rides as `context: {"command_id": …}` in `detection`,
whose class has that field, and in `run-pipeline`, whose class does not: there it is an extra key of the event's data,
which other drivers do not look at. Without a wake word there is no `detection`, so `run-pipeline` is where a driver
always finds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from wyoming.audio import AudioChunk, AudioFormat, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.info import Attribution, Info, MicProgram, Satellite, SndProgram, WakeModel, WakeProgram
from wyoming.pipeline import PipelineStage, RunPipeline
from wyoming.wake import Detection as WireDetection

from hearth_core import __version__
from hearth_core.audio import RATE
from hearth_core.command import Detection

from .chime import CHIME_RATE
from .wake import WakePhrase

_OURS: Final = Attribution(name="Hearth", url="https://pypi.org/project/hearth-voice/")
_MICRO: Final = Attribution(name="Kevin Ahrendt", url="https://www.kevinahrendt.com/")
_MICROPHONE: Final = AudioFormat(rate=RATE, width=2, channels=1)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the satellite is: its name and, if it is known, the area it stands in."""

    name: str
    area: str | None = None


def info(identity: Identity, phrases: tuple[WakePhrase, ...], *, sounds: bool) -> Event:
    """Return the answer to `describe`.

    Args:
        identity: the satellite.
        phrases: the wake words that are listened for.
        sounds: whether it has a speaker.
    """
    satellite = Satellite(
        name=identity.name,
        attribution=_OURS,
        installed=True,
        description="Hearth satellite",
        version=__version__,
        area=identity.area,
        has_vad=True,
        active_wake_words=[phrase.name for phrase in phrases],
        max_active_wake_words=len(phrases),
        supports_trigger=True,
    )
    microphone = MicProgram("microphone", _OURS, True, "16 kHz mono", __version__, mic_format=_MICROPHONE)
    speaker = SndProgram("speaker", _OURS, True, "Any PCM", __version__, snd_format=AudioFormat(CHIME_RATE, 2, 1))
    return Info(
        satellite=satellite,
        wake=[_wake_program(phrases)] if phrases else [],
        mic=[microphone],
        snd=[speaker] if sounds else [],
    ).event()


def _wake_program(phrases: tuple[WakePhrase, ...]) -> WakeProgram:
    models = [
        WakeModel(
            name=phrase.name,
            attribution=_MICRO,
            installed=True,
            description=phrase.phrase,
            version=None,
            languages=list(phrase.languages),
            phrase=phrase.phrase,
        )
        for phrase in phrases
    ]
    return WakeProgram("micro-wake-word", _MICRO, True, "microWakeWord, in the satellite", __version__, models=models)


def beginning(
    detection: Detection | None, command_id: str, lead_ms: int = 0, facts: Mapping[str, float | bool] | None = None
) -> list[Event]:
    """Return what opens a command: the detection if a wake word was heard, the pipeline to run, the audio's format.

    Args:
        detection: what was heard; None for a command without a wake word.
        command_id: the command's.
        lead_ms: how much of the audio to come is from before the detection; in it the wake word ends.
        facts: what else the driver should know of the wake word; it rides beside the `command_id`.
    """
    context: dict[str, object] = {"command_id": command_id, "lead_ms": lead_ms, **(facts or {})}
    if detection is not None:
        context |= detection.facts
        if detection.score is not None:
            context["wake_score"] = round(detection.score, 4)
    wake_word = detection.wake_word if detection else ""
    events: list[Event] = []
    if detection is not None and wake_word:
        events.append(WireDetection(name=wake_word, timestamp=detection.timestamp_ms, context=context).event())
    run = RunPipeline(PipelineStage.ASR, PipelineStage.TTS, wake_word_name=wake_word or None, restart_on_end=False)
    opened = run.event()
    opened.data["context"] = context
    return [*events, opened, AudioStart(RATE, 2, 1, timestamp=0).event()]


def chunk(pcm: bytes, timestamp_ms: int) -> Event:
    """Return a chunk of microphone audio that began so many milliseconds after the command's audio."""
    return AudioChunk(RATE, 2, 1, pcm, timestamp=timestamp_ms).event()


def stop(timestamp_ms: int) -> Event:
    """Return the end of the command's audio."""
    return AudioStop(timestamp=timestamp_ms).event()
