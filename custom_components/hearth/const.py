"""What the parts of the integration agree on."""

from __future__ import annotations

from typing import Final

from homeassistant.const import Platform

DOMAIN: Final = "hearth"
DEFAULT_PORT: Final = 10300
MANUFACTURER: Final = "Hearth"

CONF_CODE: Final = "code"
CONF_FINGERPRINT: Final = "fingerprint"
CONF_FALLBACK_AGENT: Final = "fallback_agent"
CONF_PIPELINE_ID: Final = "pipeline_id"
CONF_SERVER_ID: Final = "server_id"

ASSISTANT: Final = "conversation"
"""What Assist may use is what its owner exposes to this assistant."""

EVENT: Final = "hearth_event"
UNDERSTOOD: Final = "understood"
NOT_UNDERSTOOD: Final = "not_understood"
WAKE: Final = "wake"
NEAR_MISS: Final = "near_miss"
COMMAND_EVENTS: Final = (UNDERSTOOD, NOT_UNDERSTOOD)
SATELLITE_EVENTS: Final = (UNDERSTOOD, NOT_UNDERSTOOD, WAKE, NEAR_MISS)

PLATFORMS: Final = (
    Platform.ASSIST_SATELLITE,
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.CONVERSATION,
    Platform.EVENT,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.STT,
    Platform.SWITCH,
    Platform.UPDATE,
)
