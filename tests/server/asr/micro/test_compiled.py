"""The compiled token passing against numpy's: the same tokens, paths and readings, to the bit."""

from __future__ import annotations

import gc
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hearth_core.audio import read_recording
from hearth_core.errors import EngineError
from hearth_intents.compile import compile_grammar
from hearth_intents.sentences import load_sentences
from hearth_server.asr.micro import build_passing, compiled
from hearth_server.asr.micro.compiled import Begin, CompiledPassing, Library
from hearth_server.asr.micro.decoder import Decoder, DecoderSettings
from hearth_server.asr.micro.engine import MicroEngine
from hearth_server.asr.micro.passing import ArrayPassing, DecoderLimits, TokenPassing
from hearth_server.asr.micro.phone_graph import PhoneGraph, compile_phones
from hearth_server.asr.micro.posteriors import Posteriors
from hearth_server.asr.micro.scores import SYMBOLS
from hearth_server.asr.micro.tokens import Scores
from tests.intents.homes import speech_home
from tests.real import parts

from .posteriors import noise
from .small import HOME, word_graph
from .test_decoder import SENTENCES, random_frames, said

DATA = Path(__file__).parents[3] / "data"
RECORDINGS = sorted(
    path for folder in ("home-commands", "replies", "satellite") for path in (DATA / folder).glob("*.flac")
)

_WORDS = "abcdef"
_SAID = st.lists(st.sampled_from(["T", "AA", "N", "S", "IY"]), min_size=1, max_size=3).map(" ".join)
_VOCABULARY = st.fixed_dictionaries({word: st.lists(_SAID, min_size=1, max_size=3) for word in _WORDS})
_GRAMMAR = st.lists(st.lists(st.sampled_from(_WORDS), min_size=1, max_size=6), min_size=1, max_size=20)
_BEAMS = st.sampled_from([2.0, 8.0, 32.0, float("inf")])
_SETTINGS = st.builds(
    DecoderSettings,
    phone_bonus=st.sampled_from([0.0, 0.7, -1.0]),
    word_bonus=st.sampled_from([0.0, 1.5, -1.0]),
    beam=_BEAMS,
    peer_beam=_BEAMS,
    phone_beam=_BEAMS,
    max_active=st.sampled_from([0, 1, 3, 20, 2000]),
    per_node=st.sampled_from([0, 1, 2, 4]),
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Return the library, compiled now: where a compiler is, it must compile."""
    if not build_passing.compiler():
        parts.missing("these tests need a C compiler", "Install one: sudo apt-get install gcc libc6-dev, or set CC")
    path = build_passing.build(tmp_path_factory.mktemp("library"))
    assert path is not None, "passing.c does not compile"
    return Library(path)


def using(library: Library) -> Begin:
    """Return what makes compiled tokens."""

    def begin(graph: PhoneGraph, limits: DecoderLimits, bonus: Scores) -> TokenPassing:
        return CompiledPassing(library, graph, limits, bonus)

    return begin


def alike(one: TokenPassing, other: TokenPassing) -> None:
    """Assert that tokens and the steps behind them are the same, to the bit."""
    a, b = one.tokens, other.tokens
    assert one.active == other.active == len(a.node) == len(b.node)
    for name in ("node", "words", "key", "began", "score", "step"):
        assert np.array_equal(getattr(a, name), getattr(b, name)), name
    for step in np.unique(a.step).tolist():
        assert one.path(step) == other.path(step)


def compared(
    library: Library, graph: PhoneGraph, given: DecoderSettings, frames: NDArray[np.floating], size: int = 1
) -> None:
    """Hear frames in both ways and compare after each part."""
    bonus = np.linspace(-0.5, 0.5, len(graph.words) + 1) + given.word_bonus
    bonus[-1] = 0.0
    scores = given.scoring.scores(frames)
    one, other = ArrayPassing(graph, given, bonus), CompiledPassing(library, graph, given, bonus)
    alike(one, other)
    for first in range(0, len(scores), size):
        for tokens in (one, other):
            tokens.feed(scores[first : first + size], first)
        alike(one, other)


@given(_VOCABULARY, _GRAMMAR, _SETTINGS, st.integers(0, 1000), st.booleans())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_the_same_on_any_graph(
    library: Library,
    vocabulary: dict[str, list[str]],
    grammar: list[list[str]],
    given: DecoderSettings,
    seed: int,
    rounded: bool,
) -> None:
    frames = random_frames(20, seed)
    if rounded:  # so that many paths are equal, and which one is kept depends on their order
        frames = np.minimum(np.round(frames / 2) * 2, 0.0)
    compared(library, compile_phones(word_graph(grammar), vocabulary), given, frames)


@pytest.fixture(scope="module")
def engine() -> MicroEngine:
    """Return the engine with everything that can be said in a home."""
    engine = MicroEngine()
    engine.use(compile_grammar(load_sentences("en"), speech_home(), talk=True, pin_digits=4))
    return engine


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
def test_the_same_on_recordings(library: Library, engine: MicroEngine, recording: Path) -> None:
    stream = Posteriors(engine.model)
    heard = np.concatenate((stream.feed(read_recording(recording)), stream.flush()))
    mumbled = np.logaddexp(heard, noise(len(heard), np.random.default_rng(0))) - np.log(2)  # busy: most tokens live
    graph = engine.decoder().graph
    for frames in (heard, mumbled):
        compared(library, graph, engine.judge.settings, frames, size=16)
        decoders = [Decoder(graph, engine.judge.settings, {1: 0.5}, begin) for begin in (ArrayPassing, using(library))]
        for decoder in decoders:
            decoder.feed(frames)
        assert decoders[0].result(32) == decoders[1].result(32)


def test_a_copy_goes_on_by_itself(library: Library) -> None:
    graph = compile_phones(word_graph(SENTENCES), HOME)
    frames = said("turn on the light in the hall")
    decoder = Decoder(graph, DecoderSettings(), begin=using(library))
    decoder.feed(frames[:40])
    copy = decoder.copy()
    early = copy.result()
    copy.feed(said("turn off the light"))
    assert decoder.result() == early
    decoder.feed(frames[40:])
    whole = Decoder(graph, DecoderSettings(), begin=ArrayPassing)
    whole.feed(frames)
    assert decoder.result() == whole.result()


def test_a_search_outlives_who_made_its_graph(library: Library) -> None:
    decoder = Decoder(compile_phones(word_graph(SENTENCES), HOME), DecoderSettings(), begin=using(library))
    gc.collect()
    decoder.feed(said("turn on the light"))
    assert decoder.result().readings[0].text == "turn on the light"


def test_streams_at_once(library: Library) -> None:
    graph = compile_phones(word_graph(SENTENCES), HOME)
    found: dict[str, str] = {}

    def hear(text: str) -> None:
        decoder = Decoder(graph, DecoderSettings(), begin=using(library))
        for frame in said(text):
            decoder.feed(frame[None])
            decoder.copy().snapshot()
        found[text] = decoder.result().readings[0].text

    threads = [threading.Thread(target=hear, args=(text,)) for text in SENTENCES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {text: text for text in SENTENCES}


@pytest.mark.parametrize("name", ["phone", "arc_start", "arc_node", "arc_phone", "arc_word"])
@pytest.mark.parametrize("wrong", [-2, 2**31 - 1])
@pytest.mark.parametrize("place", [0, -1])
def test_a_number_that_leads_to_nowhere_is_refused(library: Library, name: str, wrong: int, place: int) -> None:
    graph = compile_phones(word_graph(SENTENCES), HOME)
    array = getattr(graph, name).copy()
    array[place] = wrong
    with pytest.raises(EngineError):
        Decoder(replace(graph, **{name: array}), DecoderSettings(), begin=using(library))


@pytest.mark.parametrize("name", ["phone", "arc_start", "arc_node", "arc_phone", "arc_word", "root"])
def test_arrays_that_do_not_fit_are_refused(library: Library, name: str) -> None:
    graph = compile_phones(word_graph(SENTENCES), HOME)
    array = getattr(graph, name)
    for wrong in (array.astype(np.int64) + 2**31, array[:-1], np.repeat(array, 2)[::2]):
        if name == "root" and wrong[0] < graph.nodes:
            continue
        with pytest.raises(EngineError):
            Decoder(replace(graph, **{name: wrong}), DecoderSettings(), begin=using(library))  # type: ignore[arg-type]


def test_what_is_no_score_is_refused(library: Library) -> None:
    graph = compile_phones(word_graph(SENTENCES), HOME)
    given = DecoderSettings()
    with pytest.raises(EngineError):
        CompiledPassing(library, graph, given, np.zeros(len(graph.words)))
    tokens = CompiledPassing(library, graph, given, np.zeros(len(graph.words) + 1))
    for shape in ((SYMBOLS,), (2, SYMBOLS - 1), (1, 2, SYMBOLS)):
        with pytest.raises(ValueError, match="shape"):
            tokens.feed(np.zeros(shape), 0)
    assert tokens.path(12) == tokens.path(-7) == []
    tokens.feed(np.full((3, SYMBOLS), np.nan), 0)  # never from a decoder, and nothing breaks by it
    tokens.feed(random_frames(3, 0).astype(np.float64), 3)


def test_without_a_library_it_is_numpy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(compiled, "SOURCE", tmp_path / "passing.c")
    graph = compile_phones(word_graph(SENTENCES), HOME)
    junk = tmp_path / build_passing.NAME
    for text in (None, b"", b"no library"):
        compiled.installed.cache_clear()
        if text is not None:
            junk.write_bytes(text)
        assert isinstance(compiled.passing(graph, DecoderSettings(), np.zeros(len(graph.words) + 1)), ArrayPassing)
    compiled.installed.cache_clear()


def test_a_library_of_another_source_is_not_used(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_passing, "source_number", lambda: 7)
    path = build_passing.build(tmp_path)
    assert path is not None
    with pytest.raises(OSError, match=r"another passing\.c"):
        Library(path)


def test_where_no_compiler_is_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    assert build_passing.build(tmp_path) is None
    monkeypatch.setenv("CC", "false")
    assert build_passing.build(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    assert "numpy" in capsys.readouterr().err
