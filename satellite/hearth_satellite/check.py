"""Trying a satellite out: does it hear, is it heard, does it wake, is somebody there? Each with what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from hearth_core import wire
from hearth_core.audio import BYTES_PER_SECOND, PcmFormat
from hearth_core.config_control import ControlConfig
from hearth_core.errors import HearthError

from .button import NoWakeWord, explained
from .chime import CHIME_RATE, Chime, render
from .level import dbfs
from .microphone import Microphone
from .speaker import NullSpeaker, Speaker
from .wake import WakeWord

FRAME_S: Final = 0.02
# Levels of rooms and voices through common microphones (ReSpeaker 2-mic, USB conference speakers): speech at 2 m is -40
# to -20 dBFS, a living room below -55.
QUIET_SPEECH_DBFS: Final = -45.0
NOISY_ROOM_DBFS: Final = -40.0
CLIPPED_SHARE: Final = 0.001
FULL_SCALE: Final = 32_600
_LATE_S: Final = 5.0
_SPEAKER_S: Final = 10.0


class Verdict(StrEnum):
    """How something is."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found.

    Attributes:
        what: what was tried, e.g. "microphone".
        verdict: how it is.
        says: the fact.
        remedy: what to do about it; empty if nothing.
    """

    what: str
    verdict: Verdict
    says: str
    remedy: str = ""


async def check_microphone(microphone: Microphone, seconds: float) -> tuple[bytes, list[Finding]]:
    """Listen for so long; return the sound and what is to be said of it."""
    pcm = bytearray()
    try:
        async with microphone:
            chunks = aiter(microphone)
            while len(pcm) < seconds * BYTES_PER_SECOND:
                try:
                    async with asyncio.timeout(_LATE_S):
                        pcm += await anext(chunks)
                except StopAsyncIteration:
                    break
    except TimeoutError:
        says = f"it delivered {len(pcm) / BYTES_PER_SECOND:.1f} s of sound and then nothing for {_LATE_S:g} s"
        says = says if pcm else f"it delivered no sound within {_LATE_S:g} s"
        return bytes(pcm), [Finding("microphone", Verdict.FAILED, says, "Plug it in again, or choose another device")]
    except HearthError as error:
        return b"", [Finding("microphone", Verdict.FAILED, error.message, error.remedy)]
    return bytes(pcm), judge_sound(bytes(pcm))


def judge_sound(pcm: bytes) -> list[Finding]:
    """Return what is to be said of a sound in which somebody spoke, 16 kHz s16le mono: level, clipping, noise floor."""
    samples = np.frombuffer(pcm[: len(pcm) - len(pcm) % 2], "<i2").astype(np.float64)
    frame = round(FRAME_S * BYTES_PER_SECOND / 2)
    if len(samples) < 10 * frame:
        return [Finding("microphone", Verdict.FAILED, "it delivered no sound", "Choose another device")]
    if not samples.any():
        remedy = "Unmute it (alsamixer, F4) or choose another device"
        return [Finding("microphone", Verdict.FAILED, "it delivers digital silence, and nothing else", remedy)]
    frames = samples[: len(samples) - len(samples) % frame].reshape(-1, frame)
    levels = np.sort([dbfs(float(np.mean(one**2))) for one in frames])
    loud, floor = float(levels[int(len(levels) * 0.95)]), float(levels[int(len(levels) * 0.1)])
    clipped = float(np.mean(np.abs(samples) >= FULL_SCALE))
    return [_judge_level(loud), _judge_clipping(clipped), _judge_floor(floor, loud)]


def _judge_level(loud: float) -> Finding:
    says = f"the loudest sound was at {loud:.0f} dBFS"
    if loud < QUIET_SPEECH_DBFS:
        remedy = "If you spoke, raise the gain (alsamixer, F4) or stand nearer; if not, say something and check again"
        return Finding("microphone level", Verdict.WARNING, says, remedy)
    return Finding("microphone level", Verdict.OK, says)


def _judge_clipping(clipped: float) -> Finding:
    says = f"{clipped:.2%} of the samples are at full scale"
    if clipped > CLIPPED_SHARE:
        return Finding("clipping", Verdict.WARNING, says, "Lower the gain (alsamixer, F4), or switch its boost off")
    return Finding("clipping", Verdict.OK, says)


def _judge_floor(floor: float, loud: float) -> Finding:
    says = f"the room is at {floor:.0f} dBFS, {loud - floor:.0f} dB below the loudest sound"
    if floor > NOISY_ROOM_DBFS:
        remedy = "Move it away from fans and fridges, lower the gain, or try another power supply if it hums"
        return Finding("noise floor", Verdict.WARNING, says, remedy)
    return Finding("noise floor", Verdict.OK, says)


async def check_speaker(speaker: Speaker) -> Finding:
    """Play a chime; whether it was heard, only a person knows."""
    if isinstance(speaker, NullSpeaker):
        return Finding("speaker", Verdict.SKIPPED, "none is configured")
    try:
        async with asyncio.timeout(_SPEAKER_S), speaker:
            await speaker.start(PcmFormat(CHIME_RATE, 2, 1))
            await speaker.write(render(Chime.WAKE))
            await speaker.finish()
    except TimeoutError:
        says = f"a chime did not end within {_SPEAKER_S:g} s"
        return Finding("speaker", Verdict.FAILED, says, "Stop what else uses the device, or choose another one")
    except HearthError as error:
        return Finding("speaker", Verdict.FAILED, error.message, error.remedy)
    return Finding("speaker", Verdict.OK, "a chime was played", "If you did not hear it, raise the volume (alsamixer)")


def check_wake(make: Callable[[], WakeWord], pcm: bytes, control: ControlConfig) -> Finding:
    """Load the wake words, and look for them in what was heard; where there are none, say what begins a command."""
    try:
        wake = make()
    except HearthError as error:
        return Finding("wake word", Verdict.FAILED, error.message, error.remedy)
    if isinstance(wake, NoWakeWord):
        says, remedy = explained(wake, control)
        return Finding("wake word", Verdict.WARNING if remedy else Verdict.OK, says, remedy)
    phrases = " or ".join(f'"{phrase.phrase}"' for phrase in wake.phrases)
    if not phrases:
        return Finding("wake word", Verdict.SKIPPED, "all speech is for Hearth")
    if not pcm.strip(b"\0"):
        return Finding("wake word", Verdict.SKIPPED, f"there was no sound to hear {phrases} in")
    chunks = (pcm[start : start + 1024] for start in range(0, len(pcm), 1024))
    found = [detection.wake_word for chunk in chunks if (detection := wake.feed(chunk)) is not None]
    if found:
        return Finding("wake word", Verdict.OK, f"heard {', '.join(found)}")
    remedy = f"If you said {phrases}, raise satellite.wake.sensitivity; if not, say it and check again"
    return Finding("wake word", Verdict.WARNING, f"{phrases} was not heard", remedy)


async def check_server(uri: str) -> Finding:
    """Ask a Hearth server, or another Wyoming recogniser, whether it is there."""
    from wyoming.info import Describe, Info

    try:
        async with await wire.connect(uri) as connection:
            await connection.write(Describe())
            event = await connection.read(_LATE_S)
    except HearthError as error:
        remedy = error.remedy or "Look whether the server runs, and at its address and port"
        return Finding("server", Verdict.FAILED, error.message, remedy)
    if event is None or not Info.is_type(event.type):
        return Finding("server", Verdict.FAILED, f"{uri} is no Wyoming server", "Look at its address and port")
    info = wire.parse(Info, event)
    if not info.asr:
        remedy = "Give the address of the Hearth server, usually port 10300"
        return Finding("server", Verdict.WARNING, f"{uri} recognises no speech", remedy)
    return Finding("server", Verdict.OK, f"{uri} is {info.asr[0].name}")


def failed(findings: Sequence[Finding]) -> bool:
    """Return whether the satellite will not work as it is."""
    return any(finding.verdict is Verdict.FAILED for finding in findings)
