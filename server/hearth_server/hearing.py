"""One satellite hears one command: its audio, kept for whoever needs it, and what is known of it so far."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

from hearth_core.audio import BYTES_PER_SECOND
from hearth_core.command import Context, EndReason, Stopwatch, Transcription
from hearth_core.errors import HearthError, PeerError
from hearth_core.time_out import time_out

from .inbox import AT_ONCE_BYTES, STARVED_S
from .rooms import Decision
from .rooms_sound import Envelope

# The longest command that can be configured is 120 s, but no room is chosen so late; 15 s is the default. 1.3 MB.
KEPT_S: Final = 40.0
# What goes before the command and is kept to tell how loud its speaker is: a wake word.
WORD_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Ear:
    """A satellite as the arbitration knows it.

    Attributes:
        name: no two have the same.
        group: satellites of one group can hear the same speaker.
        gain_db: by how much its microphone is louder than the others', as configured.
    """

    name: str
    group: str = ""
    gain_db: float = 0.0


@dataclass(frozen=True, slots=True)
class WakeFacts:
    """What a satellite says of its wake word; None where it does not say.

    Attributes:
        score: how sure the detection is, 0 to 1.
        noise_dbfs: the room before the wake word, as `hearth_core.loudness` measures.
        delay_s: what the network took, estimated from pings: half a round trip.
        uncertain_s: how far `delay_s` may be wrong.
    """

    score: float | None = None
    noise_dbfs: float | None = None
    delay_s: float = 0.0
    uncertain_s: float = 0.0


@dataclass(slots=True)
class Word:
    """The sound of a wake word, which tells how loud its speaker is.

    Attributes:
        pcm: 16 kHz s16le mono, whole when the command's own begins; empty if none is known.
        tail_s: how much of the command's audio is from before the detection, so that the word may end in it.
    """

    pcm: bytearray = field(default_factory=bytearray)
    tail_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a hearing.

    Attributes:
        transcription: what was said, for the one that answers; None for those that fall silent.
        context: of the command: the satellite and the room that are meant.
        decision: why; None if nobody else heard it.
        answered_by: for those that fall silent, who answers; empty if nobody does.
        watch: times of the stages, for the one that answers.
    """

    transcription: Transcription | None
    context: Context
    decision: Decision | None = None
    answered_by: str = ""
    watch: Stopwatch | None = None

    def facts(self) -> dict[str, Any]:
        """Return why this room answers, as plain data; nothing if only one heard it."""
        return {} if self.decision is None else {"rooms": self.decision.facts()}


class Hearing:
    """One satellite's part in a command. Audio is put in without waiting, and read by any number from its beginning.

    Attributes:
        granted: it was the first to detect: it may chime, and is recognised while it streams.
        detected_s: when, on the server's clock, less the network's delay.
        over: the command is over as far as this one hears it: silence, the end of its audio, or a failure.
        end: why; None while it goes on.
        gone: it takes no part any more: its link died, or its speaker began anew.
        transcription: what its recogniser heard; None if that has not been asked.
        word: the wake word.
    """

    def __init__(self, ear: Ear, wake: WakeFacts, context: Context, detected_s: float, *, granted: bool) -> None:
        self.ear = ear
        self.wake = wake
        self.context = context
        self.detected_s = detected_s
        self.granted = granted
        self.envelope = Envelope()
        self.over = asyncio.Event()
        self.end: EndReason | None = None
        self.gone = False
        self.failure: HearthError | None = None
        self.transcription: Transcription | None = None
        self.watch = Stopwatch()
        self.word = Word()
        self.verdict: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._chunks: list[bytes] = []
        self._bytes = 0
        self._complete = False
        self._more = asyncio.Event()

    @property
    def name(self) -> str:
        """Its satellite."""
        return self.ear.name

    @property
    def deaf(self) -> bool:
        """What is put in from now on is of no use to anybody."""
        return self._complete or self.verdict.done()

    @property
    def spoke(self) -> bool:
        """It has heard a command to its end."""
        return self.over.is_set() and not self.gone and self.end in (EndReason.SILENCE, EndReason.STOP, EndReason.LIMIT)

    @property
    def text(self) -> str:
        """What was recognised to its end, empty if nothing was."""
        heard = self.transcription
        return heard.text.strip() if heard is not None and heard.end is not EndReason.LIMIT else ""

    @property
    def words(self) -> str:
        """The text, to be compared with others."""
        return " ".join(self.text.casefold().split())

    @property
    def confidence(self) -> float | None:
        """The recogniser's confidence; 0 if it heard nothing, None if it was not asked or has none."""
        heard = self.transcription
        if heard is None:
            return None
        return heard.confidence if heard.text.strip() else 0.0

    def worth(self) -> tuple[int, float]:
        """Return how much its transcription is worth: a text before none, then the surer."""
        heard = self.transcription
        if heard is None:
            return (0, 0.0)
        if self.text:
            return (3, self.confidence or 0.0)
        return (2 if heard.end not in (EndReason.NO_SPEECH, EndReason.LIMIT) else 1, 0.0)

    def put_word(self, pcm: bytes) -> None:
        """Add to the wake word's sound, before the command's."""
        if not self._chunks and len(self.word.pcm) + len(pcm) <= WORD_S * BYTES_PER_SECOND:
            self.word.pcm += pcm

    def put(self, pcm: bytes) -> None:
        """Add audio, 16 kHz s16le mono; what comes when nobody listens any more is dropped."""
        if not pcm or self.deaf:
            return
        self.envelope.feed(pcm)
        self._chunks.append(pcm)
        self._bytes += len(pcm)
        if self._bytes >= KEPT_S * BYTES_PER_SECOND:
            self._complete = True
        self._more.set()

    def complete(self) -> None:
        """Say that no more audio comes."""
        self._complete = True
        self._more.set()

    def forget(self) -> None:
        """Drop the audio: nobody will ask for it again."""
        self._complete = True
        self._chunks.clear()
        self._more.set()

    async def audio(self) -> AsyncIterator[bytes]:
        """Yield the audio from its beginning, as `AudioInbox` does: what has come at once, and the rest as it comes.

        Raises:
            PeerError: nothing came for too long, or the satellite has gone.
        """
        next_chunk = 0
        while True:
            while next_chunk < len(self._chunks):
                taken = bytearray()
                while next_chunk < len(self._chunks) and len(taken) < AT_ONCE_BYTES:
                    taken += self._chunks[next_chunk]
                    next_chunk += 1
                yield bytes(taken)
            if self.gone:
                raise PeerError(f"satellite {self.name} left in the middle")
            if self._complete:
                return
            self._more.clear()
            try:
                async with time_out(STARVED_S):  # not wait_for, which lets another reader clear it in between
                    await self._more.wait()
            except TimeoutError:
                raise PeerError(f"the audio stopped in the middle for {STARVED_S:g} s") from None

    def leave(self) -> None:
        """Take no part any more."""
        self.gone = True
        self._more.set()
        self.over.set()
