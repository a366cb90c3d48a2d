"""What the entities of a server and of its satellites have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from homeassistant.core import callback
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from hearth_core.errors import HearthError

from .coordinator import HearthConfigEntry, HearthCoordinator
from .errors import shown


class HearthEntity(CoordinatorEntity[HearthCoordinator]):
    """An entity of a server, or of one of its satellites.

    Args:
        coordinator: the server.
        key: what it is; its translation and a part of its unique id.
        satellite: whose it is, None for the server's own.
    """

    _attr_has_entity_name = True

    def __init__(self, coordinator: HearthCoordinator, key: str, satellite: str | None = None) -> None:
        """Name it."""
        super().__init__(coordinator)
        self._satellite = satellite
        self._attr_translation_key = key
        owner = coordinator.server_id if satellite is None else f"{coordinator.server_id}/{satellite}"
        self._attr_unique_id = f"{owner}/{key}"
        self._attr_device_info = coordinator.device_info(satellite)

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the server tells of what this entity belongs to."""
        if self._satellite is None:
            return self.coordinator.data
        return self.coordinator.satellite(self._satellite)

    @property
    def available(self) -> bool:
        """True while the server is there, and the satellite connected to it."""
        return super().available and (self._satellite is None or self.facts.get("connected") is True)

    async def change(self, **settings: Any) -> None:
        """Change settings of the satellite.

        Raises:
            HomeAssistantError: the server refuses or is away.
        """
        await self.ask("set", {"satellite": self._satellite, "settings": settings})

    async def ask(self, method: str, fields: Mapping[str, Any], **options: Any) -> Mapping[str, Any]:
        """Ask the server for something.

        Raises:
            HomeAssistantError: it refuses or is away.
        """
        try:
            return await self.coordinator.request(method, fields, **options)
        except HearthError as error:
            raise shown(error) from error


@callback
def add_satellites(
    entry: HearthConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    make: Callable[[HearthCoordinator, str], Iterable[Entity]],
) -> None:
    """Add the entities of each satellite, of those that are there and of those that come."""
    coordinator = entry.runtime_data
    known: set[str] = set()

    @callback
    def add() -> None:
        new = coordinator.satellites - known
        known.clear()
        known.update(coordinator.satellites)  # one that went and came back is new again
        if new:
            async_add_entities([entity for name in sorted(new) for entity in make(coordinator, name)])

    add()
    entry.async_on_unload(coordinator.async_add_listener(add))


def number(value: object, low: float = float("-inf"), high: float = float("inf")) -> float | None:
    """Return a number that a server told, None if it is none or out of range."""
    if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
        return value
    return None
