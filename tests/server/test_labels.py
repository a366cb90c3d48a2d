"""Home Assistant's labels as groups: said by their name, done to all that carry them, guarded as each of these is."""

from __future__ import annotations

from typing import Any

import pytest

from hearth_core.command import Context, Hypothesis, IntentMatch, Slot, Transcription
from hearth_core.home import Area, Entity, Home, Label, State
from hearth_intents.compile import compile_grammar
from hearth_intents.followup import FollowUps, Remembered
from hearth_intents.matcher import Matcher
from hearth_intents.sentences import load_sentences
from hearth_intents.slots import sayable_labels
from hearth_server.author_action import author_actions
from hearth_server.phrasebook import Phrasebook
from hearth_server.plan import Plan, plan
from hearth_server.policy import Decision, judge
from hearth_server.targets import Refusal
from tests.house_fakes import said

ON, OFF = State("on"), State("off")
DIMMED = frozenset({"brightness", "color"})
ENTITIES = (
    Entity("light.tree", "Tree", area_id="hall", capabilities=DIMMED, state=ON),
    Entity("light.window", "Window Stars", area_id="parlour", capabilities=DIMMED, state=OFF),
    Entity("switch.plug", "Plug", area_id="parlour", state=ON),
    Entity("lock.front", "Front Door", area_id="hall", state=State("locked")),
    Entity("lock.back", "Back Door", area_id="parlour", state=State("locked")),
    Entity("light.other", "Other Lamp", area_id="hall", state=ON),
)
LABELS = (
    Label("xmas", "Christmas lights", frozenset({"light.tree", "light.window"})),
    Label("festive", "Festive Things", frozenset({"light.tree", "switch.plug", "lock.front"})),
    Label("locks", "Outer Locks", frozenset({"lock.front", "lock.back"})),
    Label("plug", "Plug", frozenset({"lock.front"})),
    Label("unused", "Nobodys Darlings"),
    Label("gone", "Gone Things", frozenset({"light.of_yesterday"})),
)
HOME = Home.of((), [Area("hall", "Hall"), Area("parlour", "Parlour")], ENTITIES, LABELS)
SENTENCES = load_sentences("en")
MATCHER = Matcher(SENTENCES, HOME)


def understood(text: str) -> tuple[IntentMatch, ...]:
    found = MATCHER.understand(Transcription((Hypothesis(text),), "text"), Context(area_id="hall"))
    return found.clauses[0].matches if found.clauses else ()


def planned(text: str) -> Plan:
    return plan(understood(text), HOME, Context(area_id="hall"))


def calls(text: str) -> dict[str, set[str]]:
    return {action.service: set(action.entity_ids) for action in planned(text).actions}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("turn off the christmas lights", {"light.turn_off": {"light.tree", "light.window"}}),
        ("turn of the crismas lights", {"light.turn_off": {"light.tree", "light.window"}}),
        ("turn on christmas lights in the parlour", {"light.turn_on": {"light.window"}}),
        ("set the christmas lights to 50 percent", {"light.turn_on": {"light.tree", "light.window"}}),
        ("set the christmas lights to green", {"light.turn_on": {"light.tree", "light.window"}}),
        # Lights and a lock: "off" is for what one leaves on, as with a room.
        ("turn off the festive things", {"light.turn_off": {"light.tree"}, "switch.turn_off": {"switch.plug"}}),
        ("lock the festive things", {"lock.lock": {"lock.front"}}),
        ("unlock the outer locks", {"lock.unlock": {"lock.front", "lock.back"}}),
        # A thing of that name goes before.
        ("turn off the plug", {"switch.turn_off": {"switch.plug"}}),
    ],
)
def test_what_carries_a_label_is_meant_by_its_name(text: str, expected: dict[str, set[str]]) -> None:
    assert calls(text) == expected


def test_labels_that_nothing_carries_or_that_mean_something_else_are_not_said() -> None:
    assert [label.label_id for label in sayable_labels(HOME)] == ["xmas", "festive", "locks"]
    words = compile_grammar(SENTENCES, HOME).graph.words
    assert "christmas" in words
    assert not {"darlings", "gone"} & set(words)


def test_each_thing_of_a_label_is_guarded_as_it_would_be_by_its_own_name() -> None:
    ruling = judge(planned("unlock the outer locks"), HOME, Context())
    assert ruling.decision is Decision.CONFIRM
    assert set(ruling.entity_ids) == {"lock.front", "lock.back"}
    assert judge(planned("turn off the festive things"), HOME, Context()).decision is Decision.ALLOW


def test_questions_about_a_label() -> None:
    found = planned("are the christmas lights on")
    assert (found.matched, found.unmatched) == (("light.tree",), ("light.window",))


def test_the_answer_calls_it_by_its_name() -> None:
    made = planned("turn off the christmas lights")
    said = Phrasebook(SENTENCES).respond(made, (), HOME, Context())
    assert "hristmas" in said.text or "light" in said.text.lower()


def test_states_that_change_leave_labels_as_they_are() -> None:
    changed = HOME.with_states({"light.tree": OFF})
    assert changed.labels is HOME.labels
    assert changed.vocabulary() == HOME.vocabulary()
    assert [e.state for e in changed.labelled("label:xmas")] == [OFF, OFF]
    assert changed.labelled("xmas") == changed.labelled(None) == changed.labelled("label:nobody") == ()
    renamed = Home.of((), HOME.areas.values(), ENTITIES, [Label("xmas", "Yule lights", LABELS[0].entity_ids)])
    assert renamed.vocabulary() != HOME.vocabulary()


SEVERAL = Home.of(
    (),
    (),
    [
        *(Entity(f"climate.{n}", n, state=State("heat", {"current_temperature": 18})) for n in "ab"),
        *(Entity(f"weather.{n}", n, state=State("sunny", {"temperature": 20})) for n in "ab"),
        *(Entity(f"todo.{n}", n, state=State("0")) for n in "ab"),
        Entity("light.a", "a", state=ON),
    ],
    [
        Label("all", "Heaters", frozenset({"climate.a", "climate.b", "weather.a", "weather.b", "todo.a", "todo.b"})),
        Label("one", "Heaters", frozenset({"climate.a", "weather.a", "todo.a", "light.a"})),
    ],
)


@pytest.mark.parametrize(
    ("intent", "slots"),
    [
        ("HassClimateGetTemperature", {}),
        ("HassGetWeather", {}),
        ("HearthCompareState", {"value": 20, "comparison": "above", "domain": "climate"}),
        ("HassListAddItem", {"item": "milk"}),
    ],
)
def test_what_is_about_one_thing_alone_is_refused_for_a_label_of_several(intent: str, slots: dict[str, Any]) -> None:
    several = plan([said(intent, name=("label:all", "heaters"), **slots)], SEVERAL, Context())
    assert several.refusal is not None
    assert (several.refusal.key, several.refusal.values) == ("duplicate_entities", {"entity": "heaters"})
    assert plan([said(intent, name=("label:one", "heaters"), **slots)], SEVERAL, Context()).refusal is None


@pytest.mark.parametrize(
    ("service", "label", "expected"),
    [
        ("light.turn_on", "xmas", {"light.tree", "light.window"}),
        ("light.turn_on", "festive", {"light.tree"}),
        ("homeassistant.turn_on", "festive", {"light.tree", "switch.plug", "lock.front"}),
    ],
)
def test_a_label_in_an_authors_action_is_the_things_that_carry_it(service: str, label: str, expected: set[str]) -> None:
    action = {"service": service, "entity_id": "{{ name }}"}
    found = author_actions(said("Shine", action=action, name=(f"label:{label}", "them")), HOME)
    assert isinstance(found, tuple)
    assert [(each.service, set(each.entity_ids)) for each in found] == [(service, expected)]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("Shining: {{ name }}!", "Shining: Christmas lights!"),
        ("{{ slots.name }} in {{ name | count }} places", "Christmas lights in 2 places"),
        ("{{ 'Shining ' ~ name }}", "Shining Christmas lights"),
        ("{{ name | string }}", "Christmas lights"),
        ("{{ name | join(', ') }}", "light.tree, light.window"),
        ("{{ name }}", ["light.tree", "light.window"]),
    ],
)
def test_a_label_within_an_authors_text_is_its_name(template: str, expected: object) -> None:
    action = {"service": "notify.notify", "data": {"message": template}}
    found = author_actions(said("Shine", action=action, name=("label:xmas", "them")), HOME)
    assert not isinstance(found, Refusal)
    assert found[0].data["message"] == expected


def test_an_authors_action_that_nothing_of_a_label_can_do_is_refused() -> None:
    action = {"service": "light.turn_on", "entity_id": "{{ name }}"}
    found = author_actions(said("Shine", action=action, name=("label:locks", "locks")), HOME)
    assert found == Refusal("feature_not_supported")


def test_a_label_can_follow_on_a_thing() -> None:
    last = Remembered(
        (IntentMatch("HassLightSet", {"name": Slot("light.other", "other lamp"), "brightness": Slot(30, "30")}, "…"),),
        (("light.other",),),
    )
    followups = FollowUps("en", HOME)
    found = followups.read("and the christmas lights too", last, MATCHER, HOME, Context())
    assert found is not None
    (match,) = found.understood.clauses[0].matches
    assert (match.intent, match.value("name"), match.value("brightness")) == ("HassLightSet", "label:xmas", 30)
    assert set(plan([match], HOME, Context()).actions[0].entity_ids) == {"light.tree", "light.window"}
    assert followups.read("and the outer locks too", last, MATCHER, HOME, Context()) is None
