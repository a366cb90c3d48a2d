"""What becomes of the decoder's readings: which are taken, how sure they are, and how the sentence may go on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from hearth_core.command import Hypothesis
from hearth_intents.graph import WordGraph

from ..engine import Outlook
from .decoder import Decoder, DecoderSettings
from .model import FRAME_S, Card
from .phone_graph import PhoneGraph
from .readings import Result

# As sure as this a reading must be for a short silence to end it; what is accepted at all may be less sure.
EARLY_CONFIDENCE: Final = 0.8
REJECT_CONFIDENCE: Final = 0.5
# By so many nats the best path must be ahead of those with other words, or what may follow is not known.
EARLY_LEAD: Final = 1.0


class Sentences:
    """The sentences of a home, to look up where one stands in them.

    Args:
        graph: of all of them.
        closing: states after which nothing but politeness can follow.
    """

    def __init__(self, graph: WordGraph, closing: frozenset[int]) -> None:
        self._graph = graph
        self._closing = closing
        self._number = {word: number for number, word in enumerate(graph.words)}

    def closed(self, words: Iterable[str]) -> bool:
        """Return whether nothing can be added to a sentence that would change it."""
        state = 0
        for word in words:
            number = self._number.get(word)
            ways = self._graph.leaving(state)
            after = ways[ways[:, 2] == number, 1] if number is not None else ()
            if not len(after):
                return False
            state = int(after[0])
        return state in self._closing


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was said if the utterance is over now.

    Attributes:
        hypotheses: the readings that are accepted, best first.
        outlook: how the sentence may go on.
        silent_s: since the last phone.
    """

    hypotheses: tuple[Hypothesis, ...]
    outlook: Outlook
    silent_s: float


class Judge:
    """Judges the results of one model.

    Args:
        card: of the model.
    """

    def __init__(self, card: Card) -> None:
        self.settings = DecoderSettings()

    def decoder(self, phones: PhoneGraph) -> Decoder:
        """Return a decoder that fits the model."""
        return Decoder(phones, self.settings)

    def verdict(self, result: Result, sentences: Sentences) -> Verdict:
        """Return what to make of a result."""
        sure = [(reading, self.confidence(result, number)) for number, reading in enumerate(result.readings)]
        accepted = bool(sure) and sure[0][1] >= REJECT_CONFIDENCE
        hypotheses = tuple(Hypothesis(reading.text, round(confidence, 3)) for reading, confidence in sure)
        standing = result.standing
        return Verdict(
            hypotheses if accepted else (),
            self._outlook(result, sure[0][1] if sure else 0.0, sentences),
            standing.silent_frames * FRAME_S,
        )

    def confidence(self, result: Result, number: int) -> float:
        reading = result.readings[number]
        return reading.posterior

    def _outlook(self, result: Result, confidence: float, sentences: Sentences) -> Outlook:
        standing = result.standing
        if standing.lead < EARLY_LEAD:
            return Outlook.UNKNOWN
        if not standing.complete:
            return Outlook.OPEN if standing.words or standing.inside_word else Outlook.UNKNOWN
        if confidence < EARLY_CONFIDENCE:
            return Outlook.UNKNOWN
        return Outlook.COMPLETE if sentences.closed(standing.words) else Outlook.EXTENDABLE
