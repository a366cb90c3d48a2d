"""How the servers are, in one glance."""

from __future__ import annotations

from typing import Any

from homeassistant.components.system_health import SystemHealthRegistration
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .coordinator import HearthConfigEntry


@callback
def async_register(hass: HomeAssistant, register: SystemHealthRegistration) -> None:
    """Register it."""
    register.async_register_info(async_system_health_info)


async def async_system_health_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return how many servers are there, and what they run."""
    entries: list[HearthConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    there = [entry.runtime_data for entry in entries if entry.runtime_data.last_update_success]
    return {
        "servers": len(entries),
        "connected": len(there),
        "satellites": sum(len(coordinator.satellites) for coordinator in there),
        "versions": ", ".join(sorted({coordinator.version for coordinator in there})) or None,
        "engines": ", ".join(sorted({str(c.data.get("engine")) for c in there})) or None,
    }
