"""Between Home Assistant's words and group addresses: pure, no connection.

Positions are turned round here and nowhere else: 100 % is closed on KNX and open in Home Assistant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xknx.dpt.dpt import DPTBase, DPTNumeric
from xknx.dpt.dpt_1 import Step
from xknx.dpt.dpt_3 import ControlDimming, DPTControlDimming
from xknx.dpt.dpt_5 import DPTScaling
from xknx.dpt.dpt_17 import DPTSceneNumber
from xknx.dpt.dpt_18 import DPTSceneControl, SceneControl
from xknx.dpt.dpt_20 import DPTHVACMode, HVACOperationMode
from xknx.dpt.payload import DPTArray, DPTBinary
from xknx.exceptions import XKNXException

from hearth_core.command import Action
from hearth_core.config_knx import (
    KnxBinarySensor,
    KnxClimate,
    KnxCover,
    KnxEntity,
    KnxLight,
    KnxScene,
    KnxSensor,
    KnxSwitch,
    Point,
)
from hearth_core.errors import BusError
from hearth_core.home import UNKNOWN, State

from .link import GroupTelegram, Payload

Heard = Mapping[str, Payload]
"""The last value of each group address that has had one."""

# 3.007: a step of 100 / 2 ** (code - 1) per cent.
_STEPS = {code: 100 / 2 ** (code - 1) for code in range(1, 8)}


@dataclass(frozen=True, slots=True)
class Write:
    """One value to set.

    Attributes:
        telegram: address and value.
        answer: the address that tells whether it was, None if none does.
        repeatable: True if it does no harm twice.
    """

    telegram: GroupTelegram
    answer: str | None = None
    repeatable: bool = True


def points(entity: KnxEntity) -> tuple[Point, ...]:
    """Return the entity's points."""
    return tuple(value for name in type(entity).model_fields if isinstance(value := getattr(entity, name), Point))


def told_by(point: Point) -> str | None:
    """Return the address whose value is the point's: its state; without one, what others write to it."""
    return point.state or point.write


def capabilities(entity: KnxEntity) -> frozenset[str]:
    """Return the optional services that the entity has, in the words of `Bus`."""
    match entity:
        case KnxLight() if entity.brightness and entity.brightness.write:
            return frozenset({"brightness"})
        case KnxCover() if entity.position and entity.position.write:
            return frozenset({"position"})
        case KnxClimate() if entity.setpoint.write:
            return frozenset({"temperature"})
    return frozenset()


def unknown_dpts(entity: KnxEntity) -> tuple[str, ...]:
    """Return the DPTs of the entity that xknx cannot read."""
    return tuple(point.dpt for point in points(entity) if _transcoder(point.dpt) is None)


# -- what is heard -----------------------------------------------------------------------------------------------------


def state_of(entity: KnxEntity, heard: Heard) -> State:
    """Return the entity's state after these telegrams.

    Raises:
        BusError: a value is not of the DPT that the point is said to have.
    """
    match entity:
        case KnxLight():
            on, level = _bit(entity.switch, heard), _raw_byte(entity.brightness, heard)
            if on is None and level is not None:
                on = level > 0
            attributes = {"brightness": level} if on and level is not None else {}
            return UNKNOWN if on is None else State("on" if on else "off", attributes)
        case KnxSwitch():
            return _on_off(_bit(entity.switch, heard), entity.invert)
        case KnxBinarySensor():
            return _on_off(_bit(entity.value, heard), entity.invert)
        case KnxCover():
            return _cover(entity, heard)
        case KnxClimate():
            return _climate(entity, heard)
        case KnxSensor():
            value = _value(entity.value, heard)
            unit = getattr(_transcoder(entity.value.dpt), "unit", None)
            return UNKNOWN if value is None else State(_shown(value), {"unit_of_measurement": unit} if unit else {})
        case KnxScene():
            return UNKNOWN


def _on_off(bit: bool | None, invert: bool) -> State:
    return UNKNOWN if bit is None else State("on" if bit != invert else "off")


def _cover(entity: KnxCover, heard: Heard) -> State:
    byte = _raw_byte(entity.position, heard)
    if byte is not None:
        position = _turned(entity, byte * 100 / 255)
        return State("open" if position else "closed", {"current_position": position})
    down = _bit(entity.move, heard) if entity.move and entity.move.state else None
    return UNKNOWN if down is None else State("closed" if down else "open")


def _climate(entity: KnxClimate, heard: Heard) -> State:
    on = _bit(entity.on_off, heard)
    mode = _value(entity.mode, heard)
    attributes: dict[str, Any] = {
        "temperature": _value(entity.setpoint, heard),
        "current_temperature": _value(entity.temperature, heard),
        "preset_mode": mode.name.lower() if isinstance(mode, HVACOperationMode) else None,
    }
    known = {key: value for key, value in attributes.items() if value is not None}
    value = "off" if on is False else "heat"
    return State(value if known or on is not None else "unknown", known)


def _turned(entity: KnxCover, per_cent: float) -> int:
    """Turn a position of one side into one of the other; it is its own inverse."""
    bounded = min(100.0, max(0.0, per_cent))
    return round(bounded if entity.invert_position else 100 - bounded)


def _payload(point: Point | None, heard: Heard) -> Payload | None:
    address = told_by(point) if point is not None else None
    return heard.get(address) if address is not None else None


def _bit(point: Point | None, heard: Heard) -> bool | None:
    payload = _payload(point, heard)
    if payload is None:
        return None
    if not isinstance(payload, DPTBinary) or payload.value not in (0, 1):
        raise _misfit(point, payload)
    return bool(payload.value)


def _raw_byte(point: Point | None, heard: Heard) -> int | None:
    payload = _payload(point, heard)
    if payload is None:
        return None
    if not isinstance(payload, DPTArray) or len(payload.value) != 1:
        raise _misfit(point, payload)
    return int(payload.value[0])


def _value(point: Point | None, heard: Heard) -> Any:
    payload = _payload(point, heard)
    if payload is None or point is None:
        return None
    transcoder = _transcoder(point.dpt)
    try:
        return transcoder.from_knx(payload) if transcoder is not None else None
    except XKNXException as error:
        raise _misfit(point, payload) from error


def _misfit(point: Point | None, payload: Payload) -> BusError:
    assert point is not None
    return BusError(f"{told_by(point)} sends {payload.value!r}, which is not of DPT {point.dpt}")


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return str(getattr(value, "name", value)).lower() if not isinstance(value, int | str) else str(value)


def _transcoder(dpt: str) -> type[DPTBase] | None:
    return DPTBase.parse_transcoder(dpt)


# -- what is said ------------------------------------------------------------------------------------------------------


def writes(entity: KnxEntity, action: Action, state: State) -> tuple[Write, ...]:
    """Return what to write for the action, in order.

    Args:
        entity: whose addresses.
        action: what to do.
        state: how the entity is now, for what is relative.

    Raises:
        BusError: the entity cannot do that.
    """
    domain, _, service = action.service.partition(".")
    if domain not in (entity.domain, "homeassistant"):
        raise BusError(f"{entity.entity_id} is no {domain}")
    match entity:
        case KnxSwitch() if service in ("turn_on", "turn_off"):
            _only(entity, action)
            return (_write_bit(entity, entity.switch, (service == "turn_on") != entity.invert),)
        case KnxLight() if service in ("turn_on", "turn_off"):
            return (_light_write(entity, service, action, state),)
        case KnxCover():
            return (_cover_write(entity, service, action),)
        case KnxClimate():
            return _climate_writes(entity, service, action)
        case KnxScene() if service == "turn_on":
            _only(entity, action)
            return (_scene_write(entity),)
    raise _cannot(entity, action)


def _light_write(entity: KnxLight, service: str, action: Action, state: State) -> Write:
    known = ("brightness_pct", "brightness", "brightness_step_pct") if service == "turn_on" else ()
    _only(entity, action, *known)
    data = action.data
    if "brightness_pct" in data:
        return _level_write(entity, float(data["brightness_pct"]))
    if "brightness" in data:
        return _level_write(entity, float(data["brightness"]) / 2.55)
    if "brightness_step_pct" in data:
        step, level = float(data["brightness_step_pct"]), state.attributes.get("brightness", 0)
        settable = entity.brightness is not None and entity.brightness.write is not None
        if settable and state.value in ("on", "off"):
            return _level_write(entity, float(level) / 2.55 + step)
        return _step_write(entity, step)
    return _write_bit(entity, entity.switch, service == "turn_on")


def _level_write(entity: KnxLight, per_cent: float) -> Write:
    level = min(100.0, max(0.0, per_cent))
    if level == 0:
        return _write_bit(entity, entity.switch, False)
    if entity.brightness is None or entity.brightness.write is None:
        raise BusError(f"{entity.name} cannot be set to a brightness", remedy="Give it brightness: {write: …}")
    # Rounded to nothing it would be off. A dimming actuator switches itself on when it gets a level.
    byte = max(1, round(level * 255 / 100))
    return Write(GroupTelegram(entity.brightness.write, DPTArray(byte)), entity.brightness.state)


def _step_write(entity: KnxLight, step: float) -> Write:
    if entity.dim is None or entity.dim.write is None:
        raise BusError(f"{entity.name} cannot be dimmed by steps", remedy="Give it dim, or brightness with a state")
    code = min(_STEPS, key=lambda code: abs(_STEPS[code] - abs(step)))
    control = ControlDimming(Step.INCREASE if step > 0 else Step.DECREASE, code)
    answer = entity.brightness.state if entity.brightness else None
    return Write(GroupTelegram(entity.dim.write, DPTControlDimming.to_knx(control)), answer, repeatable=False)


def _cover_write(entity: KnxCover, service: str, action: Action) -> Write:
    answer = entity.position.state if entity.position else None
    if service in ("open_cover", "close_cover") and entity.move is not None and entity.move.write is not None:
        _only(entity, action)
        down = DPTBinary(service == "close_cover")
        return Write(GroupTelegram(entity.move.write, down), answer or entity.move.state)
    if service == "stop_cover" and entity.stop is not None and entity.stop.write is not None:
        _only(entity, action)
        return Write(GroupTelegram(entity.stop.write, DPTBinary(1)), answer)
    position: float | None = {"open_cover": 100.0, "close_cover": 0.0}.get(service)
    if service == "set_cover_position":
        _only(entity, action, "position")
        position = float(action.data.get("position", 100))
    else:
        _only(entity, action)
    if position is None or entity.position is None or entity.position.write is None:
        raise _cannot(entity, action)
    return Write(GroupTelegram(entity.position.write, DPTScaling.to_knx(_turned(entity, position))), answer)


def _climate_writes(entity: KnxClimate, service: str, action: Action) -> tuple[Write, ...]:
    if service == "set_temperature" and "temperature" in action.data:
        _only(entity, action, "temperature")
        wanted = float(action.data["temperature"])
        if not entity.min_temp <= wanted <= entity.max_temp:
            raise BusError(f"{entity.name} goes from {entity.min_temp:g} to {entity.max_temp:g} degrees")
        return (_write_value(entity, entity.setpoint, wanted),)
    if service == "set_preset_mode" and entity.mode is not None and entity.mode.write is not None:
        _only(entity, action, "preset_mode")
        name = str(action.data.get("preset_mode", "")).upper()
        if name not in HVACOperationMode.__members__:
            known = ", ".join(mode.name.lower() for mode in HVACOperationMode)
            raise BusError(f"{entity.name} has no mode {name.lower()!r}", remedy=f"It has {known}")
        mode = DPTHVACMode.to_knx(HVACOperationMode[name])
        return (Write(GroupTelegram(entity.mode.write, mode), entity.mode.state),)
    if service in ("turn_on", "turn_off") and entity.on_off is not None:
        _only(entity, action)
        return (_write_bit(entity, entity.on_off, service == "turn_on"),)
    raise _cannot(entity, action)


def _scene_write(entity: KnxScene) -> Write:
    if entity.scene.write is None:
        raise BusError(f"{entity.name} has no address to write to")
    if entity.scene.dpt == "18.001":
        payload: Payload = DPTSceneControl.to_knx(SceneControl(entity.number))
    else:
        payload = DPTSceneNumber.to_knx(entity.number)
    return Write(GroupTelegram(entity.scene.write, payload))


def _write_bit(entity: KnxEntity, point: Point, bit: bool) -> Write:
    if point.write is None:
        raise BusError(f"{entity.name} has no address to write to")
    return Write(GroupTelegram(point.write, DPTBinary(bit)), point.state)


def _write_value(entity: KnxEntity, point: Point, value: float) -> Write:
    transcoder = _transcoder(point.dpt)
    if point.write is None or transcoder is None or not issubclass(transcoder, DPTNumeric):
        raise BusError(f"{entity.name} has no address to write to")
    return Write(GroupTelegram(point.write, transcoder.to_knx(value)), point.state)


def _only(entity: KnxEntity, action: Action, *known: str) -> None:
    """Refuse data that would be lost: "red" must not be answered with a light that is merely on."""
    for key in action.data:
        if key not in known:
            raise BusError(f"{entity.name} cannot do {key} with {action.service}")


def _cannot(entity: KnxEntity, action: Action) -> BusError:
    return BusError(f"{entity.name} cannot do {action.service}")
