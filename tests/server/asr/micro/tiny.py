"""A speech model small enough to be made in a test: random weights, and the inputs and outputs of the real one.

Its layers look ahead, so that its delay, its cache and the ends of an utterance matter; `offline` computes the same of
a whole utterance at once with numpy, without any of these.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from hearth_core.phones import PHONES

INPUTS: Final = 120
OUTPUTS: Final = 40
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Tiny:
    """The network.

    Attributes:
        channels: of every layer.
        ahead: frames that each layer looks ahead, and as many back.
        seed: of the weights.
        card: what is to be otherwise in the metadata.
    """

    channels: int = 8
    ahead: tuple[int, ...] = (1, 2, 1)
    seed: int = 1
    card: dict[str, Any] = field(default_factory=dict)

    @property
    def delay(self) -> int:
        return sum(self.ahead)

    @property
    def width(self) -> int:
        return 2 * max(self.ahead)

    def weights(self) -> dict[str, Floats]:
        rng = np.random.default_rng(self.seed)
        made = {
            "w_in": rng.normal(0, 0.05, (INPUTS, self.channels)),
            "b_in": rng.normal(0, 0.5, self.channels),
            "w_out": rng.normal(0, 1.0, (self.channels, OUTPUTS)),
            "b_out": rng.normal(0, 0.5, OUTPUTS),
        }
        for number, ahead in enumerate(self.ahead):
            made[f"w{number}"] = rng.normal(0, 0.5, (self.channels, self.channels, 2 * ahead + 1))
            made[f"b{number}"] = rng.normal(0, 0.3, self.channels)
        return {name: array.astype(np.float32) for name, array in made.items()}

    def metadata(self) -> dict[str, Any]:
        return {
            "format": 1,
            "language": "en",
            "phones": list(PHONES),
            "mels": 40,
            "stack": 3,
            "delay": self.delay,
            "priors": [float(np.log(1 / OUTPUTS))] * OUTPUTS,
            "decoder": {},
            "calibration": {},
            "version": "tiny",
            "look_ahead_s": self.delay * 0.03,
            **self.card,
        }

    def onnx(self) -> bytes:
        """Return the file."""
        nodes, constants = self._nodes()
        graph = helper.make_graph(
            nodes,
            "tiny",
            [
                helper.make_tensor_value_info("features", TensorProto.FLOAT, [1, "n", INPUTS]),
                helper.make_tensor_value_info("start", TensorProto.INT64, [1]),
                helper.make_tensor_value_info("end", TensorProto.INT64, [1]),
                helper.make_tensor_value_info(
                    "cache", TensorProto.FLOAT, [1, len(self.ahead), self.channels, self.width]
                ),
            ],
            [
                helper.make_tensor_value_info("log_probs", TensorProto.FLOAT, [1, "n", OUTPUTS]),
                helper.make_tensor_value_info(
                    "new_cache", TensorProto.FLOAT, [1, len(self.ahead), self.channels, self.width]
                ),
            ],
            [numpy_helper.from_array(array, name) for name, array in {**self.weights(), **constants}.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 8
        helper.set_model_props(model, {"hearth": json.dumps(self.metadata())})
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())

    def _nodes(self) -> tuple[list[Any], dict[str, NDArray[Any]]]:
        constants: dict[str, NDArray[Any]] = {
            "zero": np.array(0, np.int64),
            "one": np.array(1, np.int64),
            "none": np.array([0], np.int64),
            "last": np.array([np.iinfo(np.int64).max], np.int64),
            "time": np.array([2], np.int64),
            "layer_axis": np.array([1], np.int64),
        }
        make = helper.make_node
        nodes = [
            make("Shape", ["features"], ["shape"]),
            make("Gather", ["shape", "one"], ["n"]),
            make("Range", ["zero", "n", "one"], ["steps"]),
            make("Add", ["steps", "start"], ["number"]),
            make("MatMul", ["features", "w_in"], ["x_in"]),
            make("Add", ["x_in", "b_in"], ["x_biased"]),
            make("Transpose", ["x_biased"], ["x_turned"], perm=[0, 2, 1]),
        ]
        nodes += self._masked("x_turned", "x0", "in", 0, constants)
        caches, late = [], 0
        for number, ahead in enumerate(self.ahead):
            late += ahead
            constants[f"layer{number}"] = np.array([number], np.int64)
            constants[f"layer{number}_end"] = np.array([number + 1], np.int64)
            constants[f"past{number}"] = np.array([-2 * ahead], np.int64)
            constants[f"keep{number}"] = np.array([-self.width], np.int64)
            nodes += [
                make("Slice", ["cache", f"layer{number}", f"layer{number}_end", "layer_axis"], [f"c{number}_4"]),
                make("Squeeze", [f"c{number}_4", "layer_axis"], [f"c{number}"]),
                make("Concat", [f"c{number}", f"x{number}"], [f"all{number}"], axis=2),
                make("Slice", [f"all{number}", f"keep{number}", "last", "time"], [f"kept{number}"]),
                make("Unsqueeze", [f"kept{number}", "layer_axis"], [f"new{number}"]),
                make("Slice", [f"c{number}", f"past{number}", "last", "time"], [f"before{number}"]),
                make("Concat", [f"before{number}", f"x{number}"], [f"seen{number}"], axis=2),
                make("Conv", [f"seen{number}", f"w{number}", f"b{number}"], [f"conv{number}"]),
                make("Relu", [f"conv{number}"], [f"y{number}"]),
            ]
            caches.append(f"new{number}")
            nodes += self._masked(f"y{number}", f"x{number + 1}", f"m{number}", late, constants)
        nodes += [
            make("Concat", caches, ["new_cache"], axis=1),
            make("Transpose", [f"x{len(self.ahead)}"], ["out_turned"], perm=[0, 2, 1]),
            make("MatMul", ["out_turned", "w_out"], ["scores"]),
            make("Add", ["scores", "b_out"], ["logits"]),
            make("LogSoftmax", ["logits"], ["log_probs"], axis=-1),
        ]
        return nodes, constants

    def _masked(self, x: str, y: str, name: str, late: int, constants: dict[str, NDArray[Any]]) -> list[Any]:
        """Return nodes that make zero what lies outside the utterance, for frames that are so many late."""
        constants[f"{name}_late"] = np.array([late], np.int64)
        make = helper.make_node
        return [
            make("Sub", ["number", f"{name}_late"], [f"{name}_at"]),
            make("GreaterOrEqual", [f"{name}_at", "none"], [f"{name}_begun"]),
            make("Less", [f"{name}_at", "end"], [f"{name}_goes_on"]),
            make("And", [f"{name}_begun", f"{name}_goes_on"], [f"{name}_inside"]),
            make("Cast", [f"{name}_inside"], [f"{name}_mask"], to=TensorProto.FLOAT),
            make("Mul", [x, f"{name}_mask"], [y]),
        ]

    def offline(self, features: Floats) -> Floats:
        """Return the log-probabilities of a whole utterance, shape (n, OUTPUTS), of features (n, INPUTS)."""
        weights = self.weights()
        x = features @ weights["w_in"] + weights["b_in"]
        for number, ahead in enumerate(self.ahead):
            padded = np.pad(x, ((ahead, ahead), (0, 0)))
            kernel = weights[f"w{number}"]
            y = sum(padded[tap : tap + len(x)] @ kernel[:, :, tap].T for tap in range(2 * ahead + 1))
            x = np.maximum(0, y + weights[f"b{number}"])
        logits = x @ weights["w_out"] + weights["b_out"]
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_probs: Floats = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return log_probs
