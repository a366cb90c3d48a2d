"""Hearth: local voice control, heard and understood by a Hearth server in the house."""

from __future__ import annotations

import logging

from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.typing import ConfigType

from hearth_core.errors import HearthError

from .const import CONF_PIPELINE_ID, DOMAIN, PLATFORMS
from .coordinator import HearthConfigEntry, HearthCoordinator, opened_by
from .issues import issue_ids
from .pipeline import async_remove_pipeline
from .services import async_setup_services

LOGGER = logging.getLogger(__name__)

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the actions; they are there whether a server is or not."""
    async_setup_services(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: HearthConfigEntry) -> bool:
    """Connect to a server."""
    coordinator = HearthCoordinator(hass, entry)
    await coordinator.async_connect()
    entry.runtime_data = coordinator
    coordinator.async_remove_stale()
    # The server's device first: the satellites' devices are reached through it.
    dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        **coordinator.device_info(None),
    )
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: HearthConfigEntry) -> bool:
    """Disconnect; the connection's task ends with the entry."""
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(hass: HomeAssistant, entry: HearthConfigEntry) -> None:
    """Take the pairing back on the server, and remove what was made for it here."""
    for issue_id in issue_ids(entry):
        ir.async_delete_issue(hass, DOMAIN, issue_id)
    await async_remove_pipeline(hass, entry.data.get(CONF_PIPELINE_ID))
    try:
        async with opened_by(entry.data, "speech") as server:
            await server.leave()
    except HearthError as error:
        LOGGER.warning(
            "%s could not be told that it is not paired any more (%s): run `hearth server pair --remove` there",
            entry.title,
            error.message,
        )
