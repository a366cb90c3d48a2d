"""What the server tells of itself: how it is, what it did last, what is wrong with the home's names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hearth_core.command import Outcome, ResponseKind, Transcription

from ..pipeline import Answer, Pipeline
from .satellites import Satellite, facts

# What a person can put right in one sitting; more would not be read.
MAX_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard before it came back as a text; `until`, the event loop's time, it may."""

    transcription: Transcription
    milliseconds: Mapping[str, float]
    until: float


def last_command(answer: Answer, before: Heard | None = None) -> dict[str, Any]:
    """Return a command as the sensors show it.

    Args:
        answer: what became of it.
        before: what was heard last; taken if the answer is to its text.
    """
    heard = answer.transcription
    spent = dict(answer.milliseconds)
    if before is not None and before.transcription.text == heard.text:
        heard, spent = before.transcription, {**before.milliseconds, **spent}
    audio_ms = heard.audio_seconds * 1000
    told: dict[str, Any] = {
        "text": heard.text,
        "kind": str(answer.response.kind),
        "response": answer.response.text,
        "intent": answer.matches[0].intent if answer.matches else None,
        "confidence": heard.confidence,
        "engine": heard.engine,
        "satellite": answer.context.satellite,
        "area_id": answer.context.area_id,
        "command_id": answer.context.command_id,
        "outcomes": _outcomes(answer.outcomes),
        "stages_ms": spent,
        "latency_ms": round(sum(spent.values()), 1),
    }
    if audio_ms > 0:
        told["real_time_factor"] = round(spent.get("recognise", 0.0) / audio_ms, 4)
    return told


def _outcomes(outcomes: tuple[Outcome, ...]) -> dict[str, str]:
    # A house switched off as a whole would be thousands of attributes.
    return {outcome.entity_id: str(outcome.status) for outcome in outcomes[:50]}


def event_of(answer: Answer) -> str:
    """Return which event a command is."""
    return "not_understood" if answer.response.kind is ResponseKind.NOT_UNDERSTOOD else "understood"


def status(
    pipeline: Pipeline, satellites: tuple[Satellite, ...], queue: int, last: Mapping[str, Any] | None, language: str
) -> dict[str, Any]:
    """Return the server as it is now."""
    home = pipeline.house.home
    return {
        "state": "busy" if queue else "idle",
        "engine": pipeline.engine.name,
        "language": language,
        "queue": queue,
        "home": {
            "entities": len(home.entities),
            "areas": len(home.areas),
            "floors": len(home.floors),
            "words": len(pipeline.understanding.grammar.graph.words),
        },
        "last": dict(last) if last else None,
        "satellites": [facts(satellite) for satellite in satellites],
    }
