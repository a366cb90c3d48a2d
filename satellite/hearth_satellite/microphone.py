"""Where the satellite's sound comes from: a device, recordings, or standard input.

Every microphone gives chunks of `CHUNK_BYTES`, 16 kHz s16le mono, whatever its source has; the last is padded with
zeros.
"""

from __future__ import annotations

import asyncio
import io
import logging
import os
import stat
import sys
import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol

from hearth_core.audio import BYTES_PER_SECOND, Chunker, Converter, PcmFormat, read_recording
from hearth_core.errors import AudioError

from .device import apart, close_stream, describe_devices, device_key, input_formats, load_sounddevice, refresh_devices

_LOG = logging.getLogger(__name__)

CHUNK_BYTES: Final = 1024  # 32 ms, the window of Silero VAD: no chunk waits for the next one to be judged
CHUNK_S: Final = CHUNK_BYTES / BYTES_PER_SECOND
_SILENCE: Final = bytes(CHUNK_BYTES)
# A satellite that is busy for a second has a fault; more sound than that is stale, and 2 s are 64 kB.
_MAX_WAITING: Final = 64
_FINISH_S: Final = 0.3  # servers give sound every 20 to 90 ms


class Microphone(Protocol):
    """Gives sound while it is entered; iterated once."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def __aenter__(self) -> Microphone: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def _always() -> bool:
    return True


class FileMicrophone:
    """Recordings, one after the other, with quiet between them, as if somebody spoke them into a room.

    A recording begins when `ready` says that somebody listens; until then, and for `pause_s` after each recording, the
    room is quiet. So no recording is lost while no driver is there, or while the answer to the one before is awaited.

    Args:
        paths: WAV, FLAC or what else libsndfile reads; any rate, width and number of channels.
        ready: whether the next recording may begin.
        pause_s: the quiet after each recording; it must last for the end of speech to be found in it.
        realtime: at the pace of speech; if not, as fast as it is taken, but for the quiet while waiting.

    Raises:
        AudioError: on entering, a recording is missing, empty, or none.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        ready: Callable[[], bool] = _always,
        pause_s: float = 1.5,
        realtime: bool = True,
    ) -> None:
        self._paths = tuple(paths)
        self._ready = ready
        self._pause_chunks = round(pause_s / CHUNK_S)
        self._realtime = realtime
        self._recordings: list[bytes] = []

    async def __aenter__(self) -> FileMicrophone:
        if not self._paths:
            raise AudioError("no recording is given", remedy="Name one with --mic-file")
        self._recordings = [await asyncio.to_thread(read_recording, path) for path in self._paths]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._recordings = []

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pace = _Pace()
        for path, recording in zip(self._paths, self._recordings, strict=True):
            while not self._ready():
                await pace.wait()
                yield _SILENCE
            _LOG.info("playing %s (%.2f s)", path.name, len(recording) / BYTES_PER_SECOND)
            chunker = Chunker(CHUNK_BYTES)
            spoken = [*chunker.feed(recording), *_rest(chunker)]
            for chunk in [*spoken, *[_SILENCE] * self._pause_chunks]:
                if self._realtime:
                    await pace.wait()
                yield chunk


def _rest(chunker: Chunker) -> list[bytes]:
    last = chunker.flush()
    return [] if last is None else [last]


class _Pace:
    """Lets one chunk through per chunk's time; time that was lost elsewhere is caught up, but never by a burst."""

    def __init__(self) -> None:
        self._due = 0.0

    async def wait(self) -> None:
        now = asyncio.get_running_loop().time()
        self._due = max(self._due + CHUNK_S, now - CHUNK_S)
        await asyncio.sleep(max(0.0, self._due - now))


class ByteStream(Protocol):
    """Anything that raw audio can be read from."""

    def read(self, size: int, /) -> bytes | None:
        """Return up to so many bytes as soon as there are some, none at the end."""


class StdinMicrophone:
    """Raw PCM from standard input, or any other stream of bytes.

    Nothing is read before `ready` first says that somebody listens, so a file that is piped in is not lost; from then
    on everything is read as it comes.

    Args:
        audio: the format of the PCM.
        channel: which channel to hear, 1 is the first; 0 is the mean of all.
        ready: whether reading may begin.
        stream: standard input if None.

    Raises:
        AudioError: on entering, standard input is closed.
    """

    def __init__(
        self,
        audio: PcmFormat,
        *,
        channel: int = 0,
        ready: Callable[[], bool] = _always,
        stream: ByteStream | None = None,
    ) -> None:
        self._audio = audio
        self._channel = channel
        self._ready = ready
        self._stream = stream
        self._closed = threading.Event()

    async def __aenter__(self) -> StdinMicrophone:
        if self._stream is None:
            # Unbuffered: a thread that is left in a read of sys.stdin.buffer would hold its lock, and abort the exit.
            try:
                self._stream = io.FileIO(sys.stdin.fileno(), "rb", closefd=False)
            except (AttributeError, OSError, ValueError) as error:
                raise AudioError("standard input is closed", remedy="Pipe raw PCM into it") from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pace = _Pace()
        while not self._ready():
            await pace.wait()
        read = self._read_pipe if _is_pipe(self._stream) else self._begin_thread()
        converter, chunker = Converter(self._audio, channel=self._channel), Chunker(CHUNK_BYTES)
        while block := await read():
            for chunk in chunker.feed(converter.feed(block)):
                yield chunk
        for chunk in [*chunker.feed(converter.flush()), *_rest(chunker)]:
            yield chunk

    async def _read_pipe(self) -> bytes:
        """Return the next sound of a pipe, none at its end; what nobody asks for stays in it, and its writer waits.

        Handing it over from a thread costs a satellite at rest a third of its time.
        """
        assert isinstance(self._stream, io.FileIO)
        while True:
            await _readable(self._stream.fileno())
            block = self._read()
            if block is not None:
                return block

    def _read(self) -> bytes | None:
        """Return the next sound, none at the end; None if there is none yet and the stream does not wait."""
        assert self._stream is not None
        try:
            return self._stream.read(round(self._audio.rate * CHUNK_S) * self._audio.frame_bytes)
        except (OSError, ValueError) as error:  # ValueError: closed meanwhile
            _LOG.warning("standard input ended: %s", error)
            return b""

    def _begin_thread(self) -> Callable[[], Awaitable[bytes]]:
        """Read in a thread, whatever it is that is read from; return what gives the next sound."""
        loop = asyncio.get_running_loop()
        blocks: asyncio.Queue[bytes] = asyncio.Queue(_MAX_WAITING)
        # A daemon: a read from a terminal cannot be broken off, and must not keep the process alive.
        threading.Thread(target=self._read_all, args=(loop, blocks), name="stdin", daemon=True).start()
        return blocks.get

    def _read_all(self, loop: asyncio.AbstractEventLoop, blocks: asyncio.Queue[bytes]) -> None:
        while not self._closed.is_set():
            block = self._read() or b""
            try:
                # Waits while the queue is full, so the pipe fills and its writer waits.
                asyncio.run_coroutine_threadsafe(blocks.put(block), loop).result()
            except (RuntimeError, asyncio.CancelledError):
                return  # the loop is gone
            if not block:
                return


def _is_pipe(stream: ByteStream | None) -> bool:
    """Whether the loop itself can wait for a stream: where the system has pipes, and it is one, without a buffer."""
    if sys.platform == "win32" or not isinstance(stream, io.FileIO) or stream.closed:
        return False
    return stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode)


async def _readable(fd: int) -> None:
    """Wait until something can be read."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(fd, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(fd)


class DeviceMicrophone:
    """A sound device through PortAudio.

    Sound that nobody takes for two seconds is dropped, the oldest first, and counted in `dropped`. It ends where
    PortAudio says so, as when a sound server goes.

    Args:
        device: name, part of a name or number; None is the system's default.
        audio: the format to ask for, 16 bit; a device that refuses it is opened at its own rate or with all its
            channels.
        channel: which channel to hear, 1 is the first; 0 is the mean of all.
        refresh: look for new devices first, as after one was pulled out and put back.
        sounddevice: the library; loaded when it is first needed.

    Raises:
        AudioError: on entering, PortAudio is missing, or there is no such device, or it does not open.
    """

    def __init__(
        self,
        device: str | int | None,
        audio: PcmFormat,
        *,
        channel: int = 0,
        refresh: bool = False,
        sounddevice: Any = None,
    ) -> None:
        self._device = device_key(device)
        self._audio = audio
        self._channel = channel
        self._refresh = refresh
        self._sd = sounddevice
        self._stream: Any = None
        self._blocks: deque[bytes] = deque()
        self._arrived = asyncio.Event()
        self._closing = threading.Event()
        self._finished = threading.Event()  # PortAudio's thread has ended
        self.dropped = 0

    async def __aenter__(self) -> DeviceMicrophone:
        if self._sd is None:
            self._sd = await asyncio.to_thread(load_sounddevice)
        loop = asyncio.get_running_loop()

        def callback(block: Any, frames: int, time: Any, status: Any) -> None:
            if self._closing.is_set():
                raise self._sd.CallbackStop
            with suppress(RuntimeError):  # the loop has ended before the stream
                loop.call_soon_threadsafe(self._put, bytes(block))

        def finished() -> None:
            self._finished.set()
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._arrived.set)

        try:
            await apart(self._open, callback, finished)
        except asyncio.CancelledError:
            self._closing.set()  # if it opens after all, nobody is told of its sound
            raise
        return self

    def _open(self, callback: Callable[..., None], finished: Callable[[], None]) -> None:
        shown = "the default sound device" if self._device is None else f"sound device {self._device!r}"
        try:
            if self._refresh:
                refresh_devices(self._sd)
            self._audio = self._accepted()
            audio = self._audio
            self._stream = self._sd.RawInputStream(
                device=self._device,
                channels=audio.channels,
                dtype="int16",
                samplerate=audio.rate,
                blocksize=round(audio.rate * CHUNK_S),
                callback=callback,
                finished_callback=finished,
            )
            self._stream.start()
        except (self._sd.PortAudioError, ValueError) as error:
            raise AudioError(f"cannot listen on {shown} ({error})", remedy=describe_devices(self._sd)) from error

    def _accepted(self) -> PcmFormat:
        """Return the first format that the device takes."""
        formats = input_formats(self._sd, self._device, self._audio)
        for audio in formats[:-1]:
            wanted = {"device": self._device, "channels": audio.channels, "dtype": "int16", "samplerate": audio.rate}
            try:
                self._sd.check_input_settings(**wanted)
            except self._sd.PortAudioError as error:
                _LOG.debug("%d Hz and %d channels are refused: %s", audio.rate, audio.channels, error)
            else:
                return audio
        return formats[-1]  # opening it says why it cannot be

    def _put(self, block: bytes) -> None:
        if len(self._blocks) >= _MAX_WAITING:
            self._blocks.popleft()
            if self.dropped == 0:
                _LOG.warning("the satellite is too slow for its microphone: sound is dropped")
            self.dropped += 1
        self._blocks.append(block)
        self._arrived.set()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            # PortAudio ends its thread wherever that is, and libpulse's lock with it: then it never closes. So the
            # thread is left to end by itself, at the next sound; a device that gives none is closed without.
            self._closing.set()
            await asyncio.to_thread(self._finished.wait, _FINISH_S)
            await close_stream(self._sd, stream)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        converter, chunker = Converter(self._audio, channel=self._channel), Chunker(CHUNK_BYTES)
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._blocks:
                for chunk in chunker.feed(converter.feed(self._blocks.popleft())):
                    yield chunk
            if self._finished.is_set():
                return
