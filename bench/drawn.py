"""A small grammar out of a large one: so many of its sentences at random, and those that must be among them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

import yaml

from hearth_core.command import Context, IntentMatch
from hearth_core.errors import InputError
from hearth_core.home import Home
from hearth_intents.compile import compile_grammar
from hearth_intents.matcher import Matcher
from hearth_intents.sentences import load_sentences


def draw(source: Path, said: Iterable[str], count: int, seed: int, folder: Path) -> Path:
    """Write a folder of sentences and return it; what means the same there as in the source is one intent.

    Args:
        source: the folder of all sentences.
        said: texts that must be among them.
        count: how many there are to be, of different words.
        seed: which ones.
        folder: where to write.

    Raises:
        InputError: the source has fewer, or does not know what is said.
    """
    known, home = load_sentences("en", [source], builtin=False), Home()
    if known.problems:
        raise known.problems[0]
    grammar, matcher = compile_grammar(known, home).graph, Matcher(known, home)
    if grammar.sentence_count() < 2 * count:
        raise InputError(f"{source} has too few sentences to draw {count}", remedy="Draw half of them at most")
    rng, texts = Random(seed), dict.fromkeys(text.lower() for text in said)
    while len(texts) < count:
        texts[" ".join(grammar.sample(rng, 1)[0])] = None
    meanings: defaultdict[str, list[str]] = defaultdict(list)
    for text in texts:
        meant = [meaning(match) for match in matcher.match(text, Context())]
        if not meant:
            raise InputError(f"{source} does not know {text!r}", remedy="Leave it out, or write a sentence for it")
        meanings[repr(meant)].append(text)
    intents = {f"Drawn{number}": {"data": [{"sentences": alike}]} for number, alike in enumerate(meanings.values())}
    file = folder / "en" / "drawn.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(yaml.safe_dump({"language": "en", "intents": intents}), "utf-8")
    return folder


def meaning(match: IntentMatch) -> tuple[str, dict[str, Any]]:
    """Return what two matches that mean the same have in common."""
    return match.intent, {name: slot.value for name, slot in match.slots.items()}
