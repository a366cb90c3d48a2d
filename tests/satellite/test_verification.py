"""A driver that can tell is asked whether the wake word was said; others notice nothing."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from hearth_core.command import Detection
from hearth_core.control_event import WAKE as QUESTION
from hearth_core.control_event import WakeVerdict
from hearth_satellite.news import Happening
from hearth_satellite.session import State
from tests.satellite.around import Room, noise
from tests.satellite.fakes import END, QUIET, TALK, WAKE, ByteWake

MAYBE = bytes([9]) * 1024


class UnsureWake(ByteWake):
    """Is not sure of the chunk `MAYBE`."""

    def feed(self, chunk: bytes) -> Detection | None:
        return Detection("alexa", 0.4, 1234, sure=False) if chunk == MAYBE else super().feed(chunk)


def listening(*, verifies: bool = True, **manners: Any) -> Room:
    room = Room(wake=UnsureWake(), audible=True, wake_chime=True, **manners)
    room.peer.verifies = verifies
    room.session.run(room.peer)
    room.hear(TALK, QUIET)
    return room


def questions(room: Room) -> list[dict[str, Any]]:
    return [event.data for event in room.peer.events if event.type == QUESTION]


def answer(room: Room, *, said: bool, question: str = "") -> None:
    room.tell(WakeVerdict(id=question or questions(room)[-1]["id"], said=said, reason="" if said else "no such word"))


def test_an_unsure_word_begins_a_command_when_the_driver_says_that_it_was_said() -> None:
    room = listening()
    room.hear(MAYBE)
    assert (room.state(), room.sounds.labels(), room.peer.types()) == (State.LISTENING, [], [QUESTION])
    assert (questions(room)[0]["phrase"], questions(room)[0]["sure"]) == ("Alexa", False)
    assert room.peer.heard() == TALK + QUIET + MAYBE, "all that the word may be in"
    assert not room.happened(Happening.WAKE)
    answer(room, said=True, question="another")
    assert room.state() is State.LISTENING
    answer(room, said=True)
    assert room.state() is State.STREAMING


def test_all_that_was_said_meanwhile_is_in_the_command() -> None:
    room = listening()
    room.hear(MAYBE)
    room.hear(TALK, QUIET)
    question = questions(room)[0]["id"]
    room.peer.events.clear()
    answer(room, said=True, question=question)
    assert room.state() is State.STREAMING
    assert room.peer.types()[:3] == ["detection", "run-pipeline", "audio-start"]
    assert room.peer.heard() == QUIET + MAYBE + TALK + QUIET, "the preroll of 64 ms, and all since"
    assert room.peer.events[1].data["context"]["lead_ms"] == 64, "what came since is no part of the word"
    assert len(room.happened(Happening.WAKE)) == 1
    room.hear(END)
    assert room.state() is State.ANSWERING
    assert QUESTION not in room.peer.types(), "it is verified already"


class Word(ByteWake):
    """Detects the chunk `MAYBE`, as sure as a test wants."""

    def __init__(self, *, sure: bool) -> None:
        super().__init__()
        self.sure = sure

    def feed(self, chunk: bytes) -> Detection | None:
        return Detection("alexa", 0.4, 1234, sure=self.sure) if chunk == MAYBE else None


def levels(*, sure: bool) -> tuple[float, float]:
    """Say a word in a quiet room, then something much louder; return the levels of both that the driver is told."""
    room = Room(wake=Word(sure=sure))
    room.peer.verifies = True
    room.session.run(room.peer)
    room.hear(*[noise(10)] * 80, *[noise(1000)] * 20, MAYBE)
    room.hear(*[noise(8000)] * 25)
    if not sure:
        answer(room, said=True)
    (context,) = (event.data["context"] for event in room.peer.events if event.type == "detection")
    return context["level_dbfs"], context["noise_dbfs"]


def test_the_level_of_an_unsure_word_is_its_own_and_not_that_of_what_came_after_it() -> None:
    assert levels(sure=False) == levels(sure=True)


def test_a_command_that_is_over_before_the_verdict_ends_once() -> None:
    room = listening()
    room.hear(MAYBE, TALK, END, QUIET)
    answer(room, said=True)
    assert room.state() is State.ANSWERING
    assert room.peer.types().count("audio-stop") == 1
    assert room.peer.heard().endswith(TALK + END)


def test_an_unsure_word_that_was_not_said_is_logged_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    room = listening()
    room.hear(MAYBE, TALK)
    answer(room, said=False)
    room.pass_time(2.0)
    assert (room.state(), room.sounds.labels(), room.peer.types()) == (State.LISTENING, [], [QUESTION])
    assert "almost heard alexa: 0.40 is not sure, and no such word" in caplog.text
    room.hear(MAYBE)
    assert len(questions(room)) == 2, "the next one is asked about again"


def test_no_verdict_in_time_is_none(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    room = listening()
    room.hear(MAYBE, TALK)
    room.pass_time(1.0)
    assert "no verdict within 1 s" in caplog.text
    answer(room, said=True)
    assert room.state() is State.LISTENING


def test_one_question_at_a_time() -> None:
    room = listening()
    room.hear(MAYBE, TALK, MAYBE)
    assert len(questions(room)) == 1


def test_a_sure_word_begins_at_once_and_is_verified_beside_that() -> None:
    room = listening()
    room.hear(WAKE)
    assert room.state() is State.STREAMING
    asked = questions(room)[0]
    assert (asked["id"], asked["sure"]) == (room.session.command_id, True)
    assert room.peer.types().index("audio-start") < room.peer.types().index(QUESTION)


def test_a_sure_word_takes_the_place_of_an_unsure_one() -> None:
    room = listening()
    room.hear(MAYBE, WAKE, TALK)
    first = questions(room)[0]["id"]
    answer(room, said=True, question=first)
    answer(room, said=False, question=first)
    assert room.state() is State.STREAMING
    assert room.peer.types().count("detection") == 1


@pytest.mark.parametrize("manners", [{"verify": False}, {}], ids=["switched off", "a driver that cannot tell"])
def test_nobody_else_is_asked(manners: dict[str, bool]) -> None:
    room = listening(verifies=bool(manners), **manners)
    room.hear(MAYBE, TALK)
    assert (room.state(), room.peer.events) == (State.LISTENING, [])
    room.hear(WAKE)
    assert room.state() is State.STREAMING
    assert QUESTION not in room.peer.types()


def test_a_stop_word_must_be_sure() -> None:
    room = listening(stop_words=frozenset({"alexa"}))
    room.hear(MAYBE)
    assert room.peer.events == []


@pytest.mark.parametrize("happens", ["mute", "button", "pause", "gone"])
def test_what_happens_meanwhile_comes_first(happens: str) -> None:
    room = listening()
    room.hear(MAYBE)
    match happens:
        case "mute":
            room.session.mute(True)
        case "button":
            assert room.session.wake_up()
        case "pause":
            room.session.pause(room.peer)
        case "gone":
            room.session.drop(room.peer)
    state = room.state()
    answer(room, said=True)
    assert room.state() is state
    assert "detection" not in room.peer.types()


def test_only_listening_is_worth_a_question() -> None:
    for state in (State.STREAMING, State.ANSWERING, State.PLAYING):
        room = Room(wake=UnsureWake(), barge_in=True)
        room.peer.verifies = True
        room.bring_to(state)
        room.peer.events.clear()
        room.hear(MAYBE)
        assert questions(room) == []
