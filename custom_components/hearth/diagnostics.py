"""What helps to find a fault, without what was said, where the server is, and how to get in."""

from __future__ import annotations

from typing import Any, Final

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.const import CONF_HOST, CONF_TOKEN
from homeassistant.core import HomeAssistant

from .coordinator import HearthConfigEntry
from .feed import snapshot

_SECRET: Final = {CONF_HOST, CONF_TOKEN}
# What people say in their homes is theirs.
_PRIVATE: Final = {"text", "response", "last_command", "outcomes", "problems", "name", "area_id", "satellite"}


async def async_get_config_entry_diagnostics(hass: HomeAssistant, entry: HearthConfigEntry) -> dict[str, Any]:
    """Return them for one server."""
    coordinator = entry.runtime_data
    home, states = await snapshot(hass)
    domains: dict[str, int] = {}
    for entity_id in states:
        domain = entity_id.partition(".")[0]
        domains[domain] = domains.get(domain, 0) + 1
    return {
        "entry": async_redact_data({"data": dict(entry.data), "options": dict(entry.options)}, _SECRET),
        "server": {"version": coordinator.version, "language": coordinator.language},
        "connected": coordinator.last_update_success,
        "status": async_redact_data(dict(coordinator.data), _PRIVATE),
        "fed": {"exposed": domains, **{kind: len(home[kind]) for kind in ("areas", "floors", "labels")}},
    }
