"""How small the micro model can be: sharing, pruning and int8, each by what it costs.

    python bench/footprint.py [--run NAME …] [--most 60] [--json]

Runs of `hearth_train.train`, e.g. dense, shared (`--shape '{"shared": 2}'`), pruned (`--prune 0.6`) and both, started
from the dense one's weights. Each is exported with float32 and with int8 matrices. `packed` is the file after deflate
at its best, as a wheel or an update carries it: zeros cost next to nothing there. Phone errors are of an4-dev, by the
best symbol of each frame; commands are coffee orders, clean and with dishes at 12 dB, and home commands, by the best
reading, nothing turned down, with the settings of the search that are the decoder's defaults but for `--settings`.
`lost` is in points of the mean of the three, beside the first run with float32.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "train")]

from bench import calibrate  # noqa: E402 - found only now
from hearth_server.asr.micro.model import MicroModel  # noqa: E402
from hearth_train import export, place, saved  # noqa: E402
from hearth_train.evaluate import collapsed, development, distance  # noqa: E402
from hearth_train.model import stacked  # noqa: E402
from hearth_train.sparsity import zeros  # noqa: E402

RUNS = ("micro", "shared", "pruned", "both")


def measured(run: str, most: int, settings: tuple[float, float], folder: Path) -> Iterator[dict[str, Any]]:
    """Yield what is known of a run's model, with float32 and with int8."""
    encoder = saved.read(place.RUNS / run / "model.pt")
    heard = export.calibration()
    for quantised in (False, True):
        file = folder / f"{run}-{'int8' if quantised else 'fp32'}.onnx"
        export.write_model(encoder, file, heard, quantised=quantised)
        houses = calibrate.listen(file, most, folder)
        default = houses[0].engine.judge.settings
        weight, bonus = settings
        search = replace(default, scoring=replace(default.scoring, prior_weight=weight), phone_bonus=bonus)
        right = {name: value for name, value in calibrate.shares(houses, search).items() if " 6 dB" not in name}
        yield {
            "run": run,
            "weights": "int8" if quantised else "fp32",
            "zeros": round(zeros(encoder), 3),
            "bytes": file.stat().st_size,
            "packed": len(zlib.compress(file.read_bytes(), 9)),
            "phone errors %": phone_errors(houses[0].engine.model),
            **{name.replace("00000_doing_the_", ""): round(100 * value, 1) for name, value in right.items()},
            "mean": round(100 * float(np.mean(list(right.values()))), 1),
        }


def phone_errors(model: MicroModel) -> float:
    """Return the phone errors of a model file in per cent, by the best symbol of each frame."""
    errors = total = 0
    for mel, said in development("an4-dev"):
        features = stacked(torch.from_numpy(mel)).numpy()
        flushed = np.concatenate((features, np.zeros((model.card.delay, features.shape[1]), np.float32)))
        log_probs, _ = model.run(flushed, 0, len(features), model.cache())
        best = log_probs[model.card.delay :].argmax(axis=1).tolist()
        errors += distance(collapsed(best), said)
        total += len(said)
    return round(100 * errors / total, 2)


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--run", action="append", help=f"of hearth_train.train, the dense one first ({', '.join(RUNS)})"
    )
    parser.add_argument("--most", type=int, default=60, help="recordings of a corpus (default: %(default)s)")
    parser.add_argument("--settings", default="0.5:1", help="prior weight:phone bonus (default: %(default)s)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    weight, bonus = (float(part) for part in options.settings.split(":"))
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            row for run in options.run or RUNS for row in measured(run, options.most, (weight, bonus), Path(folder))
        ]
    for row in rows:
        row["smaller x"] = round(rows[0]["packed"] / row["packed"], 1)
        row["lost"] = round(rows[0]["mean"] - row["mean"], 1)
    if options.json:
        print(json.dumps(rows))
        return
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    console = Console()
    Console(width=max(console.width, 120)).print(table)


if __name__ == "__main__":
    main()
