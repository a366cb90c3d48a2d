"""The conversation agent: the server understands and acts; what it does not understand goes to another agent."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final, Literal

from homeassistant.components import conversation
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import intent
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from hearth_core.companion import RefusedError
from hearth_core.errors import HearthError

from .const import ASSISTANT, CONF_FALLBACK_AGENT, DOMAIN
from .coordinator import HearthConfigEntry, HearthCoordinator
from .entity import HearthEntity

_LOGGER = logging.getLogger(__name__)

PARALLEL_UPDATES = 0

# A blind that is read back, and a service that takes its time.
ANSWER_S: Final = 30.0
# What the server understands and leaves to Home Assistant: lists, timers, the owner's own intents.
_LEFT_TO_US: Final = frozenset({"not_supported", "no_timer_support"})
_FAILED_OUTCOMES: Final = frozenset({"failed", "unreachable", "unconfirmed"})


async def async_setup_entry(
    hass: HomeAssistant, entry: HearthConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the entity."""
    async_add_entities([HearthConversation(entry.runtime_data)])


class HearthConversation(HearthEntity, conversation.ConversationEntity):
    """The server's understanding."""

    _attr_supported_features = conversation.ConversationEntityFeature.CONTROL

    def __init__(self, coordinator: HearthCoordinator) -> None:
        """Name it."""
        super().__init__(coordinator, "conversation")

    @property
    def supported_languages(self) -> list[str] | Literal["*"]:
        """Return what the server speaks."""
        return [self.coordinator.language]

    async def _async_handle_message(
        self, user_input: conversation.ConversationInput, chat_log: conversation.ChatLog
    ) -> conversation.ConversationResult:
        """Do what was said, and answer."""
        area_id = self._area_id(user_input)
        asked = self.coordinator.carrier.begin(user_input.context)
        try:
            answer = await self.coordinator.request(
                "ask",
                {
                    "text": user_input.text,
                    "asked": asked,
                    "language": user_input.language,
                    "area_id": area_id,
                    "satellite": user_input.satellite_id or user_input.device_id or chat_log.conversation_id,
                },
                timeout=ANSWER_S,
            )
        except HearthError as error:
            answer = {"kind": "unreachable", "text": error.message}
            if isinstance(error, RefusedError):
                answer["kind"] = "refused"
        finally:
            self.coordinator.carrier.end(asked)
        conversation.async_conversation_trace_append(
            conversation.ConversationTraceEventType.AGENT_DETAIL,
            {"server": self.coordinator.config_entry.title, "area_id": area_id, "answer": dict(answer)},
        )
        kind = answer.get("kind")
        if kind in ("not-understood", "unreachable") and (other := self._fallback()):
            return await self._ask_other(other, user_input, chat_log.conversation_id)
        if answer.get("refusal") in _LEFT_TO_US and isinstance(answer.get("intent"), str):
            response = await self._handle_here(answer, user_input)
        else:
            response = self._response(answer, user_input.language)
        speech = response.speech.get("plain", {}).get("speech", "")
        chat_log.async_add_assistant_content_without_tools(
            conversation.AssistantContent(agent_id=user_input.agent_id, content=speech)
        )
        return conversation.ConversationResult(
            response=response,
            conversation_id=chat_log.conversation_id,
            continue_conversation=answer.get("continue_conversation") is True,
        )

    def _fallback(self) -> str | None:
        agent = self.coordinator.config_entry.options.get(CONF_FALLBACK_AGENT)
        return agent if isinstance(agent, str) and agent and agent != self.entity_id else None

    async def _ask_other(
        self, agent_id: str, user_input: conversation.ConversationInput, conversation_id: str
    ) -> conversation.ConversationResult:
        """Ask the agent that the options name, in this conversation from its first sentence on."""
        try:
            return await conversation.async_converse(
                self.hass,
                text=user_input.text,
                conversation_id=conversation_id,
                context=user_input.context,
                language=user_input.language,
                agent_id=agent_id,
                device_id=user_input.device_id,
                satellite_id=user_input.satellite_id,
                extra_system_prompt=user_input.extra_system_prompt,
            )
        except (HomeAssistantError, ValueError) as error:
            _LOGGER.warning("The agent %s that should help out failed: %s", agent_id, error)
            response = intent.IntentResponse(user_input.language)
            response.async_set_error(intent.IntentResponseErrorCode.UNKNOWN, str(error))
            return conversation.ConversationResult(response=response, conversation_id=conversation_id)

    async def _handle_here(
        self, answer: Mapping[str, Any], user_input: conversation.ConversationInput
    ) -> intent.IntentResponse:
        """Carry out an intent that the server understood and does not carry out itself."""
        raw = answer.get("slots")
        slots = {name: slot for name, slot in raw.items() if isinstance(slot, dict)} if isinstance(raw, dict) else {}
        try:
            response = await intent.async_handle(
                self.hass,
                DOMAIN,
                answer["intent"],
                slots,
                user_input.text,
                user_input.context,
                user_input.language,
                assistant=ASSISTANT,
                device_id=user_input.device_id,
                satellite_id=user_input.satellite_id,
                conversation_agent_id=user_input.agent_id,
            )
        except (intent.IntentError, HomeAssistantError) as error:
            _LOGGER.debug("%s cannot be handled here: %s", answer["intent"], error)
            return self._response(answer, user_input.language)
        conversation.async_conversation_trace_append(
            conversation.ConversationTraceEventType.TOOL_CALL, {"intent_name": answer["intent"], "slots": slots}
        )
        return response

    def _response(self, answer: Mapping[str, Any], language: str) -> intent.IntentResponse:
        """Return the server's answer as Home Assistant has it."""
        response = intent.IntentResponse(language)
        text, kind = str(answer.get("text", "")), answer.get("kind")
        if kind in ("done", "answer", "question"):
            response.response_type = (
                intent.IntentResponseType.ACTION_DONE if kind == "done" else intent.IntentResponseType.QUERY_ANSWER
            )
            response.async_set_speech(text)
        elif kind == "not-understood":
            response.async_set_error(intent.IntentResponseErrorCode.NO_INTENT_MATCH, text)
        else:
            response.async_set_error(intent.IntentResponseErrorCode.FAILED_TO_HANDLE, text)
        outcomes = answer.get("outcomes")
        done: list[intent.IntentResponseTarget] = []
        failed: list[intent.IntentResponseTarget] = []
        for entity_id, status in outcomes.items() if isinstance(outcomes, dict) else ():
            (failed if status in _FAILED_OUTCOMES else done).append(self._target(entity_id))
        response.async_set_results(done, failed)
        return response

    def _target(self, entity_id: str) -> intent.IntentResponseTarget:
        state = self.hass.states.get(entity_id)
        return intent.IntentResponseTarget(
            name=state.name if state else entity_id, type=intent.IntentResponseTargetType.ENTITY, id=entity_id
        )

    def _area_id(self, user_input: conversation.ConversationInput) -> str | None:
        """Return the room that the speaker is in."""
        registry, devices = er.async_get(self.hass), dr.async_get(self.hass)
        area_id = None
        if user_input.satellite_id and (entry := registry.async_get(user_input.satellite_id)):
            area_id = er.async_get_effective_area_id(self.hass, entry)
        if area_id is None and user_input.device_id and (device := devices.async_get(user_input.device_id)):
            area_id = dr.async_get_effective_area_id(self.hass, device)
        return area_id
