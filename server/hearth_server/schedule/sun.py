"""When the sun rises and sets: computed for the configured place, else as Home Assistant says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from hearth_core.config_schedule import ScheduleConfig
from hearth_core.home import Home

# Beyond the polar circles the next sunset may be months away; nobody plans further.
_MAX_DAYS: Final = 200
_ATTRIBUTES: Final = {"sunrise": "next_rising", "sunset": "next_setting"}


def next_sun(event: str, offset_s: float, after: datetime, home: Home, config: ScheduleConfig) -> datetime | None:
    """Return the first moment after another that is so long after sunrise or sunset; None if nobody knows the place.

    Home Assistant tells the next sunrise and sunset alone; the one after it counts as a day later, which is wrong by a
    few minutes at most.

    Args:
        event: "sunrise" or "sunset".
        offset_s: seconds after it, negative before.
        after: the moment, with a zone.
        home: may hold Home Assistant's sun.sun.
        config: may hold the place.
    """
    offset = timedelta(seconds=offset_s)
    if config.latitude is not None and config.longitude is not None:
        return _computed(event, offset, after, config.latitude, config.longitude)
    sun = home.entities.get("sun.sun")
    told = sun.state.attributes.get(_ATTRIBUTES[event]) if sun else None
    try:
        moment = datetime.fromisoformat(str(told))
    except ValueError:
        return None
    moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) + offset
    behind = (after - moment) // timedelta(days=1) + 1
    return moment + timedelta(days=max(0, behind))


def _computed(event: str, offset: timedelta, after: datetime, latitude: float, longitude: float) -> datetime | None:
    from astral import Observer
    from astral.sun import sunrise, sunset

    place = Observer(latitude, longitude)
    compute = sunrise if event == "sunrise" else sunset
    start = (after - offset).astimezone(UTC).date()
    for ahead in range(-1, _MAX_DAYS):
        try:
            moment = compute(place, start + timedelta(days=ahead), tzinfo=UTC) + offset
        except ValueError:  # it does not rise or set on that day
            continue
        if moment > after:
            return moment.astimezone(after.tzinfo)
    return None
