"""One utterance from its first chunk to its text: the endpointer finds the speech, the recogniser hears that alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import cache
from typing import Final, Protocol, runtime_checkable

from hearth_core.audio import RATE
from hearth_core.command import EndReason, Hypothesis, Transcription
from hearth_core.speech import Endpointer, EndpointSettings, SpeechDetector

from .asr.engine import Biased, Engine, Outlook, Recogniser, Replying, Stream

# The detector says so late that somebody speaks (up to 0.3 s by itself, and its onset): what goes before is kept.
PREROLL_S: Final = 0.5
# Where it doubted for longer whether somebody does, all of that and this much before it is kept, but no more than so
# much in all: what sounds before the speaker costs readings. With 1.2 s kept always 151 instead of 158 of 189 orders
# are done with dishes at 6 dB.
BEFORE_DOUBT_S: Final = 0.2
MOST_PREROLL_S: Final = 1.5
# The recogniser hears no more silence than this after speech; the rest waits for speech to go on.
TAIL_S: Final = 0.3
# A silence of this length may be the last; the recogniser catches up in it, not when the utterance is over.
PAUSE_S: Final = 0.2
# How often it is asked whether the utterance is over, whatever the chunks that come.
STEP_BYTES: Final = 1024  # 32 ms

_SAMPLE_BYTES: Final = 2


class Utterance(Protocol):
    """One utterance that is heard, here or elsewhere; `Listening` says what each part of it does."""

    partial: Hypothesis | None

    @property
    def silence_s(self) -> float:
        """Seconds of audio since the last speech."""

    @property
    def threads(self) -> Executor:
        """Where `feed` and `finish` are to be called, because they take their time."""

    def meet(self, word: bytes, tail_s: float = 0.0) -> None:
        """Take the sound of the wake word before any other."""

    def feed(self, pcm: bytes) -> EndReason | None:
        """Take the next audio; return why the utterance is over, None while it is not."""

    def finish(self) -> Transcription:
        """End the utterance and return what was said."""

    def close(self) -> None:
        """Give the recogniser back; at once, and more than once if need be."""


@runtime_checkable
class RemoteRecogniser(Recogniser, Protocol):
    """A recogniser in other processes, which listens there."""

    def listen(
        self, settings: EndpointSettings, names: Sequence[str] = (), near: Sequence[str] = (), *, reply: bool = False
    ) -> Utterance:
        """Begin an utterance; what `Listening` would raise, `Utterance.feed` does."""


def listen(
    engine: Recogniser,
    settings: EndpointSettings,
    detector: Callable[[], SpeechDetector],
    names: Sequence[str] = (),
    near: Sequence[str] = (),
    *,
    reply: bool = False,
) -> Utterance:
    """Begin an utterance where the engine listens; arguments and errors are those of `Listening`."""
    if isinstance(engine, RemoteRecogniser):
        return engine.listen(settings, names, near, reply=reply)
    assert isinstance(engine, Engine)
    return Listening(engine, settings, detector(), names, near, reply=reply)


class Listening:
    """Audio in, a `Transcription` out. Synchronous, because all of it is computing; one thread at a time.

    A silence ends the utterance: a short one if the recogniser says that nothing can be added to what was said, a long
    one if it says that something is missing.

    Args:
        engine: the recogniser.
        settings: when an utterance ends.
        detector: what tells speech from other sound.
        names: what whoever sends the audio expects in it; for engines that can prefer words.
        near: what things in the speaker's room are called; likewise.
        reply: the speaker was asked something.

    Raises:
        EngineError: the engine cannot begin an utterance.
    """

    def __init__(
        self,
        engine: Engine,
        settings: EndpointSettings,
        detector: SpeechDetector,
        names: Sequence[str] = (),
        near: Sequence[str] = (),
        *,
        reply: bool = False,
    ) -> None:
        self.partial: Hypothesis | None = None
        self._engine = engine
        self._settings = settings
        self._endpointer = Endpointer(settings, detector)
        self._stream: Stream = engine.open()
        if (names or near) and isinstance(self._stream, Biased):
            self._stream.prefer(names, near)
        if reply and isinstance(self._stream, Replying):
            self._stream.reply()
        self._held = bytearray()  # audio that the recogniser has not heard yet
        self._position = 0  # where `_held` begins, in samples from the start
        self._end: EndReason | None = None
        self._quiet_s = 0.0  # since the last word, as the recogniser hears it

    @property
    def threads(self) -> Executor:
        """Those of the server."""
        return threads()

    @property
    def silence_s(self) -> float:
        """Seconds of audio since the last speech."""
        return max(self._unspoken_s, self._quiet_s)

    @property
    def _unspoken_s(self) -> float:
        spoken = self._endpointer.speech_end
        return 0.0 if spoken is None else (self._endpointer.samples - spoken) / RATE

    def meet(self, word: bytes, tail_s: float = 0.0) -> None:
        """Take the sound of the wake word, s16le mono, before any other; see `Endpointer.meet`."""
        self._endpointer.meet(word, tail_s)

    def feed(self, pcm: bytes) -> EndReason | None:
        """Take the next audio, 16 kHz s16le mono; return why the utterance is over, None while it is not.

        Raises:
            EngineError: the recogniser failed.
        """
        for piece in self._steps(pcm):
            if self._end is not None:
                break
            self._end = self._endpointer.feed(piece)
            self._held += piece
            spoken = self._endpointer.speech_end
            if self._endpointer.speech_started and spoken is not None:
                self._hear_until(spoken + int(TAIL_S * RATE))
                if self._unspoken_s >= PAUSE_S:
                    self._stream.pause()
                self._end = self._end or self._early()
            else:
                self._forget_before(self._wanted_from())
        return self._end

    def finish(self) -> Transcription:
        """End the utterance, whether `feed` said so or the audio is over, and return what was said.

        Raises:
            EngineError: the recogniser failed.
        """
        end = self._end or (EndReason.STOP if self._endpointer.speech_started else EndReason.NO_SPEECH)
        heard = self._stream.finish() if self._endpointer.speech_started else ()
        seconds = (self._position + len(self._held) // _SAMPLE_BYTES) / RATE
        engine = self._engine
        return Transcription(heard, engine.name, end, seconds, engine.closed, engine.least_confidence)

    def close(self) -> None:
        """Give the recogniser back; may be repeated."""
        self._stream.close()

    def _steps(self, pcm: bytes) -> Iterator[bytes]:
        """Cut the audio where steps from the stream's start end, so that its chunks decide nothing."""
        start = 0
        while start < len(pcm):
            heard = self._position * _SAMPLE_BYTES + len(self._held)
            size = STEP_BYTES - heard % STEP_BYTES
            yield pcm[start : start + size]
            start += size

    def _wanted_from(self) -> int:
        """Return from which sample on the recogniser is to hear what there is, should speech begin now."""
        now = self._position + len(self._held) // _SAMPLE_BYTES
        doubted = self._endpointer.doubted_since
        doubted_from = now if doubted is None else doubted - int(BEFORE_DOUBT_S * RATE)
        return max(min(now - int(PREROLL_S * RATE), doubted_from), now - int(MOST_PREROLL_S * RATE))

    def _early(self) -> EndReason | None:
        """Return why it is over if the recogniser knows that it is; otherwise say how long to wait."""
        unheard_s = len(self._held) / _SAMPLE_BYTES / RATE
        ending = self._stream.ending(max(0.0, self._unspoken_s - unheard_s))
        self._quiet_s = 0.0 if ending.outlook is Outlook.UNKNOWN else ending.silence_s + unheard_s
        settings = self._settings
        self._endpointer.silence_s = self._needed_s(ending.outlook)
        needed_s = None
        if ending.outlook is Outlook.COMPLETE:
            needed_s = settings.early_s
        elif ending.outlook is Outlook.ENOUGH and self._unspoken_s >= PAUSE_S:
            needed_s = settings.enough_s
        # What others say may be a command, too, but not the speaker's.
        over = needed_s is not None and self._quiet_s >= needed_s and self._endpointer.met
        return EndReason.SILENCE if over else None

    def _needed_s(self, outlook: Outlook) -> float:
        """Return how long the detector's silence must be."""
        settings = self._settings
        if outlook is Outlook.OPEN:
            return max(settings.silence_s, settings.open_s)
        extendable = outlook in (Outlook.EXTENDABLE, Outlook.ENOUGH)
        return min(settings.silence_s, settings.extendable_s) if extendable else settings.silence_s

    def _hear_until(self, sample: int) -> None:
        size = max(0, min(len(self._held), (sample - self._position) * _SAMPLE_BYTES))
        if size:
            self.partial = self._stream.feed(bytes(self._held[:size])) or self.partial
            self._drop(size)

    def _forget_before(self, sample: int) -> None:
        size = (sample - self._position) * _SAMPLE_BYTES
        if size > 0:
            self._drop(size)

    def _drop(self, size: int) -> None:
        del self._held[:size]
        self._position += size // _SAMPLE_BYTES


@cache
def threads() -> ThreadPoolExecutor:
    """Return the threads in which the server listens: as many as there are cores, and no fewer than two.

    With more they wait for Python's lock and move between cores: 50 speakers on two cores (bench/streams.py) are half
    as far behind after 10 s as with the six threads that asyncio takes by itself.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return ThreadPoolExecutor(max(2, cores), "listening")
