"""What is begun and not whole is not taken for the shorter sentence, and a card is checked."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from hearth_core.errors import EngineError
from hearth_server.asr.engine import Outlook
from hearth_server.asr.micro.choices import Choices
from hearth_server.asr.micro.confidence import MEASURE
from hearth_server.asr.micro.judge import OPEN_LEAD, Judge, Sentences
from hearth_server.asr.micro.model import OUTPUTS, Card
from hearth_server.asr.micro.readings import Reading, Result, Standing, Word

from .small import word_graph

SHORT, LONG = "turn off the light", "turn off the light in the hall"
SENTENCES = Sentences(word_graph([SHORT, LONG]), frozenset(), Choices())


def card(**given: Any) -> Card:
    return Card("en", "1", 2, np.full(OUTPUTS, -3.7, np.float32), given, {})


def judge(given: Card | None = None, least_confidence: float = 0.5) -> Judge:
    return Judge(given or card(), least_confidence)


def heard(standing: Standing, gain: float = 10.0) -> Result:
    words = tuple(Word(word, 3 * n, 3 * n + 2, 3, 0.0, gain) for n, word in enumerate(SHORT.split()))
    return Result((Reading(words, -10.0),), standing)


@pytest.mark.parametrize("ahead", [OPEN_LEAD + 1, 15.0, math.inf])
def test_what_was_begun_and_is_missing_is_waited_for_and_not_left_out(ahead: float) -> None:
    begun = heard(Standing(words=tuple(f"{SHORT} in".split()), complete=False, lead=1.5, ahead=ahead))
    verdict = judge().verdict(begun, SENTENCES)
    assert verdict.outlook is Outlook.OPEN
    assert verdict.hypotheses == ()


def test_a_breath_like_a_word_does_not_make_a_sentence_open() -> None:
    breath = heard(Standing(words=tuple(f"{SHORT} in".split()), complete=False, lead=1.5, ahead=OPEN_LEAD - 3))
    assert [each.text for each in judge().verdict(breath, SENTENCES).hypotheses] == [SHORT]


def test_a_noise_after_a_sentence_does_not_take_it_back() -> None:
    noise = heard(Standing(words=tuple(SHORT.split()), complete=False, inside_word=True, lead=1.5))
    verdict = judge().verdict(noise, SENTENCES)
    assert verdict.outlook is Outlook.EXTENDABLE
    closed = Sentences(word_graph([SHORT]), frozenset({4}), Choices())
    assert judge().verdict(noise, closed).outlook is Outlook.COMPLETE
    assert [each.text for each in verdict.hypotheses] == [SHORT]


def test_what_silence_fits_as_well_is_no_sentence() -> None:
    standing = Standing(words=tuple(SHORT.split()), complete=True)
    assert judge().verdict(heard(standing, gain=6.0), SENTENCES).hypotheses
    assert judge().verdict(heard(standing, gain=3.0), SENTENCES).hypotheses == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"beam": 10**400},
        {"beam": -1},
        {"beam": math.inf},
        {"peer_beam": 0},
        {"acoustic_scale": 1e305},
        {"acoustic_scale": 0},
        {"max_active": 0},
        {"prior_weight": "much"},
        {"phone_bonus": math.nan},
        {"word_bonus": True},
    ],
)
def test_a_card_that_is_wrong_is_told(wrong: dict[str, Any]) -> None:
    with pytest.raises(EngineError, match=f"the speech model's {next(iter(wrong))} is"):
        judge(card(**wrong))


def test_a_calibration_of_another_measure_does_not_hold() -> None:
    said = heard(Standing(words=tuple(SHORT.split()), complete=True))
    never = {"slope": 1.0, "offset": -50.0}
    for calibration, taken in (({**never, "measure": MEASURE}, False), (never, True)):
        judged = judge(Card("en", "1", 2, card().priors, {}, calibration)).verdict(said, SENTENCES)
        assert bool(judged.hypotheses) is taken
