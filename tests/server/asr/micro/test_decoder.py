"""The decoder against every sentence scored the long way, and what it tells while the audio arrives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hearth_core.errors import EngineError
from hearth_core.phones import BLANK, numbers
from hearth_server.asr.micro.decoder import Decoder, DecoderSettings
from hearth_server.asr.micro.phone_graph import PhoneGraph, compile_phones
from hearth_server.asr.micro.readings import Reading
from hearth_server.asr.micro.scores import SYMBOLS, Scoring

from .posteriors import noise, phones_of, spoken
from .small import EXACT, HOME, by_hand, word_graph

SENTENCES = [
    *("turn on the light", "turn off the light", "turn on the lights", "turn the light on", "turn on the hall light"),
    *("turn on the wall light", "turn on the lamp", "turn on the light in the hall", "light on", "hall light off"),
]

_PHONES = st.sampled_from(["T", "AA", "N"])
_SAID = st.lists(_PHONES, min_size=1, max_size=3).map(" ".join)
_VOCABULARY = st.fixed_dictionaries({word: st.lists(_SAID, min_size=1, max_size=2) for word in "abcd"})
_GRAMMAR = st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=3), min_size=1, max_size=8)
_CASES = st.fixed_dictionaries(
    {
        "scoring": st.builds(
            Scoring,
            acoustic_scale=st.sampled_from([1.0, 0.6]),
            prior_weight=st.sampled_from([0.0, 0.5]),
            log_priors=st.just(tuple(np.log(np.linspace(1, 2, SYMBOLS) / 60).tolist())),
            blank_penalty=st.sampled_from([0.0, 2.0]),
        ),
        "phone_bonus": st.sampled_from([0.0, 0.7]),
        "word_bonus": st.sampled_from([0.0, 1.5, -1.0]),
    }
)


def random_frames(count: int, seed: int) -> NDArray[np.float32]:
    """Return posteriors in which anything may be."""
    rng = np.random.default_rng(seed)
    rows = rng.dirichlet(np.full(SYMBOLS, 0.2), size=count) + 1e-5
    logs: NDArray[np.float32] = np.log(rows / rows.sum(axis=1, keepdims=True)).astype(np.float32)
    return logs


def clear(*symbols: int) -> NDArray[np.float32]:
    """Return posteriors in which there is hardly a doubt: one symbol a frame."""
    frames = np.full((len(symbols), SYMBOLS), -9.0, dtype=np.float32)
    frames[range(len(symbols)), symbols] = -0.01
    return frames


def decoded(
    graph: PhoneGraph,
    log_probs: NDArray[np.float32],
    given: DecoderSettings | None = None,
    weights: dict[int, float] | None = None,
) -> Decoder:
    """Return a decoder that heard the frames."""
    decoder = Decoder(graph, given or DecoderSettings(), weights)
    decoder.feed(log_probs)
    return decoder


def home_graph() -> PhoneGraph:
    """Return the graph of some sentences."""
    return compile_phones(word_graph(SENTENCES), HOME)


def said(text: str, seed: int = 0, **how: Any) -> NDArray[np.float32]:
    """Return the posteriors of a sentence."""
    return spoken(phones_of(text.split(), HOME), np.random.default_rng(seed), **{"missed": 0.0, **how})


@given(_VOCABULARY, _GRAMMAR, _CASES, st.integers(0, 12), st.integers(0, 1000))
@settings(max_examples=80)
def test_finds_every_sentence_with_its_exact_score(
    vocabulary: dict[str, list[str]], grammar: list[list[str]], case: dict[str, Any], count: int, seed: int
) -> None:
    frames = random_frames(count, seed)
    exact = DecoderSettings(**case, **EXACT)  # type: ignore[arg-type]
    readings = decoded(compile_phones(word_graph(grammar), vocabulary), frames, exact).result(100).readings
    expected = by_hand(grammar, vocabulary, frames, exact)
    assert {reading.text: reading.score for reading in readings} == pytest.approx(expected, abs=1e-9)
    assert [reading.score for reading in readings] == sorted((reading.score for reading in readings), reverse=True)


@given(st.lists(st.integers(0, 40), max_size=8), st.integers(0, 1000), st.sampled_from([3.0, 14.0, float("inf")]))
@settings(max_examples=15)
def test_hears_the_same_however_the_frames_are_cut(cuts: list[int], seed: int, beam: float) -> None:
    frames = random_frames(40, seed)
    given = DecoderSettings(beam=beam, max_active=50)
    graph = home_graph()
    decoder = Decoder(graph, given)
    for part in np.split(frames, sorted(cuts)):
        decoder.feed(part)
        decoder.snapshot()
        decoder.result()
    assert decoder.result() == decoded(graph, frames, given).result()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("text", SENTENCES)
def test_hears_what_was_said(text: str, seed: int) -> None:
    result = decoded(home_graph(), said(text, seed)).result()
    assert result.readings[0].text == text
    assert result.standing.text == text
    assert result.standing.complete


def test_words_have_their_times() -> None:
    frames = clear(BLANK, BLANK, *numbers("L L AY T"), BLANK, *numbers("AA"), BLANK, *numbers("N N"), BLANK)
    (reading, *_) = decoded(home_graph(), frames).result().readings
    assert [(word.text, word.begin, word.end, word.phones) for word in reading.words] == [
        ("light", 2, 5, 3),
        ("on", 7, 10, 2),
    ]
    assert all(word.posterior > 0.99 for word in reading.words)
    assert reading.log_probability == pytest.approx(0.0, abs=0.2)


def test_a_phone_twice_needs_silence_between() -> None:
    graph = compile_phones(word_graph(["a b", "a"]), {"a": ["T"], "b": ["T"]})
    assert decoded(graph, clear(*numbers("T T T"))).result().readings[0].text == "a"
    reading = decoded(graph, clear(*numbers("T T"), BLANK, BLANK, *numbers("T"))).result().readings[0]
    assert [(word.text, word.begin, word.end) for word in reading.words] == [("a", 0, 1), ("b", 4, 4)]


def test_words_that_sound_alike_are_both_read() -> None:
    graph = compile_phones(word_graph(["turn to", "turn two"]), HOME)
    readings = decoded(graph, said("turn to")).result().readings
    assert {reading.text for reading in readings} == {"turn to", "turn two"}
    assert [reading.posterior for reading in readings] == pytest.approx([0.5, 0.5])
    assert [word.posterior for word in readings[0].words] == pytest.approx([1.0, 0.5])


@pytest.mark.parametrize(("weight", "first"), [(0.1, "two"), (-0.1, "to")])
def test_a_small_weight_decides_between_equals(weight: float, first: str) -> None:
    graph = compile_phones(word_graph(["turn to", "turn two"]), HOME)
    heard = decoded(graph, said("turn to"), weights={graph.words.index("two"): weight})
    assert heard.result().readings[0].text == f"turn {first}"


def test_a_small_weight_does_not_decide_what_was_clear() -> None:
    graph = home_graph()
    for text in ("turn on the hall light", "turn on the wall light"):
        heard = decoded(graph, said(text), weights={graph.words.index("wall"): 1.0})
        assert heard.result().readings[0].text == text


@given(st.integers(0, 1000), st.floats(-3, 3))
@settings(max_examples=10)
def test_weights_are_in_the_scores_exactly(seed: int, weight: float) -> None:
    frames, exact = random_frames(12, seed), DecoderSettings(**EXACT)  # type: ignore[arg-type]
    graph = home_graph()
    readings = decoded(graph, frames, exact, {graph.words.index("light"): weight}).result(100).readings
    split = [sentence.split() for sentence in SENTENCES]
    expected = by_hand(split, HOME, frames, exact, {"light": weight})
    assert {reading.text: reading.score for reading in readings} == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_pruning_loses_nothing_of_clear_speech(seed: int) -> None:
    frames, graph = said("turn on the hall light", seed), home_graph()
    wide = decoded(graph, frames, DecoderSettings(**EXACT)).result().readings[0]  # type: ignore[arg-type]
    narrow = decoded(graph, frames, DecoderSettings(beam=10.0, max_active=30, per_node=2)).result().readings[0]
    assert (narrow.words[0].begin, narrow.text, narrow.score) == (wide.words[0].begin, wide.text, wide.score)


@pytest.mark.parametrize(
    ("beams", "found"),
    [
        ({"beam": 15.0}, []),
        ({"beam": 60.0}, ["turn on the light"]),
        ({"beam": 60.0, "peer_beam": 15.0}, ["turn on the light"]),
    ],
)
def test_who_was_there_before_does_not_drive_the_speaker_out(beams: dict[str, float], found: list[str]) -> None:
    given = DecoderSettings(**{"peer_beam": float("inf"), **beams})  # type: ignore[arg-type]
    frames = np.concatenate((clear(*numbers("HH AO L")), said("turn on the light")))
    assert [each.text for each in decoded(home_graph(), frames, given).result(1).readings] == found


def test_a_peer_beam_leaves_fewer_paths() -> None:
    frames = said("turn on the light in the hall", missed=0.1)
    wide, narrow = (decoded(home_graph(), frames, DecoderSettings(beam=60.0, peer_beam=beam)) for beam in (60.0, 15.0))
    assert narrow.active < wide.active
    assert narrow.result().readings[0].text == wide.result().readings[0].text


def test_no_more_tokens_than_allowed() -> None:
    graph = home_graph()
    decoder = Decoder(graph, DecoderSettings(beam=float("inf"), max_active=10))
    for frame in random_frames(30, 0):
        decoder.feed(frame[None])
        assert decoder.active <= 10


def test_standing_tells_whether_more_can_come() -> None:
    graph = home_graph()
    before = decoded(graph, np.log(np.full((0, SYMBOLS), 1 / SYMBOLS, dtype=np.float32))).snapshot()
    assert (before.words, before.complete, before.inside_word, before.extendable) == ((), False, False, True)
    light = decoded(graph, said("turn on the light")).snapshot()
    assert (light.text, light.complete, light.extendable, light.inside_word) == ("turn on the light", True, True, False)
    off = decoded(graph, said("hall light off")).snapshot()
    assert (off.text, off.complete, off.extendable) == ("hall light off", True, False)
    assert off.silent_frames == 10
    assert off.lead > 3.0


@pytest.mark.parametrize(
    ("others", "authored", "whole", "enough", "settled"),
    [
        ([], False, True, True, True),  # "light" or "lights": nothing more is said
        (["turn on the light in the hall"], False, True, True, False),  # what is likely as much may go on
        (["turn on the light in the hall"], True, True, False, False),  # as an author wrote it
        (["turn on the light s"], False, False, False, False),  # and here is no sentence yet
    ],
)
def test_which_words_were_said_is_another_question_than_whether_more_is(
    others: list[str], authored: bool, whole: bool, enough: bool, settled: bool
) -> None:
    graph = word_graph(["turn on the light", "turn on the lights", *others])
    ends = {int(end) for end in graph.finals if not len(graph.leaving(int(end)))}
    # "s", which is no word by itself, is said like the end of "lights"
    go_on = {int(end) for end in graph.finals} - ends if authored else set()
    phones = compile_phones(graph, {**HOME, "s": ["S K AY"]}, ends, go_on)
    frames = clear(*numbers("T ER N AA N DH AH L AY T S"), BLANK, BLANK)
    if whole:
        frames[-3, [BLANK, frames[-3].argmax()]] = np.log(0.499)
    result = decoded(phones, frames).result()
    standing = result.standing
    assert not whole or standing.lead < 0.5
    assert (standing.whole > 3, standing.enough > 3, standing.settled > 3) == (whole, enough, settled)
    for share, alike in ((result.enough, enough), (result.closed, settled)):
        assert not whole or share == pytest.approx(1.0 if alike else 0.5, abs=0.1)  # of "light" and "lights"


def test_who_pauses_is_in_no_word() -> None:
    graph = word_graph(["turn on the light", "turn on the light s"])
    phones = compile_phones(graph, {**HOME, "s": ["S K AY"]}, {int(end) for end in graph.finals})
    frames = clear(*numbers("T ER N AA N DH AH L AY T S"))
    frames[-1, [BLANK, frames[-1].argmax()]] = np.log(0.499)  # as likely said as not
    decoder = decoded(phones, frames)
    decoder.feed(clear(*[BLANK] * 3))
    speaking = decoder.snapshot()
    decoder.feed(clear(BLANK))
    paused = decoder.snapshot()
    assert speaking.whole < 1 < 3 < paused.whole
    assert speaking.settled < 1 < 3 < paused.settled


def test_inside_a_word() -> None:
    decoder = Decoder(home_graph(), DecoderSettings())
    decoder.feed(clear(BLANK, *numbers("HH AO")))
    standing = decoder.snapshot()
    assert (standing.words, standing.inside_word, standing.complete) == ((), True, False)
    decoder.feed(clear(*numbers("L"), BLANK, BLANK))
    standing = decoder.snapshot()
    assert (standing.words, standing.inside_word, standing.complete) == (("hall",), False, False)
    assert standing.silent_frames == 2


def test_a_copy_goes_on_by_itself() -> None:
    graph, frames = home_graph(), said("turn on the light in the hall")
    decoder = decoded(graph, frames[:40])
    copy = decoder.copy()
    early = copy.result()
    copy.feed(said("turn off the light"))
    assert decoder.result() == early
    decoder.feed(frames[40:])
    assert decoder.result() == decoded(graph, frames).result()


def test_posteriors_of_words_are_left_out_if_nobody_wants_them() -> None:
    heard = decoded(home_graph(), random_frames(40, 0), DecoderSettings(**EXACT))  # type: ignore[arg-type]
    whole, quick = heard.result(3), heard.result(3, by_word=False)
    assert len(quick.readings) == 3
    for one, other in zip(whole.readings, quick.readings, strict=True):
        assert (one.text, one.score, one.posterior) == (other.text, other.score, other.posterior)
    assert quick.standing == whole.standing


def test_noise_fits_worse_than_speech() -> None:
    graph = home_graph()
    speech = decoded(graph, said("turn on the light")).result().readings[0]
    for seed in range(5):
        readings = decoded(graph, noise(60, np.random.default_rng(seed))).result().readings
        assert all(a_phone(reading) < a_phone(speech) - 3 for reading in readings[:1])


def a_phone(reading: Reading) -> float:
    return reading.log_probability / sum(word.phones for word in reading.words)


@pytest.mark.parametrize(
    "frames",
    [
        np.zeros((3, 39), dtype=np.float32),
        np.zeros(40, dtype=np.float32),
        np.full((2, 40), np.nan, dtype=np.float32),
        np.full((2, 40), np.inf, dtype=np.float32),
        np.full((2, 40), 0.5, dtype=np.float32),
    ],
)
def test_what_is_no_posterior_is_refused(frames: NDArray[np.float32]) -> None:
    decoder = Decoder(home_graph(), DecoderSettings())
    before = decoder.result()
    with pytest.raises(EngineError):
        decoder.feed(frames)
    assert decoder.result() == before


def test_minus_infinity_is_only_very_unlikely() -> None:
    frames = np.full((4, SYMBOLS), -np.inf, dtype=np.float32)
    frames[range(4), numbers("L AY T N")] = 0.0
    graph = compile_phones(word_graph(["light"]), HOME)
    (reading,) = decoded(graph, frames, DecoderSettings(**EXACT)).result().readings  # type: ignore[arg-type]
    assert reading.score == -100.0


@pytest.mark.parametrize(
    "wrong", [{"beam": -1.0}, {"beam": float("nan")}, {"peer_beam": 0.0}, {"max_active": -1}, {"per_node": -1}]
)
def test_settings_that_make_no_sense(wrong: dict[str, Any]) -> None:
    with pytest.raises(EngineError):
        DecoderSettings(**wrong)


def test_priors_have_to_be_there_and_fit() -> None:
    with pytest.raises(EngineError):
        Scoring(prior_weight=0.5)
    with pytest.raises(EngineError):
        Scoring(log_priors=(-1.0, -2.0))
