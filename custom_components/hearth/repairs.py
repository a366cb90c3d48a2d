"""Fix flows: say what to do, and look again when it is done."""

from __future__ import annotations

from typing import Any

import probatio as vol
from homeassistant.components.repairs import RepairsFlow
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResult
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN


class LookAgainFlow(RepairsFlow):
    """Reads the server and the home anew; the issue comes back by itself if it is still there."""

    def __init__(self, entry_id: str) -> None:
        """Take note of the entry that it is about."""
        self._entry_id = entry_id

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> FlowResult[Any, Any]:
        """Go to the only step."""
        return await self.async_step_confirm()

    async def async_step_confirm(self, user_input: dict[str, Any] | None = None) -> FlowResult[Any, Any]:
        """Say what to do; then connect again."""
        if user_input is not None:
            if self.hass.config_entries.async_get_entry(self._entry_id) is not None:
                self.hass.config_entries.async_schedule_reload(self._entry_id)
            return self.async_create_entry(data={})
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
        return self.async_show_form(
            step_id="confirm",
            data_schema=vol.Schema({}),
            description_placeholders=issue.translation_placeholders if issue else None,
        )


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the flow for an issue."""
    return LookAgainFlow(str((data or {}).get("entry_id")))
