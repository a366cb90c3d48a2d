"""What a recogniser is given of a recording: from its first speech to its end, as the server cuts it."""

from __future__ import annotations

from hearth_core.audio import RATE
from hearth_core.command import Hypothesis
from hearth_core.speech import SileroDetector
from hearth_server.asr.engine import Ending, Engine, Stream
from hearth_server.listen import Listening

from . import commands


def given(engine: Engine, pcm: bytes) -> bytes:
    """Return what of a recording, 16 kHz s16le mono, the engine is given; nothing if nobody speaks in it."""
    keeping = _Keeping(engine)
    listening = Listening(keeping, commands.ENDPOINT, SileroDetector())
    pcm += bytes(int(commands.SILENCE_AFTER_S * RATE) * 2)
    for start in range(0, len(pcm), commands.CHUNK_BYTES):
        if listening.feed(pcm[start : start + commands.CHUNK_BYTES]) is not None:
            break
    listening.close()
    return bytes(keeping.kept)


class _Keeping:
    """An engine that keeps what it is given, for one utterance."""

    def __init__(self, engine: Engine) -> None:
        self.name, self.closed, self.least_confidence = engine.name, engine.closed, engine.least_confidence
        self.kept = bytearray()
        self._engine = engine
        self.use, self.close = engine.use, engine.close

    def open(self) -> Stream:
        return _KeepingStream(self._engine.open(), self.kept)


class _KeepingStream:
    def __init__(self, stream: Stream, kept: bytearray) -> None:
        self._stream = stream
        self._kept = kept
        self.pause, self.finish, self.close = stream.pause, stream.finish, stream.close

    def feed(self, pcm: bytes) -> Hypothesis | None:
        self._kept += pcm
        return self._stream.feed(pcm)

    def ending(self, unspoken_s: float) -> Ending:
        return self._stream.ending(unspoken_s)
