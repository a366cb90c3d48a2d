"""What is remembered of a conversation, and for how long: an open question, and what was done last."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from hearth_core.command import Action, Clause, IntentMatch
from hearth_core.home import State
from hearth_intents.followup import Remembered
from hearth_intents.replies import Option

from .policy import Decision

# A satellite each, and Home Assistant's conversations; the one that was silent longest is forgotten.
MAX_CONVERSATIONS = 64
# What is said this long after a PIN was asked for is not logged unless it is a command: people answer late.
SECRET_S = 120.0


class QuestionKind(StrEnum):
    """What is asked."""

    CONFIRM = "confirm"  # yes or no
    PIN = "pin"
    WHICH = "which"  # one of several, or all of them
    WHEN = "when"  # a time that was said and could not be read


@dataclass(frozen=True, slots=True)
class Step:
    """A command on its way.

    Attributes:
        clause: what it means.
        named: whether the speaker named the thing or place, and did not only point at it ("it").
        agreed: the strictest decision that the speaker has met already, by a yes or a PIN.
        agreed_to: what that was for, (service, entity id); nothing else may be done on the strength of it.
        restores: what brings things back, for "undo that"; None for everything else.
        quiet: whether its success goes without saying.
    """

    clause: Clause
    named: bool = True
    agreed: Decision = Decision.ALLOW
    agreed_to: frozenset[tuple[str, str]] = frozenset()
    restores: tuple[Action, ...] | None = None
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A question that waits for its answer.

    Attributes:
        kind: what is asked.
        step: what it is about.
        text: as it was asked.
        matches: what can be chosen, for WHICH.
        options: the names of these, in the same order.
        asks_for: (service, entity id) that a yes or a PIN agrees to.
        rest: further commands of the same sentence that will have to be asked about.
        repeated: whether it was asked a second time already.
    """

    kind: QuestionKind
    step: Step
    text: str
    matches: tuple[IntentMatch, ...] = ()
    options: tuple[Option, ...] = ()
    asks_for: frozenset[tuple[str, str]] = frozenset()
    rest: tuple[Step, ...] = ()
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What was done or asked last, and how the things were before."""

    remembered: Remembered
    before: Mapping[str, State] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Talk:
    question: Question | None = None
    asked_at: float = -math.inf
    done: Done | None = None
    done_at: float = -math.inf
    pin_asked_at: float = -math.inf


class Conversations:
    """The conversations of a server, each by its key, each forgotten by itself.

    Args:
        reply_s: seconds for which a question waits for its answer.
        followup_s: seconds for which what was done is remembered.
        clock: seconds that only grow.
    """

    def __init__(
        self, reply_s: float = 30.0, followup_s: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._reply_s = reply_s
        self._followup_s = followup_s
        self._clock = clock
        self._talks: OrderedDict[str, _Talk] = OrderedDict()

    def ask(self, key: str, question: Question) -> None:
        """Remember a question, in the place of an earlier one; its time begins now."""
        now = self._clock()
        pin_at = now if question.kind is QuestionKind.PIN else self._talk(key).pin_asked_at
        self._keep(key, replace(self._talk(key), question=question, asked_at=now, pin_asked_at=pin_at))

    def question(self, key: str | None) -> Question | None:
        """Return the open question, None if there is none or its time is over."""
        talk = self._talks.get(key) if key is not None else None
        return talk.question if talk is not None and self._clock() - talk.asked_at <= self._reply_s else None

    def take_question(self, key: str | None) -> Question | None:
        """Return the open question, and forget it: it is answered once."""
        question = self.question(key)
        if key is not None and key in self._talks:
            self._keep(key, replace(self._talk(key), question=None))
        return question

    def remember(self, key: str | None, done: Done | None) -> None:
        """Remember what was done; None forgets it."""
        if key is not None:
            self._keep(key, replace(self._talk(key), done=done, done_at=self._clock()))

    def last(self, key: str | None) -> Done | None:
        """Return what was done last, None if nothing was, or too long ago."""
        if key is None:
            return None
        talk = self._talk(key)
        return talk.done if self._clock() - talk.done_at <= self._followup_s else None

    def awaits_pin(self, key: str | None) -> bool:
        """Return whether what is said now may be a PIN, so that it is nobody's to read.

        Without a key, for speech of which it is not known what conversation it belongs to: in any of them.
        """
        talks = tuple(self._talks.values()) if key is None else (self._talk(key),)
        now = self._clock()
        return any(now - talk.pin_asked_at <= max(SECRET_S, self._reply_s) for talk in talks)

    def __len__(self) -> int:
        return len(self._talks)

    def _talk(self, key: str) -> _Talk:
        return self._talks.get(key, _Talk())

    def _keep(self, key: str, talk: _Talk) -> None:
        self._talks[key] = talk
        self._talks.move_to_end(key)
        while len(self._talks) > MAX_CONVERSATIONS:
            self._talks.popitem(last=False)
