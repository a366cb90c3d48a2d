"""The wake words of pymicro-wakeword: streaming models of 60 kB each that share their features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from hearth_core.errors import EngineError

from .wake_word import Model, WakePhrase

if TYPE_CHECKING:
    from numpy.typing import NDArray

MICRO_WORDS: Final = ("okay_nabu", "hey_jarvis", "alexa", "hey_mycroft")
"""The models in pymicro-wakeword's wheel; one test holds this beside the package's own list."""

_MAX_LATENCY_S: Final = 0.3  # 0.29 s is the latest of 15 synthesised words, median 0.18 s


class MicroEngine:
    """Scores of pymicro-wakeword's models.

    Args:
        words: names out of `MICRO_WORDS`, none twice.

    Raises:
        EngineError: pymicro-wakeword is not installed, or its library does not load on this machine.
    """

    latency_s = _MAX_LATENCY_S

    def __init__(self, words: Sequence[str]) -> None:
        self._features, self._models = _load(words)
        self.models = tuple(
            Model(WakePhrase(m.id, m.wake_word, tuple(m.trained_languages)), m.probability_cutoff) for m in self._models
        )

    def feed(self, chunk: bytes) -> list[tuple[float, ...]]:
        """Take the next sound; return the scores of all models, once for each step of 30 ms that it completes."""
        return [
            tuple(_score(model, features) for model in self._models)
            for features in self._features.process_streaming(chunk)
        ]

    def reset(self) -> None:
        """Forget the sound so far."""
        self._features.reset()
        for model in self._models:
            model.reset()


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
        return pmw.MicroWakeWordFeatures(), [pmw.MicroWakeWord.from_builtin(pmw.Model(word)) for word in words]
    except (OSError, ValueError, RuntimeError) as error:
        raise EngineError(f"the wake word model cannot be loaded ({error})") from error
