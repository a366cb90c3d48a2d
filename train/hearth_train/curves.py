"""Learning curves as a picture."""

from __future__ import annotations

import json
from pathlib import Path

from .place import whole


def plot(log: Path, picture: Path) -> None:
    """Draw loss and phone errors over time from a run's log.jsonl."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    left.plot([row["minutes"] for row in rows], [row["loss"] for row in rows])
    left.set(xlabel="minutes", ylabel="CTC loss a phone (both heads)", yscale="log")
    judged = [row for row in rows if any(key.startswith("per ") for key in row)]
    for key in dict.fromkeys(key for row in judged for key in row if key.startswith("per ")):
        right.plot([row["minutes"] for row in judged], [row[key] for row in judged], label=key[4:], marker=".")
    right.set(xlabel="minutes", ylabel="phone errors, %", ylim=(0, 100))
    if judged:
        right.legend()
    with whole(picture) as partial:
        figure.savefig(partial, dpi=100, format="png")
    pyplot.close(figure)
