"""Was the wake word said? A Hearth server hears its sound again, with a model that is too large for a satellite.

A sure word begins a command at once; if the server disagrees, it ends the command without an answer. One that is not
sure begins a command only when the server says that it was said. Other drivers are asked nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from wyoming.event import Event

from hearth_core import control_event
from hearth_core.command import Detection, new_command_id
from hearth_core.control_event import WakeSound

from .attention import Attention
from .post import Post
from .states import Manners

_LOG = logging.getLogger(__name__)

# Who has said the word and hears nothing so long says it again.
WAIT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A wake word that the server is asked about.

    Attributes:
        id: of the question.
        detection: what was heard.
        before: the sound up to it that may be of the command.
        levels: how loud the word was, and the room before it, as `Loudness.facts` has it.
        since: the sound after it, so far.
        until: when it counts as not said, on the clock.
    """

    id: str
    detection: Detection
    before: list[bytes]
    levels: Mapping[str, float]
    until: float
    since: list[bytes] = field(default_factory=list)


class Verification:
    """One question after another.

    Args:
        post: whom they go to.
        attention: has the word's sound.
        manners: say whether anything is asked, and of which words.
        levels: return the levels of the sound heard so far.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        post: Post,
        attention: Attention,
        manners: Manners,
        levels: Callable[[], Mapping[str, float]],
        clock: Callable[[], float],
    ) -> None:
        self._post = post
        self._attention = attention
        self._levels = levels
        self._clock = clock
        self._manners = manners
        self._asked: Asked | None = None

    @property
    def possible(self) -> bool:
        """True if the driver can tell."""
        return self._manners.verify and self._post.driver is not None and self._post.driver.verifies

    def ask(self, detection: Detection) -> None:
        """Ask about a word that is not sure, one at a time; who wants something to stop says it clearly."""
        if self.possible and self._asked is None and detection.wake_word not in self._manners.stop_words:
            # Now: at the verdict the last sound is of what was said after the word.
            before, levels, until = self._attention.before(), self._levels(), self._clock() + WAIT_S
            self._asked = Asked(new_command_id(), detection, before, levels, until)
            self._send(detection, self._asked.id, self._attention.word())

    def check(self, detection: Detection, command_id: str, word: bytes) -> None:
        """Let the server end the command that a sure word has begun, if it was not said."""
        if self.possible and word and detection.wake_word:
            self._send(detection, command_id, word)

    def _send(self, detection: Detection, question: str, word: bytes) -> None:
        named = {phrase.name: phrase.phrase for phrase in self._attention.phrases}
        phrase = named.get(detection.wake_word, detection.wake_word)
        self._post.send(WakeSound(id=question, phrase=phrase, sure=detection.sure).event(word))

    def hear(self, pcm: bytes) -> None:
        """Keep what follows a word while it is asked about."""
        self.tick()
        if self._asked is not None:
            self._asked.since.append(pcm)

    def answer(self, event: Event) -> Asked | None:
        """Take the server's verdict; return the word if it was said.

        Raises:
            WireError: the event's data are not what its type asks for.
        """
        verdict = control_event.wake_verdict_of(event)
        if self._asked is None or verdict.id != self._asked.id:
            return None
        if not verdict.said:
            self._refuse(verdict.reason)
            return None
        asked, self._asked = self._asked, None
        return asked

    def forget(self) -> None:
        """The word is of no interest any more."""
        self._asked = None

    def tick(self) -> None:
        """Hold the time limit."""
        if self._asked is not None and self._clock() >= self._asked.until:
            self._refuse(f"no verdict within {WAIT_S:g} s")

    def _refuse(self, reason: str) -> None:
        if self._asked is not None:
            heard = self._asked.detection
            _LOG.info("almost heard %s: %.2f is not sure, and %s", heard.wake_word, heard.score or 0.0, reason)
            self._asked = None
