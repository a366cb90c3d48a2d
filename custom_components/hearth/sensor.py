"""How the server and its satellites are, in figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorEntityDescription, SensorStateClass
from homeassistant.const import SIGNAL_STRENGTH_DECIBELS, EntityCategory, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType

from .coordinator import HearthConfigEntry, HearthCoordinator
from .entity import HearthEntity, add_satellites, number

PARALLEL_UPDATES = 0

MAX_STATE = 255  # Home Assistant's own limit
SATELLITE_STATES = ("idle", "listening", "streaming", "answering", "playing", "busy", "muted", "disconnected")
_SERVER_STATES = ("idle", "busy")

Facts = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class HearthSensorDescription(SensorEntityDescription):
    """What a sensor shows of the facts."""

    value: Callable[[Facts], StateType]
    attributes: Callable[[Facts], Facts | None] = lambda facts: None


def _last(facts: Facts) -> Facts:
    last = facts.get("last") or facts.get("last_command")
    return last if isinstance(last, dict) else {}


def _one_of(states: tuple[str, ...]) -> Callable[[Facts], StateType]:
    return lambda facts: state if (state := facts.get("state")) in states else None


def _command(facts: Facts) -> StateType:
    last = _last(facts)
    text = last.get("text")
    return text[:MAX_STATE] if isinstance(text, str) else None


_LAST_COMMAND = HearthSensorDescription(
    key="last_command",
    value=_command,
    attributes=lambda facts: {k: v for k, v in _last(facts).items() if k != "text"} or None,
)
SERVER: tuple[HearthSensorDescription, ...] = (
    HearthSensorDescription(
        key="state",
        device_class=SensorDeviceClass.ENUM,
        options=list(_SERVER_STATES),
        value=_one_of(_SERVER_STATES),
    ),
    _LAST_COMMAND,
    HearthSensorDescription(
        key="engine",
        entity_category=EntityCategory.DIAGNOSTIC,
        value=lambda facts: str(facts["engine"])[:MAX_STATE] if facts.get("engine") else None,
    ),
    HearthSensorDescription(
        key="latency",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.MILLISECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        value=lambda facts: number(_last(facts).get("latency_ms"), 0),
        attributes=lambda facts: _last(facts).get("stages_ms"),
    ),
    HearthSensorDescription(
        key="real_time_factor",
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=2,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda facts: number(_last(facts).get("real_time_factor"), 0),
    ),
    HearthSensorDescription(
        key="queue",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda facts: number(facts.get("queue"), 0),
    ),
    HearthSensorDescription(
        key="home_size",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        value=lambda facts: number(_mapping(facts.get("home")).get("entities"), 0),
        attributes=lambda facts: {k: v for k, v in _mapping(facts.get("home")).items() if k != "entities"},
    ),
)
SATELLITE: tuple[HearthSensorDescription, ...] = (
    HearthSensorDescription(
        key="satellite_state",
        device_class=SensorDeviceClass.ENUM,
        options=list(SATELLITE_STATES),
        value=_one_of(SATELLITE_STATES),
    ),
    HearthSensorDescription(
        key="signal_level",
        device_class=SensorDeviceClass.SIGNAL_STRENGTH,
        native_unit_of_measurement=SIGNAL_STRENGTH_DECIBELS,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda facts: number(facts.get("level_dbfs"), -200, 20),
    ),
    _LAST_COMMAND,
)


def _mapping(value: object) -> Facts:
    return value if isinstance(value, dict) else {}


async def async_setup_entry(
    hass: HomeAssistant, entry: HearthConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the entities."""
    async_add_entities([HearthSensor(entry.runtime_data, description) for description in SERVER])
    add_satellites(
        entry,
        async_add_entities,
        lambda coordinator, name: [
            (SatelliteCommand if description is _LAST_COMMAND else HearthSensor)(coordinator, description, name)
            for description in SATELLITE
        ],
    )


class HearthSensor(HearthEntity, SensorEntity):
    """One figure."""

    entity_description: HearthSensorDescription

    def __init__(
        self, coordinator: HearthCoordinator, description: HearthSensorDescription, satellite: str | None = None
    ) -> None:
        """Take what it shows."""
        super().__init__(coordinator, description.key, satellite)
        self.entity_description = description

    @property
    def native_value(self) -> StateType:
        """Return the figure."""
        return self.entity_description.value(self.facts)

    @property
    def extra_state_attributes(self) -> dict[str, Any] | None:
        """Return what goes with it."""
        attributes = self.entity_description.attributes(self.facts)
        return dict(attributes) if isinstance(attributes, Mapping) else None


class SatelliteCommand(HearthSensor):
    """The last command of one satellite: the server tells the last of all, so the satellite's own is remembered."""

    _last: Facts = {}

    async def async_added_to_hass(self) -> None:
        """Listen for commands."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.on_event(self._on_event))

    def _on_event(self, kind: str, facts: Facts) -> None:
        if facts.get("satellite") == self._satellite and "text" in facts:
            self._last = {"last_command": dict(facts)}
            self.async_write_ha_state()

    @property
    def facts(self) -> Facts:
        """Return the satellite's facts with its last command."""
        return {**super().facts, **self._last}
