"""On and off: one thing, all of a kind, everything, everything but one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hearth_core.command import Action, Context, IntentMatch
from hearth_core.home import Entity, Home

from .planned import NOTHING_KNOWN, Handler, Plan, done, refused
from .switching import EVERYTHING, ON_STATES, switching
from .targets import Refusal, Wanted, select, without


def _switch(on: bool) -> Handler:
    def handle(match: IntentMatch, home: Home, context: Context) -> Plan:
        # The data says "all of the lights" by its response; every other sentence without a place means the room.
        everywhere = (match.response or "").endswith("_all")
        described = bool({"name", "domain", "device_class"} & match.slots.keys())
        kinds = _kinds(match, home) if described else EVERYTHING
        found = select(match, home, context, Wanted(kinds, here=not everywhere))
        if isinstance(found, Refusal):
            return refused(match, found)
        actions = _switched((entity, on) for entity in found)
        return done(match, actions) if actions else refused(match, Refusal("feature_not_supported"))

    return handle


def _kinds(match: IntentMatch, home: Home) -> frozenset[str]:
    """Return what is meant of a label that holds several kinds of things; nothing for any other name, which is one."""
    held = {entity.domain for entity in home.labelled(match.value("name"))}
    # The data says what a sentence is about by its response: "lock the …" has `lock`, "open the …" `cover`.
    about = (match.response or "").partition("_")[0]
    if len(held) < 2 or "domain" in match.slots:
        return frozenset()
    # "Off" must not unlock the door among the lights; as with a room, it is for what one leaves on.
    return frozenset({about}) if about in held else EVERYTHING


def _switched(turns: Iterable[tuple[Entity, bool]]) -> tuple[Action, ...]:
    """Return the calls that turn each entity on (True) or off; those that cannot be are left out."""
    targets: dict[tuple[str, str | None], list[str]] = {}
    for entity, on in turns:
        found = switching(entity.domain, on)
        if found is not None:
            service, expected = found
            targets.setdefault((f"{entity.domain}.{service}", expected), []).append(entity.entity_id)
    return tuple(Action(service, tuple(ids), {}, state) for (service, state), ids in targets.items())


# What goes back and forth. Not locks: toggling one would unlock it by chance.
_TOGGLED = frozenset({"cover", "fan", "input_boolean", "light", "media_player", "switch"})


def _toggle(match: IntentMatch, home: Home, context: Context) -> Plan:
    found = select(match, home, context, Wanted(_TOGGLED, here=True))
    if isinstance(found, Refusal):
        return refused(match, found)
    known = tuple(entity for entity in found if entity.state.value not in NOTHING_KNOWN)
    if not known:
        return refused(match, Refusal("no_state", {"entity": found[0].name}))
    if len(known) > 1:
        # Several lights go the same way, or half the room would stay dark.
        off = any(entity.state.value in ON_STATES for entity in known)
        return done(match, _switched((entity, not off) for entity in known))
    return done(match, _switched((entity, entity.state.value not in ON_STATES) for entity in known))


def _leave_on(match: IntentMatch, home: Home, context: Context) -> Plan:
    """Turn the named thing on, and off what else is on where it stands: lights if the sentence speaks of lights."""
    kinds = frozenset({"light"}) if match.value("domain") == "light" else EVERYTHING
    found = select(without(match, "domain"), home, context, Wanted(EVERYTHING))
    if isinstance(found, Refusal):
        return refused(match, found)
    rooms = {kept.area_id for kept in found}
    others = tuple(
        entity
        for entity in home.entities.values()
        if entity.domain in kinds
        and entity not in found
        and (None in rooms or entity.area_id in rooms)
        and entity.state.value not in ("off", "standby")
    )
    on = ((kept, True) for kept in found if kept.state.value not in ON_STATES)
    made = done(match, _switched((*on, *((entity, False) for entity in others))))
    return made if made.actions else Plan(match, made.kind, matched=tuple(kept.entity_id for kept in found))


HANDLERS: Mapping[str, Handler] = {
    "HassTurnOn": _switch(on=True),
    "HassTurnOff": _switch(on=False),
    "HassToggle": _toggle,
    "HearthLeaveOn": _leave_on,
}
