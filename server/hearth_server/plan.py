"""From a sentence understood to what is to be done, or to what is to be said."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from hearth_core.command import Context, IntentMatch
from hearth_core.errors import SentenceError
from hearth_core.home import Home

from . import (
    plan_climate,
    plan_cover,
    plan_light,
    plan_list,
    plan_media,
    plan_question,
    plan_robot,
    plan_switch,
)
from .author_action import author_actions
from .planned import Handler, Plan, done, refused
from .targets import Refusal

__all__ = ["Plan", "plan"]

log = logging.getLogger(__name__)

_HANDLERS: Mapping[str, Handler] = {
    **plan_switch.HANDLERS,
    **plan_light.HANDLERS,
    **plan_cover.HANDLERS,
    **plan_climate.HANDLERS,
    **plan_media.HANDLERS,
    **plan_robot.HANDLERS,
    **plan_list.HANDLERS,
    **plan_question.HANDLERS,
}


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
    feasible = _different([p for p in plans if p.refusal is None])
    if len(feasible) < 2:
        return feasible[0] if feasible else plans[0]
    name = feasible[0].match.slots.get("name")
    unsure = Refusal("duplicate_entities", {"entity": name.text}) if name else Refusal("duplicate_targets")
    return refused(feasible[0].match, unsure)


def _different(plans: Sequence[Plan]) -> list[Plan]:
    """Return the first of those that come to the same: "is the phone charging" asks one of five things of one name."""
    kept: list[Plan] = []
    for each in plans:
        if not any((each.actions, each.matched, each.unmatched) == (k.actions, k.matched, k.unmatched) for k in kept):
            kept.append(each)
    return kept


def _plan_one(match: IntentMatch, home: Home, context: Context) -> Plan:
    if match.action is not None:
        try:
            actions = author_actions(match, home)
        except SentenceError as error:
            log.error("intent %s: %s", match.intent, error)
            actions = Refusal("bad_action", {"intent": match.intent})
        return refused(match, actions) if isinstance(actions, Refusal) else done(match, actions)
    handler = _HANDLERS.get(match.intent)
    if handler is None:
        return refused(match, _unsupported(match.intent))
    return handler(match, home, context)


def _unsupported(intent: str) -> Refusal:
    if "Timer" in intent:
        return Refusal("no_timer_support")
    return Refusal("not_supported", {"intent": intent})
