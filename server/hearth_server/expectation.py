"""Whether a state that came back is what an action was for; the same question on every direct bus."""

from __future__ import annotations

from hearth_core.command import Action
from hearth_core.home import State

# A device on its way has understood; a blind may take a minute to get there.
_ON_ITS_WAY = {
    "open": frozenset({"open", "opening"}),
    "closed": frozenset({"closed", "closing"}),
    "locked": frozenset({"locked", "locking"}),
    "unlocked": frozenset({"unlocked", "unlocking"}),
}
# KNX carries per cent in 255 steps and MQTT devices in as few as 100: two roundings of half a step each.
PERCENT_TOLERANCE = 1.5
# A blind stops where its motor runs out, not where it was told.
POSITION_TOLERANCE = 3.0
# Thermostats round to half a degree.
TEMPERATURE_TOLERANCE = 0.25


def fulfilled(action: Action, state: State, before: State | None = None) -> bool:
    """Return True if the state shows that the action arrived: it is reached, or the device is on its way to it.

    Args:
        action: what was to be done.
        state: what came back after it.
        before: what was known before it; a blind that tells only its position shows by it that it moves.
    """
    data, seen = action.data, state.attributes
    if before is not None and _moves_towards(action, before, state):
        return True
    if "position" in data:
        return _position_fulfilled(float(data["position"]), state)
    if action.expected is not None and state.value not in _ON_ITS_WAY.get(action.expected, {action.expected}):
        return False
    if "brightness_pct" in data and float(data["brightness_pct"]) > 0:
        level = seen.get("brightness")
        if not _near(None if level is None else level / 2.55, data["brightness_pct"], PERCENT_TOLERANCE):
            return False
    if "temperature" in data and not _near(seen.get("temperature"), data["temperature"], TEMPERATURE_TOLERANCE):
        return False
    if "hvac_mode" in data and state.value != data["hvac_mode"]:
        return False
    return "preset_mode" not in data or seen.get("preset_mode") == data["preset_mode"]


def _position_fulfilled(wanted: float, state: State) -> bool:
    position = state.attributes.get("current_position")
    if position is None:
        return False
    if state.value == "opening":
        return bool(position <= wanted)
    if state.value == "closing":
        return bool(position >= wanted)
    return _near(position, wanted, POSITION_TOLERANCE)


def _moves_towards(action: Action, before: State, now: State) -> bool:
    target = action.data.get("position", {"open": 100, "closed": 0}.get(action.expected or ""))
    was, is_now = before.attributes.get("current_position"), now.attributes.get("current_position")
    if target is None or was is None or is_now is None:
        return False
    return bool(abs(is_now - float(target)) < abs(was - float(target)))


def _near(value: float | None, wanted: float, tolerance: float) -> bool:
    return value is not None and abs(float(value) - float(wanted)) <= tolerance + 1e-9
