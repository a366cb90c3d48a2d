"""Whether the server is as new as the integration; both are released together."""

from __future__ import annotations

from homeassistant.components.update import UpdateEntity
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from hearth_core import __version__

from .coordinator import HearthConfigEntry, HearthCoordinator
from .entity import HearthEntity

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant, entry: HearthConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the entity."""
    async_add_entities([ServerUpdate(entry.runtime_data)])


class ServerUpdate(HearthEntity, UpdateEntity):
    """The server's version beside the one that goes with this integration."""

    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_title = "Hearth"

    def __init__(self, coordinator: HearthCoordinator) -> None:
        """Name it."""
        super().__init__(coordinator, "server")

    @property
    def installed_version(self) -> str | None:
        """Return what the server runs."""
        return self.coordinator.version or None

    @property
    def latest_version(self) -> str:
        """Return what goes with this integration."""
        return __version__
