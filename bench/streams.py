"""What the engine micro costs: CPU by stage, memory, time to load; and whether many speakers at once fall behind.

    python bench/streams.py [--model FILE] [--audio DIR|TAR] [--seconds 20] [--streams 1,10,50] [--cores 2]
        [--processes 2] [--json]

`stages`: recordings one after the other in chunks of 64 ms through features, encoder and decoder, each timed alone in
CPU seconds of its thread, as milliseconds for an audio second; `silero` beside them is the server's voice detector.
`load`: a new process; `rss` is what the engine with the demo home's grammar adds to one with numpy and Hearth's core.
`streams`: so many speakers at once, each with its own voice detector, through the server's inbox into its threads, held
to so many cores. A chunk comes when its audio would be there; `late` is how long after that it is done, in
milliseconds: who falls behind is later and later, or takes more at once. `lag` is the lateness of the last second of
audio less that of the first; `cores_used` is the CPU time over that of the audio: with more than there are, they fall
behind.
`rss` is what they add to the process at most.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from hearth_core.audio import BYTES_PER_SECOND, RATE, read_recording
from hearth_core.errors import HearthError
from hearth_core.log_mel import LogMel
from hearth_core.settings import MicroConfig, ServerConfig
from hearth_core.speech import EndpointSettings, SileroDetector
from hearth_intents.compile import compile_grammar
from hearth_intents.grammar import Grammar
from hearth_intents.sentences import load_sentences
from hearth_server.asr.engine import Recogniser
from hearth_server.asr.micro.engine import MicroEngine
from hearth_server.asr.micro.posteriors import Posteriors
from hearth_server.demo_home import DemoHome
from hearth_server.inbox import AudioInbox
from hearth_server.listen import listen
from hearth_server.listening_processes import EngineProcesses

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import commands, sound  # noqa: E402 - found only now

CHUNK_BYTES = commands.CHUNK_BYTES
CHUNK_S = CHUNK_BYTES / BYTES_PER_SECOND
# Nobody ends while it is measured; a stream that is as long as the run shows what falls behind.
ENDLESS = EndpointSettings(
    silence_s=1e6,
    short_silence_s=1e6,
    max_s=1e6,
    no_speech_s=None,
    background_db=None,
    early_s=None,
    enough_s=None,
    extendable_s=1e6,
)

_LOAD = """
import json, sys, time
import numpy, psutil
import hearth_core.log_mel, hearth_core.settings
from hearth_server.demo_home import DemoHome
from hearth_intents.compile import compile_grammar
from hearth_intents.sentences import load_sentences
grammar = compile_grammar(load_sentences("en", []), DemoHome().home)
before, begin = psutil.Process().memory_info().rss, time.perf_counter()
from hearth_server.asr.micro.engine import MicroEngine
engine = MicroEngine(hearth_core.settings.MicroConfig(model=sys.argv[1]))
loaded = time.perf_counter()
engine.use(grammar)
used = time.perf_counter()
stream = engine.open()
for _ in range(100):
    stream.feed(bytes(2048))
stream.finish()
print(json.dumps({
    "load_ms": round((loaded - begin) * 1000), "grammar_ms": round((used - loaded) * 1000),
    "rss_mb": round((psutil.Process().memory_info().rss - before) / 1e6, 1),
    "file_mb": round(engine.model.size / 1e6, 2),
}))
"""


def demo_grammar() -> Grammar:
    """Return everything that can be said in the demo home."""
    return compile_grammar(load_sentences("en", []), DemoHome().home)


class Spent:
    """CPU seconds of the thread by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def on(self, stage: str) -> Iterator[None]:
        """Time the block."""
        begin = time.thread_time()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.thread_time() - begin


def stages(engine: MicroEngine, recordings: list[bytes]) -> dict[str, float]:
    """Return milliseconds of CPU for an audio second of each stage."""
    spent, detector = Spent(), SileroDetector()
    for pcm in recordings:
        features, posteriors, decoder = LogMel(), Posteriors(engine.model), engine.decoder()
        for start in range(0, len(pcm), CHUNK_BYTES):
            chunk = pcm[start : start + CHUNK_BYTES]
            with spent.on("features"):
                features.feed(chunk)
            with spent.on("encoder"):  # and the features once more
                log_probs = posteriors.feed(chunk)
            with spent.on("decoder"):
                decoder.feed(log_probs)
            with spent.on("silero"):
                for at in range(0, len(chunk) - 1023, 1024):
                    detector(chunk[at : at + 1024])
        with spent.on("decoder"):
            decoder.result()
    spent.seconds["encoder"] -= spent.seconds["features"]
    seconds = sum(map(len, recordings)) / BYTES_PER_SECOND
    return {stage: round(1000 * value / seconds, 2) for stage, value in spent.seconds.items()}


def cpu_seconds() -> float:
    """Return what this process and those that listen for it have used."""
    own = psutil.Process()
    return sum(sum(process.cpu_times()[:2]) for process in (own, *own.children()))


def load(model: str) -> dict[str, float]:
    """Return what a new process says of loading."""
    done = subprocess.run([sys.executable, "-c", _LOAD, model], capture_output=True, text=True, check=True, cwd=ROOT)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def at_once(engine: Recogniser, pcm: bytes, count: int) -> dict[str, float]:
    """Return how late so many speakers are, who all say the same beginning at other places."""
    chunks = len(pcm) // CHUNK_BYTES
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    late = np.full((count, chunks), np.nan)
    begin = time.perf_counter() + 0.5

    async def speak(number: int) -> None:
        run = asyncio.get_running_loop().run_in_executor
        listening = listen(engine, ENDLESS, SileroDetector)
        shift = len(pcm) // count * number // 2 * 2
        own = pcm[shift:] + pcm[:shift]
        start = begin + CHUNK_S * number / count  # people do not speak in step
        inbox = AudioInbox()

        async def arrive() -> None:
            for chunk in range(chunks):
                await asyncio.sleep(max(0.0, start + (chunk + 1) * CHUNK_S - time.perf_counter()))
                await inbox.put(own[chunk * CHUNK_BYTES : (chunk + 1) * CHUNK_BYTES])
            await inbox.end()

        arriving = asyncio.create_task(arrive())
        done = 0
        async for taken in inbox:
            await run(listening.threads, listening.feed, taken)
            heard = np.arange(done, done + len(taken) // CHUNK_BYTES)
            late[number, heard] = time.perf_counter() - start - (heard + 1) * CHUNK_S
            done += len(heard)
        await arriving
        await run(listening.threads, listening.finish)
        listening.close()

    async def speak_all() -> None:
        await asyncio.gather(*(speak(number) for number in range(count)))

    cpu = cpu_seconds()
    asyncio.run(speak_all())
    cpu = cpu_seconds() - cpu
    second = max(1, round(1 / CHUNK_S))
    seconds = chunks * CHUNK_S
    return {
        "streams": count,
        "late_ms_p50": round(1000 * float(np.median(late)), 1),
        "late_ms_p95": round(1000 * float(np.quantile(late, 0.95)), 1),
        "late_ms_max": round(1000 * float(late.max()), 1),
        "lag_ms": round(1000 * float(np.median(late[:, -second:]) - np.median(late[:, :second])), 1),
        "cpu_per_audio_s": round(cpu / seconds / count, 4),
        "cores_used": round(cpu / seconds, 2),
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000 - before, 1),
    }


def main() -> int:
    """Measure and print; the exit code is 2 if what was asked for cannot be had."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="", help="file of another model")
    parser.add_argument("--audio", type=Path, default=ROOT / "examples" / "recordings")
    parser.add_argument("--seconds", type=float, default=20.0, help="audio of each stream (default: %(default)g)")
    parser.add_argument("--streams", default="1,10,50", help="how many at once (default: %(default)s)")
    parser.add_argument("--cores", type=int, default=2, help="hold it to so many (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=2, help="that listen beside it; 0 for none (default: 2)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    try:
        engine = MicroEngine(MicroConfig(model=options.model))
        with tempfile.TemporaryDirectory() as unpacked:
            recordings = [read_recording(path) for path in sound.find([options.audio], Path(unpacked))][:60]
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
        engine.use(demo_grammar())
        size = int(options.seconds * RATE) * 2
        speech = b"".join(recordings)
        speech = (speech * (size // len(speech) + 1))[:size]
        counts = [int(count) for count in options.streams.split(",")]
        found: dict[str, Any] = {
            "load": load(options.model),
            "stages_ms_per_audio_s": stages(engine, recordings),
            "streams": [{"processes": 0, **at_once(engine, speech, count)} for count in counts],
        }
        if options.processes:
            config = ServerConfig(engine="micro", micro=MicroConfig(model=options.model))
            beside = EngineProcesses(options.processes, config, "en")
            with closing(beside):
                beside.use(demo_grammar())
                found["streams"] += [
                    {"processes": options.processes, **at_once(beside, speech, count)} for count in counts
                ]
    except HearthError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(found, indent=1))
        return 0
    print("load     ", found["load"])
    print("stages   ", found["stages_ms_per_audio_s"], "ms of CPU for an audio second")
    for row in found["streams"]:
        print("at once  ", row)
    return 0


if __name__ == "__main__":
    sys.exit(main())
