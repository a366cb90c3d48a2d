"""What the server may do in the home, and in whose name."""

from __future__ import annotations

from typing import Any

import probatio as vol
import pytest
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.components.light import ColorMode, LightEntity
from homeassistant.core import Context, HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError, Unauthorized
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockUser,
    async_mock_service,
    setup_test_component_platform,
)

from hearth_core.companion import RefusedError
from tests.custom_components.fake_server import FakeServer


async def test_a_call_is_carried(home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer) -> None:
    calls = async_mock_service(home, "light", "turn_on")
    result = await server.call("light.turn_on", "light.lamp", brightness_pct=50)
    (call,) = calls
    assert call.data == {"entity_id": ["light.lamp"], "brightness_pct": 50}
    assert result["context"]["id"] == call.context.id
    assert call.context.user_id is None


async def test_a_service_for_anything_is_carried(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer
) -> None:
    calls = async_mock_service(home, "homeassistant", "toggle")
    await server.call("homeassistant.toggle", "light.lamp")
    assert [call.data["entity_id"] for call in calls] == [["light.lamp"]]


async def test_it_goes_in_the_name_of_who_asked(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer
) -> None:
    calls = async_mock_service(home, "light", "turn_on")
    context = Context(user_id="somebody")
    asked = loaded.runtime_data.carrier.begin(context)
    await server.call("light.turn_on", "light.lamp", asked=asked)
    loaded.runtime_data.carrier.end(asked)
    await server.call("light.turn_on", "light.lamp", asked=asked)
    assert [call.context.user_id for call in calls] == ["somebody", None]
    assert calls[0].context.parent_id == context.id


class Desk(LightEntity):
    """A light that Home Assistant itself guards."""

    _attr_name = "Desk"
    _attr_supported_color_modes = frozenset({ColorMode.ONOFF})
    _attr_color_mode = ColorMode.ONOFF
    _attr_is_on = False

    async def async_turn_on(self, **kwargs: Any) -> None:
        self._attr_is_on = True
        self.async_write_ha_state()


async def test_who_may_only_look_switches_nothing(
    home: HomeAssistant,
    loaded: MockConfigEntry,
    server: FakeServer,
    hass_read_only_user: MockUser,
    hass_admin_user: MockUser,
) -> None:
    setup_test_component_platform(home, "light", [Desk()])
    assert await async_setup_component(home, "light", {"light": {"platform": "test"}})
    await home.async_block_till_done()
    async_expose_entity(home, "conversation", "light.desk", True)
    carrier = loaded.runtime_data.carrier
    with pytest.raises(RefusedError) as refused:
        await server.call("light.turn_on", "light.desk", asked=carrier.begin(Context(user_id=hass_read_only_user.id)))
    assert (refused.value.reason, home.states.get("light.desk").state) == ("refused", "off")
    await server.call("light.turn_on", "light.desk", asked=carrier.begin(Context(user_id=hass_admin_user.id)))
    assert home.states.get("light.desk").state == "on"


@pytest.mark.parametrize(
    ("service", "entity_ids", "data", "reason"),
    [
        ("light.turn_on", ["light.secret"], {}, "not-exposed"),
        ("light.turn_on", ["light.lamp", "light.secret"], {}, "not-exposed"),
        ("light.turn_on", ["light.moon"], {}, "unknown-entity"),
        ("light.turn_on", [], {}, "input"),
        ("light.turn_on", ["all"], {}, "input"),
        ("light.turn_on", [5], {}, "input"),
        ("lock.unlock", ["light.lamp"], {}, "input"),
        ("homeassistant.restart", ["light.lamp"], {}, "input"),
        ("homeassistant.reload_config_entry", ["light.lamp"], {"entry_id": "x"}, "input"),
        ("light.turn_on", ["light.lamp"], {"entity_id": "light.secret"}, "input"),
        ("light.turn_on", ["light.lamp"], {"area_id": "kitchen"}, "input"),
        ("light.dance", ["light.lamp"], {}, "refused"),
        ("light.turn_on", ["light.lamp"] * 2001, {}, "input"),
    ],
)
async def test_what_assist_may_not_do_is_refused(
    home: HomeAssistant,
    loaded: MockConfigEntry,
    server: FakeServer,
    service: str,
    entity_ids: list[Any],
    data: dict[str, Any],
    reason: str,
) -> None:
    calls = async_mock_service(home, "light", "turn_on")
    with pytest.raises(RefusedError) as refused:
        await server.call(service, *entity_ids, **data)
    assert refused.value.reason == reason
    assert not calls


@pytest.mark.parametrize("fields", [{}, {"domain": 5}, {"domain": "light", "service": "turn_on", "service_data": 5}])
async def test_what_is_no_call_is_refused(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer, fields: dict[str, Any]
) -> None:
    assert server.dialogue is not None
    with pytest.raises(RefusedError) as refused:
        await server.dialogue.request("call", fields)
    assert refused.value.reason == "input"


@pytest.mark.parametrize(
    "error", [HomeAssistantError("it is jammed"), vol.Invalid("no such colour"), Unauthorized(), ValueError("odd")]
)
async def test_a_service_that_refuses_is_told_with_its_reason(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer, error: Exception
) -> None:
    async def refuse(call: ServiceCall) -> None:
        raise error

    home.services.async_register("light", "turn_on", refuse)
    with pytest.raises(RefusedError) as refused:
        await server.call("light.turn_on", "light.lamp")
    assert refused.value.reason == "refused"
    assert str(error) in refused.value.message
