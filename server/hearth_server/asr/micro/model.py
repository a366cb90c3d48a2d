"""The speech model's file: read, checked before anything hears with it, and run on one thread."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hearth_core import extras
from hearth_core.errors import EngineError
from hearth_core.log_mel import FLOOR, HOP, MELS, STACK
from hearth_core.phones import PHONES

SHIPPED: Final = Path(__file__).with_name("en.onnx")
FORMAT: Final = 1
# The shipped model has about 2 MB. What is far larger is another model, and too slow for this machine.
MAX_BYTES: Final = 64 * 1024 * 1024
FRAME_S: Final = STACK * HOP / 16_000  # 30 ms
OUTPUTS: Final = 1 + len(PHONES)
WIDTH: Final = STACK * MELS
# More look-ahead than half a second could not answer in time.
MAX_DELAY: Final = int(0.5 / FRAME_S)
# What the encoder remembers, in numbers: 16 MB of them for one stream is no small model.
MAX_CACHE: Final = 4_000_000
ENDLESS: Final = 1 << 40  # encoder frames of an utterance whose end nobody knows

LogProbs = NDArray[np.float32]
Features = NDArray[np.float32]
Cache = NDArray[np.float32]

_REMEDY: Final = "Reinstall hearth-voice, or set server: micro: model: to a model of this version"


@dataclass(frozen=True, slots=True, eq=False)
class Card:
    """What a model's file says of itself, checked.

    Attributes:
        language: code of what it hears, e.g. "en".
        version: of the model, for people.
        delay: by how many encoder frames its outputs lag its inputs.
        priors: natural logarithms of how common each output is, shape (OUTPUTS,).
        decoder: settings that fit the model; those that it does not give keep their defaults.
        calibration: what makes a score a confidence.
    """

    language: str
    version: str
    delay: int
    priors: NDArray[np.float32]
    decoder: Mapping[str, Any]
    calibration: Mapping[str, Any]


class MicroModel:
    """A model in memory. Any number of streams may run it at the same time, each on its own thread.

    Args:
        path: the file, ONNX with a card in its metadata.

    Raises:
        EngineError: onnxruntime is not installed, or the file is not there, damaged, or not of this version.
    """

    def __init__(self, path: Path = SHIPPED) -> None:
        runtime = extras.load("onnxruntime", extra="server", error=EngineError)
        raw = _read(path)
        try:
            self._session = runtime.InferenceSession(raw, _options(runtime), providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has a class of its own for each kind of damage
            reason = " ".join(str(error).split())[:200]
            raise _broken(path, f"cannot be loaded: {reason}") from error
        self.path = path
        self.size = len(raw)
        try:
            card = self._session.get_modelmeta().custom_metadata_map.get("hearth")
            self._cache_shape = _checked_shapes(path, self._session)
        except UnicodeDecodeError as error:  # a name or the card has a damaged byte
            raise _broken(path, "has text that cannot be read") from error
        self.card = _card(path, card)
        self._try()

    def cache(self) -> Cache:
        """Return what the encoder remembers before the first frame."""
        return np.zeros(self._cache_shape, np.float32)

    def run(self, features: Features, start: int, end: int, cache: Cache) -> tuple[LogProbs, Cache]:
        """Encode frames.

        Args:
            features: shape (n, WIDTH), n at least 1.
            start: the number of the first of them in the utterance.
            end: how many frames the utterance has, `ENDLESS` while that is not known.
            cache: as the call for the frames before returned it.

        Returns:
            Log-probabilities of the frames start - delay to start - delay + n - 1, shape (n, OUTPUTS), of which those
            outside the utterance mean nothing; and what the encoder remembers now.

        Raises:
            EngineError: the model fails, or gives no numbers.
        """
        inputs = {
            "features": features[None],
            "start": np.array([start], np.int64),
            "end": np.array([end], np.int64),
            "cache": cache,
        }
        try:
            log_probs, after = self._session.run(("log_probs", "new_cache"), inputs)
        except Exception as error:  # as above
            reason = " ".join(str(error).split())[:200]
            raise _broken(self.path, f"fails: {reason}") from error
        if log_probs.shape != (1, len(features), OUTPUTS) or after.shape != cache.shape:
            raise _broken(self.path, "gives outputs of another shape")
        if not np.isfinite(log_probs).all():
            raise _broken(self.path, "gives what is no number")
        return log_probs[0], after

    def _try(self) -> None:
        """Hear half a second of nothing, so that a model that cannot work is told now."""
        frames = np.full((16, WIDTH), math.log(4e-6), np.float32)
        log_probs, _ = self.run(frames, 0, ENDLESS, self.cache())
        sums = np.exp(log_probs[self.card.delay :].astype(np.float64)).sum(axis=1)
        if len(sums) and not np.allclose(sums, 1.0, atol=0.02):
            raise _broken(self.path, "gives what are no probabilities")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise EngineError(f"the speech model {path} cannot be read: {error.strerror}", remedy=_REMEDY) from error
    if len(raw) > MAX_BYTES:
        raise _broken(path, f"has more than {MAX_BYTES // 1024 // 1024} MB")
    return raw


def _options(runtime: Any) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = runtime.ExecutionMode.ORT_SEQUENTIAL
    # Chunks differ in length, so a plan of the memory fits the next call seldom; the arena would keep the largest.
    options.enable_mem_pattern = False
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4  # what is wrong comes as an exception
    return options


def _card(path: Path, text: str | None) -> Card:
    """Return the card in a file's metadata.

    Raises:
        EngineError: there is none, or it is of another version, of other phones or otherwise not what is asked for.
    """
    if text is None:
        raise _broken(path, "is not a speech model of Hearth")
    try:
        card = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _broken(path, "has a card that cannot be read") from error
    if not isinstance(card, dict):
        raise _broken(path, "has a card that cannot be read")
    if card.get("format") != FORMAT:
        raise EngineError(
            f"the speech model {path} is of format {ascii(card.get('format'))[:40]}, not {FORMAT}",
            remedy="Use the model that came with this version of hearth-voice",
        )
    if card.get("phones") != list(PHONES):
        raise _broken(path, "has other phones than those of CMUdict")
    if (card.get("mels"), card.get("stack"), card.get("floor", FLOOR)) != (MELS, STACK, FLOOR):
        raise _broken(path, "takes other features")
    delay = card.get("delay")
    if type(delay) is not int or not 0 <= delay <= MAX_DELAY:
        raise _broken(path, f"looks ahead {ascii(delay)[:40]} frames, not 0 to {MAX_DELAY}")
    language, decoder, calibration = card.get("language"), card.get("decoder", {}), card.get("calibration", {})
    if not isinstance(language, str) or not isinstance(decoder, dict) or not isinstance(calibration, dict):
        raise _broken(path, "has a card that cannot be read")
    return Card(language, str(card.get("version", ""))[:100], delay, _priors(path, card), decoder, calibration)


def _priors(path: Path, card: Mapping[str, Any]) -> NDArray[np.float32]:
    try:
        priors = np.asarray(card.get("priors"), np.float32)
    except (TypeError, ValueError, OverflowError) as error:
        raise _broken(path, "has priors that are no numbers") from error
    if priors.shape != (OUTPUTS,) or not np.isfinite(priors).all() or priors.max() > 0.0:
        raise _broken(path, f"has priors that are not {OUTPUTS} logarithms of probabilities")
    return priors


def _checked_shapes(path: Path, session: Any) -> tuple[int, ...]:
    """Return the shape of the cache.

    Raises:
        EngineError: inputs or outputs are not those of `MicroModel.run`.
    """
    inputs = {each.name: (each.type, each.shape) for each in session.get_inputs()}
    outputs = {each.name: (each.type, each.shape) for each in session.get_outputs()}
    if inputs.keys() != {"features", "start", "end", "cache"} or not {"log_probs", "new_cache"} <= outputs.keys():
        raise _broken(path, "has other inputs and outputs")
    types = [inputs[name][0] for name in ("features", "cache", "start", "end")]
    shape = inputs["cache"][1]
    whole = len(shape) == 4 and all(isinstance(size, int) and size > 0 for size in shape)
    if (
        types != ["tensor(float)"] * 2 + ["tensor(int64)"] * 2
        or {kind for kind, _ in (outputs["log_probs"], outputs["new_cache"])} != {"tensor(float)"}
        or inputs["features"][1][-1:] != [WIDTH]
        or outputs["log_probs"][1][-1:] != [OUTPUTS]
        or not whole
        or math.prod(shape) > MAX_CACHE
    ):
        raise _broken(path, "has inputs and outputs of other shapes")
    return tuple(shape)


def _broken(path: Path, what: str) -> EngineError:
    return EngineError(f"the speech model {path} {what}", remedy=_REMEDY)
