"""What is wrong with a home's names, and how a home is shown."""

from __future__ import annotations

import asyncio

import pytest
from click.testing import CliRunner

from hearth_core.cli import Invocation
from hearth_core.config import Config
from hearth_core.home import Area, Entity, Floor, Home, State
from hearth_intents.spoken import speech
from hearth_server.asr.pocketsphinx import dictionary
from hearth_server.demo_home import DemoHome
from hearth_server.home_cli import _difference, _watch
from hearth_server.home_cli import home as home_command
from hearth_server.home_report import by_place, check_names, check_pronunciations, state_text


def home_with(*entities: Entity) -> Home:
    areas = (Area("kitchen", "Kitchen", floor_id="ground"), Area("attic", "Attic"))
    return Home.of((Floor("ground", "Ground Floor", level=0),), areas, entities)


def test_the_demo_home_has_nothing_to_mend() -> None:
    assert check_names(DemoHome().home, speech("en")) == ()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Entity("light.a", "Lamp", area_id="kitchen"), Entity("light.b", "lamp", area_id="kitchen")),
        (Entity("light.a", "Lamp 2"), Entity("light.b", "Lamp two")),
        (Entity("light.a", "Lamp", ("Spot",)), Entity("light.b", "Bulb", ("spot",))),
    ],
    ids=["case", "number", "alias"],
)
def test_two_things_that_sound_the_same_in_one_place_are_told(first: Entity, second: Entity) -> None:
    (remark,) = check_names(home_with(first, second), speech("en"))
    assert remark.error
    assert "light.a, light.b" in remark.message


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Entity("light.a", "Lamp", area_id="kitchen"), Entity("light.b", "Lamp", area_id="attic")),
        (Entity("light.a", "Lamp"), Entity("switch.b", "Lamp")),
        (Entity("light.a", "Left Lamp"), Entity("light.b", "Right Lamp")),
    ],
    ids=["other room", "other kind", "other name"],
)
def test_things_that_a_sentence_can_tell_apart_are_fine(first: Entity, second: Entity) -> None:
    assert check_names(home_with(first, second), speech("en")) == ()


@pytest.mark.parametrize("name", [".", "💡", "--"])
def test_a_name_that_cannot_be_said_is_told_unless_an_alias_can(name: str) -> None:
    (remark,) = check_names(home_with(Entity("light.a", name)), speech("en"))
    assert "light.a" in remark.message
    assert "alias" in remark.remedy
    assert check_names(home_with(Entity("light.a", name, ("Lamp",))), speech("en")) == ()


def test_a_name_that_the_dictionary_lacks_is_noted() -> None:
    (remark,) = check_pronunciations(home_with(Entity("climate.a", "EcoBee TV")), speech("en"), dictionary())
    assert not remark.error
    assert "ecobee" in remark.message
    assert "tv" not in remark.message, "spelled, not guessed"
    assert check_pronunciations(home_with(Entity("light.a", "Lamp")), speech("en"), dictionary()) == ()


def test_it_is_shown_how_a_name_is_said_that_is_configured() -> None:
    home = home_with(Entity("light.a", "Xiao's EcoBee"), Entity("light.b", "Xiao"))
    say_as = {"xiao": ("show", "shout"), "siobban": ("shivawn",)}
    remarks = check_pronunciations(home, speech("en"), dictionary(), say_as)
    assert not any(remark.error for remark in remarks)
    assert [remark.message for remark in remarks] == [
        "pronunciation guessed: ecobee",
        "said as configured: xiao as SH OW or SH AW T; xiao's as SH OW Z or SH AW T S",
        "in no name, but under server: say_as: siobban",
    ]


def test_things_are_shown_by_floor_and_area_and_the_homeless_last() -> None:
    lamp, door, robot = (
        Entity("light.a", "Lamp", area_id="kitchen"),
        Entity("lock.b", "Door", area_id="attic"),
        Entity("vacuum.c", "Robot", area_id="a room that is gone"),
    )
    assert by_place(home_with(lamp, door, robot)) == [
        ("Ground Floor", [("Kitchen", [lamp])]),
        ("elsewhere", [("Attic", [door]), ("in no area", [robot])]),
    ]


def test_a_state_is_shown_with_its_unit() -> None:
    assert state_text(State("21", {"unit_of_measurement": "°C"})) == "21 °C"
    assert state_text(State("on")) == "on"


def test_home_check_and_show_tell_of_the_demo_home() -> None:
    checked = CliRunner().invoke(home_command, ["check"], obj=Invocation())
    assert checked.exit_code == 0
    assert "all fine" in checked.output
    shown = CliRunner().invoke(home_command, ["show"], obj=Invocation())
    assert "Kitchen" in shown.output
    assert "lock.front_door" in shown.output


async def test_home_watch_tells_what_changes(capsys: pytest.CaptureFixture[str]) -> None:
    watching = asyncio.create_task(_watch(Config()))
    async with asyncio.timeout(10):
        while "watching" not in capsys.readouterr().out:
            await asyncio.sleep(0.01)
    watching.cancel()
    assert await watching == 0


def test_a_difference_of_names_is_told() -> None:
    before = home_with(Entity("light.a", "Lamp"), Entity("light.b", "Spot"))
    after = home_with(Entity("light.a", "Big Lamp"), Entity("light.c", "New"))
    assert _difference(before, after) == "+light.c, -light.b, light.a is now 'Big Lamp'"
