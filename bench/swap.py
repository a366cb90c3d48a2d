"""How long it takes from a renamed thing to a recogniser, matcher and phrasebook that know the new name.

    python bench/swap.py [--json] [--entities 30,300,1000]

All of it happens beside the commands, which go on with the old names until the swap. `ratio` is the whole beside the
time in which hassil parses the same sentences, measured in the same run.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from hassil.intents import Intents
from hassil.parse_expression import parse_sentence

sys.path.insert(0, str(Path(__file__).parent.parent))
from hearth_core.settings import ServerConfig
from hearth_intents.sentences import load_sentences
from hearth_server.asr.registry import load_engine
from hearth_server.understanding import understand_home
from tests.intents.homes import large_home

REPEATS = 3


def measure(entities: int) -> dict[str, Any]:
    """Return the best of some runs for a home of that size."""
    sentences = load_sentences("en")
    engine = load_engine(ServerConfig())
    home = large_home(entities)
    best: tuple[float, float] = (float("inf"), float("inf"))
    for _ in range(REPEATS):
        start = time.perf_counter()
        understanding = understand_home(sentences, home)
        built = time.perf_counter()
        engine.use(understanding.grammar)
        best = min(best, (built - start, time.perf_counter() - built), key=sum)
    engine.close()
    parse = _hassil_parse_s(sentences.intents)
    return {
        "entities": entities,
        "arcs": len(understanding.grammar.graph.arcs),
        "compile_s": round(best[0], 2),
        "recogniser_s": round(best[1], 2),
        "swap_s": round(sum(best), 2),
        "ratio": round(sum(best) / parse, 1),
    }


def _hassil_parse_s(intents: Intents) -> float:
    texts = [text for intent in intents.intents.values() for block in intent.data for text in block.sentence_texts]
    start = time.perf_counter()
    for text in texts:
        parse_sentence(text)
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--entities", default="30,300,1000", help="sizes of the homes (default: %(default)s)")
    options = parser.parse_args()
    rows = [measure(int(size)) for size in options.entities.split(",")]
    if options.json:
        print(json.dumps({"homes": rows}))
        return
    print("  ".join(f"{key:>12}" for key in rows[0]))
    for row in rows:
        print("  ".join(f"{value:>12}" for value in row.values()))


if __name__ == "__main__":
    main()
