"""One satellite's part in the choice of the room: from its events to what the arbitration hears of it."""

from __future__ import annotations

from collections.abc import Callable

from wyoming.audio import AudioChunk
from wyoming.event import Event

from hearth_core.audio import BYTES_PER_SECOND, Converter, PcmFormat
from hearth_core.command import Context

from . import opening
from .arbitration import Arbitration
from .claim import claim, wake_facts
from .hearing import Ear, Hearing
from .latency import Latency


class SatellitePart:
    """The hearing that is under way at one connection, and the one whose wake word has just been detected.

    Args:
        arbitration: chooses.
        ear: the satellite.
        context: returns the context of a command, from the event that opens it.

    Attributes:
        latency: of the connection; its owner tells it of pings.
    """

    def __init__(self, arbitration: Arbitration, ear: Ear, context: Callable[[Event], Context]) -> None:
        self.latency = Latency(arbitration.clock)
        self._arbitration = arbitration
        self._ear = ear
        self._context = context
        self._waking: Hearing | None = None  # its wake word is detected, its pipeline not yet run
        self._hearing: Hearing | None = None
        self._converter: Converter | None = None
        self._heard = 0  # bytes of the command's audio, converted
        self._opening = opening.Opening()

    @property
    def woken(self) -> bool:
        """True from the detection until the command's audio begins."""
        return self._waking is not None

    def detected(self, event: Event) -> Event | None:
        """Take part from a wake word on; return the answer to its claim, None if it makes none."""
        if self._waking is not None:
            self._arbitration.leave(self._waking)
        self._waking = self._begin(event, alone=False)
        return claim(event, self._waking)

    def opened(self, event: Event) -> Hearing:
        """Return the hearing that the audio from now on belongs to.

        Without a wake word, after a question or at the push of a button, it is known who is spoken to: nobody else is.
        """
        if self._waking is None:
            self._waking = self._begin(event, alone=not event.data.get("wake_word_name"))
        self._hearing, self._waking = self._waking, None
        self._converter, self._heard, self._opening = None, 0, opening.read(event)
        self._hearing.word.tail_s = self._opening.tail_ms / 1000
        return self._hearing

    def _begin(self, event: Event, *, alone: bool) -> Hearing:
        facts = wake_facts(event, self.latency)
        return self._arbitration.begin(self._ear, self._context(event), facts, alone=alone)

    def hear(self, chunk: AudioChunk) -> None:
        """Take the command's next audio; where in it the wake word ends is counted in sound.

        What a satellite says of the time is not believed: its clock may be seconds wrong, or be set meanwhile.

        Raises:
            AudioError: it is in a format that cannot be.
        """
        if self._hearing is None or self._hearing.deaf:
            return
        if self._converter is None:
            self._converter = Converter(PcmFormat(chunk.rate, chunk.width, chunk.channels))
        pcm = self._converter.feed(chunk.audio)
        begins_ms = self._heard * 1000 // BYTES_PER_SECOND
        self._heard += len(pcm)
        if begins_ms >= self._opening.skip_ms:
            self._hearing.put(pcm)
        elif not self._opening.rang:
            self._hearing.put_word(pcm)

    def complete(self) -> None:
        """Take note that the command's audio has ended."""
        if self._hearing is not None:
            self._hearing.complete()

    def refuse(self, command_id: str) -> None:
        """Take no part in a command whose wake word was not said."""
        for hearing in filter(None, (self._waking, self._hearing)):
            if hearing.context.command_id == command_id:
                self._arbitration.leave(hearing)

    def cut(self) -> None:
        """Take note that the speaker begins anew: what was heard so far is all of the command before."""
        if self._hearing is not None:
            self._arbitration.cut(self._hearing)

    def leave(self) -> None:
        """Take no part any more, unless the choice is made: what was spoken whole is done."""
        for hearing in filter(None, (self._waking, self._hearing)):
            self._arbitration.leave(hearing)
        self._waking = None
