"""A microphone that others speak into: whoever connects to a port sends raw PCM, or Wyoming's audio events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Final, Literal

from wyoming.audio import AudioChunk, AudioStart

from hearth_core.audio import Chunker, Converter, PcmFormat
from hearth_core.errors import AudioError, PeerError, WireError
from hearth_core.frame import Decoder, Limits, parse

from .microphone import CHUNK_BYTES

_LOG = logging.getLogger(__name__)

_READ_BYTES: Final = 4096  # 128 ms of 16 kHz s16le mono
_MAX_WAITING: Final = 64  # chunks: two seconds; then the writer waits
_TICK_S: Final = 0.05  # how late it may be noticed that somebody listens


class SocketMicrophone:
    """Sound from the network, for tests and for capture that runs elsewhere.

    One peer at a time: a second one takes over from the first, for a peer that was cut off may still look connected.
    Of each peer nothing is read before `ready` first says that its sound is heeded, and then no faster than it is
    taken. In the middle of a command it is: who comes back then brings the rest of it.
    When it leaves, its last chunk is padded with zeros, and the next peer is waited for.

    Args:
        host: address to listen on.
        port: 0 takes a free one.
        audio: the format of raw PCM; Wyoming's events name their own.
        protocol: what the peers speak.
        channel: which channel to hear, 1 is the first; 0 is the mean of all.
        ready: whether reading may begin.

    Raises:
        AudioError: on entering, the address cannot be listened on.
    """

    def __init__(
        self,
        host: str,
        port: int,
        audio: PcmFormat,
        *,
        protocol: Literal["raw", "wyoming"] = "raw",
        channel: int = 0,
        ready: Callable[[], bool] = lambda: True,
    ) -> None:
        self._host, self._port = host, port
        self._audio = audio
        self._protocol = protocol
        self._channel = channel
        self._ready = ready
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue(_MAX_WAITING)
        self._server: asyncio.Server | None = None
        self._peer: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port that is listened on, once entered."""
        return self._port

    async def __aenter__(self) -> SocketMicrophone:
        try:
            self._server = await asyncio.start_server(self._on_peer, self._host, self._port)
        except (OSError, OverflowError) as error:
            raise AudioError(
                f"cannot listen for sound on {self._host}:{self._port} ({error})",
                remedy="Choose another satellite.microphone.port",
            ) from error
        self._port = self._server.sockets[0].getsockname()[1]
        _LOG.info("listening for %s sound on %s:%d", self._protocol, self._host, self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        if self._peer is not None:
            self._peer.cancel()
            await asyncio.gather(self._peer, return_exceptions=True)
        self._server = self._peer = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield await self._chunks.get()

    async def _on_peer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        former, self._peer = self._peer, asyncio.current_task()
        if former is not None and not former.done():
            _LOG.info("another peer takes over the microphone")
            former.cancel()
        name = writer.get_extra_info("peername")
        try:
            while not self._ready():  # noqa: ASYNC110 - the session waits for nothing
                await asyncio.sleep(_TICK_S)
            await (self._hear_raw(reader) if self._protocol == "raw" else self._hear_wyoming(reader))
            _LOG.info("%s has ended its sound", name)
        except (WireError, PeerError, AudioError) as error:
            _LOG.warning("%s is closed: %s", name, error)
        except OSError as error:
            _LOG.info("%s is gone: %s", name, error)
        except asyncio.CancelledError:
            pass  # another peer took over, or the satellite stops; nobody awaits this task
        finally:
            writer.close()  # nothing was written, so there is nothing to wait for

    async def _hear_raw(self, reader: asyncio.StreamReader) -> None:
        sound = _Sound(self._audio, self._channel)
        while pcm := await reader.read(_READ_BYTES):
            await self._put(sound.feed(pcm))
        await self._put(sound.flush())

    async def _hear_wyoming(self, reader: asyncio.StreamReader) -> None:
        decoder = Decoder(Limits())
        sound = _Sound(self._audio, self._channel)
        while raw := await reader.read(_READ_BYTES):
            decoder.feed(raw)
            while (event := decoder.next_event()) is not None:
                if AudioStart.is_type(event.type):
                    start = parse(AudioStart, event)
                    await self._put(sound.flush())
                    sound = _Sound(PcmFormat(start.rate, start.width, start.channels), self._channel)
                elif AudioChunk.is_type(event.type):
                    await self._put(sound.feed(parse(AudioChunk, event).audio))
        await self._put(sound.flush())

    async def _put(self, chunks: list[bytes]) -> None:
        for chunk in chunks:
            await self._chunks.put(chunk)


class _Sound:
    """Any PCM to chunks."""

    def __init__(self, audio: PcmFormat, channel: int) -> None:
        self._converter = Converter(audio, channel=min(channel, audio.channels))
        self._chunker = Chunker(CHUNK_BYTES)

    def feed(self, pcm: bytes) -> list[bytes]:
        return list(self._chunker.feed(self._converter.feed(pcm)))

    def flush(self) -> list[bytes]:
        chunks = list(self._chunker.feed(self._converter.flush()))
        last = self._chunker.flush()
        return chunks if last is None else [*chunks, last]
