"""Stand-ins around a satellite's session: chunks that mean something by their bytes, and a clock that is moved."""

from __future__ import annotations

import asyncio

from wyoming.event import Event

from hearth_core.audio import PcmFormat
from hearth_core.command import Detection, EndReason
from hearth_core.errors import AudioError
from hearth_satellite.playback import Playback, Sound
from hearth_satellite.speaker import NullSpeaker
from hearth_satellite.wake_word import Trigger, WakePhrase

QUIET, WAKE, TALK, END = (bytes([i]) * 1024 for i in range(4))


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Peer:
    """A driver that remembers what it was sent."""

    def __init__(self, name: str = "peer") -> None:
        self.name = name
        self.verifies = False
        self.events: list[Event] = []
        self.closed: str | None = None

    def send(self, event: Event) -> None:
        self.events.append(event)

    def close(self, reason: str) -> None:
        self.closed = reason

    def types(self) -> list[str]:
        return [event.type for event in self.events]

    def heard(self) -> bytes:
        return b"".join(event.payload or b"" for event in self.events)


class ByteWake:
    """Detects the chunk `WAKE`."""

    def __init__(self, preroll_s: float = 0.064, *, words: bool = True) -> None:
        self.phrases: tuple[WakePhrase, ...] = (WakePhrase("alexa", "Alexa"),) if words else ()
        self.trigger = Trigger.WAKE_WORD if words else Trigger.SPEECH
        self.preroll_s = preroll_s

    def feed(self, chunk: bytes) -> Detection | None:
        return Detection("alexa" if self.phrases else "", 0.99, 1234) if chunk == WAKE else None

    def reset(self) -> None:
        pass


class ByteEnd:
    """Ends a command at the chunk `END`; remembers what it was fed."""

    def __init__(self) -> None:
        self.fed: list[bytes] = []
        self.met: bytes | None = None
        self.speech_started = False

    def feed(self, pcm: bytes) -> EndReason | None:
        self.fed.append(pcm)
        self.speech_started |= pcm == TALK
        return EndReason.SILENCE if pcm == END else None

    def reset(self) -> None:
        self.fed, self.met, self.speech_started = [], None, False

    def meet(self, word: bytes) -> None:
        self.met = word


class Sounds(Playback):
    """Playback that ends a sound only when a test says so."""

    def __init__(self, *, audible: bool = False) -> None:
        speaker = NullSpeaker()
        speaker.audible = audible
        super().__init__(speaker, lambda sound: None)
        self.given: list[Sound] = []
        self.stopped = 0

    def play(self, sound: Sound, *, first: bool = False) -> None:
        self.given.insert(0 if first else len(self.given), sound)

    def stop(self) -> None:
        self.stopped += 1
        super().stop()

    def labels(self) -> list[str]:
        return [sound.label for sound in self.given]


class RecordingSpeaker(NullSpeaker):
    """Remembers what it was told; fails at a sound of 8 kHz; lets nothing through while `blocked`."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[object] = []
        self.free = asyncio.Event()
        self.free.set()

    async def start(self, audio: PcmFormat) -> None:
        self.said.append(audio.rate)
        if audio.rate == 8000:
            raise AudioError("cannot play 8 kHz")

    async def write(self, pcm: bytes) -> None:
        await self.free.wait()
        self.said.append(pcm)

    async def finish(self) -> None:
        self.said.append("finish")

    async def stop(self) -> None:
        self.said.append("stop")
