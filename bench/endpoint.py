"""End of speech: how soon after the last word a command ends, how often in its middle, how often never.

    python bench/endpoint.py [--audio DIR|TAR…] [--talkers DIR|TAR] [--noise FILE] [--most N] [--server] [--jobs N]
        [--json]

A recording gets 0.5 s before it and 10 s after it, alone or with what goes on behind it at an SNR as bench/sound.py
defines it: one talker (`tv`), four at once (`babble`), or a noise. `cut` is a command that ended before its last word
as the detector hears it clean, by more than 0.15 s; `before` are those of them that ended before their first, because
who is behind spoke and paused while the speaker had not begun; `held` one that did not end within 10 s of it. `after`
is from that last word to the end. `all speech` compares no levels; `foreground` does, within the command; `wake word`
is what is built in: the level of the wake word before it is known as well. That is one of the recorded ones, in the
same background, as loud as the command, or louder or softer by so many dB; `no rise` is without the settings'
`rise_db`.

With `--server` the server's own end is measured instead, which may come before the satellite's and counts: the engine
`micro` with the sentences of examples/barista, and what the satellite sends of the wake word, cut as the server cuts
it. `no word` knows the level of none, though its tail may be heard; `wake word` is built in.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import multiprocessing
import sys
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hearth_core.audio import RATE
from hearth_core.command import Detection, EndReason
from hearth_core.errors import HearthError
from hearth_core.speech import Endpointer, EndpointSettings, SileroDetector

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import sound  # noqa: E402 - found only now

if TYPE_CHECKING:
    from hearth_server.asr.engine import Engine

SETTINGS = EndpointSettings(no_speech_s=None)
WORDS = sorted((ROOT / "tests" / "data" / "satellite").glob("*-*.flac"))
LEAD_S = 0.6  # what a satellite keeps from before a detection


@dataclass(frozen=True, slots=True)
class Rule:
    """How a command is ended; `word_db` is how much louder its wake word is than it, None if there was none.

    With `met` its level is known to whoever ends the command; without, its sound may be heard all the same.
    """

    name: str
    settings: EndpointSettings
    word_db: float | None = None
    met: bool = True


RULES = (
    Rule("all speech", replace(SETTINGS, background_db=None)),
    Rule("foreground", SETTINGS),
    Rule("wake word", SETTINGS, 0.0),
    Rule("word +6 dB", SETTINGS, 6.0),
    Rule("word +12 dB", SETTINGS, 12.0),
    Rule("+12, no rise", replace(SETTINGS, rise_db=math.inf), 12.0),
    Rule("word -6 dB", SETTINGS, -6.0),
)
SERVER_RULES = (
    Rule("no word", SETTINGS, 0.0, met=False),
    Rule("wake word", SETTINGS, 0.0),
    Rule("no word +12 dB", SETTINGS, 12.0, met=False),
    Rule("word +12 dB", SETTINGS, 12.0),
)
TAIL_S = 10.0


@dataclass(frozen=True, slots=True)
class Behind:
    """What goes on behind the command; `talkers` is 0 for a noise or for nothing."""

    name: str
    snr_db: float = 0.0
    talkers: int = 0


CONDITIONS = (
    Behind("clean"),
    Behind("tv", 10, 1),
    Behind("tv", 15, 1),
    Behind("babble", 10, 4),
    Behind("babble", 15, 4),
    Behind("noise", 10),
)


@dataclass(frozen=True, slots=True)
class Score:
    """How one command ended under one rule; `after_s` is from its last word."""

    rule: str
    behind: str
    cut: bool
    before: bool
    held: bool
    after_s: float


class Replay:
    """The detector's answers again, so that every rule hears the same."""

    window_bytes = 1024

    def __init__(self, probabilities: list[float]) -> None:
        self._probabilities = probabilities
        self.reset()

    def __call__(self, window: bytes) -> float:
        return next(self._answers)

    def reset(self) -> None:
        self._answers = iter(self._probabilities)


def probabilities(pcm: bytes) -> list[float]:
    """Return what Silero says of each window."""
    detector = SileroDetector()
    return [detector(pcm[start : start + 1024]) for start in range(0, len(pcm) - 1023, 1024)]


def words(pcm: bytes, heard: list[float]) -> tuple[int, int] | None:
    """Return where the first speech begins and the last ends, in samples, whatever pauses are between; None if none."""
    endless = replace(SETTINGS, silence_s=1e6, short_silence_s=1e6, max_s=1e6, background_db=None)
    endpointer = Endpointer(endless, Replay(heard))
    endpointer.feed(pcm)
    if endpointer.speech_start is None or endpointer.speech_end is None:
        return None
    return endpointer.speech_start, endpointer.speech_end


@dataclass(frozen=True, slots=True)
class Task:
    """One command before one background, to be heard under each rule by the satellite or by the server."""

    path: Path
    behind: Behind
    talkers: list[Path]
    noise: Path | None
    server: bool


def measure(task: Task) -> list[Score]:
    """Hear one command before one background under each rule."""
    path, behind, others, noise = task.path, task.behind, task.talkers, task.noise
    seed = zlib.crc32(f"{path.name} {behind.talkers}".encode())
    room = np.random.default_rng(seed).normal(0, 3, round((0.5 + TAIL_S) * RATE)).astype(np.float32)  # a quiet one
    speech = sound.load(path)
    clean = np.concatenate([room[: RATE // 2], speech, room[RATE // 2 :]])
    spoken = words(sound.pcm(clean), probabilities(sound.pcm(clean)))
    if spoken is None:
        return []
    speech_level, back = sound.speech_db(speech), np.zeros(len(clean), np.float32)
    if behind.talkers:
        back = sound.talkers(others, behind.talkers, len(clean), seed)
        back = sound.add(
            np.zeros_like(back), back, speech_level=speech_level, level=sound.speech_db(back), snr_db=behind.snr_db
        )
    elif behind.snr_db and noise is not None:
        back = sound.part(sound.load(noise), len(clean), seed)
        back = sound.add(
            np.zeros_like(back), back, speech_level=speech_level, level=sound.noise_db(back), snr_db=behind.snr_db
        )
    pcm = sound.pcm(clean + back)
    heard = [] if task.server else probabilities(pcm)
    word = sound.load(WORDS[seed % len(WORDS)])
    scores = []
    for rule in SERVER_RULES if task.server else RULES:
        said = lead(word, rule, speech_level, back)
        if task.server and said is not None:
            reason, samples = served(rule, said, pcm)
        else:
            endpointer = Endpointer(rule.settings, Replay(heard))
            if said is not None:
                endpointer.meet(said)
            reason, samples = endpointer.feed(pcm), endpointer.samples
        scores.append(_score(rule, behind, reason, samples, spoken))
    return scores


def lead(word: sound.Samples, rule: Rule, speech_level: float, back: sound.Samples) -> bytes | None:
    """Return what is heard up to 0.1 s after a wake word's last sound, with what goes on behind it."""
    if rule.word_db is None:
        return None
    word = word * np.float32(10 ** ((speech_level + rule.word_db - sound.speech_db(word)) / 20))
    end = int(np.flatnonzero(np.abs(word) > np.abs(word).max() / 30)[-1]) + 1
    said = np.concatenate([word[:end], np.zeros(RATE // 10, np.float32)])[-round(LEAD_S * RATE) :]
    return sound.pcm(said + back[-len(said) :])


@functools.cache
def engine() -> Engine:
    """Return the server's recogniser, with the sentences of the example."""
    from hearth_core.home import Home
    from hearth_intents.compile import compile_grammar
    from hearth_intents.sentences import load_sentences
    from hearth_server.asr.micro.engine import MicroEngine

    made = MicroEngine()
    made.use(
        compile_grammar(load_sentences("en", [ROOT / "examples" / "barista" / "sentences"], builtin=False), Home())
    )
    return made


def served(rule: Rule, said: bytes, pcm: bytes) -> tuple[EndReason | None, int]:
    """Return how and where the server ends a command, in samples of it; `said` is sent before, as a satellite does."""
    from hearth_satellite import events
    from hearth_satellite.loudness import word_end_ms
    from hearth_server import opening
    from hearth_server.listen import STEP_BYTES, Listening

    end = word_end_ms(said)
    facts = {} if end is None else {"word_end_ms": end}
    opened = opening.read(events.beginning(Detection("word"), "", len(said) * 1000 // RATE // 2, facts)[1])
    kept = said[opened.skip_ms * RATE // 1000 * 2 :]
    listening = Listening(engine(), rule.settings, SileroDetector())
    try:
        if rule.met:
            listening.meet(said[: len(said) - len(kept)], opened.tail_ms / 1000)
        audio = kept + pcm
        for start in range(0, len(audio), STEP_BYTES):
            reason = listening.feed(audio[start : start + STEP_BYTES])
            if reason is not None:
                return reason, (min(start + STEP_BYTES, len(audio)) - len(kept)) // 2
        return None, len(pcm) // 2
    finally:
        listening.close()


def _score(rule: Rule, behind: Behind, reason: EndReason | None, samples: int, spoken: tuple[int, int]) -> Score:
    after_s = (samples - spoken[1]) / RATE
    held = reason is not EndReason.SILENCE
    cut = not held and after_s < -0.15
    name = f"{behind.name} {behind.snr_db:g} dB" if behind.snr_db else behind.name
    return Score(rule.name, name, cut, cut and samples <= spoken[0], held, after_s)


def table(scores: list[Score]) -> Iterator[dict[str, object]]:
    """Return a row for each condition and rule."""
    for behind, rule in dict.fromkeys((score.behind, score.rule) for score in scores):
        of = [score for score in scores if (score.behind, score.rule) == (behind, rule)]
        after = np.array([score.after_s for score in of if not (score.held or score.cut)] or [np.nan])
        yield {
            "behind": behind,
            "rule": rule,
            "commands": len(of),
            "cut_percent": round(100 * sum(score.cut for score in of) / len(of), 2),
            "before_percent": round(100 * sum(score.before for score in of) / len(of), 2),
            "held_percent": round(100 * sum(score.held for score in of) / len(of), 2),
            "after_s_median": round(float(np.median(after)), 3),
            "after_s_p95": round(float(np.quantile(after, 0.95)), 3),
        }


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audio", type=Path, nargs="+", default=[sound.at_hand("barista-dev")])
    parser.add_argument("--talkers", type=Path, default=sound.at_hand("librispeech-251-speakers-untranscribed"))
    parser.add_argument("--noise", type=Path, help="a recording of a noise")
    parser.add_argument("--most", type=int, help="so many of the recordings, spread over all")
    parser.add_argument("--server", action="store_true", help="measure where the server ends a command")
    parser.add_argument("--jobs", type=int, help="processes at a time (default: one for each core)")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as unpacked, multiprocessing.Pool(arguments.jobs) as pool:
        try:
            paths = sound.find(arguments.audio, Path(unpacked))
            others = sound.find([arguments.talkers], Path(unpacked))
        except HearthError as error:
            sys.exit(str(error))
        paths = paths[:: max(1, len(paths) // arguments.most)] if arguments.most else paths
        conditions = [c for c in CONDITIONS if c.name != "noise" or arguments.noise]
        tasks = [
            Task(path, behind, others, arguments.noise, arguments.server) for behind in conditions for path in paths
        ]
        scores = [score for found in pool.imap(measure, tasks, chunksize=4) for score in found]
    rows = list(table(scores))
    if arguments.json:
        print(json.dumps(rows, indent=1))
        return
    print(f"{'behind':14} {'rule':14} {'commands':>8} {'cut':>7} {'before':>7} {'held':>7} {'after':>7} {'p95':>7}")
    for row in rows:
        print(
            f"{row['behind']:14} {row['rule']:14} {row['commands']:8} {row['cut_percent']:6}% "
            f"{row['before_percent']:6}% {row['held_percent']:6}% {row['after_s_median']:7} {row['after_s_p95']:7}"
        )


if __name__ == "__main__":
    main()
