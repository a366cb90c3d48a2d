"""Sunrise and sunset."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hearth_core.config_schedule import ScheduleConfig
from hearth_core.home import Entity, Home, State
from hearth_server.schedule.sun import next_sun

BERLIN = ScheduleConfig(latitude=52.52, longitude=13.405)
NOON = datetime(2026, 6, 21, 12, 0, tzinfo=ZoneInfo("Europe/Berlin"))

# From the almanac of the US Naval Observatory for 52.52 N, 13.405 E: sunrise 4:43, sunset 21:33 on 21 June.
ALMANAC = [
    ("sunset", 0, 2026, 6, 21, 21, 33),
    ("sunrise", 0, 2026, 6, 22, 4, 43),
    ("sunset", -1800, 2026, 6, 21, 21, 3),
]


@pytest.mark.parametrize(("event", "offset", "year", "month", "day", "hour", "minute"), ALMANAC)
def test_the_sun_is_computed(event: str, offset: int, year: int, month: int, day: int, hour: int, minute: int) -> None:
    found = next_sun(event, offset, NOON, Home(), BERLIN)
    assert found is not None
    assert abs(found - datetime(year, month, day, hour, minute, tzinfo=NOON.tzinfo)) < timedelta(minutes=2)


def test_beyond_the_polar_circle_it_may_be_weeks() -> None:
    found = next_sun("sunset", 0, NOON, Home(), ScheduleConfig(latitude=78.2, longitude=15.6))
    assert found is not None
    assert found.month == 8


def test_the_next_one_is_always_ahead() -> None:
    at = NOON
    for _ in range(400):
        following = next_sun("sunset", 3600, at, Home(), BERLIN)
        assert following is not None
        assert 0 < following.timestamp() - at.timestamp() < 25 * 3600
        at = following


def home(**attributes: object) -> Home:
    return Home.of((), (), [Entity("sun.sun", "Sun", state=State("above_horizon", attributes))])


def test_home_assistant_knows_the_sun() -> None:
    told = home(next_setting="2026-06-21T19:33:00+00:00", next_rising="2026-06-22T02:43:00+00:00")
    nowhere = ScheduleConfig()
    assert next_sun("sunset", 0, NOON, told, nowhere) == datetime(2026, 6, 21, 19, 33, tzinfo=UTC)
    assert next_sun("sunrise", -600, NOON, told, nowhere) == datetime(2026, 6, 22, 2, 33, tzinfo=UTC)
    late = NOON.replace(hour=21, minute=30)
    assert next_sun("sunset", -3600, late, told, nowhere) == datetime(2026, 6, 22, 18, 33, tzinfo=UTC)


@pytest.mark.parametrize(
    "told", [Home(), home(), home(next_setting=None), home(next_setting="soon"), home(next_setting=5)]
)
def test_without_a_place_nobody_knows(told: Home) -> None:
    assert next_sun("sunset", 0, NOON, told, ScheduleConfig()) is None
