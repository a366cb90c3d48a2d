"""End of speech to text: how soon after the last word the text is there, and how often it comes too early.

    python bench/latency.py [--model FILE] [--audio DIR|TAR --labels FILE --corpus NAME] [--demo] [--most N]
                            [--chunk-ms 64] [--json]

Three ways on the same recordings: micro as it is built in, which ends a command sooner if it is whole, and soonest if
nothing can be added to it; micro with Silero's 0.5 s of silence alone; pocketsphinx with the same. A recording gets a
quiet room of 0.5 s before it and 3 s after it, and arrives in chunks of 32 ms, as Hearth's satellites send it. `after`
is from the end of the last word to the end of the chunk that brings the text, plus the CPU time of that chunk and of
finishing. The last word ends where the clean recording was last, over 30 ms, within 25 dB of its own loudest 30 ms and
6 dB over its quietest tenth: what is behind synthesised commands is 24 to 32 dB below the loudest, and no word.
`cut` is a text that came before that, and `no_text` none; `after` is of the others. `changed` is one that is not what
the same engine gives with 0.5 s. `early` are the commands that ended before 0.45 s.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hearth_core.audio import BYTES_PER_SECOND, RATE
from hearth_core.errors import HearthError
from hearth_core.speech import SILERO_WINDOW_BYTES, EndpointSettings, SileroDetector
from hearth_server.listen import Listening

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import commands, sound  # noqa: E402 - found only now

BUILT_IN = EndpointSettings(no_speech_s=None)
SILENCE = replace(BUILT_IN, early_s=None, enough_s=None, extendable_s=BUILT_IN.silence_s, open_s=BUILT_IN.silence_s)
TAIL_S = 3.0
LEAD_S = 0.5
FRAME = 160  # samples
BELOW_DB = 25.0
ABOVE_DB = 6.0


@dataclass(frozen=True, slots=True)
class Way:
    """An engine, and when a command is over."""

    name: str
    engine: str
    settings: EndpointSettings


WAYS = (
    Way("micro, early", "micro", BUILT_IN),
    Way("micro, 0.5 s", "micro", SILENCE),
    Way("pocketsphinx, 0.5 s", "pocketsphinx", SILENCE),
)


@dataclass(frozen=True, slots=True)
class Score:
    """How one command went in one way; times in seconds, `after_s` from its last word."""

    way: str
    text: str
    right: bool
    after_s: float
    compute_s: float
    silence_s: float
    cut: bool


def last_word(samples: sound.Samples) -> int:
    """Return where the last word of a clean recording ends, in samples."""
    whole = len(samples) // FRAME
    power = (samples[: whole * FRAME].reshape(whole, FRAME).astype(np.float64) ** 2).mean(axis=1)
    power = np.convolve(power, np.full(3, 1 / 3), "same")
    least = max(power.max() / 10 ** (BELOW_DB / 10), np.quantile(power, 0.1) * 10 ** (ABOVE_DB / 10))
    return int(np.flatnonzero(power >= min(least, power.max()))[-1] + 1) * FRAME


_scorers: dict[str, commands.Scorer] = {}
_chunk_bytes = SILERO_WINDOW_BYTES


def _begin(setups: list[commands.Setup], chunk_bytes: int) -> None:
    global _chunk_bytes
    _chunk_bytes = chunk_bytes
    for setup in setups:
        _scorers[setup.engine] = commands.Scorer(setup)


def measure(item: commands.Item) -> list[Score]:
    """Hear one command in every way."""
    speech = sound.load(item.file)
    seed = zlib.crc32(item.file.name.encode())
    room = np.random.default_rng(seed).normal(0, 3, round((LEAD_S + TAIL_S) * RATE)).astype(np.float32)
    lead = round(LEAD_S * RATE)
    pcm = sound.pcm(np.concatenate([room[:lead], speech, room[lead:]]))
    word_end = lead + last_word(speech)
    return [_heard(item, way, pcm, word_end) for way in WAYS if way.engine in _scorers]


def _heard(item: commands.Item, way: Way, pcm: bytes, word_end: int) -> Score:
    scorer = _scorers[way.engine]
    listening = Listening(scorer.engine, way.settings, SileroDetector())
    fed, begin = 0, time.thread_time()
    while fed < len(pcm):
        begin = time.thread_time()
        end = listening.feed(pcm[fed : fed + _chunk_bytes])
        fed += _chunk_bytes
        if end is not None:
            break
    heard = listening.finish()
    compute_s = time.thread_time() - begin
    listening.close()
    after_s = (fed // 2 - word_end) / RATE + compute_s
    ended = heard.audio_seconds - word_end / RATE
    right, _ = scorer.judge(item, heard)
    return Score(way.name, heard.text, right, after_s, compute_s, ended, ended < 0)


def table(scores: list[list[Score]]) -> Iterator[dict[str, object]]:
    """Return a row for each way; scores are those of each command in all ways."""
    for number, way in enumerate(score.way for score in scores[0]):
        of = [score[number] for score in scores]
        patient = [next(s for s in score if s.way.startswith(way.split(",")[0]) and "0.5" in s.way) for score in scores]
        told = [score for score in of if score.text and not score.cut]
        after = np.array([score.after_s * 1000 for score in told] or [np.nan])
        early = [score.after_s * 1000 for score in told if score.silence_s < 0.45]
        yield {
            "way": way,
            "commands": len(of),
            "no_text": sum(not score.text for score in of),
            "right": sum(score.right for score in of),
            "after_ms_p50": round(float(np.median(after))) if told else None,
            "after_ms_p95": round(float(np.quantile(after, 0.95))) if told else None,
            "compute_ms_p50": round(float(np.median([score.compute_s * 1000 for score in of])), 1),
            "early_percent": round(100 * sum(score.silence_s < 0.45 for score in of) / len(of), 1),
            "early_ms_p50": round(float(np.median(early))) if early else None,
            "early_ms_p95": round(float(np.quantile(early, 0.95))) if early else None,
            "cut_percent": round(100 * sum(score.cut for score in of) / len(of), 2),
            "changed_percent": round(
                100 * sum(a.text != b.text for a, b in zip(of, patient, strict=True)) / len(of), 2
            ),
        }


def run(options: argparse.Namespace) -> list[dict[str, object]]:
    """Hear all commands.

    Raises:
        HearthError: something that was asked for cannot be had.
    """
    with tempfile.TemporaryDirectory() as unpacked:
        audio = commands.find_audio(options.audio, Path(unpacked))
        items = commands.read_labels(options.labels, audio, options.corpus)
        items = [item for item in items if not item.text.startswith("oov")]
        items = list(sound.spread(items, options.most))
        sentences = None if options.demo else options.sentences
        setups = [commands.Setup(e, sentences, options.demo, options.model) for e in ("micro", "pocketsphinx")]
        begin = (setups, options.chunk_ms * BYTES_PER_SECOND // 1000)
        with multiprocessing.get_context("spawn").Pool(options.jobs, _begin, begin) as pool:
            return list(table(pool.map(measure, items, chunksize=4)))


def main() -> int:
    """Measure and print; the exit code is 2 if what was asked for cannot be had."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands.add_recordings(parser)
    parser.add_argument("--most", type=int, help="so many of the recordings, spread over all")
    parser.add_argument(
        "--chunk-ms", type=int, choices=(32, 64), default=32, help="audio that comes at once (default: %(default)s)"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")
    parser.add_argument("--json", action="store_true")
    try:
        rows = run(parser.parse_args())
    except HearthError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    if rows and parser.parse_args().json:
        print(json.dumps(rows, indent=1))
        return 0
    for row in rows:
        print("  ".join(f"{key} {value}" for key, value in row.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
