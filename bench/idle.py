"""The whole satellite at rest, and how soon a command's sound is at its driver.

    python bench/idle.py [--seconds 60] [--word WORD] [--wakes 10] [--positive FILE] [--check] [--json]

Runs `hearth satellite` as a process of its own, fed through standard input at the pace of speech, with this bench as
its driver. Idle: a quiet room; CPU as a share of one core and resident memory of that process. Wake: the positive is
said `--wakes` times; from the moment that the chunk with the detection was written, to the first audio chunk at the
driver; and whether the sound that came holds, to the sample and without a gap, what was said since 0.3 s before the
word's end. `--check` fails where a wake is missed or not whole, or more than 80 MB are resident; times fail nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import psutil
from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.satellite import RunSatellite
from wyoming.wake import Detection

from hearth_core.audio import BYTES_PER_SECOND, RATE, read_recording
from hearth_core.control_event import WAKE, WakeVerdict, hello, wake_sound_of
from hearth_core.speech import SileroDetector

ROOT = Path(__file__).parent.parent
POSITIVE = ROOT / "tests" / "data" / "satellite" / "okay_nabu-rms.flac"
CHUNK_BYTES = 1024
CHUNK_S = CHUNK_BYTES / BYTES_PER_SECOND
BEFORE_S = 0.3
SETTLE_S = 5.0
MOST_MB = 80.0


@dataclass(frozen=True, slots=True)
class Idle:
    """The satellite at rest."""

    seconds: float
    cpu_percent: float
    rss_mb: float


@dataclass(frozen=True, slots=True)
class Wake:
    """One detection: after the word's end, and until its first sound arrived; `whole` says that nothing was lost."""

    detected_after_ms: int
    first_chunk_ms: float
    whole: bool


class Feeder:
    """Writes sound at the pace of speech, and remembers when each chunk was written and what it was."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.written = bytearray()
        self.written_at: list[float] = []
        self._due = 0.0

    async def feed(self, pcm: bytes) -> None:
        """Write sound; returns when all of it is written."""
        loop = asyncio.get_running_loop()
        assert self._process.stdin is not None
        for start in range(0, len(pcm), CHUNK_BYTES):
            self._due = max(self._due + CHUNK_S, loop.time() - CHUNK_S)
            await asyncio.sleep(max(0.0, self._due - loop.time()))
            chunk = pcm[start : start + CHUNK_BYTES].ljust(CHUNK_BYTES, b"\0")
            self.written_at.append(loop.time())
            self.written += chunk
            self._process.stdin.write(chunk)
            await self._process.stdin.drain()


def room(seconds: float, seed: int) -> bytes:
    """Return a quiet room; no two seconds are the same, so that a piece of it is found again."""
    samples = np.random.default_rng(seed).normal(0, 8, round(seconds * RATE))
    return np.rint(samples).astype("<i2").tobytes()


async def measure_idle(process: Process, feeder: Feeder, seconds: float) -> Idle:
    """Feed a quiet room and look at the process."""
    await feeder.feed(room(SETTLE_S, 1))
    seen = psutil.Process(process.pid)
    before = seen.cpu_times()
    began = asyncio.get_running_loop().time()
    await feeder.feed(room(seconds, 2))
    took = asyncio.get_running_loop().time() - began
    after = seen.cpu_times()
    cpu = after.user + after.system - before.user - before.system
    return Idle(round(took, 1), round(100 * cpu / took, 2), round(seen.memory_info().rss / 1e6, 1))


def word_end_s(pcm: bytes) -> float:
    """Return where the word ends: its last window of 10 ms that is within 30 dB of the loudest."""
    samples = np.frombuffer(pcm, "<i2").astype(float)
    powers = (samples[: len(samples) // 160 * 160].reshape(-1, 160) ** 2).mean(axis=1)
    return float(np.flatnonzero(powers > powers.max() / 1000)[-1] + 1) / 100


async def measure_wake(client: AsyncTcpClient, feeder: Feeder, word: bytes, seed: int) -> Wake | None:
    """Say the word, and a second of speech-like noise right after it; None if it was not detected."""
    after = (np.random.default_rng(seed + 1000).normal(0, 2000, RATE)).astype("<i2").tobytes()
    await feeder.feed(room(2.5, seed))
    said_at = len(feeder.written)
    feeding = asyncio.create_task(feeder.feed(word + after + room(7.0, seed + 2000)))
    loop = asyncio.get_running_loop()
    lead_ms, first_at, heard = 0, 0.0, bytearray()
    try:
        async with asyncio.timeout(12):
            while (event := await client.read_event()) is not None:
                if Detection.is_type(event.type):
                    lead_ms = (Detection.from_event(event).context or {}).get("lead_ms", 0)
                elif AudioChunk.is_type(event.type):
                    first_at = first_at or loop.time()
                    heard += AudioChunk.from_event(event).audio
                elif event.type == WAKE and not (asked := wake_sound_of(event)[0]).sure:
                    await client.write_event(WakeVerdict(id=asked.id, said=True).event())
                elif AudioStop.is_type(event.type):
                    break
    except TimeoutError:
        return None
    finally:
        await client.write_event(Transcript("").event())
        await feeding
    end = said_at + int(word_end_s(word) * RATE) * 2
    begins = feeder.written.find(heard[:2048], said_at - CHUNK_BYTES)
    detected = begins + lead_ms * BYTES_PER_SECOND // 1000  # where the wake word was noticed
    whole = 0 <= begins <= end - int(BEFORE_S * RATE) * 2 and feeder.written[begins : begins + len(heard)] == heard
    written_at = feeder.written_at[max(0, detected // CHUNK_BYTES - 1)]
    return Wake((detected - end) * 1000 // BYTES_PER_SECOND, round(1000 * (first_at - written_at), 1), whole)


async def run(arguments: argparse.Namespace) -> tuple[Idle, list[Wake], int]:
    """Run the satellite and measure it."""
    command = [sys.executable, "-m", "hearth_satellite", "--port", "0", "--stdin", "--wake", arguments.word]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL)
    assert process.stdout is not None
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
        feeder = Feeder(process)
        async with AsyncTcpClient("127.0.0.1", int(line.rpartition(":")[2])) as client:
            await client.write_event(hello(verifies=True))  # as a Hearth server does
            await client.write_event(RunSatellite().event())
            idle = await measure_idle(process, feeder, arguments.seconds)
            word = read_recording(arguments.positive)
            found = [await measure_wake(client, feeder, word, 10 + index) for index in range(arguments.wakes)]
        wakes = [wake for wake in found if wake is not None]
        return idle, wakes, len(found) - len(wakes)
    finally:
        process.kill()
        await process.communicate()


def goals_missed(idle: Idle, wakes: Sequence[Wake], missed: int) -> list[str]:
    """Return which goals are missed, of those that do not depend on how busy the machine is."""
    torn = sum(not wake.whole for wake in wakes)
    goals = {
        f"{idle.rss_mb} MB are resident, more than {MOST_MB:g}": idle.rss_mb <= MOST_MB,
        f"{missed} wakes were missed": not missed,
        f"the sound of {torn} wakes is not whole": not torn,
    }
    return [words for words, reached in goals.items() if not reached]


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--word", default="okay_nabu")
    parser.add_argument("--wakes", type=int, default=10)
    parser.add_argument("--positive", type=Path, default=POSITIVE)
    parser.add_argument("--check", action="store_true", help="exit with 1 if a goal is missed")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    SileroDetector()  # its absence is told here, and not by a satellite whose log nobody sees
    idle, wakes, missed = asyncio.run(run(arguments))
    if arguments.json:
        print(json.dumps({"idle": asdict(idle), "wakes": [asdict(w) for w in wakes], "missed": missed}, indent=1))
    else:
        show(idle, wakes, missed)
    if arguments.check and (told := goals_missed(idle, wakes, missed)):
        sys.exit("\n".join(told))


def show(idle: Idle, wakes: Sequence[Wake], missed: int) -> None:
    """Print what was found."""
    print(f"idle for {idle.seconds} s: {idle.cpu_percent} % of a core, {idle.rss_mb} MB resident")
    if wakes:
        first = [wake.first_chunk_ms for wake in wakes]
        late = [wake.detected_after_ms for wake in wakes]
        print(
            f"{len(wakes)} wakes, {missed} missed: first chunk after {statistics.median(first):.1f} ms "
            f"(worst {max(first):.1f}); detected {statistics.median(late):.0f} ms after the word (worst {max(late)}); "
            f"whole from {BEFORE_S} s before the word's end: {sum(w.whole for w in wakes)} of {len(wakes)}"
        )


if __name__ == "__main__":
    main()
