"""Where the satellite is heard: a sound device, a WAV file, or nowhere."""

from __future__ import annotations

import asyncio
import threading
import wave
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Protocol

from hearth_core.audio import RATE, SPEECH, Converter, PcmFormat
from hearth_core.errors import AudioError

from .device import describe_devices, device_key, load_sounddevice

# One write to a device: 46 ms of 22 kHz mono, so that `stop` never waits longer for a write that is under way.
_PIECE_BYTES: Final = 2048


class Speaker(Protocol):
    """Plays one sound at a time: `start`, `write` as the audio arrives, `finish`; or `stop` at any time.

    `audible` says whether a microphone in the room would hear it.
    """

    audible: bool

    async def start(self, audio: PcmFormat) -> None:
        """Begin a sound.

        Raises:
            AudioError: it cannot be played.
        """

    async def write(self, pcm: bytes) -> None:
        """Play the next audio; waits as long as the speaker has enough of it."""

    async def finish(self) -> None:
        """Wait until all was heard."""

    async def stop(self) -> None:
        """Fall silent at once; may be called at any time."""

    async def __aenter__(self) -> Speaker: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class NullSpeaker:
    """Plays nothing, at once or in the time that it would take to be heard."""

    audible = False

    def __init__(self, *, realtime: bool = False) -> None:
        self._realtime = realtime
        self._audio = SPEECH

    async def start(self, audio: PcmFormat) -> None:
        """Take note of the format."""
        self._audio = audio

    async def write(self, pcm: bytes) -> None:
        """Drop the audio."""
        if self._realtime:
            await asyncio.sleep(len(pcm) / (self._audio.rate * self._audio.frame_bytes))

    async def finish(self) -> None:
        """Nothing is left to be heard."""

    async def stop(self) -> None:
        """Nothing is heard anyway."""

    async def __aenter__(self) -> NullSpeaker:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class FileSpeaker:
    """Writes all sounds one after the other into a WAV file, 16 kHz mono; the file is begun anew at the start.

    Raises:
        AudioError: on entering, the file cannot be written.
    """

    audible = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._raw: BinaryIO | None = None
        self._file: wave.Wave_write | None = None
        self._converter: Converter | None = None

    async def start(self, audio: PcmFormat) -> None:
        """Begin a sound."""
        self._converter = Converter(audio)

    async def write(self, pcm: bytes) -> None:
        """Append the audio; files are written without waiting, a chunk is a few kilobytes."""
        if self._converter is not None:
            self._append(self._converter.feed(pcm))

    async def finish(self) -> None:
        """Append what the resampler still holds."""
        if self._converter is not None:
            self._append(self._converter.flush())
        self._converter = None

    async def stop(self) -> None:
        """Leave the sound as it is."""
        self._converter = None

    def _append(self, pcm: bytes) -> None:
        if self._file is None or self._raw is None:
            raise AudioError(f"{self._path} is not open")
        try:
            self._file.writeframes(pcm)  # mends the header each time: the file is whole at any moment
            self._raw.flush()
        except OSError as error:
            raise AudioError(f"cannot write {self._path} ({error.strerror})") from error

    async def __aenter__(self) -> FileSpeaker:
        try:
            self._raw = self._path.open("w+b")
        except OSError as error:
            raise AudioError(f"cannot write {self._path} ({error.strerror})") from error
        self._file = wave.open(self._raw, "wb")  # noqa: SIM115 - closed in __aexit__
        self._file.setparams((1, 2, RATE, 0, "NONE", ""))
        self._append(b"")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._raw is not None:
            self._raw.close()
            self._raw = None


class DeviceSpeaker:
    """Plays on a sound device through PortAudio.

    Args:
        device: name, part of a name or number; None is the system's default.
        sounddevice: the library; loaded when it is first needed.

    Raises:
        AudioError: on entering, PortAudio is missing or there is no such device.
    """

    audible = True

    def __init__(self, device: str | int | None = None, *, sounddevice: Any = None) -> None:
        self._device = device_key(device)
        self._sd = sounddevice
        self._lock = threading.Lock()
        self._stream: Any = None
        self._resample: Any = None
        self._converter: Converter | None = None
        self._channels = 1
        self._rest = b""  # of a sample that was cut between two chunks

    async def start(self, audio: PcmFormat) -> None:
        """Open the device for a sound, at its own rate if it does not take the sound's."""
        plain = audio.width == 2 and audio.channels <= 2  # what every device takes; anything else is rare in answers
        self._converter = None if plain else Converter(audio)
        await asyncio.to_thread(self._open, audio if plain else SPEECH)

    def _open(self, audio: PcmFormat) -> None:
        self._resample = None
        wanted = {"device": self._device, "channels": audio.channels, "dtype": "int16"}
        rate = audio.rate
        try:
            try:
                self._sd.check_output_settings(samplerate=rate, **wanted)
            except self._sd.PortAudioError:
                import soxr

                rate = round(self._sd.query_devices(self._device, "output")["default_samplerate"])
                self._resample = soxr.ResampleStream(audio.rate, rate, audio.channels, dtype="int16")
            self._stream = self._sd.RawOutputStream(samplerate=rate, **wanted)
            self._stream.start()
        except (self._sd.PortAudioError, ValueError) as error:
            raise AudioError(f"cannot play on {self._shown} ({error})", remedy=describe_devices(self._sd)) from error
        self._channels, self._rest = audio.channels, b""

    async def write(self, pcm: bytes) -> None:
        """Play the audio; waits while the device's buffer is full."""
        if self._converter is not None:
            pcm = self._converter.feed(pcm)
        pcm = self._rest + pcm
        whole = len(pcm) - len(pcm) % (2 * self._channels)
        pcm, self._rest = pcm[:whole], pcm[whole:]
        for start in range(0, len(pcm), _PIECE_BYTES):
            await asyncio.to_thread(self._write, pcm[start : start + _PIECE_BYTES], last=False)

    def _write(self, pcm: bytes, *, last: bool) -> None:
        # A cancelled wait leaves its thread behind: the stream must not be closed under it.
        with self._lock:
            if self._stream is not None:
                self._write_stream(pcm, last)

    def _write_stream(self, pcm: bytes, last: bool) -> None:
        if self._resample is not None:
            import numpy as np

            samples = np.frombuffer(pcm, "<i2").reshape(-1, self._channels)
            pcm = self._resample.resample_chunk(samples, last=last).tobytes()
        if not pcm:
            return
        try:
            self._stream.write(pcm)
        except self._sd.PortAudioError as error:
            raise AudioError(f"{self._shown} stopped playing ({error})") from error

    async def finish(self) -> None:
        """Wait until the device's buffer is empty."""
        tail = self._converter.flush() if self._converter is not None else b""
        await asyncio.to_thread(self._write, tail, last=True)
        await asyncio.to_thread(self._close, drain=True)

    async def stop(self) -> None:
        """Drop the device's buffer and close it."""
        await asyncio.to_thread(self._close, drain=False)

    def _close(self, *, drain: bool) -> None:
        with self._lock:
            stream, self._stream = self._stream, None
            if stream is None:
                return
            if drain:
                stream.stop()
            stream.close()

    @property
    def _shown(self) -> str:
        return "the default sound device" if self._device is None else f"sound device {self._device!r}"

    async def __aenter__(self) -> DeviceSpeaker:
        if self._sd is None:
            self._sd = await asyncio.to_thread(load_sounddevice)
        try:
            self._sd.query_devices(self._device, "output")
        except (ValueError, self._sd.PortAudioError) as error:
            raise AudioError(f"{self._shown} cannot play", remedy=describe_devices(self._sd)) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
