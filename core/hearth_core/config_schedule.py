"""The section `schedule`: timers, alarms, and commands that are put off."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from .section import PathText, Section


def _zone(name: str) -> str:
    if name:
        from zoneinfo import ZoneInfo

        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:  # not a key, or none that this machine has
            raise PydanticCustomError("zone", "should be a time zone such as Europe/Berlin") from error
    return name


class ScheduleConfig(Section):
    """Timers, alarms and commands for later; kept in a file, so that they outlive a restart."""

    file: PathText = Field(
        default="",
        description="Where they are kept; empty: hearth/schedule.db in $XDG_STATE_HOME, which is ~/.local/state.",
    )
    max_items: int = Field(default=100, ge=1, le=10_000, description="How many there may be; more are refused.")
    zone: Annotated[str, Field(max_length=64), AfterValidator(_zone)] = Field(
        default="", description="Time zone, e.g. Europe/Berlin; empty: this machine's."
    )
    latitude: float | None = Field(
        default=None, ge=-90, le=90, description="Degrees north, for sunrise and sunset without Home Assistant's sun."
    )
    longitude: float | None = Field(
        default=None, ge=-180, le=180, description="Degrees east, for sunrise and sunset without Home Assistant's sun."
    )
    missed_ring_s: float = Field(
        default=3600.0, ge=0, le=604_800, description="Seconds up to which a missed timer or alarm still rings."
    )
    missed_command_s: float = Field(
        default=300.0, ge=0, le=86_400, description="Seconds up to which a missed command is still done."
    )
    ring_times: int = Field(default=6, ge=1, le=100, description="How often a timer or an alarm is announced.")
    ring_every_s: float = Field(default=10.0, ge=1, le=600, description="Seconds from one announcement to the next.")
    snooze_s: float = Field(default=540.0, ge=30, le=7200, description="Seconds that an alarm is put off by snoozing.")

    @model_validator(mode="after")
    def _both(self) -> ScheduleConfig:
        if (self.latitude is None) != (self.longitude is None):
            missing = "latitude" if self.latitude is None else "longitude"
            raise PydanticCustomError("place", "is needed with the other coordinate", {"at": (missing,)})
        return self
