"""What on and off mean for each kind of entity."""

from __future__ import annotations

from collections.abc import Mapping

# Service and the state after it, per domain, as Home Assistant's intent handlers map them; None: it cannot be done.
Switching = Mapping[str, tuple[str, str | None] | None]
_ON: Switching = {
    "button": ("press", None),
    "cover": ("open_cover", "open"),
    "input_button": ("press", None),
    "lawn_mower": ("start_mowing", "mowing"),
    "lock": ("lock", "locked"),
    "scene": ("turn_on", None),
    "script": ("turn_on", None),
    "vacuum": ("start", "cleaning"),
    "valve": ("open_valve", "open"),
}
_OFF: Switching = {
    "button": None,
    "cover": ("close_cover", "closed"),
    "input_button": None,
    "lawn_mower": ("dock", None),
    "lock": ("unlock", "unlocked"),
    "scene": None,
    "script": ("turn_off", "off"),
    "vacuum": ("return_to_base", None),
    "valve": ("close_valve", "closed"),
}
# Those that simply go on and off. Climate and media players do not go into a state called "on".
_SWITCHED = frozenset({"automation", "fan", "humidifier", "input_boolean", "light", "remote", "siren", "switch"})
_SWITCHED_ON_SOMEHOW = frozenset({"climate", "media_player", "water_heater"})
# What "turn off everything in the kitchen" means: what one leaves on by mistake. Off must not unlock a door with it.
EVERYTHING = frozenset({"fan", "input_boolean", "light", "media_player", "switch"})
# What "is on" for the purpose of toggling, whatever the kind.
ON_STATES = frozenset({"buffering", "heat", "idle", "on", "open", "opening", "paused", "playing"})


def switching(domain: str, on: bool) -> tuple[str, str | None] | None:
    """Return the service that switches this kind of entity, and the state after it; None if it cannot be switched so.

    The service is without its domain; the state is None where it cannot be told beforehand.
    """
    special = _ON if on else _OFF
    if domain in special:
        return special[domain]
    if domain in _SWITCHED:
        return ("turn_on", "on") if on else ("turn_off", "off")
    if domain in _SWITCHED_ON_SOMEHOW:
        return ("turn_on", None) if on else ("turn_off", "off")
    return None
