"""The lasting connection to a server: made, kept, made again; what it tells becomes the state of entities."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, TypeAlias

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryError, ConfigEntryNotReady
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from hearth_core.companion import Dialogue, RefusedError
from hearth_core.companion_client import Opened, opened
from hearth_core.errors import HearthError, PeerError

from .carry import Carrier
from .const import CONF_FINGERPRINT, CONF_SERVER_ID, DOMAIN, EVENT, MANUFACTURER
from .feed import HomeFeed
from .issues import async_clear_version, async_update_issues, async_version_issue

_LOGGER = logging.getLogger(__name__)

FIRST_S: Final = 15.0
RETRY_S: Final = 1.0
LONGEST_RETRY_S: Final = 30.0
# What only a person can put right is looked at again seldom.
REFUSED_S: Final = 300.0

HearthConfigEntry: TypeAlias = "ConfigEntry[HearthCoordinator]"
Status: TypeAlias = Mapping[str, Any]


class HearthCoordinator(DataUpdateCoordinator[Status]):
    """One server. Its data are what the server tells of itself, pushed as they change."""

    config_entry: HearthConfigEntry

    def __init__(self, hass: HomeAssistant, entry: HearthConfigEntry) -> None:
        """Begin unconnected."""
        super().__init__(hass, _LOGGER, config_entry=entry, name=entry.title, always_update=False)
        self.carrier = Carrier(hass)
        self.server_id: str = entry.data[CONF_SERVER_ID]
        self.version = ""
        self.language = ""
        self.satellites: frozenset[str] = frozenset()
        self.data = {}
        self._dialogue: Dialogue | None = None
        self._feed: HomeFeed | None = None
        self._feeding: asyncio.Task[None] | None = None
        self._first: asyncio.Future[HearthError | None] | None = None
        self._listeners_of_events: list[Callable[[str, Mapping[str, Any]], None]] = []
        self.last_update_success = False

    # -- what others ask ---------------------------------------------------------------------------------------------

    async def request(self, method: str, fields: Mapping[str, Any] | None = None, **options: Any) -> Mapping[str, Any]:
        """Ask the server.

        Raises:
            RefusedError: it said no.
            PeerError: it is away or late.
        """
        if self._dialogue is None:
            raise PeerError(f"{self.config_entry.title} is not connected")
        return await self._dialogue.request(method, fields, **options)

    def satellite(self, name: str) -> Mapping[str, Any]:
        """Return the facts of a satellite, none if the server has no such."""
        for satellite in _satellites(self.data):
            if satellite["name"] == name:
                return satellite
        return {}

    @callback
    def on_event(self, listener: Callable[[str, Mapping[str, Any]], None]) -> Callable[[], None]:
        """Call the listener with every event and its facts; return what ends that."""
        self._listeners_of_events.append(listener)
        return lambda: self._listeners_of_events.remove(listener)

    @property
    def expected(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What an utterance may name, and the words around it; nothing for a server that is not fed from here."""
        return (self._feed.names, self._feed.terms) if self._feed is not None else ((), ())

    @callback
    def outdate_home(self) -> None:
        """Tell the server the whole home again."""
        if self._feed is not None:
            self._feed.outdate()

    def opened(self, role: str) -> AbstractAsyncContextManager[Opened]:
        """Return a connection on which the server let us in, for the length of a block."""
        return opened_by(self.config_entry.data, role)

    # -- the connection ----------------------------------------------------------------------------------------------

    async def async_connect(self) -> None:
        """Connect, and stay connected until the entry is unloaded.

        Raises:
            ConfigEntryNotReady: the server is away.
            ConfigEntryAuthFailed: it does not know us any more.
            ConfigEntryError: it is another server, or of another age.
        """
        self._first = self.hass.loop.create_future()
        self.config_entry.async_create_background_task(self.hass, self._stay_connected(), "Hearth connection")
        try:
            async with asyncio.timeout(FIRST_S):
                error = await self._first
        except TimeoutError:
            error = PeerError("the server does not answer")
        if error is None:
            return
        placeholders = {"name": self.config_entry.title, "message": error.message}
        reason = error.reason if isinstance(error, RefusedError) else ""
        if reason == "unknown-token":
            raise ConfigEntryAuthFailed(
                translation_domain=DOMAIN, translation_key="not_paired", translation_placeholders=placeholders
            )
        if reason == "protocol":
            async_version_issue(self.hass, self.config_entry, error)
        if reason in ("protocol", "another-server"):
            raise ConfigEntryError(
                translation_domain=DOMAIN,
                translation_key=reason.replace("-", "_"),
                translation_placeholders=placeholders,
            )
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN, translation_key="cannot_connect", translation_placeholders=placeholders
        )

    async def _stay_connected(self) -> None:
        failures = 0
        while True:
            error: HearthError
            try:
                await self._be_connected()
                error = PeerError("the connection ended")
            except HearthError as problem:
                error = problem
            except Exception as problem:
                _LOGGER.exception("The connection to %s failed", self.config_entry.title)
                error = PeerError(f"the connection failed: {problem}")
            failures = 0 if self.last_update_success else failures + 1
            if self._first is not None and not self._first.done():
                # Setup failed: Home Assistant itself tries again.
                self._first.set_result(error)
                return
            self._away(error)
            reason = error.reason if isinstance(error, RefusedError) else ""
            if reason == "unknown-token":
                self.config_entry.async_start_reauth(self.hass)
                return
            if reason == "protocol":
                async_version_issue(self.hass, self.config_entry, error)
            if reason in ("protocol", "another-server"):
                await asyncio.sleep(REFUSED_S)
            else:
                delay_s = min(LONGEST_RETRY_S, RETRY_S * 2 ** min(failures, 10))
                await asyncio.sleep(delay_s * random.uniform(0.5, 1.0))

    async def _be_connected(self) -> None:
        """Connect and stay until the server leaves.

        Raises:
            HearthError: why it could not, or why it ended.
        """
        async with self.opened("home") as server:
            self.version, self.language = server.identity.version, server.identity.language
            handlers = {"call": self.carrier.call, "status": self._on_status, "event": self._on_event}

            def ready(dialogue: Dialogue) -> None:
                self._dialogue = dialogue
                if server.welcome.get("feed") is True:
                    self._feed = HomeFeed(self.hass, dialogue)
                    self._feeding = self.hass.async_create_background_task(self._feed.run(), "Hearth names feed")
                status = server.welcome.get("status")
                self._there(status if isinstance(status, dict) else {})

            try:
                await server.converse(handlers, ready)
            finally:
                self._dialogue = self._feed = None
                feeding, self._feeding = self._feeding, None
                if feeding is not None:
                    feeding.cancel()
                    await asyncio.gather(feeding, return_exceptions=True)

    @callback
    def _there(self, status: Status) -> None:
        async_clear_version(self.hass, self.config_entry)
        if self._first is not None and not self._first.done():
            self._first.set_result(None)
        elif not self.last_update_success:
            _LOGGER.info("%s is back", self.config_entry.title)
        self._take(status)

    @callback
    def _away(self, error: HearthError) -> None:
        if self.last_update_success:
            _LOGGER.warning("%s is away: %s", self.config_entry.title, error.message)
            # Not `async_set_update_error`: it would tell it a second time.
            self.last_exception, self.last_update_success = UpdateFailed(error.message), False
            self.async_update_listeners()

    async def _on_status(self, fields: Status, payload: bytes) -> None:
        self._take(fields)

    async def _on_event(self, fields: Status, payload: bytes) -> None:
        kind, facts = fields.get("event"), fields.get("facts")
        if isinstance(kind, str) and isinstance(facts, dict):
            self._tell(kind, facts)

    @callback
    def _tell(self, kind: str, facts: Mapping[str, Any]) -> None:
        device = self.device(facts.get("satellite")) or self.device(None)
        if device is not None:
            self.hass.bus.async_fire(EVENT, {"device_id": device.id, "type": kind, **facts})
        for listener in tuple(self._listeners_of_events):
            listener(kind, facts)

    @callback
    def _take(self, status: Status) -> None:
        status = {**status, "satellites": _satellites(status)}
        names = frozenset(satellite["name"] for satellite in status["satellites"])
        if gone := self.satellites - names:
            self._forget(gone)
        self.satellites = names
        self.async_set_updated_data(status)
        async_update_issues(self.hass, self.config_entry, status, self.language)

    @callback
    def _forget(self, names: frozenset[str]) -> None:
        """Remove the devices of satellites that the server has no more."""
        registry = dr.async_get(self.hass)
        for name in names:
            device = self.device(name)
            if device is not None:
                registry.async_remove_device(device.id)

    @callback
    def async_remove_stale(self) -> None:
        """Remove the devices of satellites that went while we were not connected."""
        known = {self.identifier(None), *(self.identifier(name) for name in self.satellites)}
        registry = dr.async_get(self.hass)
        for device in dr.async_entries_for_config_entry(registry, self.config_entry.entry_id):
            if not device.identifiers & known:
                registry.async_remove_device(device.id)

    def identifier(self, satellite: object) -> tuple[str, str]:
        """Return what a device is known by: the server's, or that of one of its satellites."""
        return (DOMAIN, f"{self.server_id}/{satellite}" if isinstance(satellite, str) else self.server_id)

    def device(self, satellite: object) -> dr.DeviceEntry | None:
        """Return the device of the server or of one of its satellites, None if there is none."""
        registry = dr.async_get(self.hass)
        return registry.async_get_device_by_identifier(self.identifier(satellite), self.config_entry.entry_id)

    def device_info(self, satellite: str | None) -> dr.DeviceInfo:
        """Return what is shown of a device."""
        if satellite is None:
            return dr.DeviceInfo(
                identifiers={self.identifier(None)},
                name=self.config_entry.title,
                manufacturer=MANUFACTURER,
                model="Server",
                sw_version=self.version,
                entry_type=dr.DeviceEntryType.SERVICE,
            )
        info = dr.DeviceInfo(
            identifiers={self.identifier(satellite)},
            name=satellite,
            manufacturer=MANUFACTURER,
            model="Satellite",
            suggested_area=_area_name(self.hass, self.satellite(satellite).get("area_id")),
        )
        server = self.device(None)
        if server is not None:
            info["via_device_id"] = server.id
        return info


def opened_by(data: Mapping[str, Any], role: str) -> AbstractAsyncContextManager[Opened]:
    """Return a connection to the server of an entry with these data, for the length of a block."""
    fingerprint: str = data.get(CONF_FINGERPRINT, "")
    return opened(data[CONF_HOST], data[CONF_PORT], data[CONF_TOKEN], data[CONF_SERVER_ID], role, fingerprint)


def _satellites(status: Status) -> list[Mapping[str, Any]]:
    told = status.get("satellites")
    return [s for s in told if isinstance(s, dict) and isinstance(s.get("name"), str)] if isinstance(told, list) else []


def _area_name(hass: HomeAssistant, area_id: object) -> str | None:
    area = ar.async_get(hass).async_get_area(area_id) if isinstance(area_id, str) else None
    return area.name if area else None
