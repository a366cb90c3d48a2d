"""What becomes of the decoder's readings: which are taken, how sure they are, and how the sentence may go on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hearth_core.command import Hypothesis
from hearth_core.errors import EngineError

from ..engine import Outlook
from .choices import Choices
from .confidence import LEAST_GAIN, MEASURE, Calibration, fit, gain, hypotheses
from .decoder import Decoder, DecoderSettings
from .model import FRAME_S, Card
from .phone_graph import PhoneGraph
from .readings import Reading, Result, Standing
from .scores import Scoring

# As sure as this a reading must be for a short silence to end it; what is taken at all may be less sure.
EARLY_CONFIDENCE: Final = 0.7
# Where a model's card has no calibration, or one of another measure: half of the sentences of twenty phones that are
# 2.3 nats a phone from being certain are taken, where there are a million to choose from. Set by hand.
UNCALIBRATED: Final = Calibration(slope=5.0, offset=-8.0)
# Nats that speak for a sentence where the speaker was asked something just before: hardly anything else is said then.
# With dishes at 6 dB they have 40 of 41 recordings of a lone "yes" or "no" taken, not 36; none for the other.
REPLY_EVIDENCE: Final = 3.5
# By so many nats the best path must be ahead of those that are not as far, or what may follow is not known. Which words
# it has is another question: "lights" or "light", nothing more is said.
EARLY_LEAD: Final = 1.0
# The same as a share of the readings, of two.
EARLY_SHARE: Final = 1.0 / (1.0 + math.exp(-EARLY_LEAD))
# By so many nats a word that is begun may be ahead of a sentence that is believed. In orders with dishes at 12 dB, "and
# a b…" is 6 to 17 ahead of "and milk"; commands whose last phones are weak are up to 5 behind.
WORD_LEAD: Final = 5.0
# By so many nats a sentence that is not whole must be ahead of the whole ones. On orders cut off after "with" it is 10
# to 18 ahead (less in one of twelve), at the end of whole ones a breath makes 0 to 8 of an "and".
OPEN_LEAD: Final = 8.5
_MOST_LEAD: Final = 50.0  # nats; exp has larger numbers, and nothing is less likely


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was said if the utterance is over now.

    Attributes:
        hypotheses: the readings that are accepted, best first.
        outlook: how the sentence may go on.
        silent_s: since the last phone.
        sure: the chance that a whole sentence was said, 0 to 1.
    """

    hypotheses: tuple[Hypothesis, ...]
    outlook: Outlook
    silent_s: float
    sure: float


class Judge:
    """Judges the results of one model, as its card says.

    Args:
        card: of the model.
        least_confidence: chance from which a sentence was said.

    Raises:
        EngineError: the card has settings that are no numbers, or out of range.
    """

    def __init__(self, card: Card, least_confidence: float) -> None:
        self.settings = settings_of(card)
        self.least_confidence = least_confidence
        known = card.calibration if card.calibration.get("measure") == MEASURE else {}
        self._calibration = Calibration(
            _number(known, "slope", UNCALIBRATED.slope), _number(known, "offset", UNCALIBRATED.offset)
        )

    def decoder(self, phones: PhoneGraph, weights: Mapping[int, float] | None = None) -> Decoder:
        """Return a decoder that fits the model, with these weights of words."""
        return Decoder(phones, self.settings, weights)

    def verdict(self, result: Result, choices: Choices, *, reply: bool = False) -> Verdict:
        """Return what to make of a result.

        Args:
            result: of the decoder.
            choices: how many sentences the home has.
            reply: somebody was asked something, and this may be the answer.
        """
        said = self._said(result.readings[0], choices, reply=reply) if result.readings else 0.0
        sure = said
        if _is_open(result.standing):
            # What was begun and is missing ("in …") may be so much likelier than the shorter sentence that is whole.
            sure /= 1.0 + math.exp(min(result.standing.ahead - OPEN_LEAD, _MOST_LEAD))
        return Verdict(
            hypotheses(result.readings, said) if sure >= self.least_confidence else (),
            self._outlook(result, sure),
            result.standing.silent_frames * FRAME_S,
            sure,
        )

    def _said(self, best: Reading, choices: Choices, *, reply: bool = False) -> float:
        """Return the chance that a sentence was said."""
        more = REPLY_EVIDENCE if reply else 0.0
        return self._calibration.chance(fit(best, choices), more) if gain(best) >= LEAST_GAIN else 0.0

    def _outlook(self, result: Result, sure: float) -> Outlook:
        standing = result.standing
        leads = (standing.whole, standing.enough, standing.settled)
        whole, enough, settled = (lead >= EARLY_LEAD for lead in leads)
        if standing.inside_word and sure >= self.least_confidence and standing.whole >= -WORD_LEAD:
            # Nobody pauses within a word: the sentence that is believed was the whole, its last phones said weakly.
            # Which it is of some that are as likely ("what's", "whats") is another question.
            whole, enough, settled = True, result.enough >= EARLY_SHARE, result.closed >= EARLY_SHARE
        elif not standing.complete and not whole:
            begun = standing.words or standing.inside_word
            return Outlook.OPEN if begun and standing.lead >= EARLY_LEAD else Outlook.UNKNOWN
        if not whole or sure < EARLY_CONFIDENCE:
            return Outlook.UNKNOWN
        if settled:
            return Outlook.COMPLETE
        return Outlook.ENOUGH if enough else Outlook.EXTENDABLE


def _is_open(standing: Standing) -> bool:
    """Return whether the best path stands between two words where no sentence ends."""
    return bool(standing.words) and not standing.complete and not standing.inside_word


def settings_of(card: Card) -> DecoderSettings:
    """Return how to decode, as a model's card says; what it does not say keeps its default.

    Raises:
        EngineError: a setting is no number, or out of range.
    """
    given, default = card.decoder, DecoderSettings()
    scoring = Scoring(
        acoustic_scale=_number(given, "acoustic_scale", default.scoring.acoustic_scale, 0.01, 10.0),
        prior_weight=_number(given, "prior_weight", default.scoring.prior_weight),
        log_priors=tuple(card.priors.tolist()),
        blank_penalty=_number(given, "blank_penalty", default.scoring.blank_penalty),
    )
    return DecoderSettings(
        scoring=scoring,
        phone_bonus=_number(given, "phone_bonus", default.phone_bonus),
        word_bonus=_number(given, "word_bonus", default.word_bonus),
        beam=_number(given, "beam", default.beam, 1.0, 1000.0),
        peer_beam=_number(given, "peer_beam", default.peer_beam, 1.0, 1000.0),
        phone_beam=_number(given, "phone_beam", default.phone_beam, 1.0, 1000.0),
        max_active=int(_number(given, "max_active", default.max_active, 1, 1_000_000)),
        per_node=int(_number(given, "per_node", default.per_node, 1, 1000)),
    )


def _number(given: Mapping[str, Any], name: str, default: float, least: float = -100.0, most: float = 100.0) -> float:
    value = given.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise EngineError(
            f"the speech model's {name} is {ascii(value)[:40]}, not a number from {least:g} to {most:g}",
            remedy="Get the model again",
        )
    return float(value)
