"""The entry's life: connecting, losing the server, coming back, being refused, being removed."""

from __future__ import annotations

import logging

import pytest
from custom_components.hearth import coordinator
from custom_components.hearth.const import CONF_PIPELINE_ID, DOMAIN
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import CONF_PORT, CONF_TOKEN, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry

from hearth_core import companion_client
from hearth_core.companion import RefusedError
from tests.custom_components.conftest import set_up
from tests.custom_components.fake_server import ENTRY, SATELLITE, SERVER_ID, TOKEN, FakeServer, serving

STATE = "sensor.test_server_state"


async def test_the_server_and_its_satellite_are_devices(home: HomeAssistant, loaded: MockConfigEntry) -> None:
    registry = dr.async_get(home)
    server = registry.async_get_device_by_identifier((DOMAIN, SERVER_ID), ENTRY)
    satellite = registry.async_get_device_by_identifier((DOMAIN, f"{SERVER_ID}/Kitchen"), ENTRY)
    assert server is not None
    assert satellite is not None
    assert (server.sw_version, satellite.via_device_id) == ("0.1.0", server.id)
    assert home.states.get(STATE).state == "idle"


async def test_a_server_that_is_killed_comes_back_with_one_line_each(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    port = server.port
    server.drop()
    server.refuse["hello"] = RefusedError("busy", "not yet")
    await server.until(lambda: home.states.get(STATE).state == STATE_UNAVAILABLE)
    await server.until(lambda: caplog.text.count("is away") == 1)
    server.refuse.clear()
    await server.until(lambda: home.states.get(STATE).state == "idle")
    lines = [r.message for r in caplog.records if r.name.startswith("custom_components.hearth")]
    assert [line.split(":")[0] for line in lines if "Test server" in line] == [
        "Test server is away",
        "Test server is back",
    ]
    assert server.port == port
    await server.until(lambda: len(server.homes) >= 2)


async def test_a_server_that_is_away_is_tried_again(home: HomeAssistant, entry: MockConfigEntry) -> None:
    home.config_entries.async_update_entry(entry, data={**entry.data, CONF_PORT: 1})
    assert not await home.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY


async def test_a_server_that_never_answers_does_not_hold_up_the_start(
    home: HomeAssistant, entry: MockConfigEntry, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coordinator, "FIRST_S", 0.0)
    assert not await home.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY


async def test_a_token_that_is_not_known_asks_to_pair_again(home: HomeAssistant, entry: MockConfigEntry) -> None:
    home.config_entries.async_update_entry(entry, data={**entry.data, CONF_TOKEN: "old"})
    assert not await home.config_entries.async_setup(entry.entry_id)
    (flow,) = home.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH


async def test_a_pairing_that_is_taken_back_later_asks_to_pair_again(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer
) -> None:
    server.refuse["hello"] = RefusedError("unknown-token", "not paired")
    server.drop()
    await server.until(lambda: home.config_entries.flow.async_progress())


@pytest.mark.parametrize("reason", ["protocol", "another-server"])
async def test_a_server_that_cannot_be_used_is_not_tried_again(
    home: HomeAssistant, entry: MockConfigEntry, server: FakeServer, reason: str
) -> None:
    if reason == "protocol":
        server.refuse["hello"] = RefusedError(reason, "too old", remedy="Update the server")
    else:
        server.server_id = "f" * 32
    assert not await home.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    if reason == "protocol":
        assert ir.async_get(home).async_get_issue(DOMAIN, f"version_{entry.entry_id}") is not None


async def test_a_server_updated_under_us_is_an_issue_until_it_fits_again(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coordinator, "REFUSED_S", 0.05)
    server.refuse["hello"] = RefusedError("protocol", "too new", remedy="Update the integration")
    server.drop()
    issue = f"version_{loaded.entry_id}"
    await server.until(lambda: ir.async_get(home).async_get_issue(DOMAIN, issue))
    server.refuse.clear()
    await server.until(lambda: ir.async_get(home).async_get_issue(DOMAIN, issue) is None)


@pytest.mark.parametrize("fingerprint", ["f" * 64, ""], ids=["another", "none"])
async def test_a_server_without_the_certificate_that_we_know_is_not_told_the_token(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer, fingerprint: str
) -> None:
    server.tokens.clear()
    server.fingerprint = fingerprint
    server.drop()
    await server.until(lambda: home.config_entries.flow.async_progress())
    assert server.tokens == []


async def test_a_server_that_becomes_another_is_not_told_the_token(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coordinator, "REFUSED_S", 0.05)
    server.tokens.clear()
    server.server_id = "f" * 32
    server.drop()
    await server.until(lambda: home.states.get(STATE).state == STATE_UNAVAILABLE)
    assert server.tokens == []
    server.server_id = SERVER_ID
    await server.until(lambda: home.states.get(STATE).state == "idle")
    assert server.tokens == [TOKEN]


@pytest.mark.parametrize(
    "junk",
    [
        b"no frame at all\n",
        b'{"type": "hearth-status", "data_length": 99999999999}\n',
        b"\xff\x00\n" * 50,
        b'{"type": 5}\n',
    ],
)
async def test_a_server_that_begins_to_speak_junk_is_left_and_tried_again(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer, junk: bytes
) -> None:
    homes = len(server.homes)
    for connection in tuple(server.connections):
        connection._writer.write(junk)
    await server.until(lambda: len(server.homes) > homes)
    await server.until(lambda: home.states.get(STATE).state == "idle")


async def test_a_fault_of_our_own_ends_in_the_log_and_not_the_connection(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = coordinator.opened

    def broken(*arguments: object) -> object:
        monkeypatch.setattr(coordinator, "opened", real)
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(coordinator, "opened", broken)
    server.drop()
    await server.until(lambda: coordinator.opened is real and home.states.get(STATE).state == "idle")


async def test_removed_it_is_unpaired_and_nothing_is_left(
    home: HomeAssistant, entry: MockConfigEntry, server: FakeServer
) -> None:
    await set_up(home, entry, server)
    await server.tell(problems=[{"message": "two lamps", "remedy": "rename"}])
    await server.until(lambda: ir.async_get(home).issues)
    await home.config_entries.async_remove(entry.entry_id)
    await home.async_block_till_done()
    assert [name for name, _ in server.asked] == ["unpair"]
    assert not er.async_entries_for_config_entry(er.async_get(home), entry.entry_id)
    assert not dr.async_entries_for_config_entry(dr.async_get(home), entry.entry_id)
    assert not [issue for domain, issue in ir.async_get(home).issues if domain == DOMAIN]


async def test_removed_while_the_server_is_away_says_what_is_left(
    home: HomeAssistant, entry: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    home.config_entries.async_update_entry(entry, data={**entry.data, CONF_PORT: 1, CONF_PIPELINE_ID: "gone"})
    await home.config_entries.async_remove(entry.entry_id)
    assert "hearth server pair --remove" in caplog.text
    assert entry.data[CONF_TOKEN] not in caplog.text


async def test_satellites_come_and_go(home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer) -> None:
    registry = dr.async_get(home)
    bath = {**SATELLITE, "name": "Bath"}
    await server.tell(satellites=[SATELLITE, bath])
    await server.until(lambda: home.states.get("switch.bath_mute"))
    await server.tell(satellites=[bath])
    await server.until(lambda: registry.async_get_device_by_identifier((DOMAIN, f"{SERVER_ID}/Kitchen"), ENTRY) is None)
    assert home.states.get("switch.kitchen_mute") is None
    await server.tell(satellites=[SATELLITE, bath])
    await server.until(lambda: home.states.get("switch.kitchen_mute"))


async def test_satellites_that_went_while_we_were_away_are_forgotten(
    home: HomeAssistant, entry: MockConfigEntry, server: FakeServer
) -> None:
    registry = dr.async_get(home)
    registry.async_get_or_create(config_entry_id=entry.entry_id, identifiers={(DOMAIN, f"{SERVER_ID}/Old")}, name="Old")
    await set_up(home, entry, server)
    assert registry.async_get_device_by_identifier((DOMAIN, f"{SERVER_ID}/Old"), ENTRY) is None
    assert await home.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize(
    "told",
    [
        {"satellites": None, "last": None, "home": None, "problems": None, "state": 5},
        {"satellites": [5, {}, {"name": 7}], "last": [], "home": [], "problems": [5], "queue": "many"},
    ],
)
async def test_a_status_of_junk_breaks_nothing(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer, told: dict[str, object]
) -> None:
    await server.tell(**told)
    await server.until(lambda: home.states.get(STATE).state in ("unknown", "idle"))
    await server.tell()
    await server.until(lambda: home.states.get("switch.kitchen_mute"))


async def test_a_server_that_hangs_is_away_until_it_goes_on(
    home: HomeAssistant, entry: MockConfigEntry, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(companion_client, "PING_S", 0.05)
    monkeypatch.setattr(companion_client, "SILENT_S", 0.5)
    await set_up(home, entry, server)
    assert home.states.get(STATE).state == "idle"
    server.hangs = True  # the connection stays open
    await server.until(lambda: home.states.get(STATE).state == STATE_UNAVAILABLE)
    server.hangs = False
    await server.until(lambda: home.states.get(STATE).state == "idle")
    await home.config_entries.async_unload(entry.entry_id)


async def test_two_servers_do_not_get_in_each_others_way(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer
) -> None:
    other = FakeServer()
    other.server_id = "f" * 32
    async with serving(other):
        second = MockConfigEntry(
            domain=DOMAIN,
            title="Second server",
            unique_id=other.server_id,
            data={**loaded.data, "port": other.port, "server_id": other.server_id},
        )
        second.add_to_hass(home)
        await set_up(home, second, other)
        assert home.states.get("sensor.second_server_state").state == "idle"
        with pytest.raises(ServiceValidationError) as unclear:
            await home.services.async_call(DOMAIN, "say_as_text", {"text": "lights on"}, blocking=True)
        assert unclear.value.translation_key == "several_servers"
        named = {"text": "lights on", "config_entry_id": second.entry_id}
        await home.services.async_call(DOMAIN, "say_as_text", named, blocking=True)
        said = [[fields["text"] for name, fields in each.asked if name == "ask"] for each in (server, other)]
        assert said == [[], ["lights on"]]
        other.drop()
        assert home.states.get(STATE).state == "idle"
        await home.config_entries.async_remove(second.entry_id)
    assert home.states.get(STATE).state == "idle"
