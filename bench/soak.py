"""Whether memory stays flat over thousands of commands: a server process, driven over its Wyoming port.

    python bench/soak.py [--commands 10000] [--seconds 300] [--json]
    python bench/soak.py --faults [--rounds 3] [--only NAMES] [--json]     (see faults.py)

Each connection says a few dozen sentences (switching, asking, and some that are not understood) and leaves, as Home
Assistant does; the server's resident memory is read along the way. `growth` compares the end with the point at which a
tenth of the commands was done, by when all caches are warm.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import re
import subprocess
import sys
import time
from asyncio.subprocess import PIPE
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from wyoming.asr import Transcript
from wyoming.handle import Handled, NotHandled

from hearth_core.wire import connect

SENTENCES = (
    "turn on the kitchen lights",
    "set bed light brightness to 50 percent",
    "lock the front door",
    "is the front door locked",
    "set the kitchen lights to green",
    "turn off the kitchen lights",
    "unlock the front door",
    "what time is it",
    "what is the temperature in the office",
    "open the sliding door",
    "close the sliding door",
    "the cat sat on the mat",
    "turn off all the lights",
)
PER_CONNECTION = 50
READ_S = 30.0


@dataclass(frozen=True, slots=True)
class Result:
    """What a run showed; memory in MiB."""

    commands: int
    seconds: float
    handled: int
    not_handled: int
    warm_mib: float
    end_mib: float
    peak_mib: float

    @property
    def growth_mib(self) -> float:
        """Memory at the end over memory when warm."""
        return self.end_mib - self.warm_mib


async def soak(commands: int, seconds: float) -> Result:
    """Run a server and drive it until so many commands are done or the time is over."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hearth_core", "server", "--port", "0", stdout=PIPE
    )
    assert process.stdout is not None
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
        found = re.search(r"tcp://\S+", line)
        if found is None:
            raise SystemExit(f"the server did not start: {line!r}")
        return await _drive(found[0], psutil.Process(process.pid), commands, seconds)
    finally:
        process.terminate()
        await process.wait()


async def _drive(uri: str, server: psutil.Process, commands: int, seconds: float) -> Result:
    sentences = itertools.cycle(SENTENCES)
    start = time.monotonic()
    done = handled = 0
    warm = peak = 0.0
    while done < commands and time.monotonic() - start < seconds:
        connection = await connect(uri)
        try:
            for text in itertools.islice(sentences, PER_CONNECTION):
                await connection.write(Transcript(text).event())
                event = await connection.read(timeout=READ_S)
                if event is None or not (Handled.is_type(event.type) or NotHandled.is_type(event.type)):
                    raise SystemExit(f"no answer to {text!r}: {event}")
                handled += Handled.is_type(event.type)
                done += 1
        finally:
            await connection.close()
        now = server.memory_info().rss / 2**20
        peak = max(peak, now)
        if not warm and (done >= commands / 10 or time.monotonic() - start > seconds / 10):
            warm = now
    end = server.memory_info().rss / 2**20
    return Result(done, round(time.monotonic() - start, 1), handled, done - handled, warm, end, peak)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--commands", type=int, default=10_000, help="how many (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=300.0, help="stop after so long (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--faults", action="store_true", help="make faults instead; what follows is for faults.py")
    options, others = parser.parse_known_args()
    if options.faults:
        script = str(Path(__file__).with_name("faults.py"))
        more = ["--json"] if options.json else []
        sys.exit(subprocess.run([sys.executable, script, *others, *more], check=False).returncode)
    if others:
        parser.error(f"unknown: {' '.join(others)}")
    result = asyncio.run(soak(options.commands, options.seconds))
    if options.json:
        print(json.dumps({**asdict(result), "growth_mib": result.growth_mib}))
        return
    print(f"{result.commands} commands in {result.seconds} s, {result.handled} done, {result.not_handled} refused")
    print(f"memory warm {result.warm_mib:.1f} MiB, end {result.end_mib:.1f}, peak {result.peak_mib:.1f}")
    print(f"growth {result.growth_mib:+.1f} MiB")


if __name__ == "__main__":
    main()
