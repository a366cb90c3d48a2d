"""Diagnostics, system health, and repair issues with their fix flows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from custom_components.hearth.const import DOMAIN
from custom_components.hearth.diagnostics import async_get_config_entry_diagnostics
from custom_components.hearth.repairs import async_create_fix_flow
from homeassistant.components.repairs import DOMAIN as REPAIRS
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, get_system_health_info

from hearth_core.companion import RefusedError
from tests.custom_components.conftest import set_up
from tests.custom_components.fake_server import SATELLITE, TOKEN, FakeServer, status


async def test_diagnostics_tell_the_fault_and_no_secret(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer
) -> None:
    told = await async_get_config_entry_diagnostics(home, loaded)
    text = json.dumps(told)
    for secret in (TOKEN, "127.0.0.1", "turn on the lamp", "Turned on the light", "Kitchen"):
        assert secret not in text
    assert told["connected"] is True
    assert told["status"]["engine"] == "pocketsphinx"
    assert told["status"]["last"]["latency_ms"] == 321.5
    assert told["fed"] == {"exposed": {"light": 1}, "areas": 1, "floors": 1, "labels": 0}


async def test_system_health_tells_servers_and_satellites(home: HomeAssistant, loaded: MockConfigEntry) -> None:
    assert await async_setup_component(home, "system_health", {})
    assert await get_system_health_info(home, DOMAIN) == {
        "servers": 1,
        "connected": 1,
        "satellites": 1,
        "versions": "0.1.0",
        "engines": "pocketsphinx",
    }


@pytest.mark.parametrize(
    ("kind", "wrong", "placeholder"),
    [
        ("ambiguous_names", {"problems": [{"message": "two lamps", "remedy": ""}]}, {"names": "- two lamps"}),
        ("microphone", {"satellites": [{**SATELLITE, "microphone_ok": False}]}, {"satellites": "Kitchen"}),
    ],
)
async def test_an_issue_comes_and_goes(
    home: HomeAssistant,
    loaded: MockConfigEntry,
    server: FakeServer,
    kind: str,
    wrong: dict[str, Any],
    placeholder: dict[str, str],
) -> None:
    registry, issue_id = ir.async_get(home), f"{kind}_{loaded.entry_id}"
    await server.tell(**wrong)
    await server.until(lambda: registry.async_get_issue(DOMAIN, issue_id))
    issue = registry.async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert placeholder.items() <= issue.translation_placeholders.items()
    await server.tell()
    await server.until(lambda: registry.async_get_issue(DOMAIN, issue_id) is None)


@pytest.mark.parametrize(("wanted", "other"), [("de", True), ("en-GB", False), ("en", False)])
async def test_a_language_without_a_model_is_an_issue(
    home: HomeAssistant, entry: MockConfigEntry, server: FakeServer, wanted: str, other: bool
) -> None:
    home.config.language = wanted
    await set_up(home, entry, server)
    issue = ir.async_get(home).async_get_issue(DOMAIN, f"language_{entry.entry_id}")
    assert (issue is not None) is other
    if issue is not None:
        assert issue.translation_placeholders.items() >= {"wanted": "de", "spoken": "en"}.items()
    await home.config_entries.async_unload(entry.entry_id)


def issue_of(hass: HomeAssistant, kind: str, entry: MockConfigEntry) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, f"{kind}_{entry.entry_id}")


async def fix(hass: HomeAssistant, kind: str, entry: MockConfigEntry) -> None:
    """Go through the fix flow as a person does: read what to do, press the button."""
    issue = issue_of(hass, kind, entry)
    assert issue is not None
    assert await async_setup_component(hass, REPAIRS, {})
    flows = hass.data[REPAIRS]["flow_manager"]
    form = await flows.async_init(DOMAIN, context={"issue_id": issue.issue_id})
    assert (form["step_id"], form["description_placeholders"]) == ("confirm", issue.translation_placeholders)
    assert (await flows.async_configure(form["flow_id"], {}))["type"] is FlowResultType.CREATE_ENTRY
    # Home Assistant takes the issue back at once: what is there afterwards was found anew.
    assert issue_of(hass, kind, entry) is None
    await hass.async_block_till_done()


async def test_a_version_that_does_not_fit_is_an_issue_until_it_is_fixed(
    home: HomeAssistant, entry: MockConfigEntry, server: FakeServer
) -> None:
    server.refuse["hello"] = RefusedError("protocol", "too old", remedy="Update the server")
    assert not await home.config_entries.async_setup(entry.entry_id)
    await fix(home, "version", entry)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    issue = issue_of(home, "version", entry)
    assert issue is not None
    assert issue.translation_placeholders.items() >= {"message": "too old", "remedy": "Update the server"}.items()
    server.refuse.clear()
    await fix(home, "version", entry)
    assert entry.state is ConfigEntryState.LOADED
    assert issue_of(home, "version", entry) is None
    await home.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("kind", ["language", "microphone"])
async def test_what_is_said_to_be_fixed_is_looked_at_again(
    home: HomeAssistant, entry: MockConfigEntry, server: FakeServer, kind: str
) -> None:
    if kind == "language":
        home.config.language = "de"
    else:
        server.status = status(satellites=[{**SATELLITE, "microphone_ok": False}])
    await set_up(home, entry, server)
    await fix(home, kind, entry)
    assert issue_of(home, kind, entry) is not None
    home.config.language, server.status = "en-GB", status()
    await fix(home, kind, entry)
    assert entry.state is ConfigEntryState.LOADED
    assert issue_of(home, kind, entry) is None
    await home.config_entries.async_unload(entry.entry_id)


async def test_fixing_says_what_to_do_and_looks_again(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer
) -> None:
    assert await async_setup_component(home, REPAIRS, {})
    await server.tell(problems=[{"message": "two lamps", "remedy": ""}])
    issue_id = f"ambiguous_names_{loaded.entry_id}"
    await server.until(lambda: ir.async_get(home).async_get_issue(DOMAIN, issue_id))
    before = len(server.homes)
    flow = await async_create_fix_flow(home, issue_id, {"entry_id": loaded.entry_id})
    flow.hass, flow.handler, flow.issue_id = home, DOMAIN, issue_id
    form = await flow.async_step_init()
    assert (form["step_id"], form["description_placeholders"]["names"]) == ("confirm", "- two lamps")
    done = await flow.async_step_confirm({})
    assert done["type"] == "create_entry"
    await server.until(lambda: len(server.homes) > before)
    await home.async_block_till_done()


async def test_fixing_what_is_gone_ends(home: HomeAssistant) -> None:
    flow = await async_create_fix_flow(home, "version_gone", None)
    flow.hass, flow.handler, flow.issue_id = home, DOMAIN, "version_gone"
    assert (await flow.async_step_init())["description_placeholders"] is None
    assert (await flow.async_step_confirm({}))["type"] == "create_entry"
