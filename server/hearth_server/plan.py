"""From a sentence understood to what is to be done, or to what is to be said."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hearth_core.command import Action, Context, IntentMatch, ResponseKind
from hearth_core.errors import SentenceError
from hearth_core.home import Entity, Home

from .author_action import author_actions
from .switching import EVERYTHING, switching
from .targets import Refusal, Wanted, select, values_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one sentence comes to.

    Attributes:
        match: the sentence.
        kind: what the response is if all that is planned gets done.
        actions: what to do; no entity is in two of them.
        matched: the entities that the response speaks about: an action's targets, or those for which a question holds.
        unmatched: those for which it does not.
        slots: values for the response beside the sentence's own slots, e.g. the time.
        refusal: why nothing is done, None if it is.
    """

    match: IntentMatch
    kind: ResponseKind
    actions: tuple[Action, ...] = ()
    matched: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()
    slots: Mapping[str, Any] = field(default_factory=dict)
    refusal: Refusal | None = None


def plan(matches: Sequence[IntentMatch], home: Home, context: Context) -> Plan:
    """Return what the sentence comes to in this home; pure.

    Of several readings of one text that are as good as the first, the one that can be done is taken: "pause the TV" may
    match two televisions of which one plays. If two can be done, neither is: the speaker is to say which. Neither a
    worse reading nor another text is ever done in their place.

    What cannot be done (no such device, a device without the ability, an intent that Hearth does not know, an author's
    action that fails) gives a plan without actions that says so.

    Args:
        matches: the readings, best first, at least one.
        home: the house as it is now.
        context: where and when it was spoken.
    """
    best = [match for match in matches if match.score >= matches[0].score and match.text == matches[0].text]
    plans = [_plan_one(match, home, context) for match in best]
    feasible = [p for p in plans if p.refusal is None]
    if len(feasible) < 2:
        return feasible[0] if feasible else plans[0]
    name = feasible[0].match.slots.get("name")
    unsure = Refusal("duplicate_entities", {"entity": name.text}) if name else Refusal("duplicate_targets")
    return _refused(feasible[0].match, unsure)


def _plan_one(match: IntentMatch, home: Home, context: Context) -> Plan:
    if match.action is not None:
        try:
            actions = author_actions(match, home)
        except SentenceError as error:
            log.error("intent %s: %s", match.intent, error)
            actions = Refusal("bad_action", {"intent": match.intent})
        return _refused(match, actions) if isinstance(actions, Refusal) else _done(match, actions)
    handler = _HANDLERS.get(match.intent)
    if handler is None:
        return _refused(match, _unsupported(match.intent))
    return handler(match, home, context)


def _unsupported(intent: str) -> Refusal:
    if "Timer" in intent:
        return Refusal("no_timer_support")
    return Refusal("not_supported", {"intent": intent})


def _refused(match: IntentMatch, refusal: Refusal) -> Plan:
    return Plan(match, ResponseKind.FAILED, refusal=refusal)


def _done(match: IntentMatch, actions: tuple[Action, ...]) -> Plan:
    matched = dict.fromkeys(entity_id for action in actions for entity_id in action.entity_ids)
    return Plan(match, ResponseKind.DONE, actions, matched=tuple(matched))


def _answer(
    match: IntentMatch, matched: tuple[Entity, ...] = (), unmatched: tuple[Entity, ...] = (), **slots: Any
) -> Plan:
    return Plan(
        match,
        ResponseKind.ANSWER,
        matched=tuple(entity.entity_id for entity in matched),
        unmatched=tuple(entity.entity_id for entity in unmatched),
        slots=slots,
    )


# -- on and off --------------------------------------------------------------------------------------------------------


def _switch(on: bool) -> Callable[[IntentMatch, Home, Context], Plan]:
    def handle(match: IntentMatch, home: Home, context: Context) -> Plan:
        # The data says "all of the lights" by its response; every other sentence without a place means the room.
        everywhere = (match.response or "").endswith("_all")
        described = bool({"name", "domain", "device_class"} & match.slots.keys())
        found = select(match, home, context, Wanted(frozenset() if described else EVERYTHING, here=not everywhere))
        if isinstance(found, Refusal):
            return _refused(match, found)
        targets: dict[tuple[str, str | None], list[str]] = {}
        for entity in found:
            found_service = switching(entity.domain, on)
            if found_service is not None:
                service, expected = found_service
                targets.setdefault((f"{entity.domain}.{service}", expected), []).append(entity.entity_id)
        if not targets:
            return _refused(match, Refusal("feature_not_supported"))
        return _done(match, tuple(Action(service, tuple(ids), {}, state) for (service, state), ids in targets.items()))

    return handle


# -- one service of one domain -----------------------------------------------------------------------------------------

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Service:
    """An intent that is one service call.

    Attributes:
        service: e.g. `fan.set_percentage`; its domain is that of the targets.
        wanted: what the targets must be, beside their domain.
        data: the service's data, or a refusal, from the sentence.
        expected: the state after it, from the service's data.
    """

    service: str
    wanted: Wanted = field(default_factory=Wanted)
    data: Callable[[IntentMatch], Values | Refusal] = lambda match: {}
    expected: Callable[[Values], str | None] = lambda data: None

    def __call__(self, match: IntentMatch, home: Home, context: Context) -> Plan:
        """Plan the call."""
        data = self.data(match)
        found = data if isinstance(data, Refusal) else select(match, home, context, self.wanted)
        if isinstance(data, Refusal) or isinstance(found, Refusal):
            return _refused(match, found)  # type: ignore[arg-type]
        return _done(match, (Action(self.service, tuple(e.entity_id for e in found), data, self.expected(data)),))


def _wanted(domain: str, capability: str | None = None, *states: str) -> Wanted:
    return Wanted(frozenset({domain}), capability, states, here=True)


def _wanted_anywhere(domain: str, capability: str | None = None) -> Wanted:
    return Wanted(frozenset({domain}), capability)


def _always(state: str | None) -> Callable[[Values], str | None]:
    return lambda data: state


def number(match: IntentMatch, slot: str, low: float, high: float) -> float | Refusal:
    """Return a slot's number, an int if it is whole, or why it cannot be used."""
    value = match.value(slot)
    try:
        found = float(value)
    except (TypeError, ValueError):
        return Refusal("not_a_number", {"value": str(value)})
    if not low <= found <= high:
        return Refusal("out_of_range", {"value": str(value), "low": f"{low:g}", "high": f"{high:g}"})
    return int(found) if found.is_integer() else found


def _number_data(slot: str, key: str, low: float, high: float, scale: float = 1) -> Callable[[IntentMatch], Any]:
    def data(match: IntentMatch) -> Values | Refusal:
        found = number(match, slot, low, high)
        return found if isinstance(found, Refusal) else {key: found if scale == 1 else found * scale}

    return data


def _fan_mode(match: IntentMatch) -> Values:
    return {"fan_mode": str(match.value("fan_mode"))}


def _light_set(match: IntentMatch, home: Home, context: Context) -> Plan:
    data: dict[str, Any] = {}
    capability = None
    expected = "on"
    # Kelvin as in the sentence data; a sentence sets one of the three, an author's may set several.
    for slot, key, ability, low, high in (
        ("temperature", "color_temp_kelvin", "color_temp", 1000, 10000),
        ("brightness", "brightness_pct", "brightness", 0, 100),
    ):
        if slot in match.slots:
            found = number(match, slot, low, high)
            if isinstance(found, Refusal):
                return _refused(match, found)
            data[key] = found
            capability = capability or ability
    if "color" in match.slots:
        data["color_name"] = str(match.value("color"))
        capability = "color"
    if data.get("brightness_pct") == 0:
        expected = "off"
    return _Service("light.turn_on", _wanted("light", capability), lambda _: data, _always(expected))(
        match, home, context
    )


def _set_position(match: IntentMatch, home: Home, context: Context) -> Plan:
    found = select(match, home, context, Wanted(frozenset({"cover", "valve"}), "position", here=True))
    if isinstance(found, Refusal):
        return _refused(match, found)
    position = number(match, "position", 0, 100)
    if isinstance(position, Refusal):
        return _refused(match, position)
    expected = "closed" if position == 0 else "open"
    by_domain: dict[str, list[str]] = {}
    for entity in found:
        by_domain.setdefault(entity.domain, []).append(entity.entity_id)
    return _done(
        match,
        tuple(
            Action(f"{domain}.set_{domain}_position", tuple(ids), {"position": position}, expected)
            for domain, ids in by_domain.items()
        ),
    )


def _set_temperature(match: IntentMatch, home: Home, context: Context) -> Plan:
    found = select(match, home, context, _wanted("climate", "temperature"))
    if isinstance(found, Refusal):
        return _refused(match, found)
    # Celsius or Fahrenheit, as the home has it. Devices without limits: what either scale has indoors and in a sauna.
    lows = [float(e.state.attributes.get("min_temp", -50)) for e in found]
    highs = [float(e.state.attributes.get("max_temp", 250)) for e in found]
    temperature = number(match, "temperature", max(lows), min(highs))
    if isinstance(temperature, Refusal):
        return _refused(match, temperature)
    entity_ids = tuple(entity.entity_id for entity in found)
    return _done(match, (Action("climate.set_temperature", entity_ids, {"temperature": temperature}),))


# How much "turn the volume up" is, as Home Assistant's media players step by default.
VOLUME_STEP = 10


def _set_volume_relative(match: IntentMatch, home: Home, context: Context) -> Plan:
    step: Any = match.value("volume_step")
    if step in ("up", "down"):
        step = VOLUME_STEP if step == "up" else -VOLUME_STEP
    elif isinstance(found := number(match, "volume_step", -100, 100), Refusal):
        return _refused(match, found)
    else:
        step = found
    targets = select(match, home, context, _wanted("media_player", "volume", *_SOUNDING))
    if isinstance(targets, Refusal):
        return _refused(match, targets)
    levels: dict[float, list[str]] = {}
    for entity in targets:
        level = float(entity.state.attributes.get("volume_level") or 0) + step / 100
        levels.setdefault(round(min(1.0, max(0.0, level)), 2), []).append(entity.entity_id)
    return _done(
        match, tuple(Action("media_player.volume_set", tuple(ids), {"volume_level": v}) for v, ids in levels.items())
    )


def _clean_area(match: IntentMatch, home: Home, context: Context) -> Plan:
    area_id = str(match.value("area") or context.area_id)
    area = home.areas.get(area_id)
    if area is None:
        return _refused(match, Refusal("no_area", {"area": area_id}))
    # Here the area is where to clean, not where the vacuum stands.
    rest = {name: slot for name, slot in match.slots.items() if name != "area"}
    elsewhere = IntentMatch(match.intent, rest, match.text, match.language, match.response)
    found = select(elsewhere, home, context, _wanted_anywhere("vacuum", "clean_area"))
    if isinstance(found, Refusal):
        return _refused(match, found)
    if len(found) > 1:
        same_floor = home.on_floor(area.floor_id) if area.floor_id else frozenset()
        found = tuple(entity for entity in found if entity.area_id in same_floor)
        if len(found) != 1:
            return _refused(match, Refusal("duplicate_targets"))
    action = Action("vacuum.clean_area", (found[0].entity_id,), {"cleaning_area_id": [area_id]}, "cleaning")
    return _done(match, (action,))


# -- questions ---------------------------------------------------------------------------------------------------------


def _get_state(match: IntentMatch, home: Home, context: Context) -> Plan:
    found = select(match, home, context)
    if isinstance(found, Refusal):
        return _refused(match, found)
    states = {_plain(state) for state in values_of(match, "state")}
    if not states:
        return _answer(match, found)
    matched = tuple(entity for entity in found if _plain(entity.state.value) in states)
    unmatched = tuple(entity for entity in found if _plain(entity.state.value) not in states)
    return _answer(match, matched, unmatched)


def _plain(state: str) -> str:
    # A zone comes as it was heard ("New York", "the office"), a state as the data has it.
    return state.strip().casefold().replace(" ", "_")


def _get_temperature(match: IntentMatch, home: Home, context: Context) -> Plan:
    found = select(match, home, context, _wanted("climate"))
    if isinstance(found, Refusal) and "name" not in match.slots and found.key.startswith("no_domain"):
        sensors = select(match, home, context, _wanted("sensor"))
        if not isinstance(sensors, Refusal):
            measuring = tuple(sensor for sensor in sensors if sensor.device_class == "temperature")
            found = measuring or found
    if isinstance(found, Refusal):
        return _refused(match, found)
    return _known(match, found[0], "current_temperature" if found[0].domain == "climate" else None)


def _get_weather(match: IntentMatch, home: Home, context: Context) -> Plan:
    found = select(match, home, context, _wanted_anywhere("weather"))
    return _refused(match, found) if isinstance(found, Refusal) else _known(match, found[0], "temperature")


def _known(match: IntentMatch, entity: Entity, attribute: str | None) -> Plan:
    """Answer with the entity's state if it has one."""
    missing = attribute is not None and entity.state.attributes.get(attribute) is None
    if missing or entity.state.value in ("unknown", "unavailable"):
        return _refused(match, Refusal("no_state", {"entity": entity.name}))
    return _answer(match, (entity,))


def _get_time(match: IntentMatch, home: Home, context: Context) -> Plan:
    return _answer(match, time=context.now.time())


def _get_date(match: IntentMatch, home: Home, context: Context) -> Plan:
    return _answer(match, date=context.now.date())


def _say(match: IntentMatch, home: Home, context: Context) -> Plan:
    return _answer(match)


_SOUNDING = ("on", "playing", "paused", "idle", "buffering")
_HANDLERS: Mapping[str, Callable[[IntentMatch, Home, Context], Plan]] = {
    "HassTurnOn": _switch(on=True),
    "HassTurnOff": _switch(on=False),
    "HassLightSet": _light_set,
    "HassSetPosition": _set_position,
    "HassFanSetSpeed": _Service(
        "fan.set_percentage",
        _wanted("fan", "speed"),
        _number_data("percentage", "percentage", 0, 100),
        lambda data: "on" if data["percentage"] else "off",
    ),
    "HassClimateSetTemperature": _set_temperature,
    "HassClimateSetFanMode": _Service("climate.set_fan_mode", _wanted("climate", "fan_mode"), _fan_mode),
    "HassClimateGetTemperature": _get_temperature,
    "HassMediaPause": _Service(
        "media_player.media_pause", _wanted("media_player", "pause", "playing"), expected=_always("paused")
    ),
    "HassMediaUnpause": _Service(
        "media_player.media_play",
        _wanted("media_player", "pause", "paused", "idle", "on"),
        expected=_always("playing"),
    ),
    "HassMediaNext": _Service("media_player.media_next_track", _wanted("media_player", "next", "playing", "paused")),
    "HassMediaPrevious": _Service(
        "media_player.media_previous_track", _wanted("media_player", "previous", "playing", "paused")
    ),
    "HassMediaPlayerMute": _Service(
        "media_player.volume_mute", _wanted("media_player", "mute", *_SOUNDING), lambda _: {"is_volume_muted": True}
    ),
    "HassMediaPlayerUnmute": _Service(
        "media_player.volume_mute", _wanted("media_player", "mute", *_SOUNDING), lambda _: {"is_volume_muted": False}
    ),
    "HassSetVolume": _Service(
        "media_player.volume_set",
        _wanted("media_player", "volume", *_SOUNDING),
        _number_data("volume_level", "volume_level", 0, 100, 0.01),
    ),
    "HassSetVolumeRelative": _set_volume_relative,
    "HassVacuumStart": _Service("vacuum.start", _wanted_anywhere("vacuum"), expected=_always("cleaning")),
    "HassVacuumReturnToBase": _Service("vacuum.return_to_base", _wanted_anywhere("vacuum")),
    "HassVacuumCleanArea": _clean_area,
    "HassLawnMowerStartMowing": _Service(
        "lawn_mower.start_mowing", _wanted_anywhere("lawn_mower"), expected=_always("mowing")
    ),
    "HassLawnMowerDock": _Service("lawn_mower.dock", _wanted_anywhere("lawn_mower")),
    "HassGetState": _get_state,
    "HassGetWeather": _get_weather,
    "HassGetCurrentTime": _get_time,
    "HassGetCurrentDate": _get_date,
    "HassNevermind": _say,
    "HassRespond": _say,
}
