"""Which buses a configuration comes to."""

from __future__ import annotations

from typing import Any

import pytest

from hearth_core.config import HomeConfig
from hearth_core.errors import ConfigError
from hearth_server.buses import configured_buses

HOME_ASSISTANT = {"token": "token"}


@pytest.mark.parametrize(
    ("home", "names"),
    [
        ({}, ["demo"]),
        ({"demo": False}, []),
        ({"home_assistant": HOME_ASSISTANT}, ["home_assistant"]),
        ({"home_assistant": HOME_ASSISTANT, "demo": True}, ["home_assistant", "demo"]),
        ({"mqtt": {}, "knx": {"connection": {"type": "routing"}}}, ["knx", "mqtt"]),
        (
            {"home_assistant": HOME_ASSISTANT, "mqtt": {}, "knx": {"connection": {"type": "routing"}}},
            ["knx", "mqtt", "home_assistant"],
        ),
    ],
)
def test_the_demo_home_does_not_mix_into_a_real_one_unasked(home: dict[str, Any], names: list[str]) -> None:
    assert [bus.name for bus in configured_buses(HomeConfig.model_validate(home)).buses] == names


def test_without_a_token_the_server_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HEARTH_HOME_ASSISTANT_TOKEN", "SUPERVISOR_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(ConfigError, match="no token for Home Assistant"):
        configured_buses(HomeConfig.model_validate({"home_assistant": {}}))
