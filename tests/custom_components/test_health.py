"""Diagnostics, system health, and repair issues with their fix flows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from custom_components.hearth.const import DOMAIN
from custom_components.hearth.diagnostics import async_get_config_entry_diagnostics
from custom_components.hearth.repairs import async_create_fix_flow
from homeassistant.components.repairs import DOMAIN as REPAIRS
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, get_system_health_info

from tests.custom_components.conftest import set_up
from tests.custom_components.fake_server import SATELLITE, TOKEN, FakeServer


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


async def test_a_language_without_a_model_is_an_issue(
    home: HomeAssistant, entry: MockConfigEntry, server: FakeServer
) -> None:
    home.config.language = "de"
    await set_up(home, entry, server)
    issue = ir.async_get(home).async_get_issue(DOMAIN, f"language_{entry.entry_id}")
    assert issue is not None
    assert issue.translation_placeholders["wanted"] == "de"
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
