"""The question about a wake word and its answer, as they go over the wire."""

from __future__ import annotations

import pytest
from wyoming.event import Event

from hearth_core.control_event import (
    VERDICT,
    WAKE,
    WORD_S,
    WakeSound,
    WakeVerdict,
    hello,
    wake_sound_of,
    wake_verdict_of,
)
from hearth_core.errors import WireError


def test_question_and_answer_come_back_as_they_were() -> None:
    asked = WakeSound(id="c1", phrase="Okay Nabu", sure=True)
    assert wake_sound_of(asked.event(b"\1\2" * 100)) == (asked, b"\1\2" * 100)
    verdict = WakeVerdict(id="c1", said=False, reason="another word")
    assert wake_verdict_of(verdict.event()) == verdict


def test_no_more_sound_is_taken_than_a_word_needs_and_no_half_sample() -> None:
    most = round(WORD_S * 32_000)
    pcm = bytes(1000) + b"\1" * most + b"\2"
    assert wake_sound_of(Event(WAKE, {"id": "c1", "phrase": "Alexa"}, pcm))[1] == b"\1" * most
    assert wake_sound_of(Event(WAKE, {"id": "c1", "phrase": "Alexa"}))[1] == b""


@pytest.mark.parametrize("data", [{}, {"id": 1, "phrase": "Alexa"}, {"id": "x" * 65, "phrase": "a"}, {"id": "x"}])
def test_a_question_that_is_none_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(WireError, match=WAKE):
        wake_sound_of(Event(WAKE, data, b""))


@pytest.mark.parametrize("data", [{}, {"id": "x"}, {"id": "x", "said": "yes"}, {"id": "x", "said": 1}])
def test_a_verdict_that_is_none_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(WireError, match=VERDICT):
        wake_verdict_of(Event(VERDICT, data))


def test_the_greeting_says_no_more_than_is_so() -> None:
    assert hello().data == {}
    assert hello("token", verifies=True).data == {"token": "token", "verifies": True}
