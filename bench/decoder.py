"""How large the phone graph of a home is, and what decoding against it costs.

    python bench/decoder.py [--json] [--entities 30,300,1000] [--sentences 40] [--clear 0.8] [--numpy]

One row a home. Sentences of the home's grammar become posteriors as a phone model gives them (made up: spikes, phones
taken for others or missed, noise), fed four frames at a time. `right` says how many came back as they were; `/ audio`
is CPU time over that of the audio, `with readings` the same where the readings so far are asked for after each feed;
`compiled` says whether by `passing.c`, `--numpy` has it by numpy, and the tokens are the same. After a name changed,
`grammar s` of CPU time go into its words, which are made of those before, and `name s` into their phones, made anew.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hearth_core.home import Home
from hearth_intents.compile import compile_grammar
from hearth_intents.grammar import Grammar
from hearth_intents.sentences import load_sentences
from hearth_server.asr.micro.choices import Choices
from hearth_server.asr.micro.compiled import Begin, installed, passing
from hearth_server.asr.micro.decoder import Decoder, DecoderSettings
from hearth_server.asr.micro.model import FRAME_S
from hearth_server.asr.micro.passing import ArrayPassing
from hearth_server.asr.micro.phone_graph import PhoneGraph, compile_phones
from hearth_server.asr.pocketsphinx import dictionary
from hearth_server.asr.pronounce import Pronunciations, pronounce

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.intents.homes import large_home
from tests.server.asr.micro.posteriors import phones_of, spoken

T = TypeVar("T")

REPEATS = 3
FRAMES_A_FEED = 4


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--entities", default="30,300,1000", help="sizes of the homes (default: %(default)s)")
    parser.add_argument("--sentences", type=int, default=40, help="how many to decode (default: %(default)s)")
    parser.add_argument(
        "--clear", type=float, default=0.8, help="share of a spike that is right (default: %(default)s)"
    )
    parser.add_argument("--numpy", action="store_true", help="do not use the compiled token passing")
    options = parser.parse_args()
    begin = ArrayPassing if options.numpy else passing
    sizes = [int(size) for size in options.entities.split(",")]
    rows = [measure(large_home(size), options.sentences, options.clear, begin) for size in sizes]
    if options.json:
        compiled = installed() is not None and not options.numpy
        found = {"benchmark": "decoder", "language": "en", "clear": options.clear, "compiled": compiled, "homes": rows}
        print(json.dumps(found))
    else:
        _print_table(rows)


def measure(home: Home, sentences: int, clear: float, begin: Begin) -> dict[str, Any]:
    """Return sizes, and times in seconds of CPU, the best of three runs."""
    texts = load_sentences("en")
    before = compile_grammar(texts, home)
    entity_id, entity = next(iter(home.entities.items()))
    entities = {**home.entities, entity_id: replace(entity, name="Marvellous Lantern")}
    changed = Home.of(home.floors.values(), home.areas.values(), entities.values())
    grammar, words = _timed(lambda: compile_grammar(texts, changed, before=before), 1)
    said, look_up = _timed(lambda: pronounce(grammar.graph.words, grammar.spoken, dictionary()))
    graph, phones = _timed(lambda: compile_phones(grammar.graph, said))
    _, count = _timed(lambda: Choices(graph))
    return {
        "entities": len(home.entities),
        "word_states": grammar.graph.states,
        "word_arcs": len(grammar.graph.arcs),
        "nodes": graph.nodes,
        "arcs": len(graph.arc_node),
        "ends": len(graph.end_word),
        "megabytes": round(graph.bytes / 1e6, 2),
        "grammar_seconds": round(words, 3),
        "pronounce_seconds": round(look_up, 3),
        "phones_seconds": round(phones, 3),
        "choices_seconds": round(count, 3),
        **decode(grammar, said, graph, sentences, clear, begin),
    }


def decode(
    grammar: Grammar, said: Pronunciations, graph: PhoneGraph, count: int, clear: float, begin: Begin
) -> dict[str, Any]:
    """Return what decoding costs, and how much of it is right."""
    rng = np.random.default_rng(0)
    sentences = grammar.graph.sample(Random(0), count)
    heard = [spoken(phones_of(words, said), rng, clear=clear) for words in sentences]
    audio = sum(map(len, heard)) * FRAME_S

    def new() -> Decoder:
        return Decoder(graph, DecoderSettings(), begin=begin)

    texts, seconds = _timed(lambda: [_decoded(new(), frames) for frames in heard])
    _, with_readings = _timed(lambda: [_decoded(new(), frames, asked=True) for frames in heard], 1)
    active = []
    for frames in heard:
        decoder = new()
        for frame in frames:
            decoder.feed(frame[None])
            active.append(decoder.active)
    return {
        "audio_seconds": round(audio, 1),
        "active_mean": round(float(np.mean(active))),
        "active_most": max(active),
        "cpu_per_audio": round(seconds / audio, 5),
        "cpu_per_audio_with_readings": round(with_readings / audio, 5),
        "right": sum(text == " ".join(words) for text, words in zip(texts, sentences, strict=True)),
        "sentences": count,
    }


def _decoded(decoder: Decoder, frames: NDArray[np.float32], asked: bool = False) -> str:
    for first in range(0, len(frames), FRAMES_A_FEED):
        decoder.feed(frames[first : first + FRAMES_A_FEED])
        if asked:
            decoder.result()
    readings = decoder.result().readings
    return readings[0].text if readings else ""


def _timed(call: Callable[[], T], repeats: int = REPEATS) -> tuple[T, float]:
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        result = call()
        best = min(best, time.process_time() - start)
    return result, best


def _print_table(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="The home's phone graph, English", title_justify="left")
    headings = ("entities", "nodes", "arcs", "MB", "grammar s", "name s", "active", "/ audio", "with readings", "right")
    for heading in headings:
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            str(row["entities"]),
            f"{row['nodes']:,}",
            f"{row['arcs']:,}",
            f"{row['megabytes']:.1f}",
            f"{row['grammar_seconds']:.2f}",
            f"{row['pronounce_seconds'] + row['phones_seconds'] + row['choices_seconds']:.2f}",
            str(row["active_mean"]),
            f"{row['cpu_per_audio']:.4f}",
            f"{row['cpu_per_audio_with_readings']:.4f}",
            f"{row['right']}/{row['sentences']}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
