"""Carrying the server's service calls: in the name of whoever gave the command, and for what Assist may use alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import probatio as vol
from homeassistant.components.homeassistant.exposed_entities import async_should_expose
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceNotFound

from hearth_core.companion import RefusedError

from .const import ASSISTANT

# More than any house has of one kind.
MAX_ENTITIES = 2000
# Of Home Assistant's own domain these act on any kind of thing; its others act on Home Assistant ("restart"), and need
# somebody who may do that.
_FOR_ANYTHING = frozenset({"turn_on", "turn_off", "toggle"})


class Carrier:
    """Does what the server asks for.

    Args:
        hass: where.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin with nobody asking."""
        self._hass = hass
        self._asking: dict[str, Context] = {}

    def begin(self, context: Context) -> str:
        """Take note of a command that somebody gave; what the server calls for it goes in their name."""
        self._asking[context.id] = context
        return context.id

    def end(self, asked: str) -> None:
        """Take note that the command is over."""
        self._asking.pop(asked, None)

    async def call(self, fields: Mapping[str, Any], payload: bytes) -> Mapping[str, Any]:
        """Call a service and return its context.

        Raises:
            RefusedError: it is not for Assist to do, or the service refuses.
        """
        domain, service, entity_ids, data = _checked(fields)
        for entity_id in entity_ids:
            if self._hass.states.get(entity_id) is None:
                raise RefusedError("unknown-entity", f"{entity_id} is not there")
            if not async_should_expose(self._hass, ASSISTANT, entity_id):
                raise RefusedError("not-exposed", f"{entity_id} is not exposed to Assist")
        asked = fields.get("asked")
        # A command that a satellite gave directly to the server has no user; it has what Assist has.
        context = self._asking.get(asked) if isinstance(asked, str) else None
        context = Context(user_id=context.user_id if context else None, parent_id=context.id if context else None)
        try:
            await self._hass.services.async_call(
                domain, service, data, blocking=True, context=context, target={"entity_id": entity_ids}
            )
        except (ServiceNotFound, vol.Invalid, HomeAssistantError, ValueError, TypeError) as error:
            raise RefusedError("refused", str(error) or type(error).__name__) from error
        return {"context": {"id": context.id}}


def _checked(fields: Mapping[str, Any]) -> tuple[str, str, list[str], dict[str, Any]]:
    domain, service = fields.get("domain"), fields.get("service")
    data, target = fields.get("service_data", {}), fields.get("target")
    entity_ids = target.get("entity_id") if isinstance(target, dict) else None
    if not isinstance(domain, str) or not isinstance(service, str) or not isinstance(data, dict):
        raise RefusedError("input", "this is no service call")
    if not isinstance(entity_ids, list) or not 0 < len(entity_ids) <= MAX_ENTITIES:
        raise RefusedError("input", f"a call is for 1 to {MAX_ENTITIES} entities")
    for_anything = domain == "homeassistant" and service in _FOR_ANYTHING
    for entity_id in entity_ids:
        if not isinstance(entity_id, str) or (domain != entity_id.partition(".")[0] and not for_anything):
            raise RefusedError("input", f"{domain}.{service} is not for {str(entity_id)[:100]}")
    if {"entity_id", "device_id", "area_id", "floor_id", "label_id"} & data.keys():
        raise RefusedError("input", "targets do not belong into a call's data")
    return domain, service, entity_ids, data
