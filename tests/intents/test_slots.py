"""The home's names as slot lists."""

from __future__ import annotations

from hassil.expression import TextChunk
from hassil.intents import TextSlotList, TextSlotValue

from hearth_core.home import Area, Entity, Floor, Home
from hearth_intents.slots import home_lists, in_place
from hearth_intents.spoken import speech
from tests.intents.homes import speech_home


def _names(home: Home) -> list[TextSlotValue]:
    names = home_lists(home, speech("en"))["name"]
    assert isinstance(names, TextSlotList)
    return names.values


def _text(value: TextSlotValue) -> str:
    assert isinstance(value.text_in, TextChunk)
    return value.text_in.text


def test_names_stand_as_written_and_as_said() -> None:
    home = Home.of((), (), [Entity("light.x", "Lamp (2nd)", aliases=("Mr. Big",))])
    values = _names(home)
    assert [_text(value) for value in values] == ["Lamp (2nd)", "lamp second", "Mr. Big", "mr big"]
    assert {value.value_out for value in values} == {"light.x"}


def test_names_carry_domain_and_device_class() -> None:
    values = _names(speech_home())
    contexts = {value.value_out: value.context for value in values}
    assert contexts["lock.front_door"] == {"domain": "lock"}
    assert contexts["cover.sliding_door"] == {"domain": "cover", "device_class": "door"}


def test_a_thing_is_in_its_area_and_on_its_floor() -> None:
    home = speech_home()
    assert in_place(home, "light.bed_light", area="bedroom_2", floor="upper")
    assert not in_place(home, "light.bed_light", area="office")
    assert not in_place(home, "light.bed_light", floor="ground")
    assert not in_place(home, "weather.new_york", area="office")
    assert in_place(home, "weather.new_york")


def _floors(*floors: Floor, language: str = "en", areas: tuple[Area, ...] = ()) -> set[tuple[str, str]]:
    listed = home_lists(Home.of(floors, areas, ()), speech(language))["floor"]
    assert isinstance(listed, TextSlotList)
    return {(_text(value).casefold(), str(value.value_out)) for value in listed.values}


def test_only_floor_of_a_level_has_that_levels_everyday_name() -> None:
    ground, first = Floor("g", "Ground Floor", level=0), Floor("f", "First Floor", level=1)
    assert {("upstairs", "f"), ("downstairs", "g")} <= _floors(ground, first)
    assert {("oben", "f"), ("unten", "g")} <= _floors(ground, first, language="de")
    assert all(name != "upstairs" for name, _ in _floors(ground, first, Floor("s", "Studio", level=1)))


def test_everyday_name_of_a_floor_gives_way_to_a_name_of_the_home() -> None:
    first, loft = Floor("f", "First Floor", level=1), Floor("l", "Loft", aliases=("Upstairs",), level=2)
    assert ("upstairs", "f") not in _floors(first, loft)
    assert all(name != "upstairs" for name, _ in _floors(first, loft, areas=(Area("a", "upstairs"),)) if _ == "f")


def test_floor_without_a_level_or_without_another_keeps_its_name_alone() -> None:
    assert _floors(Floor("f", "First Floor", level=1)) == {("first floor", "f")}
    assert _floors(Floor("f", "First"), Floor("g", "Ground")) == {("first", "f"), ("ground", "g")}
