"""Sentences that are no commands: chatter, questions to an assistant, television; made here, and read elsewhere.

Made from the parts in `others.yaml`, which were written for this bench: talk about a house and its things in words that
commands are made of, questions that other assistants answer, and lines as films, news and adverts have them. Where the
speech corpora are at hand, their transcripts of read sentences come beside them (LibriSpeech, LJ Speech, ARCTIC).
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import yaml
from hassil.parse_expression import parse_sentence
from hassil.sample import sample_sentence

# Each group gives this many at most, drawn with this seed.
PER_GROUP = 800
READ_ALOUD = 1_000
SEED = 7

_MANIFEST = Path(__file__).parent.parent.parent / "shared" / "speech" / "manifest.tsv"
_READ_ALOUD = ("librispeech-excerpts", "ljspeech-excerpts", "kathleen", "speechocean762-train")


def other_sentences() -> dict[str, list[str]]:
    """Return what is no command, by where it comes from."""
    rng = Random(SEED)
    data = yaml.safe_load(Path(__file__).with_name("others.yaml").read_text(encoding="utf-8"))
    found: dict[str, list[str]] = {}
    for group, templates in data["groups"].items():
        texts = {" ".join(text.split()) for template in templates for text in sample_sentence(parse_sentence(template))}
        found[group] = rng.sample(sorted(texts), min(PER_GROUP, len(texts)))
    if _MANIFEST.is_file():
        found["read aloud"] = rng.sample(sorted(_transcripts()), READ_ALOUD)
    return found


def _transcripts() -> set[str]:
    rows = (line.split("\t") for line in _MANIFEST.read_text(encoding="utf-8").splitlines()[1:])
    return {row[5].strip().lower() for row in rows if len(row) > 5 and row[0] in _READ_ALOUD and row[5].strip()}
