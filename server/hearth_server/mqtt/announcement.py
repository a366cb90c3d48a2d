"""What other programs are told about a command: pure, from an answer to messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hearth_core.command import IntentMatch, ResponseKind

from ..pipeline import Answer
from ..plan import Plan
from .own_topics import OwnTopics, level
from .topics import Command as Message


def announcements(answer: Answer, topics: OwnTopics, *, hermes: bool = False) -> tuple[Message, ...]:
    """Return what to publish about a command: what was understood, or that nothing was.

    A text may fit several things of one name; then what was done stands first, and the others beside it.

    Args:
        answer: the command, carried out.
        topics: whose topics.
        hermes: tell it on the topics of Rhasspy's Hermes protocol too.
    """
    whole = _whole(answer)
    if not answer.matches or answer.response.kind is ResponseKind.NOT_UNDERSTOOD:
        messages = [Message(topics.not_understood, _json(whole))]
        if hermes:
            messages.append(Message("hermes/nlu/intentNotRecognized", _json(_hermes(answer))))
        return tuple(messages)
    match = answer.plan.match if answer.plan else answer.matches[0]
    others = [_understood(other) for other in answer.matches if other != match]
    facts = {**_understood(match), **whole, "others": others}
    messages = [Message(topics.intent(match.intent), _json(facts))]
    if hermes:
        messages.append(Message(f"hermes/intent/{level(match.intent)}", _json(_hermes_intent(answer, match))))
    return tuple(messages)


def _plans(answer: Answer) -> tuple[Plan, ...]:
    return answer.plans or ((answer.plan,) if answer.plan else ())


def _understood(match: IntentMatch) -> dict[str, Any]:
    slots = {name: {"value": slot.value, "text": slot.text} for name, slot in match.slots.items()}
    return {"intent": match.intent, "score": match.score, "slots": slots}


def _whole(answer: Answer) -> dict[str, Any]:
    heard, context = answer.transcription, answer.context
    return {
        "command_id": context.command_id,
        "text": heard.text,
        "confidence": heard.confidence,
        "readings": [{"text": reading.text, "confidence": reading.confidence} for reading in heard.hypotheses],
        "engine": heard.engine,
        "end": heard.end.value,
        "language": context.language,
        "area": context.area_id,
        "satellite": context.satellite,
        "time": context.now.isoformat(),
        "response": answer.response.text,
        "kind": answer.response.kind.value,
        "actions": [
            {"service": action.service, "entity_ids": action.entity_ids, "data": action.data}
            for plan in _plans(answer)
            for action in plan.actions
        ],
        "commands": [_understood(plan.match) for plan in _plans(answer)],
        "policy": [
            {"decision": str(ruling.decision), "rule": ruling.rule, "reason": ruling.reason}
            for ruling in answer.rulings
        ],
        "question": answer.question,
        "outcomes": [
            {"entity_id": outcome.entity_id, "status": outcome.status.value, "detail": outcome.detail}
            for outcome in answer.outcomes
        ],
        "milliseconds": answer.milliseconds,
    }


def _hermes(answer: Answer) -> dict[str, Any]:
    """The frame of every Hermes message. Source: Rhasspy 2.5, "MQTT API", hermes/nlu."""
    return {
        "input": answer.transcription.text,
        "siteId": answer.context.satellite or "default",
        "sessionId": answer.context.command_id,
        "id": answer.context.command_id,
    }


def _hermes_intent(answer: Answer, match: IntentMatch) -> dict[str, Any]:
    confidence = answer.transcription.confidence
    return {
        **_hermes(answer),
        "intent": {"intentName": match.intent, "confidenceScore": match.score if confidence is None else confidence},
        "slots": [
            {
                "entity": name,
                "slotName": name,
                "rawValue": slot.text,
                "value": {"kind": "Unknown", "value": slot.value},
            }
            for name, slot in match.slots.items()
        ],
    }


def _json(facts: Mapping[str, Any]) -> str:
    return json.dumps(facts, ensure_ascii=False, default=_plain)


def _plain(value: object) -> Any:
    """Say what JSON has no word for: times of day as text, sets and read-only mappings as what they are."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    return str(value)
