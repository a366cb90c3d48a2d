"""Whether a state that came back shows that a service did what it was called for."""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Mapping
from typing import Any

from hearth_core.command import Action
from hearth_core.home import State

_OFF = frozenset({"off", "standby", "unavailable", "unknown"})
# A device on its way has understood; a blind takes a minute. Not so a lock: one that jams was on its way as well.
_ON_ITS_WAY: Mapping[str, frozenset[str]] = {
    "open": frozenset({"open", "opening"}),
    "closed": frozenset({"closed", "closing"}),
    "playing": frozenset({"playing", "buffering"}),
}
# After services that lead to no single state.
_AFTER: Mapping[str, frozenset[str]] = {
    "lawn_mower.dock": frozenset({"docked", "returning"}),
    "vacuum.return_to_base": frozenset({"docked", "returning"}),
}
_SWITCHED_ON_SOMEHOW = frozenset({"climate.turn_on", "media_player.turn_on", "water_heater.turn_on"})
# The device itself says that it could not.
_FAILED: Mapping[str, frozenset[str]] = {
    "lawn_mower": frozenset({"error"}),
    "lock": frozenset({"jammed"}),
    "vacuum": frozenset({"error"}),
}
# A blind stops where its motor runs out.
POSITION_TOLERANCE = 3.0
# 255 steps of brightness, and lamps with a hundred of their own: two roundings of half a step.
BRIGHTNESS_TOLERANCE = 1.5
VOLUME_TOLERANCE = 0.03
# Lamps count in mired, whole ones: 42 K apart at 6500 K.
KELVIN_TOLERANCE = 0.025
# Each lamp reaches other colours; what a person calls green stays green within these.
HUE_TOLERANCE = 30.0
SATURATION_TOLERANCE = 30.0
WHITISH = 0.2  # so pale that its hue means nothing

# The colours of the sentences of home-assistant-intents and a few more, as CSS has them: red, green, blue.
_COLORS: Mapping[str, tuple[int, int, int]] = {
    "beige": (245, 245, 220),
    "blue": (0, 0, 255),
    "brown": (165, 42, 42),
    "cyan": (0, 255, 255),
    "gold": (255, 215, 0),
    "green": (0, 128, 0),
    "indigo": (75, 0, 130),
    "lavender": (230, 230, 250),
    "lime": (0, 255, 0),
    "magenta": (255, 0, 255),
    "orange": (255, 165, 0),
    "pink": (255, 192, 203),
    "purple": (128, 0, 128),
    "red": (255, 0, 0),
    "turquoise": (64, 224, 208),
    "violet": (238, 130, 238),
    "white": (255, 255, 255),
    "yellow": (255, 255, 0),
}

Attributes = Mapping[str, Any]


def failed(domain: str, state: State) -> bool:
    """Return True if the state says that the device tried and could not."""
    return state.value in _FAILED.get(domain, frozenset())


def reached(action: Action, before: State, now: State) -> bool | None:
    """Tell whether a state shows that the action arrived.

    Args:
        action: what was to be done.
        before: the state when it was called.
        now: the state since.

    Returns:
        True if what was asked for is reached or the device is on its way there, False if not, None if no state can tell
        (a scene, a button, the next track): then only that the call itself moved something shows it.
    """
    if now.value == "unavailable":
        return False
    value = _value_reached(action, before, now)
    told = [check(wanted, now.attributes) for key, wanted in action.data.items() if (check := _CHECKS.get(key))]
    if "position" in action.data:
        told.append(_position_reached(action.data["position"], before, now))
        value = None  # 30 % open is "open", and so was 70 %
    if "hvac_mode" in action.data:
        told.append(now.value == action.data["hvac_mode"])
    if value is False or False in told:
        return False
    unknown = [key for key in action.data if key not in _CHECKS and key not in _HARMLESS]
    if None in told or unknown:
        return None
    return True if value or told else None


def _value_reached(action: Action, before: State, now: State) -> bool | None:
    if action.service in _SWITCHED_ON_SOMEHOW:
        return now.value not in _OFF
    expected = action.expected
    if expected is None:
        after = _AFTER.get(action.service)
        return None if after is None else now.value in after
    if expected == "open" and now.value == "open":
        # A blind that is a hand's breadth open is "open" before anything has moved.
        position = _number(now.attributes.get("current_position"))
        return position is None or position >= 100 - POSITION_TOLERANCE or _moves_towards(100, before, now)
    if expected == "closed" and now.value == "open":
        return _moves_towards(0, before, now)  # some tell where they are, not that they move
    return now.value in _ON_ITS_WAY.get(expected, {expected})


def _position_reached(wanted: Any, before: State, now: State) -> bool | None:
    target, position = _number(wanted), _number(now.attributes.get("current_position"))
    if target is None or position is None:
        return None
    if abs(position - target) <= POSITION_TOLERANCE:
        return True
    if now.value in ("opening", "closing"):
        return (now.value == "opening") == (position < target)
    return _moves_towards(target, before, now)


def _moves_towards(target: float, before: State, now: State) -> bool:
    was, position = (_number(state.attributes.get("current_position")) for state in (before, now))
    return was is not None and position is not None and abs(position - target) < abs(was - target)


def _brightness(percent: Any, seen: Attributes) -> bool | None:
    wanted, level = _number(percent), _number(seen.get("brightness"))
    if wanted == 0:
        return not level
    return None if wanted is None else level is not None and abs(level / 2.55 - wanted) <= BRIGHTNESS_TOLERANCE


def _kelvin(kelvin: Any, seen: Attributes) -> bool | None:
    wanted, level = _number(kelvin), _number(seen.get("color_temp_kelvin"))
    if wanted is None or level is None:
        return None  # a lamp without white light shows it as a colour
    low, high = (_number(seen.get(f"{end}_color_temp_kelvin")) for end in ("min", "max"))
    wanted = min(max(wanted, low or wanted), high or wanted)
    return abs(level - wanted) <= wanted * KELVIN_TOLERANCE


def _color(name: Any, seen: Attributes) -> bool | None:
    rgb = _COLORS.get(str(name).replace(" ", "").casefold())
    shown = seen.get("hs_color")
    if rgb is None or not isinstance(shown, list | tuple) or len(shown) != 2:
        return None
    hue, saturation = _number(shown[0]), _number(shown[1])
    if hue is None or saturation is None:
        return None
    wanted_hue, wanted_saturation, _ = colorsys.rgb_to_hsv(*(part / 255 for part in rgb))
    if abs(wanted_saturation * 100 - saturation) > SATURATION_TOLERANCE:
        return False
    apart = abs(wanted_hue * 360 - hue)
    return wanted_saturation < WHITISH or min(apart, 360 - apart) <= HUE_TOLERANCE


def _percentage(percent: Any, seen: Attributes) -> bool | None:
    wanted, level = _number(percent), _number(seen.get("percentage"))
    if wanted is None:
        return None
    if wanted == 0:
        return not level
    # A fan of three speeds takes the next one.
    step = _number(seen.get("percentage_step")) or 1.0
    return level is not None and abs(level - wanted) < step + 0.5


def _temperature(degrees: Any, seen: Attributes) -> bool | None:
    wanted, level = _number(degrees), _number(seen.get("temperature"))
    if wanted is None or level is None:
        return None
    # Thermostats round to their step, mostly half a degree.
    return abs(level - wanted) <= max(0.25, (_number(seen.get("target_temp_step")) or 0.5) / 2)


def _volume(volume: Any, seen: Attributes) -> bool | None:
    wanted, level = _number(volume), _number(seen.get("volume_level"))
    return None if wanted is None or level is None else abs(level - wanted) <= VOLUME_TOLERANCE


def _same(key: str) -> Callable[[Any, Attributes], bool | None]:
    def check(wanted: Any, seen: Attributes) -> bool | None:
        return None if seen.get(key) is None else bool(seen[key] == wanted)

    return check


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


# What shows that a service's data arrived; each returns None if these attributes cannot tell.
_CHECKS: Mapping[str, Callable[[Any, Attributes], bool | None]] = {
    "brightness_pct": _brightness,
    "color_name": _color,
    "color_temp_kelvin": _kelvin,
    "fan_mode": _same("fan_mode"),
    "is_volume_muted": _same("is_volume_muted"),
    "percentage": _percentage,
    "preset_mode": _same("preset_mode"),
    "temperature": _temperature,
    "volume_level": _volume,
}
# Data that leaves no trace of its own; what it goes with shows that it arrived.
_HARMLESS = frozenset({"cleaning_area_id", "hvac_mode", "position", "transition"})
