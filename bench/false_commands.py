"""What is no command: how many commands an hour other speech gives, and what turning it down costs.

    python bench/false_commands.py [--engine NAME …] [--model FILE] [--speech TAR …] [--commands DIR|TAR] [--near TAR …]
        [--home demo|barista] [--most-hours H] [--seed N] [--roc FILE.png] [--json]

`false`: recordings of other people's speech, one after the other as one long stream with 0.3 s between them, cut into
utterances by the server's endpointer as it cuts commands; each utterance that is accepted and understood is a false
command. It is what a microphone would do that is always open: worse than any house, where a wake word stands before it.
How many they are hangs on where utterances begin, so on the order of the recordings: try several --seed. Where
pocketsphinx with all of English hears the same words, they were probably said, and are counted as `said` instead. Texts
are told with their confidence. Rates are for an hour of audio; hours are of the stream that was heard. The micro model
has learnt the phones of librispeech-excerpts, ljspeech-excerpts and kathleen; --unseen leaves them out, and 0.9 hours
are left.

`roc`: over every threshold of confidence, the share of commands that are accepted, against the share of near misses
(utterances that are no command of this home, of the words that commands are made of, or short ones) that are: with the
text right or not. As JSON, and as a picture with --roc (matplotlib).
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hearth_core.audio import BYTES_PER_SECOND, RATE, read_recording
from hearth_core.errors import HearthError
from hearth_core.speech import EndpointSettings, SileroDetector
from hearth_server.listen import Listening

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import commands, sound  # noqa: E402 - found only now

SHARED = commands.SHARED
UNSEEN = ("speechocean762-dev-adults", "an4-dev", "wake-phrases-dev")
SPEECH = (*UNSEEN, "librispeech-excerpts", "ljspeech-excerpts", "kathleen")
NEAR = ("speech-commands-words", "custom-phrases", "wake-phrases-dev", "an4-dev")
BARISTA = ROOT / "examples" / "barista" / "sentences"
ENDPOINT = EndpointSettings(no_speech_s=None)
BETWEEN_S = 0.3


@dataclass(frozen=True, slots=True)
class Heard:
    """An utterance: what was accepted with which confidence, and whether it is a command that would be done."""

    text: str
    confidence: float
    command: bool
    seconds: float
    pcm: bytes = b""  # of a command


def stream(paths: list[Path], hours: float, seed: int) -> Iterator[bytes]:
    """Yield recordings one after the other in chunks, up to so many hours."""
    rng = np.random.default_rng(seed)
    left = int(hours * 3600 * BYTES_PER_SECOND)
    for number in rng.permutation(len(paths)):
        room = np.rint(rng.normal(0, 3, int(BETWEEN_S * RATE))).astype("<i2").tobytes()
        pcm = (read_recording(paths[number]) + room)[:left]
        left -= len(pcm)
        yield from (pcm[at : at + commands.CHUNK_BYTES] for at in range(0, len(pcm), commands.CHUNK_BYTES))
        if left <= 0:
            return


def utterances(scorer: commands.Scorer, chunks: Iterator[bytes]) -> Iterator[Heard]:
    """Yield what is heard of a stream, an utterance at a time; each begins where the last one ended."""
    listening, pcm = Listening(scorer.engine, ENDPOINT, SileroDetector()), bytearray()
    for chunk in chunks:
        pcm += chunk
        if listening.feed(chunk) is not None:
            yield _finished(scorer, listening, pcm)
            listening, pcm = Listening(scorer.engine, ENDPOINT, SileroDetector()), bytearray()
    yield _finished(scorer, listening, pcm)


def _finished(scorer: commands.Scorer, listening: Listening, pcm: bytearray) -> Heard:
    heard = listening.finish()
    listening.close()
    command = bool(scorer.matches(heard))
    return Heard(heard.text, heard.confidence or 0.0, command, heard.audio_seconds, bytes(pcm) if command else b"")


def dictated(pcm: bytes) -> str:
    """Return what pocketsphinx hears that knows all English words and no grammar."""
    from pocketsphinx import Decoder

    decoder = Decoder(samprate=RATE, loglevel="FATAL")  # a new one: what it heard before would tune it
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()
    return decoder.hyp().hypstr if decoder.hyp() else ""


def alike(one: str, other: str) -> bool:
    """Return whether two texts are the same words, however they are written: "nevermind" is "never mind"."""
    return re.sub(r"[^a-z]", "", one.casefold()) == re.sub(r"[^a-z]", "", other.casefold())


def one(scorer: commands.Scorer, path: Path) -> Heard:
    """Return what is heard of one recording."""
    pcm = read_recording(path) + bytes(int(commands.SILENCE_AFTER_S * RATE) * 2)
    return next(utterances(scorer, (pcm[at : at + 2048] for at in range(0, len(pcm), 2048))))


def roc(positive: list[float], negative: list[float]) -> list[dict[str, float]]:
    """Return the shares accepted at every threshold; a confidence of 0 was turned down by the engine itself."""
    thresholds = sorted({0.0, *positive, *negative} - {0.0}) or [1.0]
    yes, no = np.array(positive), np.array(negative)
    return [
        {
            "threshold": round(float(threshold), 4),
            "accepted": round(float((yes >= threshold).mean()), 4),
            "false_accepted": round(float((no >= threshold).mean()), 4),
        }
        for threshold in thresholds
    ]


def measure(options: argparse.Namespace, engine: str, unpacked: Path) -> dict[str, Any]:
    """Return what one engine does.

    Raises:
        HearthError: something that was asked for cannot be had.
    """
    demo = options.home == "demo"
    setup = commands.Setup(engine, None if demo else BARISTA, demo, options.model if engine == "micro" else "")
    scorer = commands.Scorer(setup)
    talk = stream(sound.find(options.speech, unpacked), options.most_hours, options.seed)
    heard = list(utterances(scorer, talk))
    hours = sum(each.seconds for each in heard) / 3600
    done = [each for each in heard if each.command]
    said = [each for each in done if alike(each.text, dictated(each.pcm))]
    false = [each for each in done if each not in said]
    found: dict[str, Any] = {
        "engine": engine,
        "home": options.home,
        "hours": round(hours, 3),
        "utterances": len(heard),
        "accepted": sum(bool(each.text) for each in heard),
        "false_commands": len(false),
        "per_hour": round(len(false) / hours, 2) if hours else None,
        "texts": [f"{each.text} ({each.confidence:.2f})" for each in false][:20],
        "said": [f"{each.text} ({each.confidence:.2f})" for each in said][:20],
    }
    if options.commands and options.near:
        wanted = [one(scorer, path) for path in sound.spread(sound.find([options.commands], unpacked), options.most)]
        near = [one(scorer, path) for path in sound.spread(sound.find(options.near, unpacked), options.most)]
        yes = [each.confidence if each.command else 0.0 for each in wanted]
        no = [each.confidence if each.command else 0.0 for each in near]
        found["roc"] = {"commands": len(yes), "near_misses": len(no), "points": roc(yes, no)}
    return found


def draw(rows: list[dict[str, Any]], file: Path) -> None:
    """Save the curves as a picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(5, 5))
    for row in rows:
        points = row["roc"]["points"]
        axes.step(
            [100 * point["false_accepted"] for point in points],
            [100 * point["accepted"] for point in points],
            where="post",
            label=row["engine"],
        )
    axes.set(xlabel="near misses accepted, %", ylabel="commands accepted, %", ylim=(0, 101), title=rows[0]["home"])
    axes.legend(loc="lower right")
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(file, dpi=100)


def main() -> int:
    """Measure and print; the exit code is 2 if what was asked for cannot be had."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tar = "{}.tar".format
    parser.add_argument("--engine", action="append", help="repeat it to compare several (default: micro)")
    parser.add_argument("--model", default="", help="file of another model for the engine micro")
    parser.add_argument("--speech", type=Path, nargs="+", default=[SHARED / tar(name) for name in SPEECH])
    parser.add_argument("--commands", type=Path, help="of the home (default: barista-dev, for demo home-commands-dev)")
    parser.add_argument("--unseen", action="store_true", help="only speech that is in no training")
    parser.add_argument("--near", type=Path, nargs="*", default=[SHARED / tar(name) for name in NEAR])
    parser.add_argument("--home", choices=("demo", "barista"), default="barista", help="what is listened for")
    parser.add_argument("--most-hours", type=float, default=10.0, help="of the stream (default: %(default)g)")
    parser.add_argument("--seed", type=int, default=0, help="of the order of the recordings")
    parser.add_argument("--most", type=int, help="so many commands and near misses")
    parser.add_argument("--roc", type=Path, help="picture to save")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.unseen:
        options.speech = [SHARED / tar(name) for name in UNSEEN]
    if options.commands is None:
        options.commands = SHARED / tar("home-commands-dev" if options.home == "demo" else "barista-dev")
    try:
        with tempfile.TemporaryDirectory() as unpacked:
            rows = [measure(options, engine, Path(unpacked)) for engine in options.engine or ["micro"]]
    except HearthError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    if options.roc and all("roc" in row for row in rows):
        draw(rows, options.roc)
    if options.json:
        print(json.dumps(rows, indent=1))
        return 0
    for row in rows:
        print("  ".join(f"{key} {value}" for key, value in row.items() if key != "roc"))
        for point in row.get("roc", {}).get("points", [])[:: max(1, len(row.get("roc", {}).get("points", [])) // 12)]:
            print("   ", point)
    return 0


if __name__ == "__main__":
    sys.exit(main())
