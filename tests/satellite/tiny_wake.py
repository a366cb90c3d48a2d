"""Models of openWakeWord's shapes, made in a moment, so that a real runtime runs the real path.

The "spectrogram" of each hop of 160 samples is the hop's mean, in all bands; the embedding is the mean over a window's
last frames; the head says how near the newest embedding is to `loud`. So a loud constant sound is the wake word.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17


def write(folder: Path, *, head_embeddings: int = 16) -> Path:
    """Write both feature models and a head into a folder; return the head."""
    _save(_spectrogram(), folder / "melspectrogram.onnx")
    _save(_embedding(), folder / "embedding_model.onnx")
    head = folder / "hey_house.onnx"
    _save(_head(head_embeddings), head)
    return head


def _save(model: Any, path: Path) -> None:
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _model(nodes: list[Any], wanted: Any, given: Any, constants: dict[str, Any]) -> Any:
    graph = helper.make_graph(
        nodes,
        "tiny",
        [wanted],
        [given],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)


def _spectrogram() -> Any:
    # As the real one: (1, samples) -> (1, 1, samples / 160 - 3, 32).
    wanted = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, "samples"])
    given = helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, "frames", 32])
    nodes = [
        helper.make_node("Slice", ["input", "from", "to", "axis"], ["newest"]),
        helper.make_node("Reshape", ["newest", "hops"], ["split"]),
        helper.make_node("ReduceMean", ["split"], ["mean"], axes=[3], keepdims=1),
        helper.make_node("Expand", ["mean", "bands"], ["output"]),
    ]
    constants = {
        "from": np.array([480], np.int64),
        "to": np.array([1 << 30], np.int64),
        "axis": np.array([1], np.int64),
        "hops": np.array([1, 1, -1, 160], np.int64),
        "bands": np.array([1, 1, 1, 32], np.int64),
    }
    return _model(nodes, wanted, given, constants)


def _embedding() -> Any:
    wanted = helper.make_tensor_value_info("input_1", TensorProto.FLOAT, ["n", 76, 32, 1])
    given = helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", 1, 1, 96])
    nodes = [
        helper.make_node("Slice", ["input_1", "from", "to", "axis"], ["newest"]),
        helper.make_node("ReduceMean", ["newest"], ["mean"], axes=[1, 2], keepdims=1),
        helper.make_node("Expand", ["mean", "wide"], ["out"]),
    ]
    constants = {
        "from": np.array([68], np.int64),
        "to": np.array([76], np.int64),
        "axis": np.array([1], np.int64),
        "wide": np.array([1, 1, 1, 96], np.int64),
    }
    return _model(nodes, wanted, given, constants)


def _head(embeddings: int) -> Any:
    wanted = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, embeddings, 96])
    given = helper.make_tensor_value_info("score", TensorProto.FLOAT, [1, 1])
    nodes = [
        helper.make_node("Slice", ["x", "from", "to", "axis"], ["newest"]),
        helper.make_node("ReduceMean", ["newest"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("Sub", ["mean", "loud"], ["over"]),
        helper.make_node("Sigmoid", ["over"], ["sure"]),
        helper.make_node("Reshape", ["sure", "one"], ["score"]),
    ]
    constants = {
        "from": np.array([embeddings - 1], np.int64),
        "to": np.array([embeddings], np.int64),
        "axis": np.array([1], np.int64),
        "loud": np.array(500.0, np.float32),  # the constant 5000 becomes 502 by x / 10 + 2
        "one": np.array([1, 1], np.int64),
    }
    return _model(nodes, wanted, given, constants)
