"""The word that wakes a satellite."""

from __future__ import annotations

from homeassistant.components.select import SelectEntity
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import HearthConfigEntry, HearthCoordinator
from .entity import HearthEntity, add_satellites

PARALLEL_UPDATES = 1


async def async_setup_entry(
    hass: HomeAssistant, entry: HearthConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the entities."""
    add_satellites(entry, async_add_entities, lambda coordinator, name: [WakeWord(coordinator, name)])


class WakeWord(HearthEntity, SelectEntity):
    """One of the words that the satellite has models for."""

    _attr_entity_category = EntityCategory.CONFIG

    def __init__(self, coordinator: HearthCoordinator, satellite: str) -> None:
        """Name it."""
        super().__init__(coordinator, "wake_word", satellite)

    @property
    def options(self) -> list[str]:
        """Return the words that there are."""
        words = self.facts.get("wake_words")
        return [word for word in words if isinstance(word, str)] if isinstance(words, list) else []

    @property
    def current_option(self) -> str | None:
        """Return the word, None if the satellite does not tell."""
        word = self.facts.get("wake_word")
        return word if isinstance(word, str) and word in self.options else None

    async def async_select_option(self, option: str) -> None:
        """Be woken by another word."""
        await self.change(wake_word=option)
