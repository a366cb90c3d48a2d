"""A trained encoder out of any file that has one: a run's model.pt, or the model file that the server runs.

The floats that a shipped model was made of are not kept. What its int8 matrices stand for is as good: as floats they
hear nearly the same, and may be learnt on from, or taught with.
"""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hearth_core.errors import InputError

from .model import Encoder, Shape

_PREFIX: Final = "encoder."  # of names in a model file
_REMEDY: Final = "Give a model.pt or a model file of the server"


def load(file: Path) -> dict[str, Any]:
    """Read a checkpoint to the processor; nothing in it is executed.

    Raises:
        InputError: it is missing, or damaged.
    """
    try:
        found: dict[str, Any] = torch.load(file, weights_only=True, map_location="cpu")
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise InputError(f"{file} cannot be read: {error}", remedy=_REMEDY) from error
    return found


def read(file: Path) -> Encoder:
    """Return the encoder in a file, to be run.

    Raises:
        InputError: the file has none, is missing, or damaged.
    """
    if file.suffix != ".onnx":
        found = load(file)
        try:
            encoder = Encoder(Shape(**found["shape"]))
            encoder.load_state_dict(found["model"])
        except (KeyError, TypeError, RuntimeError) as error:
            raise InputError(f"{file} has no encoder: {error}", remedy=_REMEDY) from error
        return encoder.eval()
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        model = onnx.load(str(file))
    except (OSError, DecodeError) as error:
        raise InputError(f"{file} cannot be read: {error}", remedy=_REMEDY) from error
    card = {entry.key: entry.value for entry in model.metadata_props}.get("hearth")
    if card is None:
        raise InputError(f"{file} is no speech model of Hearth", remedy=_REMEDY)
    encoder = Encoder(Shape(**json.loads(card)["shape"]))
    state = encoder.state_dict()
    given = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    matrices = [node.input[1] for node in model.graph.node if node.op_type == "MatMul"]
    modules = [encoder.enter, *(m for block in encoder.blocks for m in (block.wide, block.narrow)), encoder.leave]
    # In the file's order, which is that of the graph; the matrices have lost their names.
    with torch.no_grad():
        for module, name in zip(modules, matrices, strict=True):
            assert isinstance(module, nn.Linear)
            module.weight.copy_(_matrix(given, name))
        for name, value in state.items():
            if _PREFIX + name in given:
                value.copy_(torch.from_numpy(given[_PREFIX + name].copy()))
    return encoder.eval()


def _matrix(given: dict[str, NDArray[Any]], name: str) -> Tensor:
    """Return a matrix as torch has it; `name` is the product's input: itself, or what is made of int8."""
    if name in given:
        return torch.from_numpy(given[name].T.copy())
    stem = name.removesuffix("_DequantizeLinear_Output")
    steps = given[f"{stem}_quantized"].astype(np.float32) - given[f"{stem}_zero_point"].astype(np.float32)
    return torch.from_numpy((steps * given[f"{stem}_scale"]).T.copy())
