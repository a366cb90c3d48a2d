"""The satellite's own voice: answers and announcements as they arrive, and its chimes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from hearth_core.audio import SPEECH, PcmFormat

from .chime import CHIME_RATE, Chime, render
from .playback import Playback, Sound

_LOG = logging.getLogger(__name__)
_CHIME_FORMAT: Final = PcmFormat(CHIME_RATE, 2, 1)

MAX_DUE: Final = 16
"""Answers that wait to be heard; a driver that does not wait for `played` has a fault."""


class Answers:
    """What a driver gives to be heard, in order, and until when a microphone would hear it.

    Args:
        playback: plays it.
        echo_s: for so long after a sound the room and the buffers of the devices still give it back.
        clock: monotonic seconds.
    """

    def __init__(self, playback: Playback, echo_s: float, clock: Callable[[], float]) -> None:
        self._playback = playback
        self._echo_s = echo_s
        self._clock = clock
        self._arriving: Sound | None = None
        self._due: list[Sound] = []  # not yet heard to the end
        self._held: list[Sound] = []  # not yet given to the playback
        self._deaf_until = float("-inf")
        self.heard_by = float("-inf")
        """When all that has arrived will have been heard."""

    @property
    def due(self) -> bool:
        """True if an answer is not yet heard to its end."""
        return bool(self._due)

    @property
    def deaf(self) -> bool:
        """True if a microphone would now hear a chime, or the echo of an answer."""
        return self._clock() < self._deaf_until

    def start(self, audio: PcmFormat, *, hold: bool, first: bool = False) -> None:
        """Begin an answer; one that has not been ended is ended.

        Args:
            audio: its format.
            hold: keep it silent until `release`.
            first: it interrupts what is heard, which goes on afterwards.
        """
        self.stop()
        if len(self._due) >= MAX_DUE:
            _LOG.warning("an answer is not played: %d others wait to be heard", len(self._due))
            return
        self._arriving = Sound(audio, "answer")
        self._due.append(self._arriving)
        if hold:
            self._held.append(self._arriving)
        else:
            self._playback.play(self._arriving, first=first)

    def feed(self, pcm: bytes) -> None:
        """Take the answer's next audio; ignored where no answer was begun."""
        if self._arriving is None:
            return
        before = self._arriving.seconds
        if not self._playback.feed(self._arriving, pcm):
            _LOG.warning("%d bytes of an answer are dropped: too much is waiting to be heard", len(pcm))
        self.heard_by = max(self.heard_by, self._clock()) + self._arriving.seconds - before

    def stop(self) -> None:
        """Take note that the answer is complete; one without any audio becomes a chime."""
        if self._arriving is None:
            return
        silent = self._arriving.seconds == 0.0 and self._arriving not in self._held
        self._playback.end(self._arriving)
        self._arriving = None
        if silent:
            self.chime(Chime.DONE)

    def release(self) -> None:
        """Let the answers that were held be heard, as if they had arrived now."""
        held, self._held = self._held, []
        for sound in held:
            self.heard_by = max(self.heard_by, self._clock()) + sound.seconds
            self._playback.play(sound)

    def chime(self, chime: Chime) -> None:
        """Play a chime; the microphone hears nothing meanwhile."""
        self._deafen(self._sound(render(chime), _CHIME_FORMAT) + self._echo_s)

    def say(self, words: bytes) -> None:
        """Say something of the satellite's own, 16 kHz s16le mono; the microphone hears nothing meanwhile."""
        self._deafen(self._sound(words, SPEECH) + self._echo_s)

    def ring(self) -> None:
        """Play the ring of a timer; a wake word is listened for meanwhile, for it ends the ringing."""
        self._sound(render(Chime.RING), _CHIME_FORMAT)

    def _sound(self, pcm: bytes, audio: PcmFormat) -> float:
        sound = Sound(audio, "chime")
        self._playback.play(sound)
        self._playback.feed(sound, pcm)
        self._playback.end(sound)
        return sound.seconds

    def finished(self, sound: Sound) -> bool:
        """Take note that a sound was heard to its end; return True if it was an answer."""
        self._deafen(self._echo_s)
        if sound not in self._due:
            return False
        self._due.remove(sound)
        return True

    def silence(self) -> None:
        """Fall silent, and forget what was still to be heard."""
        self._arriving = None
        self._due.clear()
        self._held.clear()
        self.heard_by = float("-inf")
        self._playback.stop()

    def _deafen(self, seconds: float) -> None:
        if self._playback.audible:
            self._deaf_until = max(self._deaf_until, self._clock() + seconds)
