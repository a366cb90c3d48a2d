"""Fit the card of a speech model: how to decode with it, and what the fit of a sentence is worth as confidence.

    python bench/calibrate.py MODEL.onnx [--to FILE.onnx] [--most 60] [--grid 0.7:0.5,…] [--plot FILE.png] [--json]

On development recordings alone, cut as the server cuts them. Each setting decodes coffee orders, clean and with dishes
at 12 and 6 dB, and home commands against the demo home; the one with the best mean share of right commands is taken.
Then the best readings of the same commands, and of other speech (spelled names, wake phrases, read sentences), make the
calibration: the chance that a sentence of the grammar was said, from how likely just its phones are; commands that were
misread are left out, and so are pieces of noise that silence fits as well. `ece` is the expected calibration error of
that chance where each half of the recordings is judged by the other half's calibration, `ece_meant` that of what the
server reports in the end: how sure it is of what was meant, misread commands among them. `auc` is how well the measure
parts commands from other speech; `taken` are those that are at the shipped threshold.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from hearth_core.audio import BYTES_PER_SECOND, read_recording
from hearth_core.command import EndReason, Hypothesis, Transcription
from hearth_server.asr.micro.confidence import (
    LEAST_GAIN,
    MEASURE,
    Calibration,
    calibrate,
    expected_calibration_error,
    fit,
    gain,
    hypotheses,
)
from hearth_server.asr.micro.decoder import Decoder, DecoderSettings
from hearth_server.asr.micro.engine import MOST_HYPOTHESES, MicroEngine
from hearth_server.asr.micro.model import LogProbs
from hearth_server.asr.micro.phone_graph import PhoneGraph
from hearth_server.asr.micro.posteriors import Posteriors
from hearth_server.asr.micro.readings import Reading

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "train")]

from bench import commands, cut, sound  # noqa: E402 - found only now
from hearth_train.place import whole  # noqa: E402

BARISTA = ROOT / "examples" / "barista" / "sentences"
OTHERS = ("an4-dev", "wake-phrases-dev", "speechocean762-dev-adults")
NOISE = "noise alone"
NOISE_PIECES = 4
PIECE_BYTES = 4 * BYTES_PER_SECOND

# Prior weight and phone bonus.
GRID = "0.5:0,0.5:1,0.7:0,0.7:0.5,0.7:1"


@dataclass(frozen=True, slots=True)
class Heard:
    """A recording as the model hears it, by its file's name, and what it must come to.

    Without an item it must come to nothing, unless the reading is `text`, what was said ("stop").
    """

    name: str
    log_probs: LogProbs
    item: commands.Item | None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Fit:
    """How the best reading of a recording fits, with its length and choice and without, and whether it was said."""

    name: str
    score: float
    alone: float
    said: bool


class House:
    """A grammar, and the recordings that are decoded against it, by condition."""

    def __init__(self, setup: commands.Setup) -> None:
        self.scorer = commands.Scorer(setup)
        assert isinstance(self.scorer.engine, MicroEngine)
        self.engine = self.scorer.engine
        self.graph: PhoneGraph = self.engine.decoder().graph
        self.choices = self.engine.choices()
        self.heard: dict[str, list[Heard]] = {}

    def add(self, condition: str, file: Path, item: commands.Item | None, pcm: bytes, text: str = "") -> None:
        """Let the model hear what the server gives it of a recording."""
        self.hear(condition, file, item, cut.given(self.engine, pcm), text)

    def hear(self, condition: str, file: Path, item: commands.Item | None, pcm: bytes, text: str = "") -> None:
        """Let the model hear all of a recording."""
        stream = Posteriors(self.engine.model)
        heard = np.concatenate((stream.feed(pcm), stream.flush()))
        self.heard.setdefault(condition, []).append(Heard(file.name, heard, item, text))

    def readings(self, heard: Heard, settings: DecoderSettings) -> tuple[Reading, ...]:
        """Return the likeliest sentences, the best one first."""
        decoder = Decoder(self.graph, settings)
        decoder.feed(heard.log_probs)
        return decoder.result(MOST_HYPOTHESES, by_word=False).readings

    def reading(self, heard: Heard, settings: DecoderSettings) -> Reading | None:
        """Return the best sentence."""
        readings = self.readings(heard, settings)
        return readings[0] if readings else None

    def right(self, heard: Heard, reading: Reading | None) -> bool:
        """Return whether it is what was said."""
        if reading is None or heard.item is None:
            return False
        said = Transcription((Hypothesis(reading.text, 1.0),), "micro", EndReason.SILENCE, 1.0)
        return self.scorer.judge(heard.item, said)[0]


def listen(model: Path, most: int, unpacked: Path) -> list[House]:
    """Return both houses with everything that they hear."""
    houses = [
        House(commands.Setup("micro", BARISTA, demo=False, model=str(model))),
        House(commands.Setup("micro", None, demo=True, model=str(model))),
    ]
    dishes = next(iter(commands.find_audio(commands.SHARED / "noise.tar", unpacked / "noise").values()))
    assert "dishes" in dishes.name
    conditions = [commands.Condition(), *(commands.Condition(dishes, snr) for snr in (12.0, 6.0))]
    for house, corpus in zip(houses, ("barista-dev", "home-commands-dev"), strict=True):
        audio = commands.find_audio(commands.SHARED / f"{corpus}.tar", unpacked / corpus)
        items = commands.read_labels(commands.SHARED / "manifest.tsv", audio, corpus)
        for item in track(sound.spread(items, most), corpus, console=Console(stderr=True)):
            for condition in conditions if corpus == "barista-dev" else conditions[:1]:
                house.add(f"{corpus} {condition.name}", item.file, item, commands.mixed(item.file, condition))
    for path in commands.find_audio(commands.SHARED / "noise.tar", unpacked / "noise").values():
        pcm = read_recording(path)
        for start in range(0, min(len(pcm), NOISE_PIECES * PIECE_BYTES), PIECE_BYTES):
            for house in houses:
                house.hear(NOISE, path, None, pcm[start : start + PIECE_BYTES])
    for corpus in OTHERS:
        audio = commands.find_audio(commands.SHARED / f"{corpus}.tar", unpacked / corpus)
        paths = list(audio.values())
        labels = commands.read_labels(commands.SHARED / "manifest.tsv", audio, corpus)
        texts = {each.file.name: each.text.lower() for each in labels}
        for path in track(sound.spread(paths, most), corpus, console=Console(stderr=True)):
            for house in houses:
                house.add("other speech", path, None, read_recording(path), texts.get(path.name, ""))
    return houses


def shares(houses: list[House], settings: DecoderSettings) -> dict[str, float]:
    """Return the share of right commands in each condition."""
    return {
        name: sum(house.right(each, house.reading(each, settings)) for each in heard) / len(heard)
        for house in houses
        for name, heard in house.heard.items()
        if heard[0].item is not None
    }


def judged(houses: list[House], settings: DecoderSettings) -> Iterator[tuple[House, str, Heard, Reading]]:
    """Yield grammar, condition, recording and best reading of no commands, and of the commands that were read right.

    Misread ones are neither: which sentence it was, the readings' shares tell. Nor is other speech that is a
    sentence of the grammar.
    """
    for house in houses:
        for condition, heard in house.heard.items():
            for each in heard:
                reading = house.reading(each, settings)
                if reading is None or not reading.words:
                    continue
                if house.right(each, reading) if each.item else reading.text != each.text:
                    yield house, condition, each, reading


def fit_of(house: House, heard: Heard, reading: Reading) -> Fit:
    """Return how a reading fits."""
    alone = reading.log_probability / sum(word.phones for word in reading.words)
    return Fit(heard.name, fit(reading, house.choices), alone, heard.item is not None)


def halves(found: list[Fit]) -> dict[bool, Calibration]:
    """Return the calibration for each half of the recordings (`in_first_half`), made on the other one."""
    return {
        first: calibrate(*_columns([each for each in found if in_first_half(each.name) is not first]))
        for first in (True, False)
    }


def in_first_half(name: str) -> bool:
    """Return in which half a recording is; all that is made of it is in the same."""
    return zlib.crc32(name.encode()) % 2 == 0


def meant(
    houses: list[House], settings: DecoderSettings, made: Mapping[bool, Calibration]
) -> Iterator[tuple[float, bool]]:
    """Yield how sure the server would be of what it takes a recording to mean, and whether it is right."""
    for house in houses:
        for each in (each for heard in house.heard.values() for each in heard):
            readings = house.readings(each, settings)
            if not readings or gain(readings[0]) < LEAST_GAIN:
                continue
            chance = made[in_first_half(each.name)].chance(fit(readings[0], house.choices))
            said = Transcription(hypotheses(readings, chance), "micro", EndReason.SILENCE, 1.0, closed=True)
            understood = house.scorer.matches(said)
            if understood:
                yield understood[0].score, house.right(each, readings[0]) or readings[0].text == each.text


def _columns(found: list[Fit]) -> tuple[list[float], list[bool]]:
    return [each.score for each in found], [each.said for each in found]


def area_under_curve(scores: list[float], said: list[bool]) -> float:
    """Return how often what was said has the better score than what was not."""
    good, bad = (
        np.array([s for s, is_said in zip(scores, said, strict=True) if is_said is kind]) for kind in (True, False)
    )
    return float((good[:, None] > bad).mean() + 0.5 * (good[:, None] == bad).mean())


def write_card(model: Path, to: Path, settings: DecoderSettings, calibration: Calibration) -> None:
    """Write the model with these in its card."""
    import onnx

    loaded = onnx.load(str(model))
    entry = next(each for each in loaded.metadata_props if each.key == "hearth")
    card = json.loads(entry.value)
    chosen = {"prior_weight": settings.scoring.prior_weight, "phone_bonus": settings.phone_bonus}
    card["decoder"] = {**card.get("decoder", {}), **chosen}
    found = {"slope": round(calibration.slope, 4), "offset": round(calibration.offset, 4), "measure": MEASURE}
    card["calibration"] = found
    entry.value = json.dumps(card)
    with whole(to) as partial:
        onnx.save(loaded, str(partial))


def plot(curves: Mapping[str, tuple[list[float], list[bool]]], file: Path) -> None:
    """Draw how often it was so at each confidence, by what that is the confidence of."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(4.5, 4), layout="constrained")
    axes.plot([0, 1], [0, 1], linestyle=":", color="grey")
    for place, (name, (chances, truth)) in enumerate(curves.items()):
        given, so = np.array(chances), np.array(truth)
        bins = np.minimum((given * 10).astype(int), 9)
        points = [
            (given[bins == n].mean(), so[bins == n].mean(), (bins == n).sum()) for n in sorted(set(bins.tolist()))
        ]
        (line,) = axes.plot([x for x, _, _ in points], [y for _, y, _ in points], marker="o", label=name)
        for x, y, count in points:
            axes.annotate(
                str(count), (x, y), (4, 4 - 12 * place), "data", "offset points", fontsize=7, color=line.get_color()
            )
    axes.set(xlabel="confidence", ylabel="share that was so", xlim=(0, 1.05), ylim=(-0.05, 1.05))
    axes.legend(loc="lower right", fontsize=7)
    figure.savefig(file, dpi=110)


def main() -> None:
    """Fit, tell, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--to", type=Path, help="where the model goes with its card (default: not written)")
    parser.add_argument("--most", type=int, default=60, help="recordings of a corpus (default: %(default)s)")
    parser.add_argument(
        "--grid", type=_grid, default=_grid(GRID), help=f"prior weight:phone bonus, … (default: {GRID})"
    )
    parser.add_argument("--plot", type=Path, help="reliability as a picture")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        houses = listen(options.model, options.most, Path(folder))
    default = houses[0].engine.judge.settings
    grid = [
        replace(default, scoring=replace(default.scoring, prior_weight=weight), phone_bonus=bonus)
        for weight, bonus in options.grid
    ]
    found = [(settings, shares(houses, settings)) for settings in track(grid, "settings", console=Console(stderr=True))]
    best, _ = max(found, key=lambda pair: np.mean(list(pair[1].values())))
    readings = list(judged(houses, best))
    # What silence fits is turned down whatever its fit.
    found_fits = [fit_of(house, heard, reading) for house, _, heard, reading in readings if gain(reading) >= LEAST_GAIN]
    noises = [gain(reading) for _, condition, _, reading in readings if condition == NOISE]
    scores, said = _columns(found_fits)
    if True not in said:
        sys.exit(f"bench: {options.model} reads no command right, so there is nothing to fit. Train it longer")
    calibration, least = calibrate(scores, said), houses[0].engine.judge.least_confidence
    made = halves(found_fits)
    chances = [made[in_first_half(each.name)].chance(each.score) for each in found_fits]
    sure, right = map(list, zip(*meant(houses, best, made), strict=True))
    chosen = {
        "slope": round(calibration.slope, 4),
        "offset": round(calibration.offset, 4),
        "ece": round(expected_calibration_error(chances, said), 3),
        "ece_meant": round(expected_calibration_error(sure, right), 3),
        "meant": len(sure),
        "auc": round(area_under_curve(scores, said), 4),
        "auc_of_fit_alone": round(area_under_curve([each.alone for each in found_fits], said), 4),
        "commands": sum(said),
        "taken": sum(
            calibration.chance(score) >= least for score, is_said in zip(scores, said, strict=True) if is_said
        ),
        "least_gain_of_commands": round(
            min(gain(reading) for _, _, heard, reading in readings if heard.item is not None), 2
        ),
        "noises": len(noises),
        "noises_as_good_as_silence": sum(each < LEAST_GAIN for each in noises),
        "others": len(said) - sum(said),
        "others_taken": sum(
            calibration.chance(score) >= least for score, is_said in zip(scores, said, strict=True) if not is_said
        ),
    }
    if options.to:
        write_card(options.model, options.to, best, calibration)
    if options.plot:
        plot({"that a command was said": (chances, said), "of what was meant": (sure, right)}, options.plot)
    tell(found, best, chosen, as_json=options.json)


def _grid(text: str) -> list[tuple[float, float]]:
    pairs = (pair.split(":") for pair in text.split(","))
    return [(float(weight), float(bonus)) for weight, bonus in pairs]


def tell(
    found: list[tuple[DecoderSettings, dict[str, float]]],
    best: DecoderSettings,
    chosen: dict[str, float],
    *,
    as_json: bool,
) -> None:
    """Print what was found."""
    rows: list[dict[str, Any]] = [
        {"prior_weight": s.scoring.prior_weight, "phone_bonus": s.phone_bonus, **{n: round(v, 3) for n, v in r.items()}}
        for s, r in found
    ]
    if as_json:
        print(json.dumps({"settings": rows, "calibration": chosen}))
        return
    table = Table(*rows[0])
    for (settings, _), row in zip(found, rows, strict=True):
        table.add_row(*(str(value) for value in row.values()), style="bold" if settings is best else "")
    Console().print(table, f"calibration {chosen}")


if __name__ == "__main__":
    main()
