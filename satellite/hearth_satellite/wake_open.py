"""openWakeWord's way of hearing: two shared feature models, then one small head for each wake word.

The heads are files of the user's own. Those that openWakeWord publishes are under CC BY-NC-SA 4.0, so none is shipped;
its two feature models are under the Apache License and are fetched when the user asks (`wake_fetch`). The package
openwakeword itself is not used: 0.6.0 needs scikit-learn, and on Linux tflite-runtime, which has no wheel past Python
3.11. Its successor LiteRT (ai-edge-litert) runs the same `.tflite` files, and has wheels for Python 3.11 to 3.14 on
x86-64 and 64-bit ARM.

Source of the sizes: openWakeWord 0.6.0, `openwakeword/utils.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hearth_core import extras
from hearth_core.audio import Chunker
from hearth_core.errors import ConfigError, EngineError

from .wake_word import OR_BUTTON, Model, WakePhrase

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Run = Callable[[NDArray[Any]], NDArray[Any]]

FEATURE_MODELS: Final = ("melspectrogram.onnx", "embedding_model.onnx")

_STEP: Final = 1280  # samples, 80 ms: 8 frames of the spectrogram, one embedding
_OVERLAP: Final = 480  # samples before the step that its first frames need: three hops of 160
_BANDS: Final = 32
_WINDOW: Final = 76  # frames of the spectrogram for an embedding
_STRIDE: Final = _STEP // 160
_EMBEDDING: Final = 96
_SETTLING: Final = 5  # steps: the first scores are of windows that are mostly padding


class OpenEngine:
    """Scores of openWakeWord's heads.

    Args:
        heads: .onnx or .tflite files.
        features: the folder that holds `FEATURE_MODELS`.

    Raises:
        ConfigError: a file is missing.
        EngineError: onnxruntime, or for .tflite ai-edge-litert, is not installed; or a model is none of openWakeWord's.
    """

    _tail: NDArray[Any]
    _frames: NDArray[Any]
    _heard: NDArray[Any]
    _steps: int

    latency_s = 0.4  # a head's window ends up to one step late, and its training lets the word end 0.2 s before that

    def __init__(self, heads: Sequence[Path], features: Path) -> None:
        import numpy as np

        self._np = np
        # The heads first: nobody is to fetch models for a runtime that is not installed.
        self._heads = [_Head(path) for path in heads]
        self._spectrogram, self._embedding = (_feature_model(features / name) for name in FEATURE_MODELS)
        # openWakeWord's own default; a head that was trained elsewhere has the threshold that its maker says.
        self.models = tuple(Model(WakePhrase(head.name, head.name.replace("_", " ")), 0.5) for head in self._heads)
        self._embeddings = max((head.embeddings for head in self._heads), default=1)
        self._begin()
        self._check()

    def _check(self) -> None:
        """Hear some silence, so that models that do not fit are told at the start."""
        try:
            self.feed(bytes(2 * _STEP * 2))
        except (RuntimeError, ValueError, IndexError, TypeError) as error:
            raise EngineError(f"these are not openWakeWord's models: {error}", remedy="Fetch them again") from error
        self._begin()

    def feed(self, chunk: bytes) -> list[tuple[float, ...]]:
        """Take the next sound; return the scores of all heads, once for each step of 80 ms that it completes."""
        return [self._step(step) for step in self._chunker.feed(chunk)]

    def _step(self, pcm: bytes) -> tuple[float, ...]:
        np = self._np
        sound = np.concatenate([self._tail, np.frombuffer(pcm, "<i2").astype(np.float32)])
        self._tail = sound[-_OVERLAP:]
        # The model's decibels come to the range that the embedding was trained with.
        frames = self._spectrogram(sound[None]).reshape(-1, _BANDS) / 10.0 + 2.0
        self._frames = np.concatenate([self._frames, frames[-_STRIDE:]])[-_WINDOW:]
        embedding = self._embedding(self._frames.reshape(1, _WINDOW, _BANDS, 1).astype(np.float32))
        self._heard = np.concatenate([self._heard, embedding.reshape(1, _EMBEDDING)])[-self._embeddings :]
        self._steps += 1
        if self._steps <= _SETTLING:
            return tuple(0.0 for _ in self._heads)
        return tuple(head(self._heard) for head in self._heads)

    def reset(self) -> None:
        """Forget the sound so far."""
        self._begin()

    def _begin(self) -> None:
        np = self._np
        self._chunker = Chunker(_STEP * 2)
        self._tail = np.zeros(_OVERLAP, np.float32)
        self._frames = np.ones((_WINDOW, _BANDS), np.float32)  # as openWakeWord begins
        self._heard = np.zeros((self._embeddings, _EMBEDDING), np.float32)
        self._steps = 0


class _Head:
    """One wake word."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self._run, shape = _tflite(path) if path.suffix.lower() == ".tflite" else _onnx(path)
        if len(shape) != 3 or shape[2] != _EMBEDDING or not isinstance(shape[1], int) or not 1 <= shape[1] <= 200:
            raise EngineError(
                f"{path} is no head of openWakeWord: it takes {shape}", remedy="Give a model that openWakeWord trained"
            )
        self.embeddings: int = shape[1]

    def __call__(self, heard: NDArray[Any]) -> float:
        return float(self._run(heard[None, -self.embeddings :]).reshape(-1)[0])


def _feature_model(path: Path) -> Run:
    if not path.is_file():
        raise ConfigError(
            f"openWakeWord's {path.name} is not in {path.parent}",
            remedy="Fetch it with `hearth satellite-models`, or name its folder as satellite.wake.features",
        )
    return _onnx(path)[0]


def _onnx(path: Path) -> tuple[Run, list[Any]]:
    _must_exist(path)
    ort = _runtime("onnxruntime", path)
    options = ort.SessionOptions()
    options.inter_op_num_threads = options.intra_op_num_threads = 1  # a step takes milliseconds; threads would spin
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession(str(path), sess_options=options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own classes, which are made when it is loaded
        raise EngineError(f"{path} is not an ONNX model: {error}", remedy="Fetch or export it again") from error
    wanted = session.get_inputs()[0]

    def run(value: NDArray[Any]) -> NDArray[Any]:
        out: NDArray[Any] = session.run(None, {wanted.name: value})[0]
        return out

    return run, list(wanted.shape)


def _tflite(path: Path) -> tuple[Run, list[Any]]:
    import numpy as np

    _must_exist(path)
    litert = _runtime("ai_edge_litert.interpreter", path)
    try:
        model = litert.Interpreter(model_path=str(path), num_threads=1)
        model.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise EngineError(f"{path} is not a TensorFlow Lite model: {error}", remedy="Export it again") from error
    wanted, given = model.get_input_details()[0], model.get_output_details()[0]
    for place, what in ((wanted, "takes"), (given, "gives")):
        kind = np.dtype(place["dtype"]).name
        if kind != "float32":
            raise EngineError(
                f"{path} {what} {kind} where openWakeWord's heads have float32",
                remedy="Export it without quantising its input and output",
            )

    def run(value: NDArray[Any]) -> NDArray[Any]:
        model.set_tensor(wanted["index"], value)
        model.invoke()
        out: NDArray[Any] = model.get_tensor(given["index"])
        return out

    return run, [int(size) for size in wanted["shape"]]


def _runtime(module: str, path: Path) -> Any:
    try:
        return extras.load(module, extra="openwakeword")
    except EngineError as error:
        raise EngineError(f"{error.message}, and {path} runs on it", remedy=f"{error.remedy}, {OR_BUTTON}") from error


def _must_exist(path: Path) -> None:
    if not path.is_file():
        raise ConfigError(f"the wake word's model {path} does not exist", remedy="Check satellite.wake.words")
