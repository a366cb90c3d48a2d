"""The actions: announce, ask, say_as_text, reload and set_policy."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, TypeAlias

import probatio as vol
from homeassistant.const import ATTR_CONFIG_ENTRY_ID, ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import service

from hearth_core.errors import HearthError

from .assist_satellite import ANNOUNCE_S
from .const import DOMAIN
from .conversation import ANSWER_S
from .coordinator import HearthConfigEntry, HearthCoordinator
from .errors import shown

MAX_TEXT: Final = 1000
_TEXT = vol.All(cv.string, vol.Length(min=1, max=MAX_TEXT))
_SPEAK = vol.Schema(
    {vol.Required("message"): _TEXT, vol.Required(ATTR_DEVICE_ID): vol.All(cv.ensure_list, [cv.string])}
)
_SERVER: dict[vol.Optional, Any] = {vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string}
_SAY = vol.Schema({vol.Required("text"): _TEXT, vol.Optional("area_id"): cv.string, **_SERVER})
_RULE = vol.Schema(
    {
        vol.Required("target"): vol.All(cv.string, vol.Match(r"^[a-z0-9_]+(\.[a-z0-9_]+)?$")),
        vol.Required("action"): vol.In(["allow", "confirm", "deny"]),
        vol.Optional("areas", default=list): vol.All(cv.ensure_list, [cv.string]),
    }
)
_POLICY = vol.Schema({vol.Required("rules"): vol.All(cv.ensure_list, [_RULE]), **_SERVER})


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register them."""
    add = hass.services.async_register
    add(DOMAIN, "announce", _speak(hass, listen=False), _SPEAK)
    add(DOMAIN, "ask", _speak(hass, listen=True), _SPEAK)
    optional = SupportsResponse.OPTIONAL
    add(DOMAIN, "say_as_text", _say_as_text(hass), _SAY, supports_response=optional)
    add(DOMAIN, "reload", _reload(hass), vol.Schema(_SERVER), supports_response=optional)
    add(DOMAIN, "set_policy", _set_policy(hass), _POLICY)


_Action: TypeAlias = Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]]


def _speak(hass: HomeAssistant, *, listen: bool) -> _Action:
    async def speak(call: ServiceCall) -> ServiceResponse:
        for device_id in call.data[ATTR_DEVICE_ID]:
            coordinator, satellite = _satellite(hass, device_id)
            fields = {"satellite": satellite, "text": call.data["message"], "listen": listen}
            await _ask(coordinator, "announce", fields, timeout=ANNOUNCE_S)
        return None

    return speak


def _say_as_text(hass: HomeAssistant) -> _Action:
    async def say_as_text(call: ServiceCall) -> ServiceResponse:
        coordinator = _server(hass, call)
        asked = coordinator.carrier.begin(call.context)
        fields = {"text": call.data["text"], "asked": asked, "area_id": call.data.get("area_id")}
        try:
            answer = await _ask(coordinator, "ask", fields, timeout=ANSWER_S)
        finally:
            coordinator.carrier.end(asked)
        shown_to_people = ("kind", "text", "intent", "outcomes", "continue_conversation", "command_id")
        return {key: answer.get(key) for key in shown_to_people} if call.return_response else None

    return say_as_text


def _reload(hass: HomeAssistant) -> _Action:
    async def reload(call: ServiceCall) -> ServiceResponse:
        coordinator = _server(hass, call)
        coordinator.outdate_home()
        answer = await _ask(coordinator, "reload", {})
        problems = answer.get("problems")
        return {"problems": problems if isinstance(problems, list) else []} if call.return_response else None

    return reload


def _set_policy(hass: HomeAssistant) -> _Action:
    async def set_policy(call: ServiceCall) -> ServiceResponse:
        await _ask(_server(hass, call), "policy", {"rules": call.data["rules"]})
        return None

    return set_policy


async def _ask(
    coordinator: HearthCoordinator, method: str, fields: Mapping[str, Any], **options: Any
) -> Mapping[str, Any]:
    try:
        return await coordinator.request(method, fields, **options)
    except HearthError as error:
        raise shown(error) from error


def _server(hass: HomeAssistant, call: ServiceCall) -> HearthCoordinator:
    """Return the server that is named, or the only one."""
    entry_id = call.data.get(ATTR_CONFIG_ENTRY_ID)
    if entry_id is not None:
        entry: HearthConfigEntry = service.async_get_config_entry(hass, DOMAIN, entry_id)
        return entry.runtime_data
    loaded: list[HearthConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    if len(loaded) != 1:
        key = "several_servers" if loaded else "no_server"
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key=key)
    return loaded[0].runtime_data


def _satellite(hass: HomeAssistant, device_id: str) -> tuple[HearthCoordinator, str]:
    """Return a satellite by its device."""
    device = dr.async_get(hass).async_get(device_id)
    loaded: list[HearthConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    for entry in loaded if device is not None else ():
        for name in entry.runtime_data.satellites:
            if device is not None and entry.runtime_data.identifier(name) in device.identifiers:
                return entry.runtime_data, name
    called = (device.name_by_user or device.name) if device is not None else None
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="no_satellite",
        translation_placeholders={"device": called or device_id},
    )
