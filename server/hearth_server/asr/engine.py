"""What a recogniser is: audio in as it arrives, readings out.

An `Engine` is loaded once and lives as long as the server. `open()` gives a `Stream` for one utterance. Both are
synchronous, because recognition is computing, not waiting: the server calls them in worker threads, one thread at a
time for a stream, any number of streams at once for an engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from hearth_core.command import Hypothesis
from hearth_intents.grammar import Grammar


class Outlook(StrEnum):
    """How a sentence may go on after what was heard.

    The grammar knows no times of commands ("in ten minutes") and no second commands ("and close the blinds"): people
    may say them after what is COMPLETE. After a pause of `EndpointSettings.early_s` they are not heard any more; with
    None the utterance waits for them. The same holds for what is ENOUGH or EXTENDABLE, after `enough_s` and
    `extendable_s`.
    """

    UNKNOWN = "unknown"  # somebody speaks, the reading is not sure, or the engine cannot tell
    OPEN = "open"  # something is still missing
    EXTENDABLE = "extendable"  # it is a sentence, and may go on as an author wrote it
    ENOUGH = "enough"  # it is a sentence, and may go on as Hearth knows it: with a place, a duration, by how much
    COMPLETE = "complete"  # it is a sentence, surely heard, and nothing can follow but politeness


@dataclass(frozen=True, slots=True)
class Ending:
    """What a recogniser knows of the end of an utterance.

    Attributes:
        outlook: how the sentence may go on.
        silence_s: seconds since the last sound of the words, up to the last audio that was fed.
    """

    outlook: Outlook = Outlook.UNKNOWN
    silence_s: float = 0.0


class Stream(Protocol):
    """One utterance on its way through a recogniser."""

    def feed(self, pcm: bytes) -> Hypothesis | None:
        """Take the next audio, 16 kHz s16le mono, an even number of bytes; return the reading so far, if known."""

    def pause(self) -> None:
        """The speaker is silent just now, perhaps for good: a good moment to catch up with what was put off."""

    def ending(self, unspoken_s: float) -> Ending:
        """Say whether the utterance could be over here; cheap while somebody speaks.

        Args:
            unspoken_s: for how long the voice detector has heard nobody, up to the last audio that was fed.
        """

    def finish(self) -> tuple[Hypothesis, ...]:
        """End the utterance: return its readings, best first, none if it is not speech that the engine accepts."""

    def close(self) -> None:
        """Give back what the stream holds; may be called at any time, and more than once."""


@runtime_checkable
class Biased(Protocol):
    """A stream of an engine that can prefer some words to others.

    Those that are bound to the home's grammar have its names already, and may weigh these more; or do without.
    """

    def prefer(self, names: Sequence[str], near: Sequence[str]) -> None:
        """Expect these names in this utterance; said before its first audio.

        Args:
            names: what whoever sends the audio expects, the likelier first.
            near: what things in the speaker's room are called.
        """


@runtime_checkable
class Replying(Protocol):
    """A stream of an engine that turns down what is not surely a sentence, and need not be so strict with a reply."""

    def reply(self) -> None:
        """Take what is heard for more likely a sentence: the speaker was asked something. Said before its audio."""


@runtime_checkable
class Verifying(Protocol):
    """An engine that can tell whether a wake word was said."""

    def phrase_fit(self, phrase: str, pcm: bytes) -> float | None:
        """Return how a phrase fits where it fits a sound best; None if the engine cannot say.

        Args:
            phrase: as people write it, e.g. "Okay Nabu".
            pcm: 16 kHz s16le mono.

        Returns:
            0 where nothing fits better, and less the worse it fits.

        Raises:
            EngineError: the model fails.
        """


class Recogniser(Protocol):
    """What the server keeps for as long as it lives, wherever it listens."""

    name: str

    def use(self, grammar: Grammar) -> None:
        """Recognise against this home from the next utterance on; streams that are open keep the one they have.

        Raises:
            EngineError: the grammar is too large for the engine; the previous one stays in use.
        """

    def close(self) -> None:
        """Give back the model."""


@runtime_checkable
class Engine(Recogniser, Protocol):
    """A recogniser in this process.

    Attributes:
        closed: it hears sentences of the grammar, and nothing else.
        least_confidence: from which what its readings mean is believed, 0 to 1.
    """

    closed: bool
    least_confidence: float

    def open(self) -> Stream:
        """Begin an utterance.

        Raises:
            EngineError: nothing to recognise against, or no capacity left.
        """
