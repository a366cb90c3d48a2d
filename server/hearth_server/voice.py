"""Spoken answers: text to speech through whatever voice the house has, down to a chime."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import math
import os
import shutil
import signal
import wave
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final, NamedTuple, Protocol

import numpy as np
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.tts import Synthesize, SynthesizeVoice

from hearth_core import wire
from hearth_core.audio import PcmFormat
from hearth_core.command import Response, ResponseKind
from hearth_core.errors import EngineError, HearthError
from hearth_core.settings import SpeakConfig

log = logging.getLogger(__name__)

# The longest answer of the data is some 200 characters; a template of an author may make more, nobody listens to it.
MAX_TEXT_CHARS: Final = 1_000
# A minute of 48 kHz s16le stereo: what is longer is a fault.
MAX_SPEECH_BYTES: Final = 60 * 48_000 * 2 * 2
_CHUNK_MS: Final = 100


class Speech(NamedTuple):
    """Audio on its way: its format, and the samples as they come; the chunks can be taken once, or closed."""

    format: PcmFormat
    chunks: AsyncGenerator[bytes, None]


class Voice(Protocol):
    """Something that says an answer."""

    name: str

    async def speak(self, response: Response) -> Speech:
        """Begin to say the response; speech without a chunk if there is nothing to be heard.

        Raises:
            EngineError: the voice is not there, or fails before its first sample.
        """


class NoVoice:
    """Answers by text only."""

    name = "none"

    async def speak(self, response: Response) -> Speech:
        """Say nothing."""
        return _silence()


class ChimeVoice:
    """Two notes: rising if it was done, falling if it was not."""

    name = "chime"
    FORMAT: Final = PcmFormat(22_050, 2, 1)
    # C6 and G6: above most rooms' noise, below what small loudspeakers drop.
    _NOTES_HZ: Final = (1046.5, 1568.0)
    _NOTE_S: Final = 0.12

    async def speak(self, response: Response) -> Speech:
        """Sound the chime of the response's kind."""
        failed = response.kind in (ResponseKind.FAILED, ResponseKind.NOT_UNDERSTOOD)
        return Speech(self.FORMAT, _pieces(self.tone(failed), self.FORMAT))

    def tone(self, failed: bool) -> bytes:
        """Return the chime as PCM."""
        seconds = np.arange(int(self._NOTE_S * self.FORMAT.rate)) / self.FORMAT.rate
        # Without a fade in and out a note begins and ends with a click.
        fade = np.sin(math.pi * seconds / self._NOTE_S) ** 2
        notes = reversed(self._NOTES_HZ) if failed else self._NOTES_HZ
        samples = np.concatenate([np.sin(2 * math.pi * hz * seconds) * fade for hz in notes])
        pcm: bytes = (samples * 0.4 * 32767).astype("<i2").tobytes()
        return pcm


class EspeakVoice:
    """espeak-ng, a small formant synthesiser, run once for each answer.

    Args:
        binary: path of espeak-ng.
        language: of its voice, e.g. "en".
        timeout_s: for a whole answer; it makes speech some hundred times faster than it is spoken.
    """

    name = "espeak-ng"

    def __init__(self, binary: str, language: str = "en", timeout_s: float = 5.0) -> None:
        self._binary = binary
        self._language = language
        self._timeout_s = timeout_s

    async def speak(self, response: Response) -> Speech:
        """Synthesise the text."""
        text = _clean(response.text)
        if not text:
            return _silence()
        raw = await self._run(text)
        try:
            with wave.open(io.BytesIO(raw)) as file:
                pcm_format = PcmFormat(file.getframerate(), file.getsampwidth(), file.getnchannels())
                pcm = file.readframes(MAX_SPEECH_BYTES)
        except (wave.Error, EOFError) as error:
            raise EngineError(f"{self._binary} gives no WAV: {error}") from error
        if not pcm:
            raise EngineError(f"{self._binary} gives no sound")
        return Speech(pcm_format, _pieces(pcm, pcm_format))

    async def _run(self, text: str) -> bytes:
        # The text goes in by standard input: as an argument, one that begins with "-" would be an option.
        arguments = ("--stdin", "--stdout", "-b", "1", "-v", self._language)
        try:
            process = await asyncio.create_subprocess_exec(
                self._binary,
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise EngineError(f"{self._binary} cannot be started: {error.strerror}") from error
        try:
            async with asyncio.timeout(self._timeout_s):
                return await _exchange(process, text, self._binary)
        except TimeoutError as error:
            raise EngineError(f"{self._binary} takes more than {self._timeout_s:g} s") from error
        finally:
            await _end(process)


async def _exchange(process: asyncio.subprocess.Process, text: str, binary: str) -> bytes:
    stdin, stdout = process.stdin, process.stdout
    if stdin is None or stdout is None:
        raise EngineError(f"{binary} has no standard input and output")
    # Some thousand bytes fit the pipe, whether it reads them or not.
    stdin.write(text.encode())
    stdin.close()
    raw = bytearray()
    while chunk := await stdout.read(64 * 1024):
        raw += chunk
        if len(raw) > MAX_SPEECH_BYTES:
            raise EngineError(f"{binary} does not come to an end")
    if await process.wait():
        raise EngineError(f"{binary} fails with exit code {process.returncode}")
    return bytes(raw)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill it if it runs, with what it started: some systems wrap the binary in a script."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        # What is left in the pipe is read, or its transport would stay open.
        while process.stdout is not None and await process.stdout.read(64 * 1024):
            pass
    await process.wait()


class WyomingVoice:
    """Any Wyoming text-to-speech service.

    Args:
        uri: e.g. tcp://127.0.0.1:10200.
        voice: the service's name of a voice, None for its default.
        timeout_s: to connect, and for each event to come.
    """

    name = "wyoming"

    def __init__(self, uri: str, voice: str | None = None, timeout_s: float = 5.0) -> None:
        self._uri = uri
        self._voice = SynthesizeVoice(name=voice) if voice else None
        self._timeout_s = timeout_s

    async def speak(self, response: Response) -> Speech:
        """Ask for the text; return when the audio begins."""
        text = _clean(response.text)
        if not text:
            return _silence()
        chunks = self._chunks(text)
        try:
            pcm_format = await anext(chunks)
        except HearthError as error:
            raise EngineError(f"no speech from {self._uri}: {error}") from error
        assert isinstance(pcm_format, PcmFormat)
        return Speech(pcm_format, _bytes_only(chunks))

    async def _chunks(self, text: str) -> AsyncGenerator[PcmFormat | bytes, None]:
        """Yield the format, then the audio."""
        async with await wire.connect(self._uri, timeout=self._timeout_s) as connection:
            await connection.write(Synthesize(text, voice=self._voice).event())
            started, size = False, 0
            while True:
                event = await connection.read(timeout=self._timeout_s)
                if event is None:
                    raise EngineError(f"{self._uri} closed before the speech ended")
                if AudioStart.is_type(event.type) and not started:
                    start = wire.parse(AudioStart, event)
                    started = True
                    yield PcmFormat(start.rate, start.width, start.channels)
                elif AudioChunk.is_type(event.type) and started:
                    audio = wire.parse(AudioChunk, event).audio
                    size += len(audio)
                    if size > MAX_SPEECH_BYTES:
                        raise EngineError(f"{self._uri} does not come to an end")
                    yield audio
                elif AudioStop.is_type(event.type) and started:
                    return
                elif Error.is_type(event.type):
                    raise EngineError(f"{self._uri} fails: {_clean(wire.parse(Error, event).text)[:200]}")


async def _bytes_only(chunks: AsyncGenerator[PcmFormat | bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(chunks):
        async for chunk in chunks:
            if isinstance(chunk, bytes):
                yield chunk


class FallbackVoice:
    """A voice, and the chime when it fails: the answer is never lost.

    Speech that breaks off in the middle ends there; the chime says only what nothing was said of.
    """

    def __init__(self, voice: Voice) -> None:
        self.name = voice.name
        self._voice = voice
        self._chime = ChimeVoice()

    async def speak(self, response: Response) -> Speech:
        """Say it, or sound the chime."""
        try:
            speech = await self._voice.speak(response)
        except HearthError as error:
            log.warning("%s cannot speak, chime instead: %s", self.name, error)
            return await self._chime.speak(response)
        return Speech(speech.format, self._unbroken(speech.chunks))

    async def _unbroken(self, chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        try:
            async with aclosing(chunks):
                async for chunk in chunks:
                    yield chunk
        except HearthError as error:
            log.warning("%s broke off: %s", self.name, error)


def choose_voice(speak: SpeakConfig, language: str = "en") -> Voice:
    """Return the voice that is configured; `auto` is espeak-ng if it is installed, else the chime.

    Raises:
        EngineError: espeak-ng is asked for by name and is not installed.
    """
    if speak.tts:
        return FallbackVoice(WyomingVoice(speak.tts))
    if speak.voice == "none":
        return NoVoice()
    binary = shutil.which("espeak-ng")
    if speak.voice == "chime" or (speak.voice == "auto" and binary is None):
        return ChimeVoice()
    if binary is None:
        raise EngineError("espeak-ng is not installed", remedy="apt install espeak-ng, or set `voice: auto`")
    return FallbackVoice(EspeakVoice(binary, language))


async def _pieces(pcm: bytes, pcm_format: PcmFormat) -> AsyncGenerator[bytes, None]:
    """Yield the audio in chunks of `_CHUNK_MS`, the last one shorter."""
    size = pcm_format.rate * _CHUNK_MS // 1000 * pcm_format.frame_bytes
    for start in range(0, len(pcm), size):
        yield pcm[start : start + size]


def _silence() -> Speech:
    return Speech(ChimeVoice.FORMAT, _pieces(b"", ChimeVoice.FORMAT))


def _clean(text: str) -> str:
    """Return the text as a voice may get it: printable, bounded, cut at a word."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(plain) <= MAX_TEXT_CHARS:
        return plain
    cut = plain[:MAX_TEXT_CHARS]
    return cut.rpartition(" ")[0] or cut
