"""Sentences that follow on another, in the languages that have them."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hearth_core.command import Context, IntentMatch, Slot
from hearth_core.home import Area, Entity, Floor, Home, State
from hearth_intents.followup import FollowUp, FollowUps, Kind, Remembered
from hearth_intents.matcher import Matcher
from hearth_intents.sentences import load_sentences

NAMES = {
    "en": ("Left Lamp", "Right Lamp", "Kitchen", "Bedroom", "Fan"),
    "de": ("Linke Lampe", "Rechte Lampe", "Küche", "Schlafzimmer", "Ventilator"),
    "fr": ("Lampe gauche", "Lampe droite", "Cuisine", "Chambre", "Ventilateur"),
    "nl": ("Linkerlamp", "Rechter lamp", "Keuken", "Slaapkamer", "Ventilator"),
}


@cache
def house(language: str = "en") -> Home:
    left, right, kitchen, bedroom, fan = NAMES[language]
    return Home.of(
        [Floor("up", "Upstairs")],
        [Area("kitchen", kitchen), Area("bedroom", bedroom, floor_id="up")],
        [
            Entity("light.left", left, area_id="kitchen", state=State("on", {"brightness": 128})),
            Entity("light.right", right, area_id="kitchen", state=State("off")),
            Entity("light.bed", "Nova", area_id="bedroom", state=State("on", {"brightness": 250})),
            Entity("fan.bed", fan, area_id="bedroom", state=State("on", {"percentage": 10})),
            Entity("media_player.tv", "TV", area_id="bedroom", state=State("playing", {"volume_level": 0.5})),
            Entity("climate.heat", "Heater", area_id="bedroom", state=State("heat", {"temperature": 20.5})),
            Entity("cover.blind", "Blind", area_id="bedroom", state=State("open", {"current_position": 90})),
            Entity("scene.film", "Film"),
            Entity("lock.door", "Door", area_id="kitchen", state=State("locked")),
        ],
    )


@cache
def parts(language: str) -> tuple[FollowUps, Matcher]:
    return FollowUps(language, house(language)), Matcher(load_sentences(language), house(language))


def lamp(intent: str = "HassTurnOn", entity_id: str = "light.left", **slots: object) -> Remembered:
    made = {"name": Slot(entity_id, "x"), **{name: Slot(value, str(value)) for name, value in slots.items()}}
    return Remembered((IntentMatch(intent, made, "…"),), ((entity_id,),))


ROOM = Remembered(
    (IntentMatch("HassTurnOn", {"area": Slot("kitchen", "kitchen"), "domain": Slot("light", "")}, "…"),),
    (("light.left", "light.right"),),
)


def read(text: str, last: Remembered, language: str = "en") -> FollowUp | None:
    followups, matcher = parts(language)
    return followups.read(text, last, matcher, house(language), Context(language=language))


def meaning(found: FollowUp | None) -> tuple[object, ...] | None:
    """Return kind, whether it was named, and of each clause the intent and slots; rivals' ids at the end."""
    if found is None:
        return None
    clauses = [
        (c.matches[0].intent, {n: s.value for n, s in c.matches[0].slots.items()}, *(r.value("name") for r in c.rivals))
        for c in found.understood.clauses
    ]
    return (found.kind.value, found.named, *clauses)


@pytest.mark.parametrize(
    ("language", "text", "last", "means"),
    [
        ("en", "and the right lamp too", lamp(), ("also", True, ("HassTurnOn", {"name": "light.right"}))),
        ("en", "and in the bedroom", ROOM, ("also", True, ("HassTurnOn", {"domain": "light", "area": "bedroom"}))),
        ("en", "and the bedroom too", lamp(), ("also", True, ("HassTurnOn", {"domain": "light", "area": "bedroom"}))),
        ("en", "what about upstairs", ROOM, ("also", True, ("HassTurnOn", {"domain": "light", "floor": "up"}))),
        (
            "en",
            "Nova as well",
            lamp("HassLightSet", brightness=30),
            ("also", True, ("HassLightSet", {"brightness": 30, "name": "light.bed"})),
        ),
        ("en", "and the fan too", lamp("HassLightSet", brightness=30), None),
        ("en", "and the left lamp too", lamp("HassTurnOn", "scene.film"), None),
        ("en", "turn it off", lamp(), ("pronoun", False, ("HassTurnOff", {"name": "light.left"}))),
        ("en", "turn them off", ROOM, ("pronoun", False, ("HassTurnOff", {"area": "kitchen", "domain": "light"}))),
        ("en", "is it on", lamp(), ("pronoun", False, ("HassGetState", {"state": "on", "name": "light.left"}))),
        ("en", "what time is it", lamp(), None),
        ("en", "pet it", lamp(), None),
        ("en", "the other one", lamp(), ("other", False, ("HassTurnOn", {"name": "light.right"}))),
        ("en", "the other one", ROOM, None),
        ("en", "no, the right one", lamp(), ("correct", True, ("HassTurnOn", {"name": "light.right"}))),
        ("en", "no I meant Nova", lamp(), ("correct", True, ("HassTurnOn", {"name": "light.bed"}))),
        ("en", "no, the purple one", lamp(), None),
        ("en", "a bit brighter", lamp(), ("step", False, ("HassLightSet", {"name": "light.left", "brightness": 70}))),
        (
            "en",
            "brighter",
            lamp("HassTurnOn", "light.bed"),
            ("step", False, ("HassLightSet", {"name": "light.bed", "brightness": 100})),
        ),
        (
            "en",
            "darker",
            lamp("HassTurnOn", "light.right"),
            ("step", False, ("HassLightSet", {"name": "light.right", "brightness": 5})),
        ),
        (
            "en",
            "louder",
            lamp("HassTurnOn", "media_player.tv"),
            ("step", False, ("HassSetVolumeRelative", {"name": "media_player.tv", "volume_step": "up"})),
        ),
        ("en", "louder", lamp(), None),
        (
            "en",
            "warmer",
            lamp("HassClimateSetTemperature", "climate.heat"),
            ("step", False, ("HassClimateSetTemperature", {"name": "climate.heat", "temperature": 21.5})),
        ),
        (
            "en",
            "a bit lower",
            lamp("HassTurnOn", "cover.blind"),
            ("step", False, ("HassSetPosition", {"name": "cover.blind", "position": 70})),
        ),
        ("en", "undo that", lamp(), ("undo", False)),
        ("en", "put it back", lamp(), ("undo", False)),
        ("en", "turn on the left lamp", lamp(), None),
        ("de", "und die rechte Lampe auch", lamp(), ("also", True, ("HassTurnOn", {"name": "light.right"}))),
        (
            "de",
            "und auch im Schlafzimmer",
            ROOM,
            ("also", True, ("HassTurnOn", {"domain": "light", "area": "bedroom"})),
        ),
        ("de", "schalte sie aus", lamp(), ("pronoun", False, ("HassTurnOff", {"name": "light.left"}))),
        ("de", "die andere auch", lamp(), ("other", False, ("HassTurnOn", {"name": "light.right"}))),
        ("de", "nein, die rechte", lamp(), ("correct", True, ("HassTurnOn", {"name": "light.right"}))),
        ("de", "etwas heller", lamp(), ("step", False, ("HassLightSet", {"name": "light.left", "brightness": 70}))),
        ("de", "mach das rückgängig", lamp(), ("undo", False)),
        ("fr", "et la lampe droite aussi", lamp(), ("also", True, ("HassTurnOn", {"name": "light.right"}))),
        ("fr", "l'autre", lamp(), ("other", False, ("HassTurnOn", {"name": "light.right"}))),
        ("fr", "non, celle de droite", lamp(), ("correct", True, ("HassTurnOn", {"name": "light.right"}))),
        ("fr", "plus clair", lamp(), ("step", False, ("HassLightSet", {"name": "light.left", "brightness": 70}))),
        ("fr", "annule ça", lamp(), ("undo", False)),
        ("nl", "en de rechter lamp ook", lamp(), ("also", True, ("HassTurnOn", {"name": "light.right"}))),
        ("nl", "zet het uit", lamp(), ("pronoun", False, ("HassTurnOff", {"name": "light.left"}))),
        ("nl", "nee, de rechter", lamp(), ("correct", True, ("HassTurnOn", {"name": "light.right"}))),
        ("nl", "iets feller", lamp(), ("step", False, ("HassLightSet", {"name": "light.left", "brightness": 70}))),
        ("nl", "maak dat ongedaan", lamp(), ("undo", False)),
    ],
)
def test_what_follows_on_another_command_means(
    language: str, text: str, last: Remembered, means: tuple[object, ...] | None
) -> None:
    assert meaning(read(text, last, language)) == means


def test_of_several_others_it_is_to_be_asked_which() -> None:
    home = house()
    three = Home.of(
        home.floors.values(),
        home.areas.values(),
        [*home.entities.values(), Entity("light.third", "Third Lamp", area_id="kitchen")],
    )
    followups, matcher = FollowUps("en", three), parts("en")[1]
    found = followups.read("the other one", lamp(), matcher, three, Context())
    assert meaning(found) == ("other", False, ("HassTurnOn", {"name": "light.right"}, "light.third"))


def test_an_authors_sentence_is_done_again_only_for_what_it_has_a_slot_for() -> None:
    action = {"service": "script.turn_on"}
    bath = IntentMatch("Bath", {"area": Slot("kitchen", "kitchen")}, "…", action=action)
    coffee = IntentMatch("Coffee", {}, "…", action=action)
    assert meaning(read("and the bedroom too", Remembered((bath,), (("scene.film",),)))) == (
        "also",
        True,
        ("Bath", {"area": "bedroom"}),
    )
    assert read("and the bedroom too", Remembered((coffee,), (("scene.film",),))) is None


def test_after_two_commands_it_means_the_last_and_them_means_all() -> None:
    two = Remembered((lamp().matches[0], lamp(entity_id="fan.bed").matches[0]), (("light.left",), ("fan.bed",)))
    it, them = read("turn it off", two), read("turn them off", two)
    assert it is not None
    assert them is not None
    assert [c.matches[0].value("name") for c in it.understood.clauses] == ["fan.bed"]
    assert [c.matches[0].value("name") for c in them.understood.clauses] == ["light.left", "fan.bed"]


def test_a_language_without_a_file_has_no_follow_ups() -> None:
    followups = FollowUps("xx", house())
    assert followups.read("turn it off", lamp(), parts("en")[1], house(), Context()) is None


def test_nothing_follows_on_nothing() -> None:
    assert read("undo that", Remembered((), ())) is None


@settings(max_examples=60)
@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error(text: str) -> None:
    found = read(text, lamp())
    assert found is None or isinstance(found.kind, Kind)


def test_a_long_text_is_not_read() -> None:
    assert read("and " * 5000, lamp()) is None
