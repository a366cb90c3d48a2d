"""Names that sound alike, in any language."""

from __future__ import annotations

import pytest

from hearth_core.home import Area, Entity, Floor, Home
from hearth_intents.sound import ALIKE, alike, key, likeness, nearest_names
from hearth_intents.spoken import speech


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("bed light", "bet light", True),
        ("bed light", "bed lights", True),
        ("Küche", "Kuche", True),
        ("Straße", "Strasse", True),
        ("salon", "salón", True),
        ("bureau", "buro", False),
        ("kitchen", "bathroom", False),
        ("lamp", "fan", False),
        ("кухня", "кухна", True),
        ("", "lamp", False),
    ],
)
def test_likeness_is_of_sounds_not_letters(one: str, other: str, near: bool) -> None:
    assert (likeness(one, other) >= 0.8) == near
    assert likeness(one, other) == likeness(other, one)
    assert likeness(one, one) == (1.0 if key(one) else 0.0)


def _home(*names: str) -> Home:
    return Home.of([], [], [Entity(f"light.n{i}", name) for i, name in enumerate(names)])


@pytest.mark.parametrize(
    ("names", "pairs"),
    [
        (("Bed Light", "Bet Light", "Kettle"), [("Bed Light", "Bet Light")]),
        (("Bed Light", "Bed Light"), []),  # equal names are another trouble
        (("Hall", "Kitchen"), []),
        (("🎄", "🎄"), []),
    ],
)
def test_pairs_that_sound_alike_are_told(names: tuple[str, ...], pairs: list[tuple[str, str]]) -> None:
    found = alike(_home(*names), speech("en"))
    assert [(pair.first, pair.second) for pair in found] == pairs
    assert all(ALIKE <= pair.likeness <= 1 for pair in found)


def test_aliases_of_one_thing_do_not_count_and_places_do() -> None:
    home = Home.of(
        [Floor("f", "Seller")],
        [Area("a", "Cellar"), Area("b", "Attic")],
        [Entity("light.x", "Desk Lamp", ("Desk Lamps",))],
    )
    (pair,) = alike(home, speech("en"), least=0.6)
    assert {pair.first_id, pair.second_id} == {"f", "a"}


def test_sounds_may_be_given() -> None:
    phones = {"bow": ("B", "AW"), "bough": ("B", "AW")}
    (pair,) = alike(_home("Bow", "Bough"), speech("en"), lambda text: phones[text])
    assert pair.likeness == 1


def test_many_names_are_compared_in_bounds() -> None:
    home = _home(*(f"thing {chr(97 + i % 26)}{chr(97 + i // 26 % 26)} {i}" for i in range(300)))
    assert len(alike(home, speech("en"))) <= 300 * 299 / 2


def test_nearest_names_come_with_what_was_heard() -> None:
    found = nearest_names(_home("Bed Light", "Kettle"), speech("en"), "turn of the bet lite")
    assert (found[0].first, found[0].second) == ("bet lite", "Bed Light")
    assert nearest_names(_home("Kettle"), speech("en"), "") == ()
