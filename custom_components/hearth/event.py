"""What happens: a command understood or not, a wake word, one that was nearly heard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homeassistant.components.event import EventEntity
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import COMMAND_EVENTS, SATELLITE_EVENTS
from .coordinator import HearthConfigEntry, HearthCoordinator
from .entity import HearthEntity, add_satellites

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant, entry: HearthConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the entities."""
    async_add_entities([HearthEvent(entry.runtime_data)])
    add_satellites(entry, async_add_entities, lambda coordinator, name: [HearthEvent(coordinator, name)])


class HearthEvent(HearthEntity, EventEntity):
    """The events of the whole server, or of one satellite."""

    def __init__(self, coordinator: HearthCoordinator, satellite: str | None = None) -> None:
        """Name it."""
        super().__init__(coordinator, "command" if satellite is None else "voice", satellite)
        self._attr_event_types = list(COMMAND_EVENTS if satellite is None else SATELLITE_EVENTS)

    async def async_added_to_hass(self) -> None:
        """Listen."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.on_event(self._on_event))

    @callback
    def _on_event(self, kind: str, facts: Mapping[str, Any]) -> None:
        if kind in self.event_types and self._satellite in (None, facts.get("satellite")):
            self._trigger_event(kind, dict(facts))
            self.async_write_ha_state()
