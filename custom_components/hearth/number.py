"""How easily a satellite wakes, and how loud it answers."""

from __future__ import annotations

from homeassistant.components.number import NumberEntity, NumberMode
from homeassistant.const import PERCENTAGE, EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import HearthConfigEntry, HearthCoordinator
from .entity import HearthEntity, add_satellites, number

PARALLEL_UPDATES = 1


async def async_setup_entry(
    hass: HomeAssistant, entry: HearthConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the entities."""
    add_satellites(
        entry,
        async_add_entities,
        lambda coordinator, name: [Setting(coordinator, key, name) for key in ("sensitivity", "volume")],
    )


class Setting(HearthEntity, NumberEntity):
    """A setting that the satellite counts from 0 to 1, and people in per cent."""

    _attr_entity_category = EntityCategory.CONFIG
    _attr_mode = NumberMode.SLIDER
    _attr_native_min_value = 0
    _attr_native_max_value = 100
    _attr_native_step = 1
    _attr_native_unit_of_measurement = PERCENTAGE

    def __init__(self, coordinator: HearthCoordinator, key: str, satellite: str) -> None:
        """Name it."""
        super().__init__(coordinator, key, satellite)
        self._key = key

    @property
    def native_value(self) -> float | None:
        """Return it in per cent, None if the satellite does not tell."""
        value = number(self.facts.get(self._key), 0, 1)
        return None if value is None else round(value * 100)

    async def async_set_native_value(self, value: float) -> None:
        """Change it."""
        await self.change(**{self._key: value / 100})
