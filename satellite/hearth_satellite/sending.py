"""The command on its way to the driver: how it opens, its sound, when its speaker has ended, and its chime."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from wyoming.event import Event

from hearth_core.audio import BYTES_PER_SECOND
from hearth_core.command import Detection, EndReason, new_command_id

from . import events
from .claim import CLAIM, Claim
from .course import NEVER
from .loudness import Loudness, word_end_ms
from .post import Post
from .states import EndOfSpeech


class Sending:
    """One command after another.

    Args:
        post: whom they go to.
        end_of_speech: says when the speaker has ended.
        chimes: whether a chime is wanted at the beginning; of several satellites, that of the first alone.
        clock: monotonic seconds.

    Attributes:
        command_id: of the command in work, or the last one; empty before the first.
    """

    def __init__(self, post: Post, end_of_speech: EndOfSpeech, clock: Callable[[], float], *, chimes: bool) -> None:
        self.command_id = ""
        self._post = post
        self._end_of_speech = end_of_speech
        self._chimes = chimes
        self._claim = Claim(clock)
        self._loudness = Loudness()
        self._bytes = 0
        self._patience_s = NEVER

    @property
    def milliseconds(self) -> int:
        """How much of the command's sound is sent."""
        return self._bytes * 1000 // BYTES_PER_SECOND

    @property
    def unanswered(self) -> bool:
        """True if somebody was asked, and has said nothing so far."""
        return self._patience_s < NEVER and not self._end_of_speech.speech_started

    def hear(self, pcm: bytes) -> None:
        """Take note of the room's sound, also before a command."""
        self._loudness.hear(pcm)

    def new_driver(self) -> None:
        """Forget how the last driver was."""
        self._claim.new_driver()

    def begin(self, patience_s: float) -> str:
        """Begin a command, in which somebody has to speak within so many seconds; return its id."""
        self.command_id = new_command_id()
        self._patience_s = patience_s
        self._bytes = 0
        self._end_of_speech.reset()
        return self.command_id

    def levels(self) -> dict[str, float]:
        """Return how loud the wake word was that has just ended, and the room before it."""
        return self._loudness.facts()

    def open(self, detection: Detection | None, lead: list[bytes], levels: Mapping[str, float] | None = None) -> None:
        """Tell the driver of it: of the wake word, if one was heard, and how much of the sound is from before it.

        Args:
            detection: the wake word.
            lead: the sound from before its detection.
            levels: what `levels` said at its detection; None if that is now.
        """
        facts: dict[str, float | bool] = {}
        woken = detection is not None and bool(detection.wake_word)
        if woken:
            facts |= self.levels() if levels is None else levels
            word = b"".join(lead)
            if (word_end := word_end_ms(word)) is not None:
                facts["word_end_ms"] = word_end
            if self._patience_s == NEVER:
                self._end_of_speech.meet(word)
            else:  # a timer rang while the word was said: how loud that was is not how loud the speaker is
                facts["rang"] = True
        if self._chimes:
            facts |= self._claim.ask(self.command_id, detected=woken)
        lead_ms = sum(map(len, lead)) * 1000 // BYTES_PER_SECOND
        for event in events.beginning(detection, self.command_id, lead_ms, facts):
            self._post.send(event)

    def send(self, pcm: bytes, *, speech: bool) -> EndReason | None:
        """Send more of its sound; return why it is over, None while it is not.

        Args:
            pcm: what was heard.
            speech: whether the command may end in it; it may not in the wake word.
        """
        self._post.send(events.chunk(pcm, self.milliseconds))
        self._bytes += len(pcm)
        end = self._end_of_speech.feed(pcm) if speech else None
        if end is None and self.milliseconds >= 1000 * self._patience_s and not self._end_of_speech.speech_started:
            return EndReason.NO_SPEECH
        return end

    def end(self) -> None:
        """Tell the driver that it is over; what has not chimed yet never will."""
        self.forget()
        self._post.send(events.stop(self.milliseconds))

    def forget(self) -> None:
        """No chime any more."""
        self._claim.forget()

    def receive(self, event: Event) -> bool:
        """Take the driver's answer to the claim; return False if the event is another."""
        if event.type != CLAIM:
            return False
        self._claim.answer(event)
        return True

    def may_chime(self) -> bool:
        """Return True once, when the chime is to be heard."""
        return self._claim.due()
