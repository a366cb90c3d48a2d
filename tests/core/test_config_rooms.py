"""The keys that say how a room is chosen."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from hearth_core.config import Config
from hearth_core.config_rooms import HearingConfig, RoomsConfig, RoomWeightsConfig
from hearth_server.arbitration import Rules


@pytest.mark.parametrize("section", [RoomsConfig, RoomWeightsConfig, HearingConfig])
def test_every_key_is_described_and_has_a_default(section: type[RoomsConfig]) -> None:
    assert section() == section.model_validate({})
    assert all(field.description for field in section.model_fields.values())


def test_the_rules_of_the_code_are_the_defaults_of_the_configuration() -> None:
    assert Rules.of(RoomsConfig()) == Rules()


@pytest.mark.parametrize(
    "wrong",
    [
        {"window_s": 0},
        {"window_s": 9},
        {"patience_s": -1},
        {"same_speech": 2},
        {"weights": {"level": -1}},
        {"rooms": 1},
    ],
)
def test_what_is_out_of_range_or_unknown_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RoomsConfig.model_validate(wrong)


def test_a_satellite_may_have_a_group_and_a_gain() -> None:
    entry = {"name": "barn", "uri": "tcp://127.0.0.1:10700", "group": "barn", "gain_db": -6}
    config = Config.model_validate({"server": {"satellites": [entry], "rooms": {"window_s": 0.7}}})
    assert (config.server.satellites[0].group, config.server.satellites[0].gain_db) == ("barn", -6.0)
    assert Rules.of(config.server.rooms).window_s == 0.7
