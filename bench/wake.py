"""Wake words: how many are detected, how often other speech wakes, and what it costs, at each threshold.

    python bench/wake.py --positives DIR|TAR… --negatives DIR|TAR… [--word alexa] [--noise FILE --snr DB]
                         [--mean-power] [--pad 2] [--passes 1] [--verify [MODEL]] [--stages] [--check] [--json]

Every positive is heard alone, with `--pad` seconds of a quiet room before and after it; it is detected if the word's
score passes the threshold once. The noise is heard under the padding as well; bench/sound.py says what its SNR is; with
`--mean-power` the speech's level is the whole recording's, as others count it, and the noise some dB softer. The
negatives are heard one after the other without a pause; two accepts within the debounce time are one. How many there
are hangs on where the frames begin and what was heard before: `--passes` hears them so often, each further time in
another order, and counts all. `--threshold` names further thresholds; the model's own is marked by `*`. `--verify` adds
what a satellite and a server with the engine micro accept together, of words that are sure and of those that are not;
`--check` then looks at that. MODEL is another speech model than the shipped one. `--stages` adds CPU seconds for an
audio second and the memory of every stage of the satellite, each in a process of its own. `--check` fails where, at the
model's own threshold, 97 % are not detected (93 % in a noise), or other speech is accepted more than 4 times in 10
hours.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import psutil

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench.stages import measure_stages  # noqa: E402
from bench.wake_verified import Verified, hear_both  # noqa: E402

from bench import sound  # noqa: E402 - found only now
from hearth_core.audio import BYTES_PER_SECOND, RATE  # noqa: E402
from hearth_core.errors import HearthError  # noqa: E402
from hearth_satellite.wake_micro import MicroEngine  # noqa: E402
from hearth_satellite.wake_word import WakeEngine  # noqa: E402

CHUNK_BYTES = 1024
DEBOUNCE_S = 1.0
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
CLEAN_PERCENT, NOISY_PERCENT = 97.0, 93.0
ACCEPTS_PER_HOUR = 0.4
BLOCK = 50
# So many recordings before a block are heard as well, and not counted: no satellite begins anew in the middle of talk.
BEFORE = 10


@dataclass(frozen=True, slots=True)
class Trace:
    """What one stretch of sound scored: the moments, in seconds, at which the score was above the lowest threshold."""

    moments: list[tuple[float, float]]
    audio_s: float
    cpu_s: float

    def accepts(self, threshold: float) -> int:
        """Return how often the threshold was passed, once for each debounce time."""
        count, last = 0, -1e9
        for moment, score in self.moments:
            if score > threshold:
                count += moment - last >= DEBOUNCE_S
                last = moment
        return count


@dataclass(frozen=True, slots=True)
class Row:
    """One threshold."""

    threshold: float
    own: bool
    positives: int
    detected: int
    detected_percent: float
    false_accepts: int
    hours: float


def make_engine(word: str) -> WakeEngine:
    """Return the engine of a word: pymicro-wakeword's by its name, openWakeWord's by its file."""
    if word.endswith((".onnx", ".tflite")):
        from hearth_core.config import WakeConfig
        from hearth_satellite.ears import features_folder
        from hearth_satellite.wake_open import OpenEngine

        return OpenEngine([Path(word)], features_folder(WakeConfig()))
    return MicroEngine([word])


def trace(engine: WakeEngine, pcm: bytes) -> Trace:
    """Hear one stretch of sound."""
    moments = []
    began = time.process_time()
    for start in range(0, len(pcm), CHUNK_BYTES):
        for (score,) in engine.feed(pcm[start : start + CHUNK_BYTES]):
            if score > min(THRESHOLDS):
                moments.append(((start + CHUNK_BYTES) / BYTES_PER_SECOND, score))
    return Trace(moments, len(pcm) / BYTES_PER_SECOND, time.process_time() - began)


def hear_positive(task: tuple[Path, str, float, Path | None, float, bool]) -> Trace:
    """Hear one positive, padded and with its noise."""
    return trace(make_engine(task[1]), padded(task))


def padded(task: tuple[Path, str, float, Path | None, float, bool]) -> bytes:
    """Return one positive, padded and with its noise."""
    path, _, pad_s, noise, snr_db, mean_power = task
    seed = zlib.crc32(path.name.encode())
    speech = sound.load(path)
    pad = round(pad_s * RATE)
    # Ears are never in a dead silence; 3 of 32768 is a quiet room.
    room = np.random.default_rng(seed).normal(0, 3, len(speech) + 2 * pad).astype(np.float32)
    room[pad : pad + len(speech)] += speech
    if noise is not None:
        back = sound.part(_noise(noise), len(room), seed)
        level = sound.noise_db(speech) if mean_power else sound.speech_db(speech)
        room = sound.add(room, back, speech_level=level, level=sound.noise_db(back), snr_db=snr_db)
    return sound.pcm(room)


_noise = lru_cache(maxsize=1)(sound.load)  # of minutes, and the same for all


def verify_positive(task: tuple[tuple[Path, str, float, Path | None, float, bool], Path | None]) -> Verified:
    """Hear one positive with both stages."""
    return hear_both(make_engine(task[0][1]), [padded(task[0])], task[1])


@dataclass(frozen=True, slots=True)
class Block:
    """Other speech to hear, and what comes before it."""

    before: tuple[Path, ...]
    paths: tuple[Path, ...]


def blocks_of(paths: Sequence[Path], passes: int) -> list[Block]:
    """Return the blocks of all passes; the first is in the given order."""
    found = []
    for number in range(passes if paths else 0):
        order = list(paths)
        if number:
            random.Random(number).shuffle(order)
        for start in range(0, len(order), BLOCK):
            before = [order[at] for at in range(start - min(BEFORE, len(order)), start)]
            found.append(Block(tuple(before), tuple(order[start : start + BLOCK])))
    return found


def _sounds(paths: Sequence[Path]) -> Iterator[bytes]:
    return (sound.pcm(sound.load(path)) for path in paths)


def verify_negatives(task: tuple[Block, str, Path | None]) -> Verified:
    """Hear other speech with both stages."""
    block, word, model = task
    return hear_both(make_engine(word), _sounds(block.paths), model, _sounds(block.before))


def hear_negatives(task: tuple[Block, str]) -> Trace:
    """Hear other speech, one recording after the other."""
    block, word = task
    engine = make_engine(word)
    for pcm in _sounds(block.before):
        trace(engine, pcm)
    moments: list[tuple[float, float]] = []
    audio_s = cpu_s = 0.0
    for pcm in _sounds(block.paths):
        heard = trace(engine, pcm)
        moments += [(audio_s + moment, score) for moment, score in heard.moments]
        audio_s, cpu_s = audio_s + heard.audio_s, cpu_s + heard.cpu_s
    return Trace(moments, audio_s, cpu_s)


def rows(positives: Sequence[Trace], negatives: Sequence[Trace], thresholds: Sequence[float], own: float) -> list[Row]:
    """Return one row for each threshold."""
    hours = sum(heard.audio_s for heard in negatives) / 3600
    found = []
    for threshold in sorted({*thresholds, own}):
        detected = sum(heard.accepts(threshold) > 0 for heard in positives)
        percent = round(100 * detected / len(positives), 1) if positives else 0.0
        accepts = sum(heard.accepts(threshold) for heard in negatives)
        found.append(
            Row(round(threshold, 3), threshold == own, len(positives), detected, percent, accepts, round(hours, 2))
        )
    return found


def row_verified(positives: Sequence[Verified], negatives: Sequence[Verified], own: float) -> Row:
    """Return what both stages accept."""
    detected = sum(heard.accepted > 0 for heard in positives)
    percent = round(100 * detected / len(positives), 1) if positives else 0.0
    hours = round(sum(heard.audio_s for heard in negatives) / 3600, 2)
    return Row(own, True, len(positives), detected, percent, sum(heard.accepted for heard in negatives), hours)


def missed(found: Sequence[Row], *, noisy: bool) -> list[str]:
    """Return which goals the model's own threshold misses; what was not heard misses none."""
    goal = NOISY_PERCENT if noisy else CLEAN_PERCENT
    told = []
    for row in found:
        if row.own and row.positives and row.detected_percent < goal:
            told.append(f"{row.detected_percent} % detected, not {goal:g} %")
        if row.own and row.hours and row.false_accepts > ACCEPTS_PER_HOUR * row.hours:
            told.append(f"{row.false_accepts} false accepts in {row.hours} h, not {10 * ACCEPTS_PER_HOUR:g} in 10 h")
    return told


def show(found: list[Row], cpu: float) -> None:
    """Print the table."""
    print(f"{'threshold':>9}  {'detected':>16}  {'false accepts':>13}  {'hours':>6}")
    for row in found:
        detected = f"{row.detected} of {row.positives}, {row.detected_percent} %" if row.positives else "-"
        mark = "*" if row.own else " "
        print(f"{row.threshold:8}{mark}  {detected:>16}  {row.false_accepts:13}  {row.hours:6}")
    print(f"CPU seconds for an audio second: {cpu:.4f}; memory of this process {_rss_mb():.0f} MB")


def _rss_mb() -> float:
    return float(psutil.Process().memory_info().rss) / 1e6


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--positives", type=Path, nargs="+", default=[])
    parser.add_argument("--negatives", type=Path, nargs="+", default=[])
    parser.add_argument("--word", default="alexa", help="name of a word of pymicro-wakeword, or an openWakeWord head")
    parser.add_argument("--noise", type=Path)
    parser.add_argument("--snr", type=float, default=10.0)
    parser.add_argument("--mean-power", action="store_true")
    parser.add_argument("--pad", type=float, default=2.0)
    parser.add_argument("--passes", type=int, default=1, help="hear the negatives so often (default: %(default)s)")
    parser.add_argument("--threshold", type=float, nargs="*", default=[])
    parser.add_argument("--verify", nargs="?", const="", help="measure both stages, with this speech model")
    parser.add_argument("--stages", action="store_true")
    parser.add_argument("--processes", type=int, default=None)
    parser.add_argument("--check", action="store_true", help="exit with 1 if a goal is missed")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as unpacked, multiprocessing.Pool(arguments.processes) as pool:
        try:
            own = make_engine(arguments.word).models[0].threshold
            yes = sound.find(arguments.positives, Path(unpacked))
            no = sound.find(arguments.negatives, Path(unpacked))
        except HearthError as error:
            sys.exit(str(error))
        noisy = (arguments.noise, arguments.snr, arguments.mean_power)
        tasks = [(path, arguments.word, arguments.pad, *noisy) for path in yes]
        positives = pool.map(hear_positive, tasks, chunksize=4)
        blocks = [(block, arguments.word) for block in blocks_of(no, arguments.passes)]
        negatives = list(pool.imap(hear_negatives, blocks))
        both: Row | None = None
        if arguments.verify is not None:
            model = Path(arguments.verify) if arguments.verify else None
            true = pool.map(verify_positive, [(task, model) for task in tasks], chunksize=4)
            false = list(pool.imap(verify_negatives, [(*block, model) for block in blocks]))
            both = row_verified(true, false, own)
    found = rows(positives, negatives, [*THRESHOLDS, *arguments.threshold], own)
    heard = [*positives, *negatives]
    cpu = sum(t.cpu_s for t in heard) / max(sum(t.audio_s for t in heard), 1e-9)
    stages = measure_stages() if arguments.stages else []
    if arguments.json:
        facts: dict[str, object] = {"word": arguments.word, "cpu_s_per_s": round(cpu, 5), "rss_mb": round(_rss_mb(), 1)}
        print(
            json.dumps(
                {
                    **facts,
                    "rows": [asdict(r) for r in found],
                    "verified": both and asdict(both),
                    "stages": [asdict(s) for s in stages],
                },
                indent=1,
            )
        )
    else:
        if heard:
            show(found, cpu)
        if both is not None:
            print(
                f"both stages: {both.detected} of {both.positives} detected, {both.detected_percent} %; "
                f"{both.false_accepts} false accepts in {both.hours} h"
            )
        for stage in stages:
            print(f"{stage.name:28} CPU {stage.cpu_s_per_s:7.4f} s for an audio second   + {stage.rss_mb:5.1f} MB")
    if arguments.check and (told := missed([both] if both else found, noisy=arguments.noise is not None)):
        sys.exit("\n".join(told))


if __name__ == "__main__":
    main()
