"""The model that comes with Hearth: it is what its code expects, and hears real recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hearth_core.audio import RATE, read_recording
from hearth_core.home import Home
from hearth_core.speech import Endpointer, EndpointSettings, SileroDetector
from hearth_intents.compile import compile_grammar
from hearth_intents.sentences import load_sentences
from hearth_server.asr.micro.engine import MicroEngine
from hearth_server.asr.micro.model import SHIPPED
from hearth_server.asr.micro.posteriors import Posteriors
from hearth_server.demo_home import DemoHome
from hearth_server.listen import Listening
from tests.fakes import silence

EXAMPLES = Path(__file__).parents[4] / "examples"
RECORDINGS = EXAMPLES / "recordings"
SATELLITE = Path(__file__).parents[3] / "data" / "satellite"
# As the model of 2026-11-27 hears them; whether it is sure enough to act is another matter.
HEARD = {
    "coffee_17fe40a1.flac": {"espresso", "skim", "milk"},
    "coffee_1cf61395.flac": {"dark", "roast", "iced", "coffee"},
    "coffee_2e6bf48b.flac": {"dark", "roast", "twelve", "ounce", "americano", "sweetener"},
}


@pytest.fixture(scope="module")
def engine() -> MicroEngine:
    engine = MicroEngine()
    sentences = load_sentences("en", [EXAMPLES / "barista" / "sentences"], builtin=False)
    engine.use(compile_grammar(sentences, Home()))
    return engine


def test_it_is_small_and_says_how_it_is_decoded(engine: MicroEngine) -> None:
    card = engine.model.card
    assert SHIPPED.stat().st_size < 2_500_000
    assert card.language == "en"
    assert 0.03 * card.delay <= 0.5  # seconds of look-ahead
    assert {"prior_weight", "phone_bonus"} <= card.decoder.keys()
    assert {"slope", "offset"} <= card.calibration.keys()


@pytest.mark.parametrize("recording", HEARD)
def test_a_recording_is_read(engine: MicroEngine, recording: str) -> None:
    decoder, stream = engine.decoder(), Posteriors(engine.model)
    pcm = read_recording(RECORDINGS / recording)
    for start in range(0, len(pcm), 2048):
        decoder.feed(stream.feed(pcm[start : start + 2048]))
    decoder.feed(stream.flush())
    assert HEARD[recording] <= set(decoder.result().readings[0].text.split())


@pytest.mark.parametrize(
    "pcm",
    [
        silence(3),
        b"",
        np.random.default_rng(1).normal(0, 2000, 48_000).astype("<i2").tobytes(),
        read_recording(RECORDINGS / "not_a_command.flac"),
    ],
    ids=["silence", "nothing", "noise", "talk"],
)
def test_what_is_no_command_is_turned_down(engine: MicroEngine, pcm: bytes) -> None:
    stream = engine.open()
    stream.feed(pcm)
    assert stream.finish() == ()
    stream.close()


@pytest.mark.parametrize("lead_ms", [0, 10, 20])
@pytest.mark.parametrize(
    ("recording", "said"),
    [
        ("set_kitchen_lights_to_green.flac", "set kitchen lights to green"),
        ("activate_mood_lighting.flac", "activate mood lighting"),
        ("not_a_command.flac", ""),
    ],
)
def test_what_is_taken_does_not_hang_on_where_frames_begin(
    at_home: MicroEngine, recording: str, said: str, lead_ms: int
) -> None:
    pcm = bytes(32 * lead_ms) + read_recording(RECORDINGS / recording) + silence(0.5)
    stream = at_home.open()
    stream.feed(pcm)
    readings = stream.finish()
    stream.close()
    assert (readings[0].text if readings else "") == said


def test_a_command_is_heard_from_its_first_word_on_though_the_detector_is_late(at_home: MicroEngine) -> None:
    command = read_recording(SATELLITE / "turn_off_lights_in_the_office.flac")  # "turn" is at 0.70 s
    endpointer = Endpointer(EndpointSettings(), SileroDetector())
    endpointer.feed(command)
    assert endpointer.speech_start is not None
    assert endpointer.speech_start > 1.1 * RATE
    listening = Listening(at_home, EndpointSettings(), SileroDetector())
    listening.feed(command + silence(1.0))
    said = listening.finish().text.split()
    assert said[:3] + said[4:] == ["turn", "off", "lights", "the", "office"], "in, on, of: which is all the same"
    listening.close()


@pytest.fixture(scope="module")
def at_home() -> MicroEngine:
    engine = MicroEngine()
    engine.use(compile_grammar(load_sentences("en"), DemoHome().home, talk=True))
    return engine
