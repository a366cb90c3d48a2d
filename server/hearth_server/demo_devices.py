"""How the demo home's devices behave: the state after a service, or a refusal, as real ones would have it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hearth_core.errors import BusError
from hearth_core.home import Entity, State

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A service called on one device."""

    entity: Entity
    service: str
    data: Values
    now: datetime
    colors: Mapping[str, list[int]]

    @property
    def state(self) -> State:
        """The state before."""
        return self.entity.state

    def to(self, value: str | None = None, **attributes: Any) -> State:
        """Return a state with this value (None: as before) and these attributes in place of the old."""
        return State(self.state.value if value is None else value, {**self.state.attributes, **attributes})

    def number(self, key: str, low: float, high: float) -> float:
        """Return a number of the data.

        Raises:
            BusError: it is missing, no number, or out of range.
        """
        value = self.data.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise BusError(f"{self.service}: {key} is {value!r}", remedy=f"Give a number from {low:g} to {high:g}")
        return value

    def need(self, capability: str) -> None:
        """Raise BusError if the device does not have the capability."""
        if capability not in self.entity.capabilities:
            raise BusError(f"{self.entity.entity_id} has no {capability}")


def after(call: Call) -> State:
    """Return the state that the service leads to.

    Raises:
        BusError: the device does not know the service, or not with this data.
    """
    if call.state.value == "unavailable":
        raise BusError(f"{call.entity.entity_id} is not available")
    domain, _, name = call.service.partition(".")
    handler = _SERVICES.get(call.service) if domain == call.entity.domain else None
    if handler is None:
        raise BusError(f"{call.entity.entity_id} does not know {domain}.{name}")
    known = _DATA.get(call.service, frozenset())
    unknown = sorted(call.data.keys() - known)
    if unknown:
        raise BusError(f"{call.service} does not take {unknown[0]!r}")
    return handler(call)


def _becomes(value: str, **attributes: Any) -> Callable[[Call], State]:
    return lambda call: call.to(value, **attributes)


def _light_on(call: Call) -> State:
    attributes: dict[str, Any] = {}
    if "brightness_pct" in call.data:
        call.need("brightness")
        # Home Assistant's scale, 0 to 255.
        attributes["brightness"] = round(call.number("brightness_pct", 0, 100) * 255 / 100)
        if attributes["brightness"] == 0:
            return call.to("off")
    elif "brightness" in call.entity.capabilities and not call.state.attributes.get("brightness"):
        attributes["brightness"] = 255
    if "color_temp_kelvin" in call.data:
        call.need("color_temp")
        kelvin = call.number("color_temp_kelvin", 1000, 10000)
        attributes |= {"color_temp_kelvin": kelvin, "color_name": None, "rgb_color": None}
    if "color_name" in call.data:
        call.need("color")
        color = call.data["color_name"]
        if color not in call.colors:
            raise BusError(f"{call.service}: no colour {color!r}")
        attributes |= {"color_name": color, "rgb_color": call.colors[color], "color_temp_kelvin": None}
    return call.to("on", **attributes)


def _cover(value: str, position: int) -> Callable[[Call], State]:
    def move(call: Call) -> State:
        positioned = "position" in call.entity.capabilities
        return call.to(value, **({"current_position": position} if positioned else {}))

    return move


def _position(call: Call) -> State:
    call.need("position")
    position = call.number("position", 0, 100)
    return call.to("open" if position else "closed", current_position=position)


def _fan_speed(call: Call) -> State:
    call.need("speed")
    percentage = call.number("percentage", 0, 100)
    return call.to("on" if percentage else "off", percentage=percentage)


def _set_temperature(call: Call) -> State:
    call.need("temperature")
    attributes = call.state.attributes
    low, high = attributes.get("min_temp", 7), attributes.get("max_temp", 35)
    return call.to(temperature=call.number("temperature", low, high))


def _set_fan_mode(call: Call) -> State:
    call.need("fan_mode")
    mode = call.data.get("fan_mode")
    if mode not in call.state.attributes.get("fan_modes", ()):
        raise BusError(f"{call.service}: no fan mode {mode!r}")
    return call.to(fan_mode=mode)


def _track(step: int) -> Callable[[Call], State]:
    def skip(call: Call) -> State:
        attributes = call.state.attributes
        tracks = int(attributes.get("media_tracks", 1))
        # Tracks count from 1 and begin again after the last.
        return call.to("playing", media_track=(int(attributes.get("media_track", 1)) - 1 + step) % tracks + 1)

    return skip


def _volume(call: Call) -> State:
    call.need("volume")
    return call.to(volume_level=round(call.number("volume_level", 0, 1), 2))


def _mute(call: Call) -> State:
    call.need("mute")
    return call.to(is_volume_muted=bool(call.data.get("is_volume_muted")))


def _activate(call: Call) -> State:
    # The state of a scene and of a button is when it was last used.
    return call.to(call.now.isoformat(timespec="milliseconds"))


def _run(call: Call) -> State:
    variables = call.data.get("variables") or {}
    if not isinstance(variables, Mapping):
        raise BusError(f"{call.service}: variables is {variables!r}", remedy="Give name: value")
    # What it was last asked for: a real script would be seen by what it does.
    asked: dict[str, Any] = {"variables": dict(variables)} if variables else {}
    return call.to(last_triggered=call.now.isoformat(timespec="milliseconds"), **asked)


def _clean(call: Call) -> State:
    call.need("clean_area")
    return call.to("cleaning", cleaning_area_id=call.data.get("cleaning_area_id", []))


_SERVICES: Mapping[str, Callable[[Call], State]] = {
    "light.turn_on": _light_on,
    "light.turn_off": _becomes("off"),
    "switch.turn_on": _becomes("on"),
    "switch.turn_off": _becomes("off"),
    "fan.turn_on": _becomes("on"),
    "fan.turn_off": _becomes("off"),
    "fan.set_percentage": _fan_speed,
    "cover.open_cover": _cover("open", 100),
    "cover.close_cover": _cover("closed", 0),
    "cover.set_cover_position": _position,
    "cover.stop_cover": lambda call: call.to(),
    "lock.lock": _becomes("locked"),
    "lock.unlock": _becomes("unlocked"),
    "climate.turn_on": _becomes("heat"),
    "climate.turn_off": _becomes("off"),
    "climate.set_temperature": _set_temperature,
    "climate.set_fan_mode": _set_fan_mode,
    "media_player.turn_on": _becomes("on"),
    "media_player.turn_off": _becomes("off"),
    "media_player.media_pause": _becomes("paused"),
    "media_player.media_play": _becomes("playing"),
    "media_player.media_next_track": _track(1),
    "media_player.media_previous_track": _track(-1),
    "media_player.volume_set": _volume,
    "media_player.volume_mute": _mute,
    "scene.turn_on": _activate,
    "button.press": _activate,
    "script.turn_on": _run,
    "script.turn_off": _becomes("off"),
    "vacuum.start": _becomes("cleaning"),
    "vacuum.return_to_base": _becomes("returning"),
    "vacuum.clean_area": _clean,
    "lawn_mower.start_mowing": _becomes("mowing"),
    "lawn_mower.dock": _becomes("returning"),
}

# What each service takes beside its entities; those that take nothing are not named.
_DATA: Mapping[str, frozenset[str]] = {
    "light.turn_on": frozenset({"brightness_pct", "color_name", "color_temp_kelvin"}),
    "fan.set_percentage": frozenset({"percentage"}),
    "cover.set_cover_position": frozenset({"position"}),
    "climate.set_temperature": frozenset({"temperature"}),
    "climate.set_fan_mode": frozenset({"fan_mode"}),
    "media_player.volume_set": frozenset({"volume_level"}),
    "media_player.volume_mute": frozenset({"is_volume_muted"}),
    "script.turn_on": frozenset({"variables"}),
    "vacuum.clean_area": frozenset({"cleaning_area_id"}),
}
