"""What is sure is right, what is not in the grammar is not sure, and what lies close together is told."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hearth_server.asr.micro.choices import MOST_PHONES, Choices
from hearth_server.asr.micro.confidence import (
    NUMBER_WEIGHT,
    Calibration,
    calibrate,
    expected_calibration_error,
    fit,
    hypotheses,
)
from hearth_server.asr.micro.decoder import Decoder, DecoderSettings
from hearth_server.asr.micro.phone_graph import compile_phones
from hearth_server.asr.micro.readings import Reading, Word, weighed
from hearth_server.asr.micro.scores import SYMBOLS, Scoring

from .posteriors import noise, phones_of, spoken
from .small import HOME, word_graph

GRAPH = compile_phones(
    word_graph(["turn on the light", "turn off the light", "turn on the lamp", "hall light on"]), HOME
)
CHOICES = Choices(GRAPH)


def reading(text: str, score: float = 0.0, log_probability: float = 0.0) -> Reading:
    """Return a reading whose words have three phones each, one after the other."""
    words = tuple(Word(word, 3 * n, 3 * n + 2, 3, 10.0) for n, word in enumerate(text.split()))
    return Reading(words, score, log_probability=log_probability)


def best_fits(sentences: list[list[str]], seed: int) -> list[float]:
    """Return how the best readings fit what was said."""
    rng = np.random.default_rng(seed)
    found = []
    for said in sentences:
        decoder = Decoder(
            GRAPH, DecoderSettings(beam=200.0, peer_beam=200.0, phone_beam=30.0)
        )  # finds something in anything
        decoder.feed(spoken(phones_of(said, HOME), rng) if said else noise(50, rng))
        found += [fit(each, CHOICES) for each in decoder.result(1).readings]
    return found


def test_what_is_not_in_the_grammar_fits_worse() -> None:
    inside = best_fits([["turn", "on", "the", "light"], ["hall", "light", "on"]] * 8, 0)
    outside = best_fits([["wall", "in", "the", "lamp"], ["lights", "two"], []] * 8, 1)
    assert len(inside) == 16
    assert len(outside) == 24
    threshold = float(np.quantile(inside, 0.1))
    assert np.mean([each >= threshold for each in outside] or [False]) <= 0.1
    calibration = calibrate([*inside, *outside], [True] * len(inside) + [False] * len(outside))
    assert calibration.slope > 0
    assert np.mean([calibration.chance(each) for each in inside]) > 0.8


def test_what_fits_a_long_sentence_is_believed_sooner() -> None:
    short = reading("stop now", log_probability=-6.0)
    long = reading("turn on the light", log_probability=-12.0)
    better = reading("turn on the light", log_probability=-11.0)
    assert fit(short, CHOICES) < fit(long, CHOICES) < fit(better, CHOICES)
    assert fit(Reading((), 0.0), CHOICES) == -math.inf


SAID = {"turn": ["T ER N"], "on": ["AA N"], "off": ["AO F"], "the": ["DH AH", "DH IY"], "light": ["L AY T"]}


def test_ways_to_say_a_sentence_are_counted_by_length() -> None:
    choices = Choices(compile_phones(word_graph(["on", "off", "turn on", "turn on the light"]), SAID))
    ways = {0: 1, 2: 2, 4: 2, 5: 3, 9: 3, 10: 5, MOST_PHONES + 1: 5}
    assert {phones: round(math.exp(choices.nats(phones)), 6) for phones in ways} == ways


def test_of_more_sentences_one_must_fit_better() -> None:
    things = {f"{a}{b}": [f"{a} AY {b}"] for a in ("B", "D", "F", "G", "K") for b in ("M", "N", "P", "T", "V")}
    graph = word_graph(["turn on the light", *(f"turn on the {thing}" for thing in things)])
    many, one = (Choices(compile_phones(each, SAID | things)) for each in (graph, word_graph(["turn on the light"])))
    said = reading("turn on the light", log_probability=-12.0)
    assert fit(said, many) < fit(said, one)


def test_with_a_number_in_it_a_sentence_must_fit_better() -> None:
    plain, counted = Choices(GRAPH), Choices(GRAPH, {"seventy", "six"})
    texts = ("lamp", "six", "lamp seventy six", "six to seventy six")
    assert [counted.numbers(text.split()) for text in texts] == [0, 1, 1, 2]
    said = reading("lamp seventy six", log_probability=-12.0)
    assert fit(said, counted) == pytest.approx(fit(said, plain) - NUMBER_WEIGHT)
    without = reading("turn on the light", log_probability=-12.0)
    assert fit(without, counted) == fit(without, plain)


def test_how_a_sentence_fits_does_not_hang_on_the_priors() -> None:
    heard = spoken(phones_of(["turn", "on", "the", "light"], HOME), np.random.default_rng(3), clear=0.6)
    priors = np.log(np.r_[0.6, np.geomspace(0.2, 0.001, SYMBOLS - 1)]).tolist()
    found = []
    for weight in (0.0, 0.8):
        scoring = Scoring(prior_weight=weight, log_priors=priors)
        decoder = Decoder(GRAPH, DecoderSettings(scoring, phone_bonus=weight, beam=200.0, phone_beam=30.0))
        decoder.feed(heard)
        found.append(decoder.result(1).readings[0])
    assert [each.text for each in found] == ["turn on the light"] * 2
    assert found[0].score != pytest.approx(found[1].score, abs=1.0)
    first, second = (fit(each, CHOICES) for each in found)
    assert first == pytest.approx(second, abs=0.3)  # a phone may begin a frame sooner or later
    assert all(each.log_probability <= 0.0 for each in found)


def test_nothing_said_has_no_chance() -> None:
    assert Calibration(2.0, 1.0).chance(-math.inf) == 0.0
    assert Calibration(2.0, 1.0).chance(-1e6) == 0.0


@pytest.mark.parametrize(("slope", "offset"), [(2.0, 3.0), (0.5, -1.0), (8.0, 10.0)])
def test_calibration_finds_the_law_behind_the_scores(slope: float, offset: float) -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(-offset / slope, 2.0 / slope, 20_000)
    right = rng.random(20_000) < 1 / (1 + np.exp(-(slope * scores + offset)))
    found = calibrate(scores.tolist(), right.tolist())
    assert found.slope == pytest.approx(slope, rel=0.1)
    assert found.offset == pytest.approx(offset, rel=0.1, abs=0.1)
    assert expected_calibration_error([found.chance(each) for each in scores], right.tolist()) < 0.02


def test_scores_that_part_right_from_wrong_stay_finite() -> None:
    found = calibrate([-1.0, -1.0, -5.0, -5.0], [True, True, False, False])
    assert 0 < found.slope < 10
    assert found.chance(-1.0) > 0.5 > found.chance(-5.0)


@pytest.mark.parametrize(
    ("scores", "right"), [([], []), ([1.0], [True]), ([1.0, math.nan], [True, False]), ([1.0, 2.0], [True])]
)
def test_calibration_needs_both_kinds(scores: list[float], right: list[bool]) -> None:
    with pytest.raises(ValueError, match="calibration"):
        calibrate(scores, right)


@pytest.mark.parametrize(
    ("confidences", "right", "error"),
    [
        ([1.0, 0.0], [True, False], 0.0),
        ([0.9, 0.9], [True, False], 0.4),
        ([0.75, 0.75, 0.75, 0.75], [True, True, True, False], 0.0),
        ([0.2, 0.8], [True, False], 0.8),
    ],
)
def test_expected_calibration_error(confidences: list[float], right: list[bool], error: float) -> None:
    assert expected_calibration_error(confidences, right) == pytest.approx(error)


def test_confidences_are_shared_among_the_readings() -> None:
    readings = weighed(
        [reading("turn on the hall light", -10.0), reading("turn on the wall light", -10.0 - math.log(3))]
    )
    assert [(each.text, each.confidence) for each in hypotheses(readings, 0.8)] == [
        ("turn on the hall light", 0.6),
        ("turn on the wall light", 0.2),
    ]
    assert [word.posterior for word in readings[0].words] == pytest.approx([1.0, 1.0, 1.0, 0.75, 1.0])
