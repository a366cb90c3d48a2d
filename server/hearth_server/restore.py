"""How to make things as they were before: pure, from states to actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hearth_core.command import Action
from hearth_core.home import Entity, State

_SWITCHED = frozenset({"automation", "fan", "humidifier", "input_boolean", "light", "remote", "siren", "switch"})


def restoring(before: Mapping[str, State], entities: Mapping[str, Entity]) -> tuple[Action, ...]:
    """Return the actions that bring things back to the states that they had.

    What did not change needs none; what cannot be brought back (a scene, a script, a pressed button, a state that
    nobody knew) has none.

    Args:
        before: the states, by entity id.
        entities: the things as they are now.
    """
    actions: list[Action] = []
    for entity_id, was in before.items():
        entity = entities.get(entity_id)
        back = _BACK.get(entity.domain) if entity else None
        if entity is None or back is None or was == entity.state or was.value in ("unknown", "unavailable"):
            continue
        action = back(entity, was)
        if action is not None:
            actions.append(action)
    return tuple(actions)


def _action(entity: Entity, service: str, expected: str | None = None, **data: Any) -> Action:
    return Action(f"{entity.domain}.{service}", (entity.entity_id,), data, expected)


def _switch(entity: Entity, was: State) -> Action | None:
    if was.value not in ("on", "off"):
        return None
    return _action(entity, f"turn_{was.value}", was.value)


def _light(entity: Entity, was: State) -> Action | None:
    brightness = was.attributes.get("brightness")
    if was.value != "on":
        return _switch(entity, was)
    data: dict[str, Any] = {}
    if brightness is not None:
        data["brightness_pct"] = max(1, round(float(brightness) / 2.55))
    for key in ("color_temp_kelvin", "color_name", "rgb_color"):  # a light has one of them at a time
        value = was.attributes.get(key)
        if value is not None and value != entity.state.attributes.get(key):
            data[key] = list(value) if isinstance(value, tuple) else value
            break
    return _action(entity, "turn_on", "on", **data)


def _fan(entity: Entity, was: State) -> Action | None:
    percentage = was.attributes.get("percentage")
    if was.value == "on" and percentage and "speed" in entity.capabilities:
        return _action(entity, "set_percentage", "on", percentage=percentage)
    return _switch(entity, was)


def _shutter(entity: Entity, was: State) -> Action | None:
    position = was.attributes.get("current_position")
    if position is not None and "position" in entity.capabilities:
        expected = "closed" if position == 0 else "open"
        return _action(entity, f"set_{entity.domain}_position", expected, position=position)
    if was.value in ("open", "opening"):
        return _action(entity, f"open_{entity.domain}", "open")
    if was.value in ("closed", "closing"):
        return _action(entity, f"close_{entity.domain}", "closed")
    return None


def _lock(entity: Entity, was: State) -> Action | None:
    service = {"locked": "lock", "locking": "lock", "unlocked": "unlock", "unlocking": "unlock"}.get(was.value)
    return None if service is None else _action(entity, service, f"{service}ed")


def _climate(entity: Entity, was: State) -> Action | None:
    temperature = was.attributes.get("temperature")
    if was.value != entity.state.value:
        return _action(entity, "set_hvac_mode", was.value, hvac_mode=was.value)
    changed = temperature is not None and temperature != entity.state.attributes.get("temperature")
    return _action(entity, "set_temperature", temperature=temperature) if changed else None


def _player(entity: Entity, was: State) -> Action | None:
    seen = entity.state.attributes
    volume, muted = was.attributes.get("volume_level"), was.attributes.get("is_volume_muted")
    if was.value != entity.state.value:
        service = {"playing": "media_play", "paused": "media_pause", "off": "turn_off"}.get(was.value, "turn_on")
        return _action(entity, service, was.value if service != "turn_on" else None)
    if volume is not None and volume != seen.get("volume_level"):
        return _action(entity, "volume_set", volume_level=volume)
    if muted is not None and muted != seen.get("is_volume_muted"):
        return _action(entity, "volume_mute", is_volume_muted=muted)
    return None


_BACK: Mapping[str, Callable[[Entity, State], Action | None]] = {
    **dict.fromkeys(_SWITCHED, _switch),
    "light": _light,
    "fan": _fan,
    "cover": _shutter,
    "valve": _shutter,
    "lock": _lock,
    "climate": _climate,
    "media_player": _player,
}
