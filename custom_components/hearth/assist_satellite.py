"""Satellites that the server runs, as Assist sees them: they announce, and begin a conversation."""

from __future__ import annotations

from typing import Final

from homeassistant.components.assist_pipeline import PipelineEvent
from homeassistant.components.assist_satellite import (
    AssistSatelliteAnnouncement,
    AssistSatelliteConfiguration,
    AssistSatelliteEntity,
    AssistSatelliteEntityFeature,
    AssistSatelliteWakeWord,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN
from .coordinator import HearthConfigEntry, HearthCoordinator
from .entity import HearthEntity, add_satellites

PARALLEL_UPDATES = 1

# The longest announcement is a minute or two of speech, and a command may have to end before it.
ANNOUNCE_S: Final = 180.0


async def async_setup_entry(
    hass: HomeAssistant, entry: HearthConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the entities."""
    add_satellites(entry, async_add_entities, lambda coordinator, name: [HearthSatellite(coordinator, name)])


class HearthSatellite(HearthEntity, AssistSatelliteEntity):
    """A satellite. Its commands go the short way, through the server; what is said through it comes from here."""

    _attr_name = None
    _attr_supported_features = AssistSatelliteEntityFeature.ANNOUNCE | AssistSatelliteEntityFeature.START_CONVERSATION

    def __init__(self, coordinator: HearthCoordinator, satellite: str) -> None:
        """Take the device's name."""
        super().__init__(coordinator, "satellite", satellite)

    @callback
    def async_get_configuration(self) -> AssistSatelliteConfiguration:
        """Return the words that wake it."""
        words = self.facts.get("wake_words")
        known = [word for word in words if isinstance(word, str)] if isinstance(words, list) else []
        active = self.facts.get("wake_word")
        return AssistSatelliteConfiguration(
            available_wake_words=[
                AssistSatelliteWakeWord(word, word.replace("_", " "), [self.coordinator.language]) for word in known
            ],
            active_wake_words=[active] if active in known else [],
            max_active_wake_words=1,
        )

    async def async_set_configuration(self, config: AssistSatelliteConfiguration) -> None:
        """Be woken by another word."""
        if config.active_wake_words:
            await self.change(wake_word=config.active_wake_words[0])

    async def async_announce(self, announcement: AssistSatelliteAnnouncement) -> None:
        """Say a text; returns when it was heard."""
        await self._say(announcement, listen=False)

    async def async_start_conversation(self, start_announcement: AssistSatelliteAnnouncement) -> None:
        """Say a text, and listen for the answer without a wake word."""
        await self._say(start_announcement, listen=True)

    def on_pipeline_event(self, event: PipelineEvent) -> None:
        """Have nothing to do: the satellite's pipeline runs in the server."""

    async def _say(self, announcement: AssistSatelliteAnnouncement, *, listen: bool) -> None:
        if not announcement.message:
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key="only_text")
        fields = {"satellite": self._satellite, "text": announcement.message, "listen": listen}
        await self.ask("announce", fields, timeout=ANNOUNCE_S)
