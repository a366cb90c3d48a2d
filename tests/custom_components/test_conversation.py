"""The agent: what the server answers becomes what Assist has; what it does not understand goes to another."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from custom_components.hearth.const import CONF_FALLBACK_AGENT
from homeassistant.components import conversation
from homeassistant.components.conversation import trace
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import intent
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service

from hearth_core.companion import RefusedError
from tests.custom_components.fake_server import FakeServer

AGENT = "conversation.test_server_conversation"
DONE = {"kind": "done", "text": "Turned on the light", "intent": "HassTurnOn", "outcomes": {"light.lamp": "done"}}


async def say(hass: HomeAssistant, text: str = "turn on the lamp", **more: Any) -> conversation.ConversationResult:
    context, conversation_id = more.pop("context", Context()), more.pop("conversation_id", None)
    return await conversation.async_converse(hass, text, conversation_id, context, "en", AGENT, **more)


async def test_what_is_done_is_told_as_done(home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer) -> None:
    calls = async_mock_service(home, "light", "turn_on")

    async def act(fields: Any) -> dict[str, Any]:
        await server.call("light.turn_on", "light.lamp", asked=fields["asked"])
        return DONE

    server.answers["ask"] = act
    trace.async_clear_traces()
    result = await say(home, context=Context(user_id="somebody"))
    assert result.response.response_type is intent.IntentResponseType.ACTION_DONE
    assert result.response.speech["plain"]["speech"] == "Turned on the light"
    assert [target.id for target in result.response.success_results] == ["light.lamp"]
    assert not result.continue_conversation
    assert calls[0].context.user_id == "somebody"
    events = trace.async_get_traces()[0].as_dict()["events"]
    detail = next(event for event in events if event["event_type"] == "agent_detail")
    assert detail["data"]["answer"]["intent"] == "HassTurnOn"


async def test_the_room_of_the_speaker_is_told(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer
) -> None:
    server.answers["ask"] = DONE
    device = dr.async_get(home).async_get_or_create(config_entry_id=loaded.entry_id, identifiers={("x", "y")})
    dr.async_get(home).async_update_device(device.id, area_id="kitchen")
    await say(home, device_id=device.id)
    assert server.asked[-1][1]["area_id"] == "kitchen"
    assert server.asked[-1][1]["satellite"] == device.id
    attic = ar.async_get(home).async_create("Attic")
    satellite = er.async_get(home).async_get_or_create("assist_satellite", "test", "s")
    er.async_get(home).async_update_entity(satellite.entity_id, area_id=attic.id)
    await say(home, device_id=device.id, satellite_id=satellite.entity_id)
    assert server.asked[-1][1]["area_id"] == attic.id
    await say(home)
    assert server.asked[-1][1]["area_id"] is None


@pytest.mark.parametrize(
    ("answer", "kind", "code", "goes_on"),
    [
        ({"kind": "answer", "text": "21 degrees"}, "query_answer", None, False),
        ({"kind": "question", "text": "Which?", "continue_conversation": True}, "query_answer", None, True),
        ({"kind": "not-understood", "text": "Sorry"}, "error", "no_intent_match", False),
        ({"kind": "failed", "text": "No", "outcomes": {"light.lamp": "failed"}}, "error", "failed_to_handle", False),
        (RefusedError("input", "too long"), "error", "failed_to_handle", False),
        ({}, "error", "failed_to_handle", False),
        ({"kind": "done", "text": 5, "outcomes": []}, "action_done", None, False),
    ],
)
async def test_every_kind_of_answer_has_its_own_response(
    home: HomeAssistant,
    loaded: MockConfigEntry,
    server: FakeServer,
    answer: Any,
    kind: str,
    code: str | None,
    goes_on: bool,
) -> None:
    server.answers["ask"] = answer
    result = await say(home)
    assert result.response.response_type.value == kind
    assert result.response.error_code == code
    assert result.continue_conversation is goes_on


async def test_what_is_not_understood_goes_to_the_other_agent(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer
) -> None:
    server.answers["ask"] = {"kind": "not-understood", "text": "Sorry"}
    options = {CONF_FALLBACK_AGENT: conversation.HOME_ASSISTANT_AGENT}
    home.config_entries.async_update_entry(loaded, options=options)
    calls = async_mock_service(home, "light", "turn_on")
    assert await async_setup_component(home, "intent", {})
    result = await say(home)
    assert result.response.response_type is intent.IntentResponseType.ACTION_DONE
    assert calls


class Other(conversation.ConversationEntity):
    """An agent that asks back, and keeps what it was asked."""

    _attr_name = "Other"

    def __init__(self) -> None:
        self.heard: list[tuple[str, str | None]] = []

    @property
    def supported_languages(self) -> Literal["*"]:
        return "*"

    async def _async_handle_message(
        self, user_input: conversation.ConversationInput, chat_log: conversation.ChatLog
    ) -> conversation.ConversationResult:
        self.heard.append((user_input.text, user_input.conversation_id))
        response = intent.IntentResponse(user_input.language)
        response.async_set_speech("Which one?")
        return conversation.ConversationResult(response, chat_log.conversation_id, continue_conversation=True)


@pytest.mark.parametrize("away", [False, True])
async def test_any_agent_can_be_the_other_one(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer, away: bool
) -> None:
    other = Other()
    await home.data["entity_components"]["conversation"].async_add_entities([other])
    home.config_entries.async_update_entry(loaded, options={CONF_FALLBACK_AGENT: other.entity_id})
    server.answers["ask"] = {"kind": "not-understood", "text": "Sorry"}
    if away:
        server.refuse["hello"] = RefusedError("full", "no room")
        server.drop()
        await server.until(lambda: home.states.get(AGENT).state == STATE_UNAVAILABLE)
    first = await say(home, "a lamp")
    assert first.response.speech["plain"]["speech"] == "Which one?"
    assert first.continue_conversation
    second = await say(home, "the big one", conversation_id=first.conversation_id)
    assert second.conversation_id == first.conversation_id
    assert other.heard == [("a lamp", first.conversation_id), ("the big one", first.conversation_id)]
    assert bool(server.asked) is not away


async def test_a_conversation_without_a_device_is_one_conversation(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer
) -> None:
    """The server's question and the answer to it belong together, whoever types them."""
    server.answers["ask"] = {"kind": "question", "text": "Which?", "continue_conversation": True}
    first = await say(home, "turn on the lamp")
    await say(home, "the big one", conversation_id=first.conversation_id)
    await say(home, "turn on the lamp")
    keys = [fields["satellite"] for method, fields in server.asked if method == "ask"]
    assert keys[0] == keys[1] == first.conversation_id
    assert keys[2] not in (None, keys[0])


async def test_an_agent_that_is_gone_is_told(home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer) -> None:
    server.answers["ask"] = {"kind": "not-understood", "text": "Sorry"}
    home.config_entries.async_update_entry(loaded, options={CONF_FALLBACK_AGENT: "conversation.gone"})
    result = await say(home)
    assert result.response.error_code == "unknown"


async def test_a_server_that_goes_away_in_the_middle_is_told(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer
) -> None:
    server.answers["ask"] = lambda fields: server.drop()
    result = await say(home)
    assert result.response.error_code == "failed_to_handle"


async def test_an_intent_that_the_server_leaves_to_us_is_handled_here(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer
) -> None:
    handled: list[intent.Intent] = []

    class OpenSesame(intent.IntentHandler):
        intent_type = "OpenSesame"

        async def async_handle(self, intent_obj: intent.Intent) -> intent.IntentResponse:
            handled.append(intent_obj)
            response = intent_obj.create_response()
            response.async_set_speech("Open")
            return response

    intent.async_register(home, OpenSesame())
    answer = {"kind": "failed", "text": "No", "intent": "OpenSesame", "refusal": "not_supported"}
    server.answers["ask"] = {**answer, "slots": {"door": {"value": "cave", "text": "cave"}, "bad": 5}}
    result = await say(home, "open sesame")
    assert result.response.speech["plain"]["speech"] == "Open"
    assert handled[0].slots == {"door": {"value": "cave", "text": "cave"}}
    assert handled[0].assistant == "conversation"
    server.answers["ask"] = {**answer, "intent": "Unheard", "slots": None}
    result = await say(home, "abracadabra")
    assert (result.response.error_code, result.response.speech["plain"]["speech"]) == ("failed_to_handle", "No")
