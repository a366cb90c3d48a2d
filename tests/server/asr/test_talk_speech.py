"""Yes, no and a PIN in people's own voices."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hearth_core.audio import read_recording
from hearth_intents.compile import compile_grammar
from hearth_intents.replies import replies
from hearth_intents.sentences import load_sentences
from hearth_server.asr.engine import Engine, Replying
from hearth_server.asr.micro.engine import MicroEngine
from hearth_server.asr.pocketsphinx import PocketsphinxEngine
from hearth_server.demo_home import DemoHome

RECORDINGS = Path(__file__).parents[2] / "data" / "replies"
SAID = {
    "00013_an416-fjlp-b.flac": "no",
    "00033_cen3-fvap-b.flac": "three zero two one",
    "00046_cen3-marh-b.flac": "fifty two nineteen",
    "00053_an402-mdms2-b.flac": "no",
    "00072_cen3-menk-b.flac": "sixty six thirty three",
    "00085_cen3-miry-b.flac": "twelve thirty three",
    "00118_an442-mmxg-b.flac": "yes",
    "00119_an443-mmxg-b.flac": "no",
}


@pytest.fixture(scope="module", params=[MicroEngine, PocketsphinxEngine], ids=["micro", "pocketsphinx"])
def heard(request: pytest.FixtureRequest) -> Iterator[dict[str, list[str]]]:
    """What a recogniser hears, against the demo home's grammar with a PIN of four digits, by what was said."""
    engine: Engine = request.param()
    engine.use(compile_grammar(load_sentences("en"), DemoHome().home, talk=True, pin_digits=4))
    found: dict[str, list[str]] = {}
    for name, text in SAID.items():
        stream = engine.open()
        if isinstance(stream, Replying):
            stream.reply()
        stream.feed(read_recording(RECORDINGS / name))
        readings = stream.finish()
        stream.close()
        found.setdefault(text, []).append(readings[0].text if readings else "")
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
