"""Switching a satellite's microphone off."""

from __future__ import annotations

from typing import Any

from homeassistant.components.switch import SwitchEntity
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
    add_satellites(entry, async_add_entities, lambda coordinator, name: [Mute(coordinator, name)])


class Mute(HearthEntity, SwitchEntity):
    """On when the satellite does not listen."""

    # Also keeps it from being exposed to voice by default: who mutes by voice cannot unmute by voice.
    _attr_entity_category = EntityCategory.CONFIG

    def __init__(self, coordinator: HearthCoordinator, satellite: str) -> None:
        """Name it."""
        super().__init__(coordinator, "mute", satellite)

    @property
    def is_on(self) -> bool | None:
        """Return whether it is muted, None if the satellite does not tell."""
        muted = self.facts.get("mute")
        return muted if isinstance(muted, bool) else None

    async def async_turn_on(self, **kwargs: Any) -> None:
        """Listen no more."""
        await self.change(mute=True)

    async def async_turn_off(self, **kwargs: Any) -> None:
        """Listen again."""
        await self.change(mute=False)
