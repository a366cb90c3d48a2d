"""What a satellite says of a command as it opens it; every word of it comes from a peer and is checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from wyoming.event import Event

# A wake word ends 0.3 s before its detection at the earliest; what is before that is no command. Where the speaker
# pauses after it, the satellite says where it ended: its tail, 0.1 s of it as a rule, can be heard as a command.
_KEPT_MS: Final = 300
_MAX_LEAD_MS: Final = 5000


@dataclass(frozen=True, slots=True)
class Opening:
    """How a command begins.

    Attributes:
        skip_ms: audio from before so many milliseconds is the wake word's: it tells rooms apart, and is no command.
        tail_ms: so much of what comes next is from before the detection: the word may end in it, or the command begin.
        rang: the satellite rang while the wake word was said, so its sound tells no speaker's level.
        language: of the wake word, if it has one of its own.
        area: the room, by id or name, that the wake word is for; empty for the satellite's.
        user: who uses the wake word.
    """

    skip_ms: int = 0
    tail_ms: int = 0
    rang: bool = False
    language: str = ""
    area: str = ""
    user: str = ""


def read(event: Event) -> Opening:
    """Return what `run-pipeline` says; what is missing or wrong is left out."""
    context = event.data.get("context")
    facts: dict[str, Any] = context if isinstance(context, dict) else {}
    language = _text(facts, "language")
    lead_ms = _milliseconds(facts, "lead_ms") if event.data.get("wake_word_name") else 0
    skip_ms = max(0, lead_ms - _KEPT_MS, min(lead_ms, _milliseconds(facts, "word_end_ms")))
    return Opening(
        skip_ms=skip_ms,
        tail_ms=lead_ms - skip_ms,
        rang=facts.get("rang") is True,
        language=language if re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", language) else "",
        area=_text(facts, "area"),
        user=_text(facts, "user"),
    )


def _milliseconds(facts: dict[str, Any], key: str) -> int:
    value = facts.get(key)
    return max(0, min(value, _MAX_LEAD_MS)) if type(value) is int else 0


def _text(facts: dict[str, Any], key: str) -> str:
    value = facts.get(key)
    return value if isinstance(value, str) and len(value) <= 100 else ""
