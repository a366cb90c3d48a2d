"""What is done to the sound before anything listens to it: echo, noise and gain.

Echo cancellation is WebRTC's AEC3 as pywebrtc-audio brings it, noise suppression and gain are WebRTC's as
webrtc-noise-gain brings them; each is imported only if it is switched on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Protocol

from hearth_core import extras
from hearth_core.audio import BYTES_PER_SECOND, RATE, Chunker, Converter, PcmFormat
from hearth_core.errors import EngineError

from .microphone import Microphone
from .speaker import Speaker

if TYPE_CHECKING:
    from hearth_core.config_front_end import FrontEndConfig

_LOG = logging.getLogger(__name__)

FRAME_BYTES: Final = BYTES_PER_SECOND // 100  # 10 ms, the only size that WebRTC takes
_MAX_REFERENCE_BYTES: Final = 60 * BYTES_PER_SECOND  # a chunk of an answer is at most 1 MiB, 33 s of this

# A device that is behind holds back 2 s at most (`microphone`). After a longer pause what was played meanwhile is no
# echo of anything any more: held against speech, it takes the first wake word out with it.
_PAUSE_S: Final = 2.5


class Stage(Protocol):
    """One thing that is done to the sound, 10 ms at a time."""

    def __call__(self, frame: bytes) -> bytes:
        """Return what becomes of `FRAME_BYTES`, 16 kHz s16le mono; as many."""


class Reference:
    """What the satellite plays, as 16 kHz mono, in the order and at the pace in which it is heard.

    The speaker adds what it is given; the echo canceller takes as much as the microphone has delivered. What the
    speaker's buffer holds back is a delay, and the canceller finds it.
    """

    def __init__(self) -> None:
        self._pcm = bytearray()

    def add(self, pcm: bytes) -> None:
        """Take what is played next."""
        self._pcm += pcm
        if len(self._pcm) > _MAX_REFERENCE_BYTES:  # nobody takes it: the microphone is dead
            del self._pcm[:-_MAX_REFERENCE_BYTES]

    def take(self, size: int) -> bytes:
        """Return the next so many bytes; zeros where nothing is played."""
        taken = bytes(self._pcm[:size])
        del self._pcm[:size]
        return taken.ljust(size, b"\0")

    def skip(self, size: int) -> None:
        """Drop the next so many bytes: they were played, and nobody heard them."""
        del self._pcm[:size]

    def clear(self) -> None:
        """Forget what was not heard any more."""
        self._pcm.clear()


class EchoCanceller:
    """Takes out of the microphone's sound what the reference says was played.

    Args:
        reference: what is played.
        delay_ms: from a sound's writing to its hearing; 0 lets it be found.

    Raises:
        EngineError: pywebrtc-audio is not installed.
    """

    def __init__(self, reference: Reference, *, delay_ms: int = 0) -> None:
        import numpy as np

        webrtc = extras.load("pywebrtc_audio", extra="front-end", error=EngineError)
        self._np = np
        self._canceller: Any = webrtc.EchoCanceller(sample_rate=16_000, num_channels=1, stream_delay_ms=delay_ms)
        self._reference = reference

    def __call__(self, frame: bytes) -> bytes:
        """Return the frame without the echo."""
        np = self._np
        played = np.frombuffer(self._reference.take(len(frame)), "<i2")
        cleaned: bytes = self._canceller.process(np.frombuffer(frame, "<i2"), played).tobytes()
        return cleaned


class NoiseGain:
    """Takes steady noise out, and brings speech to one level.

    Args:
        suppression: 0 is off, 4 the most.
        gain_dbfs: the level, dB below full scale; 0 is off.

    Raises:
        EngineError: webrtc-noise-gain is not installed.
    """

    def __init__(self, suppression: int, gain_dbfs: int) -> None:
        webrtc = extras.load("webrtc_noise_gain", extra="front-end", error=EngineError)
        self._processor: Any = webrtc.AudioProcessor(gain_dbfs, suppression)

    def __call__(self, frame: bytes) -> bytes:
        """Return the frame with less noise."""
        cleaned: bytes = self._processor.Process10ms(frame).audio
        return cleaned


class FrontEnd:
    """The stages in their order; what is left of 10 ms waits for the next sound.

    Args:
        stages: what is done; nothing if there are none.
        reference: what is told of everything that is played, if a stage needs it.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        reference: Reference | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stages = tuple(stages)
        self._reference = reference
        self._clock = clock
        self._fed_at = clock()
        self._chunker = Chunker(FRAME_BYTES)

    def feed(self, pcm: bytes) -> bytes:
        """Take the next sound, 16 kHz s16le mono; return what became of the whole frames."""
        now = self._clock()
        pause_s, self._fed_at = now - self._fed_at, now
        if self._reference is not None and pause_s > _PAUSE_S:
            self._reference.skip(max(0, int(pause_s * RATE) * 2 - len(pcm)))
        done = bytearray()
        for frame in self._chunker.feed(pcm):
            for stage in self._stages:
                frame = stage(frame)
            done += frame
        return bytes(done)

    def hears(self, microphone: Microphone) -> Microphone:
        """Return the microphone behind this front end; itself if nothing is switched on."""
        return CleanMicrophone(microphone, self) if self._stages else microphone

    def plays(self, speaker: Speaker) -> Speaker:
        """Return the speaker that the front end knows of; itself if that is not needed, or it makes no sound."""
        if self._reference is None or not speaker.audible:
            return speaker
        return ReferencedSpeaker(speaker, self._reference)


class CleanMicrophone:
    """A microphone behind a front end; its chunks are of any whole number of 10 ms.

    Args:
        microphone: entered with this one.
        front_end: what is done to its sound.
    """

    def __init__(self, microphone: Microphone, front_end: FrontEnd) -> None:
        self._microphone = microphone
        self._front_end = front_end

    async def __aenter__(self) -> CleanMicrophone:
        await self._microphone.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._microphone.__aexit__(kind, error, trace)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._microphone:
            if cleaned := self._front_end.feed(chunk):
                yield cleaned


class ReferencedSpeaker:
    """A speaker whose every sound is also the echo canceller's reference: answers, chimes, whatever is played.

    Args:
        speaker: where the sound goes.
        reference: told of it.
    """

    def __init__(self, speaker: Speaker, reference: Reference) -> None:
        self._speaker = speaker
        self._reference = reference
        self._converter: Converter | None = None
        self.audible = speaker.audible

    async def start(self, audio: PcmFormat) -> None:
        """Begin a sound."""
        await self._speaker.start(audio)
        self._converter = Converter(audio)

    async def write(self, pcm: bytes) -> None:
        """Play the next audio."""
        if self._converter is not None:
            self._reference.add(self._converter.feed(pcm))
        await self._speaker.write(pcm)

    async def finish(self) -> None:
        """Wait until all was heard."""
        if self._converter is not None:
            self._reference.add(self._converter.flush())
        self._converter = None
        await self._speaker.finish()

    async def stop(self) -> None:
        """Fall silent at once."""
        self._converter = None
        self._reference.clear()
        await self._speaker.stop()

    async def __aenter__(self) -> ReferencedSpeaker:
        await self._speaker.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._speaker.__aexit__(kind, error, trace)


def build(config: FrontEndConfig) -> FrontEnd:
    """Return what the configuration switches on.

    Raises:
        EngineError: a package that it needs is not installed.
    """
    stages: list[Stage] = []
    reference = None
    if config.echo_cancellation:
        reference = Reference()
        stages.append(EchoCanceller(reference, delay_ms=config.echo_delay_ms))
    if config.noise_suppression or config.gain_dbfs:
        stages.append(NoiseGain(config.noise_suppression, config.gain_dbfs))
    if stages:
        _LOG.info("the front end: %s", ", ".join(type(stage).__name__ for stage in stages))
    return FrontEnd(stages, reference)
