"""Yes, no and a PIN in people's own voices: recordings of AN4 in ../shared, where they are; else this is skipped."""

from __future__ import annotations

import csv
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from hearth_intents.compile import compile_grammar
from hearth_intents.replies import replies
from hearth_intents.sentences import load_sentences
from hearth_server.asr.pocketsphinx import PocketsphinxEngine
from hearth_server.demo_home import DemoHome

SPEECH = Path(__file__).parents[4] / "shared" / "speech"
pytestmark = pytest.mark.skipif(not (SPEECH / "an4-dev.tar").is_file(), reason="needs ../shared/speech/an4-dev.tar")


@pytest.fixture(scope="module")
def heard() -> Iterator[dict[str, list[str]]]:
    """What the recogniser hears, against the demo home's grammar with a PIN of four digits, by what was said."""
    engine = PocketsphinxEngine()
    engine.use(compile_grammar(load_sentences("en"), DemoHome().home, talk=True, pin_digits=4))
    found: dict[str, list[str]] = {}
    with tarfile.open(SPEECH / "an4-dev.tar") as tar, (SPEECH / "manifest.tsv").open() as manifest:
        for row in csv.DictReader(manifest, delimiter="\t"):
            digits = replies("en").digits(row["text"]) or ""
            if row["corpus"] != "an4-dev" or (row["text"] not in ("yes", "no") and len(digits) != 4):
                continue
            member = tar.extractfile(f"an4-dev/{row['file']}")
            assert member is not None
            samples, _ = soundfile.read(io.BytesIO(member.read()), dtype="int16")
            stream = engine.open()
            stream.feed(samples.astype("<i2").tobytes())
            readings = stream.finish()
            stream.close()
            found.setdefault(row["text"], []).append(readings[0].text if readings else "")
    yield found
    engine.close()


def test_yes_and_no_are_heard_and_never_the_one_for_the_other(heard: dict[str, list[str]]) -> None:
    known = replies("en")
    answers = [(said, known.yes_or_no(text)) for said in ("yes", "no") for text in heard[said]]
    assert len(answers) >= 4
    assert sum(meaning is (said == "yes") for said, meaning in answers) >= len(answers) - 1
    assert (("yes", False)) not in answers
    assert (("no", True)) not in answers


def test_a_spoken_pin_is_heard(heard: dict[str, list[str]]) -> None:
    known = replies("en")
    said = [text for text in heard if known.digits(text)]
    assert len(said) >= 2
    for text in said:
        assert known.digits(heard[text][0]) == known.digits(text)
