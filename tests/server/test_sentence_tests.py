"""Test sentences through matcher, planner and answers."""

from __future__ import annotations

from typing import Any

import pytest

from hearth_core.command import Hypothesis, Transcription
from hearth_intents.sentences import load_sentences
from hearth_intents.test_file import SentenceTest
from hearth_server.demo_home import load_demo_house
from hearth_server.sentence_tests import Examiner

HOME = load_demo_house().home
EXAMINER = Examiner(load_sentences("en"), HOME)


def _test(text: str, intent: str, slots: dict[str, Any], *responses: str, area: str | None = None) -> SentenceTest:
    return SentenceTest(text, intent, slots, "f.yaml:1", responses, area)


@pytest.mark.parametrize(
    ("test", "wrong"),
    [
        (_test("turn on the bed light", "HassTurnOn", {"name": "Bed Light"}, "Turned on the light"), ""),
        (_test("turn on the bed light", "HassTurnOn", {"name": "Bed Light"}, "x", "turned on the light."), ""),
        (_test("turn on the bed light", "HassTurnOn", {"name": "Bed Light"}, "Lit"), "answers 'Turned on the light'"),
        (_test("turn on the bed light", "HassTurnOff", {"name": "Bed Light"}), "intent HassTurnOn in place of"),
        (_test("turn on the bed light", "HassTurnOn", {"name": "Kettle"}), "in place of 'Kettle'"),
        (_test("turn on the lights", "HassTurnOn", {"domain": "light", "area": "Office"}, area="Office"), ""),
        (_test("what a fine day", "HassTurnOn", {}), "not understood"),
        (_test("is the bed light on", "HassGetState", {"name": "Bed Light", "state": "on"}, "No, off"), ""),
    ],
)
def test_sentence_is_judged(test: SentenceTest, wrong: str) -> None:
    verdict = EXAMINER.judge(test)
    assert (wrong in verdict.wrong[0]) if wrong else verdict.wrong == ()
    assert verdict.heard == test.text


def test_answers_may_be_left_out() -> None:
    examiner = Examiner(load_sentences("en"), HOME, answers=False)
    assert examiner.judge(_test("turn on the bed light", "HassTurnOn", {"name": "Bed Light"}, "Lit")).wrong == ()


def test_what_was_heard_is_judged_in_place_of_the_text() -> None:
    heard = Transcription((Hypothesis("turn off the kettle", 0.9),), engine="fake")
    verdict = EXAMINER.judge(_test("turn on the bed light", "HassTurnOn", {"name": "Bed Light"}), heard)
    assert verdict.heard == "turn off the kettle"
    assert verdict.wrong == ("intent HassTurnOff in place of HassTurnOn",)


def test_nothing_is_done_to_the_home() -> None:
    before = HOME.entities["light.bed_light"].state
    EXAMINER.judge(_test("turn on the bed light", "HassTurnOn", {"name": "Bed Light"}))
    assert HOME.entities["light.bed_light"].state == before
