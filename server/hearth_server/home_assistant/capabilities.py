"""What an entity can do, from the attributes that Home Assistant gives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Bits of supported_features, from each integration's EntityFeature.
_FEATURES: Mapping[str, Mapping[int, str]] = {
    "climate": {1: "temperature", 8: "fan_mode"},
    "cover": {4: "position"},
    "fan": {1: "speed"},
    "media_player": {1: "pause", 4: "volume", 8: "mute", 16: "previous", 32: "next"},
    "vacuum": {16384: "clean_area"},
    "valve": {4: "position"},
}
_COLOR_MODES = frozenset({"hs", "rgb", "rgbw", "rgbww", "xy"})
_DIMMABLE_MODES = _COLOR_MODES | {"brightness", "color_temp", "white"}


def capabilities(domain: str, attributes: Mapping[str, Any]) -> frozenset[str]:
    """Return the optional services that an entity has; see `hearth_server.bus` for their names."""
    if domain == "light":
        return _light(attributes.get("supported_color_modes"))
    features = attributes.get("supported_features")
    if not isinstance(features, int):
        return frozenset()
    return frozenset(name for bit, name in _FEATURES.get(domain, {}).items() if features & bit)


def _light(modes: Any) -> frozenset[str]:
    if not isinstance(modes, list):
        return frozenset()
    can = {str(mode) for mode in modes}
    found = set()
    if can & _DIMMABLE_MODES:
        found.add("brightness")
    if can & _COLOR_MODES:
        # Home Assistant turns a colour temperature into a colour for lights that have only these.
        found |= {"color", "color_temp"}
    if "color_temp" in can:
        found.add("color_temp")
    return frozenset(found)
