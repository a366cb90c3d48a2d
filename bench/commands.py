"""Command acceptance: of real recordings, how many become the command that was meant.

    python bench/commands.py [--engine NAME …] [--audio DIR|TAR] [--labels FILE] [--noise FILE|babble --snr 24,12,6]
        [--json]

A command is right if its intent matches and every labelled slot has exactly its value; `exact` further asks for no
other slot; no result is wrong. It runs what the server runs: the endpointer, the recogniser fed with chunks as a
satellite sends them, and the matcher. What the server asks about ("which?") is not right, nor are two commands; what is
longer than a command may be is none. `best %` counts what would be right if the best reading were done instead of
asking or turning it down: what an engine without other readings can be compared with. `rejected` is what nothing is
done for, nor asked about; what is neither right nor one of these two is done wrong. Plain text as a label is a home
command: it is right if it means what the text means; a label that begins with `oov` must give nothing; with --reject
none of the recordings may give anything. With --alone the grammar is the sentences and nothing else: no answers to
questions, no follow-ups. With --draw it is so many of the sentences at random, and what the recordings say.

`rtf` is CPU seconds for an audio second, `after ms` the computing left when the utterance has ended. With several
engines `cpu x` is that of each beside the first one's, in the same run. `--noise babble` is four people at once, of
LibriSpeech speakers, who are in the micro model's training too; levels are those of bench/sound.py.
"""

from __future__ import annotations

import argparse
import csv
import json
import multiprocessing
import os
import sys
import tarfile
import tempfile
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from hearth_core.audio import RATE, read_recording
from hearth_core.command import Context, EndReason, IntentMatch, Transcription
from hearth_core.errors import HearthError, InputError
from hearth_core.home import Home
from hearth_core.settings import MicroConfig, ServerConfig
from hearth_core.speech import EndpointSettings, SileroDetector
from hearth_intents.compile import compile_grammar
from hearth_intents.matcher import Matcher
from hearth_intents.sentences import load_sentences
from hearth_server.asr.engine import Engine
from hearth_server.asr.registry import load_engine
from hearth_server.demo_home import DemoHome
from hearth_server.listen import Listening

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import drawn, sound  # noqa: E402 - found only now

SHARED = Path(os.environ.get("HEARTH_SPEECH", ROOT.parent / "shared" / "speech"))
AUDIO_ENDINGS = {".wav", ".flac", ".ogg", ".opus"}
TALKERS = SHARED / "librispeech-251-speakers-untranscribed.tar"
CHUNK_BYTES = 2048  # 64 ms, as Home Assistant sends
SILENCE_AFTER_S = 1.0  # the microphone goes on after the recording
# Recordings begin with as much silence as they do; nobody waits for a wake word here.
ENDPOINT = EndpointSettings(no_speech_s=None)


@dataclass(frozen=True, slots=True)
class Item:
    """A recording and what it must come to: intent and slots, or a text that means the same."""

    file: Path
    intent: str = ""
    slots: Mapping[str, Any] | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """What is mixed in, and how loud: signal-to-noise ratio in dB of the powers of speech and noise."""

    noise: Path | None = None
    snr_db: float = 0.0
    talkers: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """For the table."""
        if self.talkers:
            return f"babble {self.snr_db:g} dB"
        return "clean" if self.noise is None else f"{self.noise.stem} {self.snr_db:g} dB"


@dataclass(frozen=True, slots=True)
class Setup:
    """What is measured: an engine with its model, and what it listens for."""

    engine: str
    sentences: Path | None = None
    demo: bool = False
    model: str = ""
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """How one recording went; `best` is whether it had been right to do the best reading where it was asked about."""

    right: bool
    exact: bool
    rejected: bool
    asked: bool
    best: bool
    audio_s: float
    cpu_s: float
    after_s: float


def read_labels(file: Path, audio: Mapping[str, Path], corpus: str | None) -> list[Item]:
    """Read a manifest.tsv, or the label.json of Picovoice/speech-to-intent-benchmark.

    Raises:
        InputError: the file is of neither form, or labels none of the recordings.
    """
    try:
        raw = file.read_text("utf-8")
        items = list(_json_items(raw, audio) if file.suffix == ".json" else _tsv_items(raw, audio, corpus))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file}: no labels: {error}", remedy="Give a manifest.tsv or a label.json") from error
    if not items:
        raise InputError(f"{file} labels none of the {len(audio)} recordings", remedy="Check --audio and --corpus")
    return items


def _json_items(raw: str, audio: Mapping[str, Path]) -> Iterator[Item]:
    for name, label in json.loads(raw).items():
        if name in audio:
            yield Item(audio[name], label["intent"], dict(label["slots"]))


def _tsv_items(raw: str, audio: Mapping[str, Path], corpus: str | None) -> Iterator[Item]:
    for row in csv.DictReader(raw.splitlines(), delimiter="\t"):
        if row["file"] not in audio or (corpus and row["corpus"] != corpus):
            continue
        if row["text"].startswith("{"):
            label = json.loads(row["text"])
            yield Item(audio[row["file"]], label["intent"], label["slots"])
        else:
            yield Item(audio[row["file"]], text=row["text"])


def find_audio(place: Path, unpacked: Path) -> dict[str, Path]:
    """Return the recordings of a folder or tar by file name.

    Raises:
        InputError: there are none.
    """
    folder = place
    if place.is_file() and tarfile.is_tarfile(place):
        with tarfile.open(place) as tar:
            tar.extractall(unpacked, filter="data")
        folder = unpacked
    found = {f.name: f for f in sorted(folder.rglob("*")) if f.suffix.lower() in AUDIO_ENDINGS}
    if not found:
        raise InputError(f"no recordings in {place}", remedy="Give a folder or a tar of WAV, FLAC, Ogg or Opus")
    return found


class Scorer:
    """The parts that a recording goes through; one for each process."""

    def __init__(self, setup: Setup) -> None:
        home = DemoHome().home if setup.demo else Home()
        known = load_sentences("en", [setup.sentences] if setup.sentences else [], builtin=setup.demo)
        if known.problems:
            raise known.problems[0]
        self._matcher = Matcher(known, home)
        self._context = Context(area_id="office" if setup.demo else None)
        config = ServerConfig(engine=setup.engine, micro=MicroConfig(model=setup.model))
        self.engine: Engine = load_engine(config)
        self.engine.use(compile_grammar(known, home, talk=not setup.alone))

    def score(self, item: Item, condition: Condition) -> Score:
        """Play one recording."""
        pcm = mixed(item.file, condition) + bytes(int(SILENCE_AFTER_S * RATE) * 2)
        listening = Listening(self.engine, ENDPOINT, SileroDetector())
        begin = time.process_time()
        for start in range(0, len(pcm), CHUNK_BYTES):
            if listening.feed(pcm[start : start + CHUNK_BYTES]) is not None:
                break
        ended = time.process_time()
        heard = listening.finish()
        end = time.process_time()
        listening.close()
        right, exact = self.judge(item, heard)
        best = right or self.judge(item, replace(heard, hypotheses=heard.hypotheses[:1], least=0.0))[0]
        asked, spent = self.asks(heard), (end - begin, end - ended)
        rejected = not asked and not self.matches(heard)
        return Score(right, exact, rejected, asked, best, heard.audio_seconds, *spent)

    def judge(self, item: Item, heard: Transcription) -> tuple[bool, bool]:
        """Return whether a recording came to what was meant, and whether to no more than that."""
        matches = self.matches(heard)
        if item.text.startswith("oov"):
            return not matches, not matches
        if item.slots is None:
            meant = [drawn.meaning(match) for match in self._matcher.match(item.text, self._context)]
            same = bool(meant) and [drawn.meaning(match) for match in matches] == meant
            return same, same
        if not matches or matches[0].intent != item.intent:
            return False, False
        right = all(matches[0].value(slot) == value for slot, value in item.slots.items())
        return right, right and matches[0].slots.keys() == item.slots.keys()

    def asks(self, heard: Transcription) -> bool:
        """Return whether the server asks which of two commands was meant."""
        understood = self._matcher.understand(heard, self._context)
        return any(clause.rivals for clause in understood.clauses)

    def matches(self, heard: Transcription) -> tuple[IntentMatch, ...]:
        """Return what a transcription has the server do; nothing for what is too long, or has to be asked about."""
        if heard.end is EndReason.LIMIT:
            return ()
        understood = self._matcher.understand(heard, self._context)
        if not understood or len(understood.clauses) != 1 or understood.clauses[0].rivals:
            return ()
        return understood.clauses[0].matches


def mixed(file: Path, condition: Condition) -> bytes:
    """Return a recording with what is mixed in, 16 kHz s16le mono."""
    pcm = read_recording(file)
    if condition.talkers:
        return _babbled(pcm, condition)
    if condition.noise is None:
        return pcm
    speech = np.frombuffer(pcm, "<i2").astype(np.float64)
    noise = np.frombuffer(read_recording(condition.noise), "<i2").astype(np.float64)
    # Another part of the noise for each recording, the same in every run.
    offset = np.random.default_rng(len(pcm)).integers(len(noise))
    noise = np.resize(np.roll(noise, -offset), len(speech))
    gain = np.sqrt(_power(speech) / max(_power(noise), 1e-9) / 10 ** (condition.snr_db / 10))
    mixed: bytes = np.clip(speech + gain * noise, -32768, 32767).round().astype("<i2").tobytes()
    return mixed


def _babbled(pcm: bytes, condition: Condition) -> bytes:
    speech = np.frombuffer(pcm, "<i2").astype(np.float32)
    # Other people for each recording, the same in every run.
    babble = sound.talkers(condition.talkers, 4, len(speech), zlib.crc32(pcm))
    levels = {"speech_level": sound.speech_db(speech), "level": sound.speech_db(babble)}
    return sound.pcm(sound.add(speech, babble, **levels, snr_db=condition.snr_db))


def _power(samples: NDArray[np.float64]) -> float:
    """Return the mean square of the loud half of 20 ms frames: speech, not the silence around it."""
    frames = samples[: len(samples) // 320 * 320].reshape(-1, 320)
    powers = np.sort((frames**2).mean(axis=1))
    return float(powers[len(powers) // 2 :].mean()) if len(powers) else 0.0


_scorer: Scorer | None = None


def _begin(setup: Setup) -> None:
    global _scorer
    _scorer = Scorer(setup)


def _score(job: tuple[Item, Condition]) -> Score:
    assert _scorer is not None
    return _scorer.score(*job)


def summary(engine: str, name: str, scores: list[Score]) -> dict[str, Any]:
    """Return one row of the table."""
    total = len(scores)
    after = [score.after_s * 1000 for score in scores]
    return {
        "engine": engine,
        "condition": name,
        "commands": total,
        "right": sum(score.right for score in scores),
        "right_percent": round(100 * sum(score.right for score in scores) / total, 1),
        "exact_percent": round(100 * sum(score.exact for score in scores) / total, 1),
        "rejected": sum(score.rejected for score in scores),
        "asked": sum(score.asked for score in scores),
        "best_percent": round(100 * sum(score.best for score in scores) / total, 1),
        "rtf": round(sum(score.cpu_s for score in scores) / max(sum(score.audio_s for score in scores), 1e-9), 3),
        "after_ms_p50": round(float(np.percentile(after, 50)), 1),
        "after_ms_p95": round(float(np.percentile(after, 95)), 1),
    }


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Score every condition.

    Raises:
        HearthError: something that was asked for cannot be had.
    """
    with tempfile.TemporaryDirectory() as unpacked:
        items = read_labels(options.labels, find_audio(options.audio, Path(unpacked)), options.corpus)[: options.limit]
        if options.reject:
            items = [Item(item.file, text="oov") for item in items]
        sentences = _sentences(options, items, Path(unpacked))
        conditions = [Condition(), *_noises(options, Path(unpacked))]
        rows = []
        with Progress(console=Console(stderr=True), disable=options.json) as progress:
            for engine in options.engine or ["micro"]:
                model = options.model if engine == "micro" else ""
                setup = Setup(engine, sentences, options.demo, model, options.alone)
                Scorer(setup)  # told now if it cannot be had, not by a worker
                rows += _rows(setup, items, conditions, options.jobs, progress)
        for row in rows:
            same = next(other for other in rows if other["condition"] == row["condition"])
            row["cpu_ratio"] = round(row["rtf"] / max(same["rtf"], 1e-9), 2)
        return rows


def _sentences(options: argparse.Namespace, items: list[Item], unpacked: Path) -> Path:
    if not options.draw:
        given: Path = options.sentences
        return given
    said = [item.text for item in items if item.text and not item.text.startswith("oov")]
    return drawn.draw(options.sentences, said, options.draw, options.seed, unpacked / "drawn")


def _noises(options: argparse.Namespace, unpacked: Path) -> list[Condition]:
    if not options.noise:
        return []
    if options.noise == "babble":
        talkers = tuple(sound.find([options.talkers], unpacked))
        return [Condition(snr_db=snr, talkers=talkers) for snr in options.snr]
    noise = Path(options.noise)
    read_recording(noise)  # told now if it cannot be read, not by a worker
    return [Condition(noise, snr) for snr in options.snr]


def _rows(
    setup: Setup, items: list[Item], conditions: list[Condition], jobs: int, progress: Progress
) -> list[dict[str, Any]]:
    rows = []
    with multiprocessing.get_context("spawn").Pool(jobs, _begin, (setup,)) as pool:
        for condition in conditions:
            task = progress.add_task(f"{setup.engine} {condition.name}", total=len(items))
            scores = []
            for score in pool.imap(_score, [(item, condition) for item in items], chunksize=2):
                scores.append(score)
                progress.advance(task)
            rows.append(summary(setup.engine, condition.name, scores))
    return rows


def _show(rows: list[dict[str, Any]]) -> None:
    table = Table()
    for title in (
        "engine", "condition", "commands", "right", "%", "exact %", "rejected", "asked", "best %", "rtf",
        "after ms p50", "p95", "cpu x",
    ):  # fmt: skip
        table.add_column(title, justify="left" if title in ("engine", "condition") else "right")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    console = Console()
    Console(width=max(console.width, 120)).print(table)


def add_recordings(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which recordings, and what they are heard against."""
    shared = (SHARED / "barista-dev.tar").exists()
    bundled = ROOT / "examples" / "recordings"
    parser.add_argument("--audio", type=Path, default=SHARED / "barista-dev.tar" if shared else bundled)
    parser.add_argument("--labels", type=Path, default=SHARED / "manifest.tsv" if shared else bundled / "labels.json")
    parser.add_argument("--corpus", help="only these rows of a manifest.tsv")
    parser.add_argument("--sentences", type=Path, default=ROOT / "examples" / "barista" / "sentences")
    parser.add_argument(
        "--demo", action="store_true", help="against the demo home's grammar too, not the sentences' alone"
    )
    parser.add_argument("--model", default="", help="file of another model for the engine micro")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_recordings(parser)
    parser.add_argument("--noise", help="recording to mix in, or babble: four people at once")
    parser.add_argument("--talkers", type=Path, default=TALKERS, help="recordings that the babble is made of")
    parser.add_argument("--snr", type=lambda text: [float(v) for v in text.split(",")], default=[24.0, 12.0, 6.0])
    parser.add_argument("--engine", action="append", help="repeat it to compare several (default: micro)")
    parser.add_argument("--reject", action="store_true", help="right is what gives no command: for other speech")
    parser.add_argument("--alone", action="store_true", help="without answers and follow-ups in the grammar")
    parser.add_argument("--draw", type=int, metavar="COUNT", help="against only so many of the sentences, at random")
    parser.add_argument("--seed", type=int, default=0, help="which ones (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")
    parser.add_argument("--limit", type=int, help="only the first so many")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


def main() -> int:
    """Measure and print; the exit code is 2 if what was asked for cannot be had."""
    options = _options()
    try:
        rows = run(options)
    except HearthError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps({"engines": options.engine or ["micro"], "audio": str(options.audio), "conditions": rows}))
    else:
        _show(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
