"""A head of `tiny_wake` as TensorFlow Lite has it, written in the format's own schema.

As there, it says how near the newest embedding's mean is to `LOUD`: one dense layer and a sigmoid.
Source: https://github.com/tensorflow/tensorflow/blob/v2.20.0/tensorflow/lite/schema/schema.fbs
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

LOUD = 500.0
VERSION = 3  # of the schema


def write(path: Path, *, embeddings: int = 16, size: int = 96, dtype: str = "FLOAT32") -> Path:
    """Write a head for so many embeddings of a size, of which it takes and gives this type; return its path."""
    weights = np.zeros((1, embeddings * size), np.float32)
    weights[0, -size:] = 1 / size
    model, graph = schema.ModelT(), schema.SubGraphT()
    graph.tensors = [
        _tensor("heard", (1, embeddings, size), 0, dtype),
        _tensor("weights", weights.shape, 1),
        _tensor("threshold", (1,), 2),
        _tensor("over", (1, 1), 0),
        _tensor("score", (1, 1), 0, dtype),
    ]
    dense, sigmoid = schema.BuiltinOperator.FULLY_CONNECTED, schema.BuiltinOperator.LOGISTIC
    graph.inputs, graph.outputs = [0], [4]
    graph.operators = [_operator(0, [0, 1, 2], 3), _operator(1, [3], 4)]
    graph.operators[0].builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
    graph.operators[0].builtinOptions = schema.FullyConnectedOptionsT()
    if dtype != "FLOAT32":
        graph.operators, graph.outputs = [], [0]  # nothing is worked out of it: only its type is looked at
    model.version = VERSION
    model.operatorCodes = [_code(dense), _code(sigmoid)]
    model.subgraphs = [graph]
    model.buffers = [schema.BufferT(), _buffer(weights), _buffer(np.array([-LOUD], np.float32))]
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path


def _tensor(name: str, shape: tuple[int, ...], buffer: int, dtype: str = "FLOAT32") -> Any:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.buffer = name, list(shape), buffer
    tensor.type = getattr(schema.TensorType, dtype)
    return tensor


def _operator(code: int, inputs: list[int], output: int) -> Any:
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = code, inputs, [output]
    return operator


def _code(builtin: int) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = builtin
    code.version = 1
    return code


def _buffer(values: NDArray[np.float32]) -> Any:
    buffer = schema.BufferT()
    buffer.data = list(values.tobytes())
    return buffer
