"""The wake words of pymicro-wakeword: streaming models of 60 kB each that share their features.

The wheel's library and models are used, its Python is not: per step that costs three times as much as the model itself.
One test holds the scores beside the wheel's own.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hearth_core.errors import EngineError

from .wake_word import OR_BUTTON, Model, WakePhrase

if TYPE_CHECKING:
    from numpy.typing import NDArray

MICRO_WORDS: Final = ("okay_nabu", "hey_jarvis", "alexa", "hey_mycroft")
"""The models in pymicro-wakeword's wheel; one test holds this beside the package's own list."""

_MAX_LATENCY_S: Final = 0.3  # 0.29 s is the latest of 15 synthesised words, median 0.18 s
_HOP_BYTES: Final = 320  # 10 ms of 16 kHz s16le: what one row of features takes
_FEATURES: Final = 40  # in a row
# Of 84 synthesised "Alexa, what's the time?" in a room of 3 of 32768 the model of alexa is sure of 40 without it,
# of 55 with it (57 with another as loud), of 60 with twice as much. That costs soft speech: of 84 "Alexa." of -51 dBFS
# it is sure of 75 without, 74 with this and 70 with twice as much.
_FLOOR: Final = 10.0  # of 32768: -70 dBFS
_FLOOR_SAMPLES: Final = 1 << 15


def installed() -> bool:
    """Return whether pymicro-wakeword is there, without importing it."""
    return find_spec("pymicro_wakeword") is not None


class MicroEngine:
    """Scores of pymicro-wakeword's models.

    Args:
        words: names out of `MICRO_WORDS`, none twice.

    Raises:
        EngineError: pymicro-wakeword is not installed, or its library does not load on this machine.
    """

    latency_s = _MAX_LATENCY_S

    def __init__(self, words: Sequence[str]) -> None:
        self._frontend, loaded = _load(words)
        self._scorers = [_Scorer(model) for model in loaded]
        self.models = tuple(
            Model(WakePhrase(m.id, m.wake_word, tuple(m.trained_languages)), m.probability_cutoff) for m in loaded
        )
        self._stride = loaded[0].stride
        self._floor = Floor()
        self._rest = b""
        self._rows: list[float] = []

    def feed(self, chunk: bytes) -> list[tuple[float, ...]]:
        """Take the next sound; return the scores of all models, once for each step of 30 ms that it completes."""
        found = []
        pcm = self._rest + chunk
        whole = len(pcm) - len(pcm) % _HOP_BYTES
        self._rest = pcm[whole:]
        pcm = self._floor.under(pcm[:whole])
        for start in range(0, whole, _HOP_BYTES):
            self._rows += self._frontend.process_samples(pcm[start : start + _HOP_BYTES]).features
            if len(self._rows) >= self._stride * _FEATURES:
                rows = np.array(self._rows)
                self._rows.clear()
                found.append(tuple(scorer(rows) for scorer in self._scorers))
        return found

    def reset(self) -> None:
        """Forget the sound so far."""
        self._frontend.reset()
        self._floor.reset()
        self._rest = b""
        self._rows.clear()
        for scorer in self._scorers:
            scorer.reset()


class Floor:
    """A soft noise under what a microphone hears, always the same one.

    The models learnt in rooms that hum and hiss. Where a microphone cuts all that away, or a room has none, the front
    end's gain follows each sound, and a word that the next one follows at once is missed.
    """

    def __init__(self) -> None:
        noise = np.random.default_rng(1).normal(0.0, _FLOOR, _FLOOR_SAMPLES)
        self._noise = np.rint(noise).astype(np.int32)
        self._at = 0

    def under(self, pcm: bytes) -> bytes:
        """Return sound, whole samples of s16le, with the noise under it."""
        samples = np.frombuffer(pcm, "<i2").astype(np.int32)
        samples += self._noise.take(np.arange(self._at, self._at + len(samples)), mode="wrap")
        self._at = (self._at + len(samples)) % _FLOOR_SAMPLES
        return samples.clip(-32768, 32767).astype("<i2").tobytes()

    def reset(self) -> None:
        """Begin with the noise's beginning."""
        self._at = 0


class _Scorer:
    """One model: rows of features to the mean of its last probabilities, without anything new for each step."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._lib = model.lib
        self._scale, self._zero = float(model.input_scale), float(model.input_zero_point)
        self._input: NDArray[Any] = np.zeros(model.stride * _FEATURES, model.input_dtype)
        self._output: NDArray[Any] = np.zeros(1, model.output_dtype)
        self._input_at, self._output_at = self._input.ctypes.data, self._output.ctypes.data
        self._latest: deque[float] = deque(maxlen=model.sliding_window_size)

    def __call__(self, rows: NDArray[np.float64]) -> float:
        """Return 0 to 1 for the rows of one step, one after the other, shape (stride * 40,); 0 before the first few."""
        model, lib = self._model, self._lib
        self._input[:] = np.rint(rows / self._scale + self._zero)
        lib.TfLiteTensorCopyFromBuffer(model.input_tensor, self._input_at, self._input.nbytes)
        lib.TfLiteInterpreterInvoke(model.interpreter)
        lib.TfLiteTensorCopyToBuffer(model.output_tensor, self._output_at, self._output.nbytes)
        self._latest.append((int(self._output[0]) - model.output_zero_point) * model.output_scale)
        return math.fsum(self._latest) / len(self._latest) if len(self._latest) == self._latest.maxlen else 0.0

    def reset(self) -> None:
        """Forget the sound so far; the model's library makes its tensors anew."""
        self._latest.clear()
        self._model.reset()


def _load(words: Sequence[str]) -> tuple[Any, list[Any]]:
    try:
        import pymicro_wakeword as pmw
        from pymicro_features import MicroFrontend
    except ImportError as error:
        raise EngineError(
            f"pymicro-wakeword cannot be loaded ({error})",
            remedy=f"pip install 'hearth-voice[satellite]', {OR_BUTTON}",
        ) from error
    try:
        models = [pmw.MicroWakeWord.from_builtin(pmw.Model(word)) for word in words]
    except (OSError, ValueError, RuntimeError) as error:
        raise EngineError(f"the wake word model cannot be loaded ({error})") from error
    if len({model.stride for model in models}) != 1:
        raise EngineError("the wake word models take steps of several lengths", remedy="Name fewer wake words")
    return MicroFrontend(), models
