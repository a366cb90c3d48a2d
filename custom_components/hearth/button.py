"""One click makes an Assist pipeline; another lets the server read its sentences again."""

from __future__ import annotations

from homeassistant.components.button import ButtonEntity
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import HearthConfigEntry, HearthCoordinator
from .entity import HearthEntity
from .pipeline import async_create_pipeline

PARALLEL_UPDATES = 1


async def async_setup_entry(
    hass: HomeAssistant, entry: HearthConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the entities."""
    async_add_entities([MakePipeline(entry.runtime_data), Reload(entry.runtime_data)])


class MakePipeline(HearthEntity, ButtonEntity):
    """Makes a voice assistant of Hearth's entities."""

    _attr_entity_category = EntityCategory.CONFIG

    def __init__(self, coordinator: HearthCoordinator) -> None:
        """Name it."""
        super().__init__(coordinator, "create_pipeline")

    async def async_press(self) -> None:
        """Make it; a second press makes no second one."""
        await async_create_pipeline(self.hass, self.coordinator.config_entry)


class Reload(HearthEntity, ButtonEntity):
    """Lets the server read its sentences, and the home, again."""

    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_entity_registry_enabled_default = False

    def __init__(self, coordinator: HearthCoordinator) -> None:
        """Name it."""
        super().__init__(coordinator, "reload")

    async def async_press(self) -> None:
        """Read them again."""
        self.coordinator.outdate_home()
        await self.ask("reload", {})
