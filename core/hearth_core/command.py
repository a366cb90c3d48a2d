"""The types that one command passes through, from the wake word to the spoken answer.

AudioChunk -> Detection -> Utterance -> Transcription -> IntentMatch -> Action -> Outcome -> Response
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


def new_command_id() -> str:
    """Return a fresh identifier of one command, 12 hex digits; it travels with the command across machines."""
    return secrets.token_hex(6)


@dataclass(frozen=True, slots=True)
class Context:
    """Where and when a command was spoken; everything that gives its words a meaning beside the words.

    `conversation` is the key of what was said before and after: a question can be answered, and "it" has a meaning,
    only in the conversation in which it arose. None: nothing is remembered, and nothing can be asked.
    """

    command_id: str = field(default_factory=new_command_id)
    language: str = "en"
    satellite: str | None = None
    area_id: str | None = None
    now: datetime = field(default_factory=lambda: datetime.now().astimezone())
    conversation: str | None = None


@dataclass(frozen=True, slots=True)
class Detection:
    """A wake word was heard.

    `facts` is what the satellite's configuration says of the word: language, area, user. One that is not `sure` begins
    nothing before a server has verified it.
    """

    wake_word: str
    score: float | None = None
    timestamp_ms: int | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    sure: bool = True


class EndReason(StrEnum):
    """Why an utterance ended."""

    SILENCE = "silence"  # the speaker stopped
    STOP = "stop"  # the peer said that the audio ends
    LIMIT = "limit"  # longer than a command may be
    NO_SPEECH = "no-speech"  # nobody spoke


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One reading of an utterance.

    `confidence` is the estimated probability, 0 to 1, that the reading is right; None where the engine has none.
    """

    text: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Transcription:
    """What a recogniser heard: its readings, best first; none if there was no speech or it fits no sentence.

    `closed`: the readings are sentences of the home's grammar. What is no command to the letter is said in a
    conversation ("yes", "the other one"), and no command that was misheard.
    `least`: so likely, 0 to 1, the readings that mean a command or its rivals must be together, or it is not believed.
    """

    hypotheses: tuple[Hypothesis, ...]
    engine: str
    end: EndReason = EndReason.STOP
    audio_seconds: float = 0.0
    closed: bool = False
    least: float = 0.0

    @property
    def text(self) -> str:
        """The best reading, empty if there is none."""
        return self.hypotheses[0].text if self.hypotheses else ""

    @property
    def confidence(self) -> float | None:
        """Confidence of the best reading."""
        return self.hypotheses[0].confidence if self.hypotheses else None


@dataclass(frozen=True, slots=True)
class Slot:
    """A part of a sentence that carries a value: `value` is what it means, `text` what was said.

    `free` says that it was free text, which no list checks.
    """

    value: Any
    text: str
    free: bool = False


@dataclass(frozen=True, slots=True)
class IntentMatch:
    """A sentence understood.

    Attributes:
        intent: name of the intent, e.g. HassTurnOn.
        slots: by slot name; `name` holds an entity_id, `area` an area_id, `floor` a floor_id.
        text: the reading that matched.
        response: key of the response template, None for the intent's default.
        score: 1.0 is the sentence to the letter; less, the further from it.
        action: what the author's sentence file says to do, None for the intents that Hearth plans itself.
    """

    intent: str
    slots: Mapping[str, Slot]
    text: str
    language: str = "en"
    response: str | None = None
    score: float = 1.0
    action: Mapping[str, Any] | None = None

    def value(self, slot: str) -> Any:
        """Return the slot's value, None if the sentence did not have it."""
        found = self.slots.get(slot)
        return None if found is None else found.value


@dataclass(frozen=True, slots=True)
class When:
    """The moment that a command is put off to.

    Attributes:
        text: the words that said it, e.g. "in ten minutes".
        at: the moment; None if the sun decides, or if the words could not be read.
        sun: "sunrise" or "sunset" where the sun decides.
        offset_s: seconds after the sun's moment, negative before it.
    """

    text: str
    at: datetime | None = None
    sun: str | None = None
    offset_s: float = 0.0

    @property
    def unclear(self) -> bool:
        """Whether a time was said that could not be read: it has to be asked for, never dropped."""
        return self.at is None and self.sun is None


@dataclass(frozen=True, slots=True)
class Clause:
    """One command of what was said: "turn off the light and close the blinds in an hour" has two.

    Attributes:
        text: its words.
        matches: what it means, as `Matcher.match` returns it; empty if it is not understood.
        rivals: readings almost as near that would do something else; where there are any, ask which is meant.
        when: the moment it is put off to, None for now.
    """

    text: str
    matches: tuple[IntentMatch, ...] = ()
    rivals: tuple[IntentMatch, ...] = ()
    when: When | None = None


@dataclass(frozen=True, slots=True)
class Understood:
    """What an utterance means, one clause after the other; no clauses if it means nothing."""

    clauses: tuple[Clause, ...] = ()

    def __bool__(self) -> bool:
        return any(clause.matches for clause in self.clauses)


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do to some entities, in Home Assistant's words whatever the bus.

    Attributes:
        service: e.g. `light.turn_on`.
        entity_ids: the entities to do it to; for what is written to a bus itself, one id `bus:place`.
        data: the service's further data, e.g. {"brightness_pct": 50}.
        expected: the state after it, e.g. "on", None if it cannot be told beforehand.
    """

    service: str
    entity_ids: tuple[str, ...]
    data: Mapping[str, Any] = field(default_factory=dict)
    expected: str | None = None


class OutcomeStatus(StrEnum):
    """How an action ended for one entity."""

    DONE = "done"  # confirmed by the state that was read back
    UNCONFIRMED = "unconfirmed"  # sent, but no state came back in time
    UNREACHABLE = "unreachable"  # its bus is away
    FAILED = "failed"  # refused
    UNCONFIGURED = "unconfigured"  # its bus is not among those of this house


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an action for one entity."""

    entity_id: str
    status: OutcomeStatus
    detail: str = ""


class ResponseKind(StrEnum):
    """What a response is."""

    DONE = "done"
    ANSWER = "answer"
    FAILED = "failed"
    NOT_UNDERSTOOD = "not-understood"
    QUESTION = "question"


@dataclass(frozen=True, slots=True)
class Response:
    """What the speaker is told."""

    text: str
    kind: ResponseKind


class Stopwatch:
    """Wall-clock time of each stage of one command, in seconds, in the order in which the stages ended."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block; the time of a stage that runs twice adds up."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - start)

    def add(self, name: str, seconds: float) -> None:
        """Add time that was measured elsewhere."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def milliseconds(self) -> dict[str, float]:
        """Return the stages in milliseconds, rounded to a tenth."""
        return {name: round(seconds * 1000, 1) for name, seconds in self.seconds.items()}
