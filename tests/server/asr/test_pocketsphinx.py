"""The embedded recogniser on real recordings, against a small grammar and the demo home's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml

from hearth_core.command import Context, Hypothesis
from hearth_core.errors import EngineError
from hearth_core.home import Area, Entity, Home
from hearth_core.speech import EndpointSettings, SileroDetector
from hearth_intents.compile import compile_grammar
from hearth_intents.grammar import Grammar
from hearth_intents.graph import WordGraph
from hearth_intents.matcher import Matcher
from hearth_intents.sentences import load_sentences
from hearth_server.asr.engine import Engine, Stream
from hearth_server.asr.pocketsphinx import MAX_STREAMS, PIECE_BYTES, PocketsphinxEngine
from hearth_server.demo_home import load_demo_house
from hearth_server.listen import Listening
from tests.fakes import silence, tone

EXAMPLES = Path(__file__).parents[3] / "examples"
RECORDINGS = EXAMPLES / "recordings"
OFFICE = Context(area_id="office")
ICED = "coffee_1cf61395.flac"
ESPRESSO = "coffee_17fe40a1.flac"

ORDERS: dict[str, dict[str, str]] = {
    ICED: {"coffeeDrink": "iced coffee", "roast": "dark roast"},
    "coffee_24050f1a.flac": {"coffeeDrink": "mocha", "numberOfShots": "triple shot", "milkAmount": "a bit of milk"},
    "coffee_333064e4.flac": {
        "coffeeDrink": "mocha",
        "size": "small",
        "numberOfShots": "triple shot",
        "milkAmount": "some whole milk",
    },
    ESPRESSO: {"coffeeDrink": "espresso", "milkAmount": "skim milk"},
    "coffee_2e6bf48b.flac": {
        "coffeeDrink": "americano",
        "size": "twelve ounce",
        "roast": "dark roast",
        "sugarAmount": "sweetener",
    },
    "coffee_0c6a26aa.flac": {
        "coffeeDrink": "drip coffee",
        "milkAmount": "a lot of milk",
        "sugarAmount": "a little bit of sugar",
    },
    "coffee_00e09cf0.flac": {"coffeeDrink": "iced coffee", "numberOfShots": "triple shot", "roast": "light roast"},
}
COMMANDS: dict[str, tuple[str, dict[str, Any]]] = {
    "set_kitchen_lights_to_green.flac": ("HassLightSet", {"area": "kitchen", "domain": "light", "color": "green"}),
    "lock_the_front_door.flac": ("HassTurnOn", {"name": "lock.front_door"}),
    "is_the_front_door_locked.flac": ("HassGetState", {"name": "lock.front_door", "state": "locked"}),
    "activate_mood_lighting.flac": ("HassTurnOn", {"name": "scene.mood_lighting"}),
    "run_party_time.flac": ("HassTurnOn", {"name": "script.party_time"}),
    "what_time_is_it.flac": ("HassGetCurrentTime", {}),
}


def recording(name: str) -> bytes:
    """Return a bundled recording, 16 kHz s16le mono."""
    samples, rate = soundfile.read(RECORDINGS / name, dtype="int16")
    assert rate == 16_000
    pcm: bytes = samples.astype("<i2").tobytes()
    return pcm


def chunks(pcm: bytes, samples: int) -> Iterator[bytes]:
    """Return audio in pieces of so many samples."""
    return (pcm[start : start + 2 * samples] for start in range(0, len(pcm), 2 * samples))


def hear(engine: Engine, pieces: Iterable[bytes]) -> tuple[Hypothesis, ...]:
    """Return the readings of one utterance."""
    stream = engine.open()
    try:
        return end(stream, pieces)
    finally:
        stream.close()


def end(stream: Stream, pieces: Iterable[bytes]) -> tuple[Hypothesis, ...]:
    """Return the readings of a stream that hears these pieces last."""
    for piece in pieces:
        stream.feed(piece)
    return stream.finish()


def meaning(matcher: Matcher, heard: tuple[Hypothesis, ...]) -> tuple[str, dict[str, Any]]:
    """Return intent and slots of the best reading."""
    assert heard, "nothing was heard"
    (match,) = matcher.match(heard[0].text, OFFICE)
    return match.intent, {name: slot.value for name, slot in match.slots.items()}


class Setting:
    """A grammar, loaded, and what understands its sentences."""

    def __init__(self, folders: list[Path], home: Home, *, builtin: bool) -> None:
        sentences = load_sentences("en", folders, builtin=builtin)
        self.grammar = compile_grammar(sentences, home)
        self.matcher = Matcher(sentences, home)
        self.engine = PocketsphinxEngine()
        self.engine.use(self.grammar)


@pytest.fixture(scope="module")
def bar() -> Setting:
    return Setting([EXAMPLES / "barista" / "sentences"], Home(), builtin=False)


@pytest.fixture(scope="module")
def house() -> Setting:
    return Setting([], load_demo_house().home, builtin=True)


def test_every_recording_of_the_demo_is_tested() -> None:
    files = {item["file"] for item in yaml.safe_load((RECORDINGS / "demo.yaml").read_text(encoding="utf-8"))}
    assert files <= {*ORDERS, *COMMANDS, "not_a_command.flac"}


@pytest.mark.parametrize("file", ORDERS)
def test_orders(file: str, bar: Setting) -> None:
    heard = hear(bar.engine, chunks(recording(file), 1237))
    assert meaning(bar.matcher, heard) == ("orderDrink", ORDERS[file])
    assert heard[0].confidence is not None
    assert 0.5 <= heard[0].confidence <= 1


@pytest.mark.parametrize("file", COMMANDS)
def test_commands(file: str, house: Setting) -> None:
    # As the server hears them: among all sentences of a home, the silence around a command decides whether it is heard.
    listening = Listening(house.engine, EndpointSettings(), SileroDetector())
    for piece in chunks(recording(file), 1237):
        listening.feed(piece)
    heard = listening.finish().hypotheses
    listening.close()
    assert meaning(house.matcher, heard) == COMMANDS[file]


@pytest.mark.parametrize("file", ["not_a_command.flac", *ORDERS])
def test_what_no_sentence_of_the_home_is(file: str, house: Setting) -> None:
    assert hear(house.engine, chunks(recording(file), 1237)) == ()


def test_what_no_order_is(bar: Setting) -> None:
    assert hear(bar.engine, chunks(recording("not_a_command.flac"), 1237)) == ()


@pytest.mark.parametrize("samples", [317, 16_001, 1_000_000])
def test_cuts_change_nothing(samples: int, bar: Setting) -> None:
    pcm = recording(ICED)
    (expected,), (heard,) = hear(bar.engine, chunks(pcm, 1024)), hear(bar.engine, chunks(pcm, samples))
    assert heard.text == expected.text
    # The decoder's own windows begin where a chunk does: a hundredth is all that they may add.
    assert heard.confidence == pytest.approx(expected.confidence, abs=0.015)


class Measured:
    """A decoder of which it is known how much it was given to search at once, in bytes."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        self.most = 0

    def process_raw(self, pcm: bytes, *, no_search: bool = False) -> None:
        self.most = max(self.most, 0 if no_search else len(pcm))
        self._decoder.process_raw(pcm, no_search=no_search)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._decoder, name)


@pytest.mark.parametrize("samples", [512, 48_000])
def test_other_threads_get_their_turn_after_each_step_of_audio(samples: int, bar: Setting) -> None:
    pcm = recording(ICED)
    expected = hear(bar.engine, chunks(pcm, samples))
    stream = bar.engine.open()
    pair = stream._own()
    grammar, phones = Measured(pair.grammar), Measured(pair.phones)
    stream._pair = type(pair)(grammar, phones)
    heard = end(stream, chunks(pcm, samples))
    stream._pair = pair
    stream.close()
    assert heard == expected
    assert 0 < grammar.most <= PIECE_BYTES  # the wheel has Python's lock for all of a call
    assert 0 < phones.most <= PIECE_BYTES


def test_again_is_the_same(bar: Setting) -> None:
    pcm = recording(ESPRESSO)
    assert hear(bar.engine, chunks(pcm, 1024)) == hear(bar.engine, chunks(pcm, 1024)) != ()


def test_the_reading_so_far_grows(bar: Setting) -> None:
    stream = bar.engine.open()
    partial = [reading.text for piece in chunks(recording(ICED), 1024) if (reading := stream.feed(piece))]
    (heard,) = stream.finish()
    stream.close()
    assert partial
    assert len(partial[-1].split()) <= len(heard.text.split())
    assert partial[-1].split()[0] == heard.text.split()[0]


def test_a_pause_in_a_short_utterance(house: Setting) -> None:
    pcm = recording("lock_the_front_door.flac")
    assert len(pcm) < 2.5 * 32_000
    stream = house.engine.open()
    stream.pause()  # before there is anything
    for number, piece in enumerate(chunks(pcm, 16_000)):
        stream.feed(piece)
        if number:
            stream.pause()
    assert meaning(house.matcher, stream.finish()) == ("HassTurnOn", {"name": "lock.front_door"})
    stream.close()


@pytest.mark.parametrize(
    "pcm",
    [
        b"",
        bytes(2),
        bytes(2 * 159),
        bytes(2 * 160),
        silence(0.3),
        silence(4),
        tone(1),
        b"\xff\x7f" * 16_000,
        np.random.default_rng(3).normal(0, 500, 48_000).astype("<i2").tobytes(),
    ],
    ids=["none", "one-sample", "159", "frame", "short-silence", "silence", "tone", "full-scale", "noise"],
)
def test_no_speech(pcm: bytes, bar: Setting) -> None:
    assert hear(bar.engine, [pcm]) == ()


def test_nothing_fed(bar: Setting) -> None:
    assert hear(bar.engine, []) == ()


def test_after_nonsense_speech_is_understood(bar: Setting) -> None:
    for nonsense in (silence(1), b"\xff\x7f" * 16_000):
        hear(bar.engine, [nonsense])
    heard = hear(bar.engine, chunks(recording(ESPRESSO), 1024))
    assert meaning(bar.matcher, heard) == ("orderDrink", ORDERS[ESPRESSO])


def test_a_new_grammar_is_for_new_streams(bar: Setting, house: Setting) -> None:
    engine = PocketsphinxEngine()
    engine.use(bar.grammar)
    order, lock = recording(ESPRESSO), recording("lock_the_front_door.flac")
    half = len(order) // 4 * 2
    before = engine.open()
    before.feed(order[:half])
    engine.use(house.grammar)
    assert meaning(house.matcher, hear(engine, chunks(lock, 1024))) == ("HassTurnOn", {"name": "lock.front_door"})
    assert meaning(bar.matcher, end(before, [order[half:]])) == ("orderDrink", ORDERS[ESPRESSO])
    before.close()
    assert hear(engine, chunks(order, 1024)) == ()  # what was given back belongs to the old grammar
    engine.close()


def test_several_speak_at_once(bar: Setting) -> None:
    files = [ICED, ESPRESSO, "coffee_24050f1a.flac"]
    with ThreadPoolExecutor(len(files)) as threads:
        heard = list(threads.map(lambda file: hear(bar.engine, chunks(recording(file), 1024)), files))
    assert [meaning(bar.matcher, each)[1] for each in heard] == [ORDERS[file] for file in files]


def test_capacity_is_bounded_and_comes_back(bar: Setting) -> None:
    engine = PocketsphinxEngine()
    engine.use(bar.grammar)
    streams = [engine.open() for _ in range(MAX_STREAMS)]
    with pytest.raises(EngineError, match="speak at once"):
        engine.open()
    streams[0].feed(recording(ICED))  # closed in the middle of a sentence
    streams[0].close()
    streams[0].close()
    again = engine.open()
    with pytest.raises(EngineError, match="speak at once"):  # to close twice gave back one place only
        engine.open()
    assert meaning(bar.matcher, end(again, [recording(ESPRESSO)])) == ("orderDrink", ORDERS[ESPRESSO])
    for stream in (again, *streams):
        stream.close()
    engine.close()


def test_a_closed_stream_hears_no_more(bar: Setting) -> None:
    stream = bar.engine.open()
    stream.close()
    with pytest.raises(EngineError, match="the utterance is over"):
        stream.feed(silence(0.1))


def test_no_grammar_yet() -> None:
    with pytest.raises(EngineError, match="no grammar yet"):
        PocketsphinxEngine().open()


def test_an_empty_grammar_is_refused_and_the_previous_stays(bar: Setting) -> None:
    nothing = np.zeros((0, 3), np.int32)
    empty = Grammar("en", WordGraph((), nothing, np.zeros(0, np.int32), 1))
    with pytest.raises(EngineError, match="no sentence"):
        bar.engine.use(empty)
    with pytest.raises(EngineError, match="no sentence"):
        bar.engine.use(compile_grammar(load_sentences("en", builtin=False), Home()))
    heard = hear(bar.engine, chunks(recording(ESPRESSO), 1024))
    assert meaning(bar.matcher, heard) == ("orderDrink", ORDERS[ESPRESSO])


def test_names_that_no_dictionary_has() -> None:
    names = {
        "climate.a": "EcoBee",
        "light.b": "💡 Lampe",
        "light.c": "Deckenlicht Küche",
        "light.d": "🙂",
        "light.e": "X(2)",
    }
    home = Home.of(
        [],
        [Area("wohnzimmer", "Wohnzimmer"), Area("kueche", "Küche", aliases=("🍳",))],
        [Entity(entity_id, name, (), "wohnzimmer") for entity_id, name in names.items()],
    )
    engine = PocketsphinxEngine()
    engine.use(compile_grammar(load_sentences("en"), home))
    assert hear(engine, [silence(0.5)]) == ()
    engine.close()
