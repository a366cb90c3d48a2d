"""What the entities show, and what they change."""

from __future__ import annotations

from typing import Any

import pytest
from custom_components.hearth.const import CONF_PIPELINE_ID, DOMAIN, EVENT
from homeassistant.components import assist_pipeline
from homeassistant.components.device_automation import DeviceAutomationType
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_get_device_automations,
    async_mock_service,
)

from hearth_core.companion import RefusedError
from tests.custom_components.conftest import set_up
from tests.custom_components.fake_server import ENTRY, LAST, SATELLITE, SERVER_ID, FakeServer


@pytest.fixture
def entity_registry_enabled_by_default_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enable also what is not by default."""
    monkeypatch.setattr("homeassistant.helpers.entity.Entity.entity_registry_enabled_default", True)


def shown(hass: HomeAssistant, entity_id: str) -> str:
    state = hass.states.get(entity_id)
    assert state is not None, [s.entity_id for s in hass.states.async_all()]
    return state.state


async def test_the_servers_figures(
    entity_registry_enabled_by_default_here: None, home: HomeAssistant, loaded: MockConfigEntry
) -> None:
    expected = {
        "sensor.test_server_state": "idle",
        "sensor.test_server_last_command": "turn on the lamp",
        "sensor.test_server_recogniser": "pocketsphinx",
        "sensor.test_server_latency": "321.5",
        "sensor.test_server_real_time_factor": "0.12",
        "sensor.test_server_commands_under_way": "0",
        "sensor.test_server_home_size": "12",
        "update.test_server_server": "off",
        "sensor.kitchen_state": "idle",
        "sensor.kitchen_signal_level": "-40.0",
        "binary_sensor.kitchen_microphone": "off",
        "binary_sensor.kitchen_connection": "on",
        "switch.kitchen_mute": "off",
        "select.kitchen_wake_word": "okay_nabu",
        "number.kitchen_sensitivity": "40",
        "number.kitchen_volume": "50",
        "assist_satellite.kitchen": "idle",
    }
    assert {entity_id: shown(home, entity_id) for entity_id in expected} == expected
    attributes = home.states.get("sensor.test_server_last_command").attributes
    assert (attributes["confidence"], attributes["intent"]) == (0.93, "HassTurnOn")
    assert home.states.get("sensor.test_server_home_size").attributes["words"] == 400


# (whose, domain, key): (category, class, whether it is there from the start)
PLACES: dict[tuple[str, str, str], tuple[str | None, str | None, bool]] = {
    ("server", "button", "create_pipeline"): ("config", None, True),
    ("server", "button", "reload"): ("diagnostic", None, False),
    ("server", "conversation", "conversation"): (None, None, True),
    ("server", "event", "command"): (None, None, True),
    ("server", "sensor", "engine"): ("diagnostic", None, True),
    ("server", "sensor", "home_size"): ("diagnostic", None, True),
    ("server", "sensor", "last_command"): (None, None, True),
    ("server", "sensor", "latency"): ("diagnostic", "duration", True),
    ("server", "sensor", "queue"): ("diagnostic", None, False),
    ("server", "sensor", "real_time_factor"): ("diagnostic", None, False),
    ("server", "sensor", "state"): (None, "enum", True),
    ("server", "stt", "speech"): (None, None, True),
    ("server", "update", "server"): ("diagnostic", None, True),
    ("satellite", "assist_satellite", "satellite"): (None, None, True),
    ("satellite", "binary_sensor", "connected"): ("diagnostic", "connectivity", True),
    ("satellite", "binary_sensor", "microphone"): ("diagnostic", "problem", True),
    ("satellite", "event", "voice"): (None, None, True),
    ("satellite", "number", "sensitivity"): ("config", None, True),
    ("satellite", "number", "volume"): ("config", None, True),
    ("satellite", "select", "wake_word"): ("config", None, True),
    ("satellite", "sensor", "last_command"): (None, None, True),
    ("satellite", "sensor", "satellite_state"): (None, "enum", True),
    ("satellite", "sensor", "signal_level"): ("diagnostic", "signal_strength", False),
    ("satellite", "switch", "mute"): ("config", None, True),
}


async def test_every_entity_has_its_place(home: HomeAssistant, loaded: MockConfigEntry) -> None:
    owners = {SERVER_ID: "server", f"{SERVER_ID}/Kitchen": "satellite"}
    found = {}
    for entity in er.async_entries_for_config_entry(er.async_get(home), loaded.entry_id):
        owner, _, key = entity.unique_id.rpartition("/")
        assert entity.disabled_by in (None, er.RegistryEntryDisabler.INTEGRATION)
        place = (entity.entity_category, entity.original_device_class, entity.disabled_by is None)
        found[owners[owner], entity.domain, key] = place
    assert found == PLACES


async def test_an_older_server_is_an_update(home: HomeAssistant, entry: MockConfigEntry, server: FakeServer) -> None:
    server.version = "0.0.9"
    await set_up(home, entry, server)
    assert shown(home, "update.test_server_server") == "on"
    await home.config_entries.async_unload(entry.entry_id)


async def test_a_satellite_that_is_away_is_unavailable(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer
) -> None:
    await server.tell(satellites=[{**SATELLITE, "connected": False, "state": "disconnected"}])
    await server.until(lambda: shown(home, "switch.kitchen_mute") == STATE_UNAVAILABLE)
    assert shown(home, "binary_sensor.kitchen_connection") == "off"


async def test_a_satellite_that_tells_little_is_unknown(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer
) -> None:
    await server.tell(satellites=[{"name": "Kitchen", "connected": True, "state": "idle"}])
    await server.until(lambda: shown(home, "switch.kitchen_mute") == "unknown")
    for entity_id in ("number.kitchen_volume", "select.kitchen_wake_word", "binary_sensor.kitchen_microphone"):
        assert shown(home, entity_id) == "unknown"


@pytest.mark.parametrize(
    ("service", "data", "settings"),
    [
        ("switch.turn_on", {"entity_id": "switch.kitchen_mute"}, {"mute": True}),
        ("switch.turn_off", {"entity_id": "switch.kitchen_mute"}, {"mute": False}),
        ("number.set_value", {"entity_id": "number.kitchen_volume", "value": 80}, {"volume": 0.8}),
        ("number.set_value", {"entity_id": "number.kitchen_sensitivity", "value": 0}, {"sensitivity": 0}),
        (
            "select.select_option",
            {"entity_id": "select.kitchen_wake_word", "option": "hey_jarvis"},
            {"wake_word": "hey_jarvis"},
        ),
    ],
)
async def test_settings_are_sent(
    home: HomeAssistant,
    loaded: MockConfigEntry,
    server: FakeServer,
    service: str,
    data: dict[str, Any],
    settings: dict[str, Any],
) -> None:
    await home.services.async_call(*service.split("."), data, blocking=True)
    assert server.asked[-1][0] == "set"
    assert server.asked[-1][1]["settings"] == settings
    assert server.asked[-1][1]["satellite"] == "Kitchen"


async def test_a_setting_that_is_refused_is_told(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer
) -> None:
    server.answers["set"] = RefusedError("unsupported", "it has no loudspeaker")
    with pytest.raises(HomeAssistantError) as refused:
        await home.services.async_call(
            "number", "set_value", {"entity_id": "number.kitchen_volume", "value": 80}, blocking=True
        )
    assert refused.value.translation_key == "unsupported"


async def test_what_happens_is_an_event_and_a_trigger(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer
) -> None:
    fired: list[Event] = async_capture_events(home, EVENT)
    registry = dr.async_get(home)
    devices = {
        name: registry.async_get_device_by_identifier((DOMAIN, key), ENTRY).id
        for name, key in (("server", SERVER_ID), ("kitchen", f"{SERVER_ID}/Kitchen"))
    }
    types = {
        name: {
            t["type"]
            for t in await async_get_device_automations(home, DeviceAutomationType.TRIGGER, device_id)
            if t["domain"] == DOMAIN
        }
        for name, device_id in devices.items()
    }
    assert types == {
        "server": {"understood", "not_understood"},
        "kitchen": {"understood", "not_understood", "wake", "near_miss"},
    }
    calls = async_mock_service(home, "test", "automation")
    trigger = {"platform": "device", "domain": DOMAIN, "device_id": devices["kitchen"], "type": "not_understood"}
    action = {"action": "test.automation", "data": {"text": "{{ trigger.event.data.text }}"}}
    automation = {"alias": "react", "triggers": [trigger], "actions": [action]}
    assert await async_setup_component(home, "automation", {"automation": [automation]})
    await server.happen("wake", satellite="Kitchen", wake_word="okay_nabu")
    await server.happen("not_understood", **{**LAST, "text": "blah"})
    await server.happen("understood", **{**LAST, "satellite": None, "text": "typed"})
    await server.until(lambda: len(fired) == 3)
    await home.async_block_till_done()
    assert [call.data["text"] for call in calls] == ["blah"]
    assert fired[2].data["device_id"] == devices["server"]
    voice, command = home.states.get("event.kitchen_voice"), home.states.get("event.test_server_command")
    assert (voice.attributes["event_type"], voice.attributes["text"]) == ("not_understood", "blah")
    assert (command.attributes["event_type"], command.attributes["text"]) == ("understood", "typed")
    assert shown(home, "sensor.kitchen_last_command") == "blah"


@pytest.mark.parametrize("kind", ["understood", "not_understood", "wake", "near_miss"])
async def test_every_trigger_of_a_satellite_fires(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer, kind: str
) -> None:
    device = dr.async_get(home).async_get_device_by_identifier((DOMAIN, f"{SERVER_ID}/Kitchen"), ENTRY)
    calls = async_mock_service(home, "test", "automation")
    trigger = {"platform": "device", "domain": DOMAIN, "device_id": device.id, "type": kind}
    automation = {"alias": "react", "triggers": [trigger], "actions": [{"action": "test.automation"}]}
    assert await async_setup_component(home, "automation", {"automation": [automation]})
    for other in ("understood", "not_understood", "wake", "near_miss"):
        await server.happen(other, satellite="Kitchen", text="x")
        if other == kind:
            await server.until(lambda: calls)
            assert home.states.get("event.kitchen_voice").attributes["event_type"] == kind
    await home.async_block_till_done()
    assert len(calls) == 1


async def test_events_of_junk_are_dropped(home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer) -> None:
    fired: list[Event] = async_capture_events(home, EVENT)
    assert server.dialogue is not None
    await server.dialogue.note("event", {"event": 5})
    await server.happen("understood")
    await server.until(lambda: fired)
    assert len(fired) == 1


@pytest.mark.parametrize(("service", "listen"), [("announce", False), ("start_conversation", True)])
async def test_a_satellite_announces(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer, service: str, listen: bool
) -> None:
    from homeassistant.components.assist_satellite import AssistSatelliteAnnouncement

    entity = home.data["entity_components"]["assist_satellite"].get_entity("assist_satellite.kitchen")
    announcement = AssistSatelliteAnnouncement("Dinner", "m", "m", None, "tts")
    await (entity.async_start_conversation if listen else entity.async_announce)(announcement)
    method, fields = server.asked[-1]
    assert (method, fields["satellite"], fields["text"], fields["listen"]) == ("announce", "Kitchen", "Dinner", listen)
    announcement.message = ""
    with pytest.raises(HomeAssistantError):
        await entity.async_announce(announcement)
    assert entity.on_pipeline_event(None) is None


async def test_the_satellites_wake_word_is_a_configuration(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer
) -> None:
    entity = home.data["entity_components"]["assist_satellite"].get_entity("assist_satellite.kitchen")
    configuration = entity.async_get_configuration()
    assert configuration.active_wake_words == ["okay_nabu"]
    assert [word.id for word in configuration.available_wake_words] == ["okay_nabu", "hey_jarvis"]
    configuration.active_wake_words = ["hey_jarvis"]
    await entity.async_set_configuration(configuration)
    assert server.asked[-1][1]["settings"] == {"wake_word": "hey_jarvis"}


async def test_one_click_makes_a_voice_assistant_and_removal_takes_it_along(
    home: HomeAssistant, entry: MockConfigEntry, server: FakeServer
) -> None:
    await set_up(home, entry, server)
    before = len(assist_pipeline.async_get_pipelines(home))
    press = {"entity_id": "button.test_server_make_voice_assistant"}
    for _ in range(2):
        await home.services.async_call("button", "press", press, blocking=True)
    pipelines = assist_pipeline.async_get_pipelines(home)
    assert len(pipelines) == before + 1
    made = next(p for p in pipelines if p.id == entry.data[CONF_PIPELINE_ID])
    assert (made.stt_engine, made.conversation_engine) == (
        "stt.test_server_speech",
        "conversation.test_server_conversation",
    )
    await home.config_entries.async_remove(entry.entry_id)
    assert len(assist_pipeline.async_get_pipelines(home)) == before


async def test_without_its_entities_there_is_no_voice_assistant(home: HomeAssistant, loaded: MockConfigEntry) -> None:
    er.async_get(home).async_update_entity("stt.test_server_speech", disabled_by=er.RegistryEntryDisabler.USER)
    with pytest.raises(HomeAssistantError) as refused:
        await home.services.async_call(
            "button", "press", {"entity_id": "button.test_server_make_voice_assistant"}, blocking=True
        )
    assert refused.value.translation_key == "entities_disabled"


async def test_reading_again_is_a_button(
    entity_registry_enabled_by_default_here: None, home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer
) -> None:
    before = len(server.homes)
    await home.services.async_call(
        "button", "press", {"entity_id": "button.test_server_read_sentences_again"}, blocking=True
    )
    assert server.asked[-1][0] == "reload"
    await server.until(lambda: len(server.homes) > before)
