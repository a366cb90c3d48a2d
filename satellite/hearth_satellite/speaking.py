"""The satellite while it is heard itself: answers and announcements, and what comes after them."""

from __future__ import annotations

from collections.abc import Callable

from wyoming.snd import Played

from hearth_core.audio import PcmFormat

from .afterwards import Afterwards
from .answers import Answers
from .attention import Attention
from .course import Course
from .playback import Sound
from .post import Post
from .states import State, TimeLimits


class Speaking:
    """PLAYING: how it is entered, how it ends, and what its driver is told of it.

    Args:
        course: the state.
        attention: forgets what was heard before, for it is not to be joined to what is heard afterwards.
        answers: what is to be heard.
        post: who waits for the word that it was.
        limits: time limits of the states.
        clock: monotonic seconds.

    Attributes:
        afterwards: what comes when all is heard.
    """

    def __init__(
        self,
        course: Course,
        attention: Attention,
        answers: Answers,
        post: Post,
        limits: TimeLimits,
        clock: Callable[[], float],
    ) -> None:
        self.afterwards = Afterwards(limits.echo_s + limits.follow_up_open_s, clock)
        self._course = course
        self._attention = attention
        self._answers = answers
        self._post = post
        self._limits = limits
        self._clock = clock

    def audio_start(self, audio: PcmFormat, *, announcement: bool) -> None:
        """Begin to play; during a command it waits, and an announcement goes before an answer."""
        streaming = self._course.state is State.STREAMING
        if announcement and self._course.state is State.ANSWERING:
            self.afterwards.interrupt(self._course.deadline)
        self._answers.start(audio, hold=streaming, first=announcement)
        if not streaming:
            self._play()

    def audio_chunk(self, pcm: bytes) -> None:
        """Play more."""
        self._answers.feed(pcm)
        if self._course.state is State.PLAYING:
            self._play()

    def audio_stop(self) -> None:
        """Take note that the sound is complete."""
        self._answers.stop()

    def release(self) -> None:
        """Let be heard what waited for the end of the command."""
        self._answers.release()
        if self._answers.due:
            self._play()

    def _play(self) -> None:
        """Be in PLAYING until all that has arrived is heard, however fast or slowly it came."""
        if self._course.state is not State.PLAYING:
            self._attention.forget()
        heard_by = max(self._answers.heard_by, self._clock())
        self._course.enter(State.PLAYING, heard_by - self._clock() + self._limits.play_margin_s)

    def played(self, sound: Sound) -> None:
        """Take note that a sound was heard to its end."""
        if not self._answers.finished(sound):
            return
        self._post.send(Played().event())
        if self._course.state is not State.PLAYING or self._answers.due:
            return
        answer_by = self.afterwards.answer_due()
        if answer_by is not None:  # an announcement came before the answer, which is still due
            self._course.enter(State.ANSWERING, answer_by - self._clock())
            return
        self.afterwards.heard()
        self._course.listen()

    def cut(self) -> None:
        """Fall silent in the middle of it."""
        self._answers.silence()
        self.afterwards.forget()
        self._post.send(Played().event())  # its driver waits for the word
        if self._post.driver is None:
            self._course.enter(State.IDLE)
        else:
            self._course.listen()
