"""From the wake word to its chime: how soon it is heard, and whether one satellite alone chimes.

    python bench/chime.py [--wakes 20] [--satellites 3] [--word WORD] [--positive FILE] [--check] [--json]

Satellites of one room, each `hearth satellite` as a process of its own with `wake: chime`, and one `hearth server` that
drives them. The word is said `--wakes` times into all of them at once, fed through standard input at the pace of
speech; one after the other is the first, the others hear it up to 0.1 s later. On their control sockets is seen when
they hear the word (`wake`) and when a chime begins (`output-began`): `after_ms` is what lies between for the first:
the claim's way to the server and back. What a sound device adds is not in it. `chimes` is how many were heard of
one word. `--check` fails where that is not one each time; times fail nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import socket
import statistics
import sys
import tempfile
import threading
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bench.idle import POSITIVE, Feeder, room  # noqa: E402 - found only now

from hearth_core.audio import read_recording  # noqa: E402

START_S: Final = 60.0
# The word and its silence, the answer to it, and the rest in which a satellite is deaf.
ROUND_S: Final = 6.0
LATER_S: Final = 0.1
STAGGER_S: Final = 0.011
# What begins later after the word is no chime for it.
CHIME_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Round:
    """One word: how many satellites heard it and chimed, and how long after the first had; None if none did."""

    heard: int
    chimes: int
    after_ms: float | None


class Ear:
    """One satellite and what is seen of it: the times of its happenings, by their names."""

    def __init__(self, folder: Path, number: int, word: str) -> None:
        self.name = f"ear {number}"
        self.socket = folder / f"{number}.sock"
        self.config = folder / f"{number}.yaml"
        self.seen: dict[str, list[float]] = {}
        self.driven = threading.Event()
        control = {"socket": {"path": str(self.socket)}, "state_file": str(folder / f"{number}.json")}
        satellite: dict[str, Any] = {"name": self.name, "port": 0, "control": control}
        satellite |= {"microphone": {"source": "stdin"}, "speaker": {"sink": "file", "file": f"{folder}/{number}.wav"}}
        satellite |= {"wake": {"words": [word], "chime": True}}
        self.config.write_text(yaml.safe_dump({"satellite": satellite}))

    def look(self) -> None:
        """Take what it tells until it ends; in a thread of its own, for the one that feeds would note it late."""
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(str(self.socket))
            for line in peer.makefile():
                at = time.monotonic()
                message: dict[str, Any] = json.loads(line)
                event = str(message.get("event"))
                self.seen.setdefault(event, []).append(at)
                if event == "connected" or (event == "hello" and message.get("state") != "idle"):
                    self.driven.set()


async def say(ears: Sequence[Ear], feeders: Sequence[Feeder], word: bytes, seed: int) -> Round:
    """Say the word into all; in turn another one hears it first."""
    for ear in ears:
        ear.seen.clear()
    later = np.random.default_rng(seed).uniform(0.0, LATER_S, len(ears))
    later[seed % len(ears)] = 0.0
    sounds = [room(1.0 + late, seed) + word + room(ROUND_S - late, seed + 1000) for late in later]
    await asyncio.gather(
        *(_fed(feeder, sound, number) for number, (feeder, sound) in enumerate(zip(feeders, sounds, strict=True)))
    )
    heard = [ear.seen["wake"][0] for ear in ears if "wake" in ear.seen]
    began = [at for ear in ears for at in ear.seen.get("output-began", ())]
    chimed = [at for at in began if heard and at - min(heard) < CHIME_S]
    return Round(len(heard), len(chimed), round(1000 * (min(chimed) - min(heard)), 1) if chimed else None)


async def _fed(feeder: Feeder, sound: bytes, number: int) -> None:
    """Feed a satellite, a few milliseconds after the one before it: microphones do not have their chunks at once."""
    await asyncio.sleep(number * STAGGER_S)
    await feeder.feed(sound)


@contextlib.asynccontextmanager
async def running(*arguments: str) -> AsyncIterator[tuple[Process, str]]:
    """Run a part of Hearth; give it and where it listens."""
    command = [sys.executable, "-m", "hearth_core", *arguments]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_S):
            while "tcp://" not in (line := (await process.stdout.readline()).decode()):
                if not line:
                    raise SystemExit(f"hearth {' '.join(arguments)} does not start")
        yield process, f"tcp://127.0.0.1:{line.strip().rpartition(':')[2]}"
    finally:
        process.kill()
        await process.communicate()


async def run(options: argparse.Namespace) -> list[Round]:
    """Run the satellites and the server, and say the word again and again."""
    word = read_recording(options.positive)
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ears = [Ear(folder, number, options.word) for number in range(options.satellites)]
        links, feeders = [], []
        for ear in ears:
            process, uri = await stack.enter_async_context(running("--config", str(ear.config), "satellite"))
            links.append({"name": ear.name, "uri": uri, "group": "room"})
            feeders.append(Feeder(process))
        for ear in ears:
            threading.Thread(target=ear.look, daemon=True).start()
        server = {"port": 0, "satellites": links, "speak": {"voice": "chime"}}
        (folder / "server.yaml").write_text(yaml.safe_dump({"server": server}))
        await stack.enter_async_context(running("--config", str(folder / "server.yaml"), "server"))
        for ear in ears:
            if not await asyncio.to_thread(ear.driven.wait, START_S):
                raise SystemExit(f"{ear.name} is not driven")
        return [await say(ears, feeders, word, 10 + number) for number in range(options.wakes)]


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wakes", type=int, default=20)
    parser.add_argument("--satellites", type=int, default=3)
    parser.add_argument("--word", default="okay_nabu")
    parser.add_argument("--positive", type=Path, default=POSITIVE)
    parser.add_argument("--check", action="store_true", help="exit with 1 unless one chimes each time")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rounds = asyncio.run(run(options))
    if options.json:
        print(json.dumps([asdict(each) for each in rounds], indent=1))
    else:
        after = [each.after_ms for each in rounds if each.after_ms is not None]
        print(
            f"{len(rounds)} words, {options.satellites} satellites: heard by all "
            f"{sum(r.heard == options.satellites for r in rounds)} times, chimed by one "
            f"{sum(r.chimes == 1 for r in rounds)} times"
        )
        if after:
            median, worst = statistics.median(after), max(after)
            print(f"chime {median:.1f} ms after the first satellite told of the word (worst {worst:.1f})")
    if options.check and (wrong := [each for each in rounds if each.chimes != 1]):
        sys.exit(f"{len(wrong)} of {len(rounds)} words were not chimed by one satellite alone: {wrong[:3]}")


if __name__ == "__main__":
    main()
