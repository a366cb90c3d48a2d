"""The section `schedule`."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from hearth_core.config_schedule import ScheduleConfig

WRONG = [
    ({"zone": "Europe/Nowhere"}, "time zone"), ({"zone": "../etc/passwd"}, "time zone"), ({"latitude": 91.0}, "90"),
    ({"latitude": 1.0}, "other coordinate"), ({"longitude": 1.0}, "other coordinate"), ({"max_items": 0}, "1"),
    ({"ring_times": 0}, "1"), ({"snooze_s": 1.0}, "30"), ({"missed_ring_s": -1.0}, "0"), ({"rings": 1}, "Extra"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "message"), WRONG)
def test_a_wrong_value_is_told(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ScheduleConfig.model_validate(values)


def test_a_place_and_a_zone_are_taken() -> None:
    config = ScheduleConfig(zone="Europe/Berlin", latitude=52.5, longitude=13.4)
    assert (config.zone, config.latitude) == ("Europe/Berlin", 52.5)
