"""How long the home's grammar takes to compile, and a text to be matched, beside hassil's own times in the same run.

    python bench/grammar.py [--json] [--entities 30,300,1000] [--folder examples/barista/sentences]

One row a home. `ratio` is the compile time over the time that hassil takes to parse the same sentences. `renamed` is
what it takes when one thing has another name and what was compiled before is taken over, as the server does it, in
seconds of CPU, and `/ anew` that over the same made anew, in the same run. `rss MB` is what a first compile adds at
most to a new process that has the sentences and the engine micro, `+ phones` what that and the engine's phones add.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from hassil.intents import Intents
from hassil.recognize import recognize_best

from hearth_core.command import Context
from hearth_core.home import Home
from hearth_intents.compile import compile_grammar
from hearth_intents.matcher import Matcher
from hearth_intents.sentences import Sentences, load_sentences
from hearth_intents.slots import home_lists

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.intents.homes import large_home

T = TypeVar("T")

ROOT = Path(__file__).parent.parent
TEXTS = 100
REPEATS = 3


_MEMORY = """
import re, sys
sys.path.insert(0, ".")
from hearth_intents.compile import compile_grammar
from hearth_intents.sentences import load_sentences
from hearth_server.asr.micro.engine import MicroEngine
from tests.intents.homes import large_home
def peak():  # getrusage would tell the parent's
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1000
sentences, engine = load_sentences("en"), MicroEngine()
engine.use(compile_grammar(sentences, large_home(3)))
before = peak()
grammar = compile_grammar(sentences, large_home(int(sys.argv[1])), talk=True)
words = peak()
engine.use(grammar)
print(round(words - before, 1), round(peak() - before, 1))
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--entities", default="30,300,1000", help="sizes of the homes (default: %(default)s)")
    parser.add_argument("--folder", type=Path, action="append", default=[], help="an author's sentences")
    options = parser.parse_args()
    sizes = [int(size) for size in options.entities.split(",")]
    rows = [measure(large_home(size), options.folder) for size in sizes]
    if options.json:
        print(json.dumps({"benchmark": "grammar", "language": "en", "homes": rows}))
    else:
        _print_table(rows)


def measure(home: Home, folders: list[Path]) -> dict[str, Any]:
    """Return the sizes of a home's grammar, and times in seconds, the best of three runs."""
    sentences, load = _timed(lambda: load_sentences("en", folders))
    _, parse = _timed(hassil_parse)
    # each run on sentences fresh from the disk: a first compile is what a user waits for
    grammar, first = _timed(lambda: compile_grammar(load_sentences("en", folders), home))
    compiled = max(first - load, 0.0)
    renamed, anew = rename(sentences, home)
    matcher, build = _timed(lambda: Matcher(sentences, home))
    texts = [" ".join(words) for words in grammar.graph.sample(Random(0), TEXTS)]
    context = Context(area_id=next(iter(home.areas)))
    lists = home_lists(home, sentences.speech)
    area = {"area": {"value": context.area_id, "text": ""}}
    ours = [_timed(lambda text=text: matcher.match(text, context))[1] for text in texts]  # type: ignore[misc]
    theirs = [
        _timed(lambda text=text: recognize_best(text, sentences.intents, lists, intent_context=area))[1]  # type: ignore[misc]
        for text in texts
    ]
    return {
        "entities": len(home.entities),
        "states": grammar.graph.states,
        "arcs": len(grammar.graph.arcs),
        "words": len(grammar.graph.words),
        "sentences": grammar.graph.sentence_count(),
        "load_seconds": round(load, 4),
        "compile_seconds": round(compiled, 4),
        "renamed_cpu_seconds": round(renamed, 4),
        "anew_cpu_seconds": round(anew, 4),
        "renamed_ratio": round(renamed / anew, 3),
        **memory(len(home.entities)),
        "hassil_parse_seconds": round(parse, 4),
        "ratio": round(compiled / parse, 2),
        "matcher_seconds": round(build, 4),
        "match_seconds": round(statistics.median(ours), 5),
        "hassil_match_seconds": round(statistics.median(theirs), 5),
        "match_ratio": round(statistics.median(ours) / statistics.median(theirs), 2),
    }


def rename(sentences: Sentences, home: Home) -> tuple[float, float]:
    """Return the seconds of CPU for the grammar after a new name, from the one before and made anew."""
    entity_id, entity = next(iter(home.entities.items()))
    entities = {**home.entities, entity_id: replace(entity, name="Marvellous Lantern")}
    changed = Home.of(home.floors.values(), home.areas.values(), entities.values())
    before = compile_grammar(sentences, home, talk=True)
    began = time.process_time()
    compile_grammar(sentences, changed, talk=True, before=before)
    between = time.process_time()
    compile_grammar(sentences, changed, talk=True)
    return between - began, time.process_time() - between


def memory(entities: int) -> dict[str, float]:
    """Return the megabytes that a compile adds at its peak, without and with phones, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _MEMORY, str(entities)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    words, with_phones = map(float, done.stdout.split())
    return {"rss_mb": words, "rss_with_phones_mb": with_phones}


def hassil_parse() -> int:
    """Parse all English sentences of Home Assistant as hassil itself does; return their number."""
    from home_assistant_intents import get_intents

    intents = Intents.from_dict(get_intents("en") or {})
    return sum(len(block.sentences) for intent in intents.intents.values() for block in intent.data)


def _timed(call: Callable[[], T]) -> tuple[T, float]:
    best = float("inf")
    for _ in range(REPEATS):
        start = time.perf_counter()
        result = call()
        best = min(best, time.perf_counter() - start)
    return result, best


def _print_table(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="The home's grammar, English", title_justify="left")
    compiled = ("compile s", "/ parse", "renamed", "/ anew", "rss MB", "+ phones")
    for heading in ("entities", "states", "arcs", "words", *compiled, "match ms", "/ hassil"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            str(row["entities"]),
            f"{row['states']:,}",
            f"{row['arcs']:,}",
            str(row["words"]),
            f"{row['compile_seconds']:.2f}",
            f"{row['ratio']:.1f}",
            f"{row['renamed_cpu_seconds']:.2f}",
            f"{row['renamed_ratio']:.2f}",
            f"{row['rss_mb']:.0f}",
            f"{row['rss_with_phones_mb']:.0f}",
            f"{row['match_seconds'] * 1000:.1f}",
            f"{row['match_ratio']:.2f}",
        )
    console = Console()
    Console(width=max(console.width, 120)).print(table)


if __name__ == "__main__":
    main()
