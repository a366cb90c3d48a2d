"""Listening for the beginning of a command, with the sound from before it at hand."""

from __future__ import annotations

from hearth_core.command import Detection
from hearth_core.control_event import WORD_S

from .ring import Ring
from .wake import WakePhrase, WakeWord
from .wake_word import Trigger


class Attention:
    """One wake word, or set of them, and the last seconds of sound.

    Args:
        wake: says when a command begins.

    Attributes:
        muted: nothing is listened to; whoever feeds it asks first.
    """

    def __init__(self, wake: WakeWord) -> None:
        self.muted = False
        self.use(wake)

    @property
    def trigger(self) -> Trigger:
        """What of the sound begins a command."""
        return self._wake.trigger

    @property
    def phrases(self) -> tuple[WakePhrase, ...]:
        """The wake words that are listened for."""
        return self._wake.phrases

    def use(self, wake: WakeWord) -> None:
        """Listen for other wake words from now on."""
        self._wake = wake
        self._before = Ring(max(wake.preroll_s, WORD_S) if wake.phrases else wake.preroll_s)

    def mute(self, muted: bool) -> None:
        """Listen to nothing, or to everything again; what was heard before is forgotten."""
        if muted is not self.muted:
            self.forget()
        self.muted = muted

    def listen(self, pcm: bytes) -> Detection | None:
        """Take the next sound and keep it; return what was detected in it."""
        self._before.add(pcm)
        return self._wake.feed(pcm)

    def word(self) -> bytes:
        """Return the sound that the wake word ends in."""
        return b"".join(self._before.last(WORD_S))

    def before(self) -> list[bytes]:
        """Return of what was heard lately, oldest first, what may be of the command."""
        return self._before.last(self._wake.preroll_s)

    def take(self) -> list[bytes]:
        """Return the same, and forget all that was heard."""
        before = self.before()
        self._before.clear()
        return before

    def forget(self) -> None:
        """What comes next does not continue what was heard so far."""
        self._before.clear()
        self._wake.reset()
