"""Whether anybody takes what is said now, and as what."""

from __future__ import annotations

from .answers import Answers
from .attention import Attention
from .course import Course
from .post import Post
from .states import State
from .timers import Timers


class Heed:
    """What the satellite does with the next sound.

    Args:
        course: its state.
        attention: whether it is muted, and whether it has wake words.
        answers: whether its own voice deafens it.
        post: whether a driver is there.
        timers: whether one rings.
        barge_in: a wake word is listened for while an answer is heard.
    """

    def __init__(
        self, course: Course, attention: Attention, answers: Answers, post: Post, timers: Timers, barge_in: bool
    ) -> None:
        self._course = course
        self._attention = attention
        self._answers = answers
        self._post = post
        self._timers = timers
        self._barge_in = barge_in

    @property
    def deaf(self) -> bool:
        """True if nothing is heard at all."""
        return self._answers.deaf or self._attention.muted

    @property
    def ready(self) -> bool:
        """True if a new command may begin."""
        return self._course.state is State.LISTENING and not self.deaf

    @property
    def started(self) -> bool:
        """True if a command is under way, and what is said now is part of it."""
        return self._course.state is State.STREAMING and not self.deaf

    @property
    def any(self) -> bool:
        """True if somebody takes it: as a new command, as more of one, or for a wake word."""
        return self.ready or self.started or (not self.deaf and self.awaits_wake_word)

    @property
    def awaits_wake_word(self) -> bool:
        """True if only a wake word is listened for."""
        if not self._attention.phrases:
            return False
        match self._course.state:
            case State.ANSWERING:
                return True
            case State.PLAYING:
                return self._barge_in
            case State.IDLE:
                return self._post.alone or self._timers.ringing
        return False
