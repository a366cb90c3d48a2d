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
from hearth_server.asr.micro.judge import OPEN_LEAD, WORD_LEAD, Judge
from hearth_server.asr.micro.model import OUTPUTS, Card
from hearth_server.asr.micro.phone_graph import compile_phones
from hearth_server.asr.micro.readings import Reading, Result, Standing, Word, weighed

from .small import HOME, word_graph

SHORT, LONG = "turn off the light", "turn off the light in the hall"


CHOICES = Choices(compile_phones(word_graph([SHORT, LONG]), HOME))


def card(**given: Any) -> Card:
    return Card("en", "1", 2, np.full(OUTPUTS, -3.7, np.float32), given, {})


def judge(given: Card | None = None, least_confidence: float = 0.5) -> Judge:
    return Judge(given or card(), least_confidence)


def heard(standing: Standing, gain: float = 10.0, enough: float = 0.0, closed: float = 0.0) -> Result:
    words = tuple(Word(word, 3 * n, 3 * n + 2, 3, gain) for n, word in enumerate(SHORT.split()))
    return Result((Reading(words, -10.0, log_probability=0.0),), standing, enough, closed)


@pytest.mark.parametrize("ahead", [OPEN_LEAD + 1, 15.0, math.inf])
def test_what_was_begun_and_is_missing_is_waited_for_and_not_left_out(ahead: float) -> None:
    begun = heard(Standing(words=tuple(f"{SHORT} in".split()), complete=False, lead=1.5, ahead=ahead))
    verdict = judge().verdict(begun, CHOICES)
    assert verdict.outlook is Outlook.OPEN
    assert verdict.hypotheses == ()


def test_a_breath_like_a_word_does_not_make_a_sentence_open() -> None:
    breath = heard(Standing(words=tuple(f"{SHORT} in".split()), complete=False, lead=1.5, ahead=OPEN_LEAD - 3))
    assert [each.text for each in judge().verdict(breath, CHOICES).hypotheses] == [SHORT]


@pytest.mark.parametrize(
    ("enough", "closed", "outlook"),
    [
        (0.0, 0.0, Outlook.EXTENDABLE),
        (0.7, 0.7, Outlook.EXTENDABLE),  # one time in three something else was said, that goes on
        (0.8, 0.7, Outlook.ENOUGH),
        (1.0, 0.8, Outlook.COMPLETE),
    ],
)
def test_a_noise_after_a_sentence_does_not_take_it_back(enough: float, closed: float, outlook: Outlook) -> None:
    noise = Standing(words=tuple(SHORT.split()), complete=False, inside_word=True, lead=1.5, whole=1 - WORD_LEAD)
    verdict = judge().verdict(heard(noise, enough=enough, closed=closed), CHOICES)
    assert verdict.outlook is outlook
    assert [each.text for each in verdict.hypotheses] == [SHORT]


def test_a_word_that_is_far_likelier_than_a_noise_is_heard_to_the_end() -> None:
    begun = Standing(words=tuple(f"{SHORT} in".split()), inside_word=True, lead=1.5, whole=-1 - WORD_LEAD)
    assert judge().verdict(heard(begun, enough=1.0, closed=1.0), CHOICES).outlook is Outlook.OPEN


@pytest.mark.parametrize(
    ("enough", "settled", "outlook"),
    [(-3.0, -3.0, Outlook.EXTENDABLE), (2.0, -3.0, Outlook.ENOUGH), (2.0, 2.0, Outlook.COMPLETE)],
)
def test_how_a_whole_sentence_may_go_on(enough: float, settled: float, outlook: Outlook) -> None:
    said = Standing(words=tuple(SHORT.split()), complete=True, whole=2.0, enough=enough, settled=settled)
    assert judge().verdict(heard(said), CHOICES).outlook is outlook


def test_what_silence_fits_as_well_is_no_sentence() -> None:
    standing = Standing(words=tuple(SHORT.split()), complete=True)
    assert judge().verdict(heard(standing, gain=6.0), CHOICES).hypotheses
    assert judge().verdict(heard(standing, gain=3.0), CHOICES).hypotheses == ()


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
        judged = judge(Card("en", "1", 2, card().priors, {}, calibration)).verdict(said, CHOICES)
        assert bool(judged.hypotheses) is taken


def test_the_best_reading_says_whether_it_was_a_sentence_at_all() -> None:
    worse_and_likelier = Reading(
        tuple(Word(word, n, n, 3, 30.0) for n, word in enumerate(("stop", "now"))), -10.0, log_probability=-12.0
    )
    better = Reading(heard(Standing(), gain=40.0).readings[0].words, -10.2, log_probability=0.0)
    said = Result(weighed([worse_and_likelier, better]), Standing(complete=True))
    calibration = {"slope": 2.0, "offset": 0.0, "measure": MEASURE}
    found = judge(Card("en", "1", 2, card().priors, {}, calibration)).verdict(said, CHOICES).hypotheses
    assert [each.text for each in found] == ["stop now", SHORT]
    assert found[0].confidence is not None
    assert found[1].confidence is not None
    assert found[0].confidence > found[1].confidence > 0.7 * found[0].confidence


def test_how_sure_it_must_be_is_the_homes_choice() -> None:
    said = heard(Standing(words=tuple(SHORT.split()), complete=True))
    even = Card("en", "1", 2, card().priors, {}, {"slope": 0.0, "offset": 1.0, "measure": MEASURE})  # 0.73 for all
    assert [bool(judge(even, least).verdict(said, CHOICES).hypotheses) for least in (0.7, 0.75)] == [True, False]
