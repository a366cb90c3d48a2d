"""How long it takes from a thing renamed in Home Assistant to a server that understands the new name, stage by stage.

    python bench/rename.py [--json] [--entities 30,300,1000]

A server runs as it does at home, on a real socket, paired with what stands for Home Assistant: it sends the home, sends
it again with one lamp renamed, and asks by text until the new name is understood (`understood_s`). The recogniser hears
it later (`heard_s`). `lag_s` is the longest that the server's event loop stood still meanwhile. The stages are
measured for themselves before: `pack` and `read` the home, `house` (what the bus makes of it), `matcher`, and for
speech `grammar` and `graph`. `anew` is the matcher without the work of the one before, and `ratio` the understood_s
beside it: the machine's load is in both.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).parent.parent))
from hearth_core.companion import Dialogue, pack, unpack
from hearth_core.companion_client import identify, opened, pair, request_code
from hearth_core.config import Config
from hearth_core.home import Home
from hearth_core.settings import ServerConfig
from hearth_intents.matcher import Matcher
from hearth_intents.sentences import load_sentences
from hearth_server.asr.registry import load_engine
from hearth_server.companion.bus import CompanionBus
from hearth_server.companion.feed import told
from hearth_server.house import House
from hearth_server.server import Server, running_server
from hearth_server.understanding import grammar_of
from tests.intents.homes import large_home

REPEATS = 2
NEW = "Zebra Lantern"
WAIT_S = 300.0


def document(home: Home, renamed: bool) -> dict[str, Any]:
    """Return a home as the integration tells it, with its first light renamed or not."""
    first = next(entity_id for entity_id in home.entities if entity_id.startswith("light."))
    attributes = {"supported_color_modes": ["brightness"], "brightness": 128, "supported_features": 0}
    return {
        "floors": [{"id": f.floor_id, "name": f.name, "level": f.level} for f in home.floors.values()],
        "areas": [{"id": a.area_id, "name": a.name, "floor_id": a.floor_id} for a in home.areas.values()],
        "labels": [],
        "entities": [
            {"id": e.entity_id, "names": [NEW if renamed and e.entity_id == first else e.name], "area_id": e.area_id}
            for e in home.entities.values()
        ],
        "states": {
            e.entity_id: {"s": "off", "a": {"friendly_name": e.name, **attributes}} for e in home.entities.values()
        },
        "sentences": {},
    }


class Best(dict[str, float]):
    """The least seconds that each stage took."""

    @contextlib.contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Time the block."""
        began = time.perf_counter()
        yield
        self[stage] = min(self.get(stage, WAIT_S), time.perf_counter() - began)


async def stages(home: Home) -> dict[str, float]:
    """Return the seconds of each stage, the best of some runs."""
    sentences, engine, best = load_sentences("en"), load_engine(ServerConfig()), Best()
    new = document(home, True)
    bus, feeder = CompanionBus(), cast(Dialogue, object())
    house = House([bus])
    await house.start()
    bus.attach(feeder)
    bus.take_home(feeder, told(document(home, False)))
    old = house.home
    with best.time("anew"):
        matcher = Matcher(sentences, old)
    for _ in range(REPEATS):
        with best.time("pack"):
            packed = b"".join(pack(json.dumps(new).encode()))
        with best.time("read"):
            read = told(unpack(packed))
        with best.time("house"):
            bus.take_home(feeder, read)
        with best.time("matcher"):
            Matcher(sentences, house.home, matcher)
        with best.time("grammar"):
            grammar = grammar_of(sentences, house.home)
        with best.time("graph"):
            engine.use(grammar)
        bus.take_home(feeder, told(document(home, False)))
        Matcher(sentences, old, matcher)
    await house.stop()
    engine.close()
    return dict(best)


@contextlib.asynccontextmanager
async def feeding(folder: Path) -> AsyncIterator[tuple[Server, Dialogue]]:
    """Run a server, and be the Home Assistant that it is paired with."""
    codes: list[str] = []
    companion = {"state": str(folder), "announce": False}
    config = Config.model_validate({"server": {"host": "127.0.0.1", "port": 0, "companion": companion}})
    async with running_server(config, lambda code, minutes: codes.append(code)) as server:
        where = "127.0.0.1", server.listener.port
        await request_code(*where)
        found = await identify(*where)
        token = await pair(*where, codes[0], "bench", found)
        async with opened(*where, token, found.server_id, "home", found.fingerprint) as link:
            ready: asyncio.Future[Dialogue] = asyncio.get_running_loop().create_future()
            talking = asyncio.create_task(link.converse({}, ready.set_result))
            try:
                yield server, await ready
            finally:
                talking.cancel()
                await asyncio.gather(talking, return_exceptions=True)


async def path(home: Home) -> dict[str, float]:
    """Return how long a rename takes through a running server, the best of some runs, and the loop's longest lag."""
    best = {"understood_s": WAIT_S, "heard_s": WAIT_S, "lag_s": WAIT_S}
    with tempfile.TemporaryDirectory() as folder:
        async with feeding(Path(folder)) as (server, dialogue):
            for _ in range(REPEATS):
                await tell(dialogue, document(home, False))
                await until(lambda: NEW.split()[0].lower() not in server.pipeline.understanding.grammar.graph.words)
                lag = asyncio.create_task(longest_lag())
                began = time.perf_counter()
                await tell(dialogue, document(home, True))
                while not await understands(dialogue):  # noqa: ASYNC110 - as a person would
                    await asyncio.sleep(0.01)
                understood = time.perf_counter() - began
                await until(lambda: NEW.split()[0].lower() in server.pipeline.understanding.grammar.graph.words)
                heard = time.perf_counter() - began
                lag.cancel()
                found = {"understood_s": understood, "heard_s": heard, "lag_s": (await asyncio.gather(lag))[0]}
                best = {key: min(best[key], found[key]) for key in best}
    return best


async def tell(dialogue: Dialogue, home: Any) -> None:
    """Send a home."""
    parts = pack(json.dumps(home).encode())
    for number, part in enumerate(parts):
        await dialogue.request("home", {"part": number, "parts": len(parts)}, part)


async def understands(dialogue: Dialogue) -> bool:
    """Return whether a text with the new name is understood; nothing is done for it, no handler is there."""
    answer = await dialogue.request("ask", {"text": f"turn on the {NEW}"})
    return answer.get("intent") == "HassTurnOn"


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(WAIT_S):
        while not holds():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.02)


async def longest_lag() -> float:
    """Return the longest that this loop stood still until cancelled, in seconds."""
    longest = 0.0
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.005)
            longest = max(longest, time.perf_counter() - began - 0.005)
    return longest


async def measure(entities: int) -> dict[str, Any]:
    """Return a home's figures."""
    home = large_home(entities)
    best = await stages(home)
    anew = best.pop("anew")
    found = {**await path(home), **best, "anew": anew}
    rounded = {key: round(value, 3) for key, value in found.items()}
    return {"entities": entities, **rounded, "ratio": round(found["understood_s"] / anew, 2)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--entities", default="30,300,1000", help="sizes of the homes (default: %(default)s)")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    rows = [asyncio.run(measure(int(size))) for size in options.entities.split(",")]
    if options.json:
        print(json.dumps({"homes": rows}))
        return
    print("  ".join(f"{key:>12}" for key in rows[0]))
    for row in rows:
        print("  ".join(f"{value:>12}" for value in row.values()))


if __name__ == "__main__":
    main()
