"""Matchers that take over the work of the one before: nothing is understood otherwise than by one made anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hearth_core.command import Context
from hearth_core.home import Area, Entity, Home
from hearth_intents.groundwork import Groundwork
from hearth_intents.matcher import Matcher
from hearth_intents.sentences import Sentences, load_sentences


def home(lamp: str, area: str = "Kitchen", device_class: str | None = None) -> Home:
    entities = [
        Entity("light.lamp", lamp, area_id="room"),
        Entity("cover.blind", "Blind", area_id="room", device_class=device_class),
    ]
    return Home.of((), [Area("room", area)], entities)


@pytest.fixture(scope="module")
def english() -> Sentences:
    return load_sentences("en")


def said(matcher: Matcher, text: str) -> list[tuple[str, dict[str, object]]]:
    found = matcher.match(text, Context()) or matcher.nearest(text, Context()).matches
    return [(match.intent, {name: slot.value for name, slot in match.slots.items()}) for match in found]


TEXTS = (
    "turn on the reading lamp",
    "tern on the reeding lamp",
    "turn on the zebra lantern",
    "turn on the lights in the kitchen",
    "turn on the lights in the parlour",
    "is the zebra lantern's brightness 50%",
    "set the zebra lantern to 50 percent",
    "close the curtains in the parlour",
    "open the blind",
)


def test_a_renamed_home_is_understood_as_by_a_matcher_made_anew(english: Sentences) -> None:
    first = Matcher(english, home("Reading lamp"))
    before = [said(first, text) for text in TEXTS]
    new_home = home("Zebra Lantern", "Parlour", "curtain")
    second, anew = Matcher(english, new_home, first), Matcher(english, new_home)
    assert [said(second, text) for text in TEXTS] == [said(anew, text) for text in TEXTS]
    assert said(second, "turn on the zebra lantern") == [("HassTurnOn", {"name": "light.lamp"})]
    assert said(second, "turn on the reading lamp") == []
    assert second._index.vocabulary == anew._index.vocabulary or set(second._index.known) == set(anew._index.known)
    # A command that is on its way goes on with the matcher that it began with.
    assert [said(first, text) for text in TEXTS] == before


def test_names_that_are_glued_to_other_words_are_renamed_too() -> None:
    german = load_sentences("de")
    first = Matcher(german, home("Leselampe", "Küche"))
    second = Matcher(german, home("Leselampe", "Stube"), first)
    assert said(first, "schalte das Küchenlicht an") == said(
        Matcher(german, home("Leselampe", "Küche")), "schalte das Küchenlicht an"
    )
    for text in ("schalte das Stubenlicht an", "schalte die Lichter in der Stube an", "schalte das Küchenlicht an"):
        assert said(second, text) == said(Matcher(german, home("Leselampe", "Stube")), text), text


def test_work_is_taken_over_only_where_it_fits(english: Sentences) -> None:
    ground = Groundwork(english, home("Lamp"))
    assert ground.serves(english, home("Lantern"))
    assert not ground.serves(replace(english), home("Lantern"))
    assert not ground.serves(english, Home())
    empty = Matcher(english, Home())
    assert said(Matcher(english, home("Lamp"), empty), "turn on the lamp") == [("HassTurnOn", {"name": "light.lamp"})]


def test_names_that_are_gone_do_not_pile_up(english: Sentences) -> None:
    ground = Groundwork(english, home("Lamp"))
    small = len(ground.words)
    ground.rehome(home("Lantern"))
    assert len(ground.words) < 1.01 * small
    ground.words.of_sequences([number] for number in range(10_000_000, 10_000_000 + 2 * small))
    ground.words.of_sequences((n, n) for n in range(20_000_000, 20_000_000 + 2 * small))
    assert not ground.serves(english, home("Lamp"))
