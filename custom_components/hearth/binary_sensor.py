"""Whether a satellite hears."""

from __future__ import annotations

from homeassistant.components.binary_sensor import BinarySensorEntity
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import HearthConfigEntry, HearthCoordinator
from .entity import HearthEntity, add_satellites

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant, entry: HearthConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the entities."""
    add_satellites(
        entry,
        async_add_entities,
        lambda coordinator, name: [Microphone(coordinator, name), Connected(coordinator, name)],
    )


class Microphone(HearthEntity, BinarySensorEntity):
    """A problem when nothing comes from the microphone."""

    _attr_device_class = BinarySensorDeviceClass.PROBLEM
    _attr_entity_category = EntityCategory.DIAGNOSTIC

    def __init__(self, coordinator: HearthCoordinator, satellite: str) -> None:
        """Name it."""
        super().__init__(coordinator, "microphone", satellite)

    @property
    def is_on(self) -> bool | None:
        """Return True if it is dead, None if the satellite does not tell."""
        works = self.facts.get("microphone_ok")
        return not works if isinstance(works, bool) else None


class Connected(HearthEntity, BinarySensorEntity):
    """Whether the satellite is connected to the server."""

    _attr_device_class = BinarySensorDeviceClass.CONNECTIVITY
    _attr_entity_category = EntityCategory.DIAGNOSTIC

    def __init__(self, coordinator: HearthCoordinator, satellite: str) -> None:
        """Name it."""
        super().__init__(coordinator, "connected", satellite)

    @property
    def available(self) -> bool:
        """Be there when the satellite is not: that is what it says."""
        return self.coordinator.last_update_success and bool(self.facts)

    @property
    def is_on(self) -> bool:
        """Return whether it is."""
        return self.facts.get("connected") is True
