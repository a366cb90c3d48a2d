"""Adding a server: found on the network or by its address, paired by the code that it shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import probatio as vol
from homeassistant.components import conversation
from homeassistant.config_entries import ConfigEntry, ConfigFlow, ConfigFlowResult, OptionsFlow
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    ConversationAgentSelector,
    ConversationAgentSelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    TextSelector,
)
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo

from hearth_core.companion import PROTOCOL, RefusedError
from hearth_core.companion_client import Identity, SecuredPortError, identify, pair, request_code
from hearth_core.errors import HearthError, WireError

from .const import CONF_CODE, CONF_FALLBACK_AGENT, CONF_FINGERPRINT, CONF_SERVER_ID, DEFAULT_PORT, DOMAIN


def _address_schema(data: Mapping[str, Any]) -> vol.Schema:
    port = NumberSelector(NumberSelectorConfig(min=1, max=65535, mode=NumberSelectorMode.BOX))
    return vol.Schema(
        {
            vol.Required(CONF_HOST, default=data.get(CONF_HOST, vol.UNDEFINED)): TextSelector(),
            vol.Required(CONF_PORT, default=data.get(CONF_PORT, DEFAULT_PORT)): vol.All(port, vol.Coerce(int)),
        }
    )


_CODE_SCHEMA = vol.Schema({vol.Required(CONF_CODE): TextSelector()})


class HearthConfigFlow(ConfigFlow, domain=DOMAIN):
    """From an address to a paired server."""

    VERSION = 1
    MINOR_VERSION = 1

    def __init__(self) -> None:
        """Begin with no server."""
        self._host = ""
        self._port = DEFAULT_PORT
        self._server: Identity | None = None
        self._minutes = ""
        self._in_the_clear = False  # agreed to

    @staticmethod
    @callback
    def async_get_options_flow(config_entry: ConfigEntry) -> HearthOptionsFlow:
        """Return the flow for the options."""
        return HearthOptionsFlow()

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the server's address."""
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = await self._find(user_input)
            if not errors and self._server is not None:
                await self.async_set_unique_id(self._server.server_id, raise_on_progress=False)
                self._abort_if_unique_id_configured(updates={CONF_HOST: self._host, CONF_PORT: self._port})
                return await self.async_step_pair()
        schema = _address_schema(user_input or {})
        return self.async_show_form(step_id="user", data_schema=schema, errors=errors)

    async def async_step_zeroconf(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        """Take a server that announced itself."""
        server_id = discovery_info.properties.get("id")
        if not isinstance(server_id, str) or not server_id.isalnum() or not discovery_info.port:
            return self.async_abort(reason="not_hearth")
        await self.async_set_unique_id(server_id)
        # Its address may have changed; who is there then is looked at before the token is given.
        updates = {CONF_HOST: discovery_info.host, CONF_PORT: discovery_info.port}
        self._abort_if_unique_id_configured(updates=updates)
        if errors := await self._find(updates):
            return self.async_abort(reason=errors["base"])
        if self._server is None or self._server.server_id != server_id:
            return self.async_abort(reason="not_hearth")
        self.context["title_placeholders"] = {"name": self._server.name}
        return await self.async_step_zeroconf_confirm()

    async def async_step_zeroconf_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask whether it is meant; a code is shown only when somebody is there to read it."""
        if user_input is not None:
            return await self.async_step_pair()
        assert self._server is not None
        self._set_confirm_only()
        placeholders = {"name": self._server.name, "host": self._host}
        return self.async_show_form(step_id="zeroconf_confirm", description_placeholders=placeholders)

    async def async_step_pair(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the code that the server shows."""
        assert self._server is not None
        errors: dict[str, str] = {}
        if self._was_encrypted() and not self._server.fingerprint:
            # Anybody can say the server's id; who says it without a certificate gets no code, and no second thought.
            return self.async_abort(reason="no_longer_encrypted")
        if not self._server.fingerprint and not self._in_the_clear:
            return await self.async_step_in_the_clear()
        if user_input is None:
            errors = await self._show_code()
        else:
            try:
                token = await pair(self._host, self._port, user_input[CONF_CODE], self._own_name(), self._server)
            except HearthError as error:
                errors = self._failed(error)
                if errors["base"] == "no_code":  # it was too old: the next one is on its way
                    errors = await self._show_code() or errors
            else:
                return self._paired(token)
        return self.async_show_form(
            step_id="pair",
            data_schema=_CODE_SCHEMA,
            errors=errors,
            description_placeholders={
                "name": self._server.name,
                "host": self._host,
                "minutes": self._minutes,
                "port": str(self._server.tls_port),
            },
        )

    async def async_step_in_the_clear(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask whether a server may be used that has no TLS; nobody gets there without agreeing."""
        assert self._server is not None
        if user_input is not None:
            self._in_the_clear = True
            return await self.async_step_pair()
        placeholders = {"name": self._server.name, "host": self._host}
        return self.async_show_form(step_id="in_the_clear", description_placeholders=placeholders)

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Pair again: the server does not know us any more."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask whether to pair again."""
        errors: dict[str, str] = {}
        entry = self._get_reauth_entry()
        if user_input is not None:
            errors = await self._find(entry.data)
            if not errors and self._server is not None:
                await self.async_set_unique_id(self._server.server_id)
                self._abort_if_unique_id_mismatch(reason="another_server")
                return await self.async_step_pair()
        return self.async_show_form(
            step_id="reauth_confirm", errors=errors, description_placeholders={"name": entry.title}
        )

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take another address of the same server."""
        errors: dict[str, str] = {}
        entry = self._get_reconfigure_entry()
        if user_input is not None:
            errors = await self._find(user_input)
            if not errors and self._server is not None:
                await self.async_set_unique_id(self._server.server_id)
                self._abort_if_unique_id_mismatch(reason="another_server")
                return self.async_update_reload_and_abort(
                    entry, data_updates={CONF_HOST: self._host, CONF_PORT: self._port}
                )
        schema = _address_schema(user_input or entry.data)
        return self.async_show_form(step_id="reconfigure", data_schema=schema, errors=errors)

    async def _find(self, address: Mapping[str, Any]) -> dict[str, str]:
        """Look who is at an address; return what is wrong."""
        self._host, self._port = str(address[CONF_HOST]).strip(), int(address[CONF_PORT])
        try:
            self._server = await identify(self._host, self._port)
        except HearthError as error:
            return self._failed(error)
        if self._server.protocol != PROTOCOL:
            return {"base": "too_old" if self._server.protocol < PROTOCOL else "too_new"}
        return {}

    async def _show_code(self) -> dict[str, str]:
        try:
            self._minutes = str(round(await request_code(self._host, self._port) / 60))
        except HearthError as error:
            return self._failed(error)
        return {}

    def _failed(self, error: HearthError) -> dict[str, str]:
        if isinstance(error, RefusedError):
            if error.retry_s:
                self._minutes = str(max(1, round(error.retry_s / 60)))
            known = {
                "wrong-code": "wrong_code",
                "locked": "locked",
                "no-code": "no_code",
                "full": "full",
                "not-proven": "not_proven",
            }
            return {"base": known.get(error.reason, "refused")}
        if isinstance(error, SecuredPortError):
            return {"base": "tls_port"}
        return {"base": "not_hearth" if isinstance(error, WireError) else "cannot_connect"}

    def _was_encrypted(self) -> bool:
        return self.source == "reauth" and bool(self._get_reauth_entry().data.get(CONF_FINGERPRINT))

    def _own_name(self) -> str:
        return f"Home Assistant ({self.hass.config.location_name})"

    def _paired(self, token: str) -> ConfigFlowResult:
        assert self._server is not None
        data = {
            CONF_HOST: self._host,
            CONF_PORT: self._port,
            CONF_TOKEN: token,
            CONF_SERVER_ID: self._server.server_id,
            CONF_FINGERPRINT: self._server.fingerprint,
        }
        if self.source == "reauth":
            return self.async_update_reload_and_abort(self._get_reauth_entry(), data_updates=data)
        self._abort_if_unique_id_configured()
        return self.async_create_entry(title=self._server.name, data=data)


class HearthOptionsFlow(OptionsFlow):
    """Who is asked when Hearth does not understand."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask."""
        if user_input is not None:
            return self.async_create_entry(data=user_input)
        agent = self.config_entry.options.get(CONF_FALLBACK_AGENT)
        selector = ConversationAgentSelector(ConversationAgentSelectorConfig())
        schema = vol.Schema({vol.Optional(CONF_FALLBACK_AGENT, description={"suggested_value": agent}): selector})
        return self.async_show_form(
            step_id="init",
            data_schema=schema,
            description_placeholders={"agent": conversation.HOME_ASSISTANT_AGENT},
        )
