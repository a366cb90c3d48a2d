"""What Home Assistant's attributes say that an entity can do."""

from __future__ import annotations

from typing import Any

import pytest

from hearth_server.home_assistant.capabilities import capabilities


@pytest.mark.parametrize(
    ("domain", "attributes", "expected"),
    [
        ("light", {"supported_color_modes": ["onoff"]}, set()),
        ("light", {"supported_color_modes": ["brightness"]}, {"brightness"}),
        ("light", {"supported_color_modes": ["color_temp"]}, {"brightness", "color_temp"}),
        ("light", {"supported_color_modes": ["hs", "white"]}, {"brightness", "color", "color_temp"}),
        ("light", {"supported_color_modes": ["rgbww"]}, {"brightness", "color", "color_temp"}),
        ("light", {"supported_color_modes": None}, set()),
        ("light", {"supported_color_modes": [5, None]}, set()),
        ("light", {"supported_features": 255}, set()),
        ("cover", {"supported_features": 11}, set()),
        ("cover", {"supported_features": 15}, {"position"}),
        ("valve", {"supported_features": 15}, {"position"}),
        ("fan", {"supported_features": 49}, {"speed"}),
        ("climate", {"supported_features": 401}, {"temperature"}),
        ("climate", {"supported_features": 9}, {"temperature", "fan_mode"}),
        ("climate", {"supported_features": 2}, set()),
        ("media_player", {"supported_features": 61}, {"pause", "volume", "mute", "previous", "next"}),
        ("vacuum", {"supported_features": 16384}, {"clean_area"}),
        ("switch", {"supported_features": 65535}, set()),
        ("fan", {"supported_features": "49"}, set()),
        ("fan", {}, set()),
    ],
)
def test_capabilities(domain: str, attributes: dict[str, Any], expected: set[str]) -> None:
    assert capabilities(domain, attributes) == expected
