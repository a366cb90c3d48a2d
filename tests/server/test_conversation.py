"""What is remembered, for how long, and of how many."""

from __future__ import annotations

from hearth_core.command import Clause
from hearth_intents.followup import Remembered
from hearth_server.conversation import MAX_CONVERSATIONS, Conversations, Done, Question, QuestionKind, Step

DONE = Done(Remembered((), ()))


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def question(kind: QuestionKind = QuestionKind.CONFIRM) -> Question:
    return Question(kind, Step(Clause("x")), "?")


def test_a_question_is_answered_once_and_in_its_time() -> None:
    clock = Clock()
    talks = Conversations(30.0, 60.0, clock)
    talks.ask("a", question())
    assert talks.take_question("b") is None
    clock.now = 30.0
    assert talks.question("a") == question()
    assert talks.take_question("a") == question()
    assert talks.question("a") is None
    assert talks.take_question("a") is None
    talks.ask("a", question())
    clock.now = 60.1
    assert talks.question("a") is None
    assert talks.take_question("a") is None


def test_what_was_done_is_forgotten_in_its_time() -> None:
    clock = Clock()
    talks = Conversations(30.0, 60.0, clock)
    talks.remember("a", DONE)
    clock.now = 60.0
    assert talks.last("a") is DONE
    clock.now = 60.1
    assert talks.last("a") is None
    talks.remember("a", DONE)
    talks.remember("a", None)
    assert talks.last("a") is None


def test_without_a_key_nothing_is_remembered() -> None:
    talks = Conversations()
    talks.remember(None, DONE)
    assert talks.last(None) is None
    assert talks.take_question(None) is None
    assert len(talks) == 0


def test_a_flood_of_conversations_is_bounded_and_the_oldest_is_forgotten() -> None:
    talks = Conversations()
    for number in range(MAX_CONVERSATIONS + 10):
        talks.ask(str(number), question())
    assert len(talks) == MAX_CONVERSATIONS
    assert talks.take_question("9") is None
    assert talks.take_question("10") is not None


def test_what_may_be_a_pin_stays_secret_after_the_time_to_answer() -> None:
    clock = Clock()
    talks = Conversations(30.0, 60.0, clock)
    talks.ask("a", question(QuestionKind.PIN))
    assert talks.awaits_pin("a")
    assert talks.awaits_pin(None)
    assert not talks.awaits_pin("b")
    talks.take_question("a")
    clock.now = 100.0
    assert talks.awaits_pin("a")
    clock.now = 121.0
    assert not talks.awaits_pin("a")
