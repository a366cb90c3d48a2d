"""What other programs read about a command."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time
from typing import Any

import pytest

from hearth_core.command import (
    Action,
    Context,
    EndReason,
    Hypothesis,
    IntentMatch,
    Outcome,
    OutcomeStatus,
    Response,
    ResponseKind,
    Slot,
    Transcription,
)
from hearth_core.config_mqtt import MqttConfig
from hearth_server.mqtt.announcement import announcements
from hearth_server.mqtt.own_topics import OwnTopics
from hearth_server.pipeline import Answer
from hearth_server.plan import Plan

TOPICS = OwnTopics("hearth/attic")
CONTEXT = Context("0123456789ab", "en", "kitchen-satellite", "kitchen", datetime(2026, 11, 20, 7, 30, tzinfo=UTC))
HEARD = Transcription((Hypothesis("dim the lamp", 0.91), Hypothesis("dim the lump", 0.05)), "fake", audio_seconds=1.0)


def match(intent: str = "HassLightSet", **slots: Slot) -> IntentMatch:
    return IntentMatch(intent, slots, "dim the lamp", score=0.97)


def answer(*matches: IntentMatch) -> Answer:
    action = Action("light.turn_on", ("light.lamp",), {"brightness_pct": 40}, "on")
    return Answer(
        CONTEXT,
        HEARD,
        Response("Brightness set to 40", ResponseKind.DONE),
        matches,
        Plan(matches[0], ResponseKind.DONE, (action,)),
        (Outcome("light.lamp", OutcomeStatus.UNCONFIRMED, "silent"),),
        milliseconds={"recognise": 120.5, "act": 12.0},
    )


def test_command_understood_is_told_with_all_that_is_known() -> None:
    (message,) = announcements(answer(match(name=Slot("light.lamp", "the lamp"), brightness=Slot(40, "40"))), TOPICS)
    assert message.topic == "hearth/attic/intent/HassLightSet"
    assert json.loads(message.payload) == {
        "intent": "HassLightSet",
        "score": 0.97,
        "slots": {
            "name": {"value": "light.lamp", "text": "the lamp"},
            "brightness": {"value": 40, "text": "40"},
        },
        "command_id": "0123456789ab",
        "text": "dim the lamp",
        "confidence": 0.91,
        "readings": [{"text": "dim the lamp", "confidence": 0.91}, {"text": "dim the lump", "confidence": 0.05}],
        "engine": "fake",
        "end": "stop",
        "language": "en",
        "area": "kitchen",
        "satellite": "kitchen-satellite",
        "time": "2026-11-20T07:30:00+00:00",
        "response": "Brightness set to 40",
        "kind": "done",
        "actions": [{"service": "light.turn_on", "entity_ids": ["light.lamp"], "data": {"brightness_pct": 40}}],
        "outcomes": [{"entity_id": "light.lamp", "status": "unconfirmed", "detail": "silent"}],
        "milliseconds": {"recognise": 120.5, "act": 12.0},
        "others": [],
        "commands": [
            {
                "intent": "HassLightSet",
                "score": 0.97,
                "slots": {
                    "name": {"value": "light.lamp", "text": "the lamp"},
                    "brightness": {"value": 40, "text": "40"},
                },
            }
        ],
        "policy": [],
        "question": None,
    }


def test_others_of_the_same_name_are_told_beside_what_was_done() -> None:
    mine, other = match(name=Slot("light.a", "the lamp")), match(name=Slot("light.b", "the lamp"))
    (message,) = announcements(answer(mine, other), TOPICS)
    facts = json.loads(message.payload)
    assert facts["slots"]["name"]["value"] == "light.a"
    assert [found["slots"]["name"]["value"] for found in facts["others"]] == ["light.b"]


def test_command_not_understood_is_told_with_how_it_ended() -> None:
    heard = Transcription((), "fake", EndReason.NO_SPEECH)
    nothing = Answer(CONTEXT, heard, Response("Sorry", ResponseKind.NOT_UNDERSTOOD))
    message, hermes = announcements(nothing, TOPICS, hermes=True)
    assert message.topic == "hearth/attic/not-understood"
    facts = json.loads(message.payload)
    assert (facts["text"], facts["confidence"], facts["end"], facts["readings"]) == ("", None, "no-speech", [])
    assert hermes.topic == "hermes/nlu/intentNotRecognized"
    assert json.loads(hermes.payload)["siteId"] == "kitchen-satellite"


def test_hermes_message_has_what_rhasspys_clients_read() -> None:
    _, message = announcements(answer(match(brightness=Slot(40, "forty"))), TOPICS, hermes=True)
    assert message.topic == "hermes/intent/HassLightSet"
    facts = json.loads(message.payload)
    assert facts["intent"] == {"intentName": "HassLightSet", "confidenceScore": 0.91}
    (slot,) = facts["slots"]
    assert (slot["slotName"], slot["rawValue"], slot["value"]["value"]) == ("brightness", "forty", 40)


@pytest.mark.parametrize(
    ("value", "told"),
    [(time(7, 30), "07:30:00"), (frozenset({"b", "a"}), ["a", "b"]), ("Küche 🛋", "Küche 🛋")],
)
def test_any_slot_can_be_told(value: Any, told: Any) -> None:
    (message,) = announcements(answer(match(x=Slot(value, "x"))), TOPICS)
    assert json.loads(message.payload)["slots"]["x"]["value"] == told


@pytest.mark.parametrize("name", ["a/b", "#", "+", "a\0b", ""])
def test_intent_of_any_name_stays_one_level_of_the_topic(name: str) -> None:
    (message,) = announcements(answer(match(name)), TOPICS)
    root, _, last = message.topic.rpartition("/")
    assert root == "hearth/attic/intent"
    assert last
    assert not set(last) & set("/+#\0")


def test_topics_are_those_of_the_configured_server() -> None:
    assert OwnTopics.of(MqttConfig(server_name="cellar", base_topic="home/voice")).say == "home/voice/cellar/say"
    assert OwnTopics.of(MqttConfig()).root.startswith("hearth/")
