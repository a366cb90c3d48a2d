"""Bringing things back to the states that they had."""

from __future__ import annotations

from typing import Any

import pytest

from hearth_core.command import Action
from hearth_core.home import Entity, State
from hearth_server.restore import restoring


@pytest.mark.parametrize(
    ("entity_id", "can", "was", "now", "service", "data"),
    [
        ("light.x", "", State("on"), State("off"), "light.turn_on", {}),
        ("light.x", "", State("on", {"brightness": 128}), State("off"), "light.turn_on", {"brightness_pct": 50}),
        ("light.x", "", State("off"), State("on"), "light.turn_off", {}),
        (
            "light.x",
            "",
            State("on", {"brightness": 255, "color_temp_kelvin": 2700}),
            State("on", {"brightness": 255, "color_temp_kelvin": None, "rgb_color": (1, 2, 3)}),
            "light.turn_on",
            {"brightness_pct": 100, "color_temp_kelvin": 2700},
        ),
        ("switch.x", "", State("on"), State("off"), "switch.turn_on", {}),
        (
            "fan.x",
            "speed",
            State("on", {"percentage": 30}),
            State("on", {"percentage": 90}),
            "fan.set_percentage",
            {"percentage": 30},
        ),
        ("fan.x", "speed", State("off", {"percentage": 0}), State("on"), "fan.turn_off", {}),
        (
            "cover.x",
            "position",
            State("open", {"current_position": 60}),
            State("closed", {"current_position": 0}),
            "cover.set_cover_position",
            {"position": 60},
        ),
        ("cover.x", "", State("open"), State("closed"), "cover.open_cover", {}),
        ("cover.x", "", State("closed"), State("opening"), "cover.close_cover", {}),
        ("valve.x", "", State("closed"), State("open"), "valve.close_valve", {}),
        ("lock.x", "", State("locked"), State("unlocked"), "lock.lock", {}),
        ("lock.x", "", State("unlocked"), State("locked"), "lock.unlock", {}),
        (
            "climate.x",
            "",
            State("heat", {"temperature": 20}),
            State("heat", {"temperature": 23}),
            "climate.set_temperature",
            {"temperature": 20},
        ),
        ("climate.x", "", State("heat"), State("off"), "climate.set_hvac_mode", {"hvac_mode": "heat"}),
        (
            "media_player.x",
            "",
            State("playing", {"volume_level": 0.3}),
            State("playing", {"volume_level": 0.4}),
            "media_player.volume_set",
            {"volume_level": 0.3},
        ),
        ("media_player.x", "", State("playing"), State("paused"), "media_player.media_play", {}),
        (
            "media_player.x",
            "",
            State("on", {"is_volume_muted": False}),
            State("on", {"is_volume_muted": True}),
            "media_player.volume_mute",
            {"is_volume_muted": False},
        ),
    ],
)
def test_there_is_a_way_back(
    entity_id: str, can: str, was: State, now: State, service: str, data: dict[str, Any]
) -> None:
    entity = Entity(entity_id, "X", state=now, capabilities=frozenset({can} - {""}))
    (action,) = restoring({entity_id: was}, {entity_id: entity})
    assert isinstance(action, Action)
    assert (action.service, action.entity_ids, dict(action.data)) == (service, (entity_id,), data)


@pytest.mark.parametrize(
    ("entity_id", "was", "now"),
    [
        ("light.x", State("on"), State("on")),
        ("light.x", State("unknown"), State("on")),
        ("light.x", State("unavailable"), State("on")),
        ("scene.x", State("1"), State("2")),
        ("script.x", State("off"), State("on")),
        ("button.x", State("1"), State("2")),
        ("lock.x", State("jammed"), State("locked")),
        ("cover.x", State("stopped"), State("open")),
    ],
)
def test_what_did_not_change_or_cannot_be_brought_back_is_left(entity_id: str, was: State, now: State) -> None:
    assert restoring({entity_id: was}, {entity_id: Entity(entity_id, "X", state=now)}) == ()


def test_a_thing_that_has_gone_is_left() -> None:
    assert restoring({"light.x": State("on")}, {}) == ()
