"""Home Assistant with the integration, and a server that says what a test wants."""

# The harness brings a package of this name of its own; whoever is first wins.
import custom_components.hearth  # noqa: F401, I001

from collections.abc import AsyncIterator

import pytest
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, entity_registry as er, floor_registry as fr
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hearth import coordinator as coordinator_module
from custom_components.hearth import feed
from custom_components.hearth.const import CONF_FINGERPRINT, CONF_SERVER_ID, DOMAIN
from tests.custom_components.fake_server import ENTRY, SERVER_ID, TOKEN, FakeServer, serving


@pytest.fixture(autouse=True)
def prepared(enable_custom_integrations: None, socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the integration be found, and its waits be short."""
    monkeypatch.setattr(feed, "SETTLE_S", 0.01)
    monkeypatch.setattr(coordinator_module, "RETRY_S", 0.01)


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    """A server that listens."""
    async with serving(FakeServer()) as running:
        yield running


@pytest.fixture
async def home(hass: HomeAssistant) -> HomeAssistant:
    """A house with a lamp that is exposed, one that is hidden, and a kitchen."""
    assert await async_setup_component(hass, "homeassistant", {})
    floor = fr.async_get(hass).async_create("Ground floor", level=0)
    area = ar.async_get(hass).async_create("Kitchen", aliases={"cook house"}, floor_id=floor.floor_id)
    registry = er.async_get(hass)
    for name in ("lamp", "secret"):
        entry = registry.async_get_or_create("light", "test", name, suggested_object_id=name, original_name=name)
        registry.async_update_entity(entry.entity_id, area_id=area.id)
        hass.states.async_set(entry.entity_id, "off", {"friendly_name": name, "supported_color_modes": ["onoff"]})
        async_expose_entity(hass, "conversation", entry.entity_id, name == "lamp")
    return hass


@pytest.fixture
def entry(hass: HomeAssistant, server: FakeServer) -> MockConfigEntry:
    """A paired server, not set up yet."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Test server",
        entry_id=ENTRY,
        unique_id=SERVER_ID,
        data={
            CONF_HOST: "127.0.0.1",
            CONF_PORT: server.port,
            CONF_TOKEN: TOKEN,
            CONF_SERVER_ID: SERVER_ID,
            CONF_FINGERPRINT: server.fingerprint,
        },
    )
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
async def loaded(home: HomeAssistant, entry: MockConfigEntry, server: FakeServer) -> AsyncIterator[MockConfigEntry]:
    """The same, set up, and its home told."""
    await set_up(home, entry, server)
    yield entry
    if entry.state is ConfigEntryState.LOADED:
        await home.config_entries.async_unload(entry.entry_id)


async def set_up(hass: HomeAssistant, entry: MockConfigEntry, server: FakeServer) -> None:
    """Set an entry up and wait until its home is told."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    await server.until(lambda: server.homes)
