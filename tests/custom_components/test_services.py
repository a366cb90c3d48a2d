"""The actions, what they send, and how they fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import custom_components.hearth
import probatio as vol
import pytest
import yaml
from custom_components.hearth.const import DOMAIN
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service

from hearth_core.companion import RefusedError
from tests.custom_components.fake_server import ENTRY, SERVER_ID, FakeServer


async def act(hass: HomeAssistant, action: str, response: bool = False, **data: Any) -> Any:
    return await hass.services.async_call(DOMAIN, action, data, blocking=True, return_response=response)


def device(hass: HomeAssistant, key: str = f"{SERVER_ID}/Kitchen") -> str:
    found = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, key), ENTRY)
    assert found is not None
    return found.id


@pytest.mark.parametrize(("action", "listen"), [("announce", False), ("ask", True)])
async def test_satellites_say_a_message(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer, action: str, listen: bool
) -> None:
    await act(home, action, message="Dinner", device_id=device(home))
    _, fields = server.asked[-1]
    assert (fields["satellite"], fields["text"], fields["listen"]) == ("Kitchen", "Dinner", listen)


async def test_a_device_that_is_no_satellite_is_told(home: HomeAssistant, loaded: MockConfigEntry) -> None:
    for device_id in (device(home, SERVER_ID), "nowhere"):
        with pytest.raises(ServiceValidationError) as refused:
            await act(home, "announce", message="Dinner", device_id=device_id)
        assert refused.value.translation_key == "no_satellite"


@pytest.mark.parametrize("reason", ["unknown-satellite", "unsupported", "busy", "peer"])
async def test_what_the_server_refuses_is_told_in_the_users_words(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer, reason: str
) -> None:
    server.answers["announce"] = RefusedError(reason, "because")
    with pytest.raises(HomeAssistantError) as refused:
        await act(home, "announce", message="Dinner", device_id=device(home))
    assert refused.value.translation_key == {"peer": "refused"}.get(reason, reason.replace("-", "_"))
    assert refused.value.translation_placeholders == {"message": "because"}


async def test_a_text_is_done_and_told(home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer) -> None:
    server.answers["ask"] = {"kind": "done", "text": "Turned on", "outcomes": {"light.lamp": "done"}, "slots": {}}
    answer = await act(home, "say_as_text", response=True, text="turn on the lamp", area_id="kitchen")
    assert (answer["kind"], answer["text"], answer["outcomes"]) == ("done", "Turned on", {"light.lamp": "done"})
    assert server.asked[-1][1]["area_id"] == "kitchen"
    assert await act(home, "say_as_text", text="turn on the lamp", config_entry_id=loaded.entry_id) is None


async def test_a_text_is_done_in_the_name_of_who_sent_it(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer
) -> None:
    async def do(fields: Any) -> dict[str, Any]:
        await server.call("light.turn_on", "light.lamp", asked=fields["asked"])
        return {"kind": "done", "text": "Turned on"}

    server.answers["ask"] = do
    calls = async_mock_service(home, "light", "turn_on")
    for user in ("somebody", None):
        text = {"text": "turn on the lamp"}
        await home.services.async_call(DOMAIN, "say_as_text", text, blocking=True, context=Context(user_id=user))
    assert [call.context.user_id for call in calls] == ["somebody", None]


async def test_the_forms_of_the_actions_are_those_that_are_taken(home: HomeAssistant, loaded: MockConfigEntry) -> None:
    """What is registered, what the form shows and what is said of it: the same fields, the same of them required."""
    folder = Path(custom_components.hearth.__file__).parent
    forms = yaml.safe_load((folder / "services.yaml").read_text())
    shown = {
        name: {key: field.get("required", False) for key, field in form["fields"].items()}
        for name, form in forms.items()
    }
    taken = {
        name: {str(key): isinstance(key, vol.Required) for key in action.schema.schema}
        for name, action in home.services.async_services()[DOMAIN].items()
    }
    assert shown == taken
    for translation in (folder / "translations").glob("*.json"):
        said = json.loads(translation.read_text())["services"]
        assert {name: set(action["fields"]) for name, action in said.items()} == {n: set(f) for n, f in taken.items()}


async def test_reloading_tells_what_is_wrong(home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer) -> None:
    server.answers["reload"] = {"problems": ["bad.yaml:1: no"]}
    assert await act(home, "reload", response=True) == {"problems": ["bad.yaml:1: no"]}
    server.answers["reload"] = {"problems": 5}
    assert await act(home, "reload", response=True) == {"problems": []}


async def test_a_policy_is_sent(home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer) -> None:
    await act(home, "set_policy", rules=[{"target": "lock", "action": "confirm"}])
    assert server.asked[-1][1]["rules"] == [{"target": "lock", "action": "confirm", "areas": []}]
    for wrong in ({"target": "Lock!", "action": "deny"}, {"target": "lock", "action": "explode"}, {}):
        with pytest.raises(vol.Invalid):
            await act(home, "set_policy", rules=[wrong])


async def test_the_actions_are_there_without_a_server(home: HomeAssistant) -> None:
    assert await async_setup_component(home, DOMAIN, {})
    with pytest.raises(ServiceValidationError) as refused:
        await act(home, "say_as_text", text="turn on the lamp")
    assert refused.value.translation_key == "no_server"


async def test_a_server_that_is_away_is_told(home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer) -> None:
    server.answers["ask"] = lambda fields: server.drop()
    with pytest.raises(HomeAssistantError) as refused:
        await act(home, "say_as_text", text="turn on the lamp")
    assert refused.value.translation_key == "unreachable"
