"""Stage 6: the trained encoder becomes the model file that the server runs: streaming, int8.

    python -m hearth_train.export [--run micro] [--to FILE.onnx] [--float]

The matrices become int8 (static, per channel, QDQ), calibrated on features of the training; the rest, a few per cent of
the weights, stays float. Metadata tell what the file is and how its scores are to be read.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from hearth_core.log_mel import FLOOR, MELS, STACK
from hearth_core.phones import PHONES

from . import place, saved
from .augment import augment
from .data import batches
from .model import SYMBOLS, Encoder, Streaming, stacked

FORMAT: Final = 1
CALIBRATION_BATCHES: Final = 6
CHUNK: Final = 4  # encoder frames at a time, as the server feeds
UNKNOWN_END: Final = 1 << 40


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--run", default="micro")
    parser.add_argument("--to", type=Path)
    parser.add_argument("--float", action="store_true", help="do not quantise")
    options = parser.parse_args()
    encoder = saved.read(place.RUNS / options.run / "model.pt")
    to = options.to or place.RUNS / options.run / "en.onnx"
    heard = calibration()
    write_model(encoder, to, heard, quantised=not options.float)
    print(f"{to}: {to.stat().st_size / 1e6:.2f} MB")


def write_model(encoder: Encoder, to: Path, heard: list[NDArray[np.float32]], *, quantised: bool = True) -> None:
    """Write the model file; `heard` is what `calibration` returns."""
    facts = describe(encoder, heard)
    with tempfile.TemporaryDirectory() as folder:
        plain, int8 = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
        write_float(encoder, plain)
        if quantised:
            quantise(encoder, plain, int8, heard)
        sign(int8 if quantised else plain, to, facts)


def calibration() -> list[NDArray[np.float32]]:
    """Return features of training batches as they are heard, each shape (frames, STACK * MELS)."""
    source = islice(batches(seed=99, seconds=60), CALIBRATION_BATCHES)
    generator = torch.Generator().manual_seed(99)
    found = []
    for batch in track(source, "calibration", CALIBRATION_BATCHES, console=Console(stderr=True)):
        heard = stacked(augment(batch.mel, batch.background, generator, 0.7))
        found += [heard[row, :frames].numpy() for row, frames in enumerate(batch.frames.tolist())]
    return found


def describe(encoder: Encoder, heard: list[NDArray[np.float32]]) -> dict[str, Any]:
    """Return the metadata: what the server needs to know of the model."""
    total = np.zeros(SYMBOLS)
    for features in track(heard, "priors", console=Console(stderr=True)):
        with torch.no_grad():
            log_probs, _ = encoder(torch.from_numpy(features)[None], torch.tensor([len(features)]))
        total += log_probs[0].exp().sum(0).numpy()
    return {
        "format": FORMAT,
        "language": "en",
        "phones": list(PHONES),
        "mels": MELS,
        "stack": STACK,
        "floor": FLOOR,
        "delay": encoder.shape.delay,
        "look_ahead_s": round(0.03 * encoder.shape.delay + 0.025, 3),
        "priors": [round(float(value), 4) for value in np.log(total / total.sum())],
        "shape": encoder.shape.facts(),
        "parameters": sum(p.numel() for n, p in encoder.named_parameters() if not n.startswith("middle")),
        "version": date.today().isoformat(),
    }


def write_float(encoder: Encoder, file: Path) -> None:
    """Write the streaming encoder as ONNX, float32."""
    import warnings

    streaming = Streaming(encoder).eval()
    example = (
        torch.zeros(1, CHUNK, STACK * MELS),
        torch.zeros(1, dtype=torch.int64),
        torch.full((1,), UNKNOWN_END),
        torch.zeros(streaming.cache_shape),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            streaming,
            example,
            str(file),
            input_names=["features", "start", "end", "cache"],
            output_names=["log_probs", "new_cache"],
            dynamic_axes={"features": {1: "frames"}, "log_probs": {1: "frames"}},
            opset_version=17,
            dynamo=False,
        )
    _share(file)


def _share(file: Path) -> None:
    """Let blocks with the same matrix name the same tensor.

    The exporter gives each its own name by an `Identity`. Such a tensor counts as computed, not as a weight: the
    quantiser has it quantised anew in every call, which makes the encoder six times as dear.
    """
    import onnx

    model = onnx.load(str(file))
    weights = {each.name for each in model.graph.initializer}
    copies = [node for node in model.graph.node if node.op_type == "Identity" and node.input[0] in weights]
    origin = {node.output[0]: node.input[0] for node in copies}
    for node in copies:
        model.graph.node.remove(node)
    for node in model.graph.node:
        node.input[:] = [origin.get(name, name) for name in node.input]
    onnx.save(model, str(file))


def quantise(encoder: Encoder, plain: Path, to: Path, heard: list[NDArray[np.float32]]) -> None:
    """Make the matrices int8."""
    from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantType, quantize_static

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._chunks = _chunks(encoder, plain, heard)

        def get_next(self) -> dict[str, Any] | None:
            return next(self._chunks, None)

    quantize_static(
        str(plain),
        str(to),
        Reader(),
        op_types_to_quantize=["MatMul", "Gemm"],
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        # Weights of seven bits: processors without VNNI add two products in 16 bits, which eight bits overflow.
        reduce_range=True,
        # The whole range that was seen: what is cut off costs more than coarser steps.
        calibrate_method=CalibrationMethod.MinMax,
    )


def _chunks(encoder: Encoder, plain: Path, heard: list[NDArray[np.float32]]) -> Iterator[dict[str, Any]]:
    """Yield the inputs that a stream gives the model."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(plain), providers=["CPUExecutionProvider"])
    shape = Streaming(encoder).cache_shape
    for features in track(heard[:60], "quantise", console=Console(stderr=True)):
        cache = np.zeros(shape, np.float32)
        for start in range(0, len(features), CHUNK):
            inputs = {
                "features": features[None, start : start + CHUNK],
                "start": np.array([start]),
                "end": np.array([UNKNOWN_END]),
                "cache": cache,
            }
            yield inputs
            cache = session.run(["new_cache"], inputs)[0]


def sign(file: Path, to: Path, facts: dict[str, Any]) -> None:
    """Write the model with its metadata."""
    import onnx

    model = onnx.load(str(file))
    del model.metadata_props[:]
    entry = model.metadata_props.add()
    entry.key, entry.value = "hearth", json.dumps(facts)
    model.producer_name = "hearth"
    model.doc_string = ""
    onnx.checker.check_model(model)
    with place.whole(to) as partial:
        onnx.save(model, str(partial))


if __name__ == "__main__":
    main()
