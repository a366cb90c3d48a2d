"""Test files in Home Assistant's format, flat and by slot combination."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hearth_core.command import IntentMatch, Slot
from hearth_core.errors import SentenceError
from hearth_core.home import Entity, Home, State
from hearth_intents.test_file import FIXTURES, SentenceTest, differences, home_of, read_fixtures, read_tests, test_files

HOUSE = """\
language: en
floors:
  - {name: Attic, id: attic}
areas:
  - {name: "[the] Den", id: den_id, floor: attic}
entities:
  - {name: "Uncle Bob[']s Lamp", id: light.bob, area: den_id, state: "on", attributes: {brightness: 3}}
  - {name: Hatch, id: binary_sensor.hatch, state: {in: shut, out: "off"}, attributes: {device_class: window}}
  - {name: Hidden, id: light.hidden, is_exposed: false}
"""
FLAT = """\
language: en
tests:
  - sentences:
      - "light up [the] (den|snug)"
      - den on
    intent:
      name: HassTurnOn
      slots: {area: Den, domain: light}
      context: {area: the Den}
    response: [Lit, Lit it]
"""
COMBINED = """\
language: en
areas:
  - {name: Loft}
  - {name: Snug, context_area: true}
entities:
  - {name: Big Lamp, domain: light, area: Loft}
timers: []
tests:
  - sentences: ["lamp it up"]
    response: Lit
"""


def _write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_flat_file_is_read_with_the_home_beside_it(tmp_path: Path) -> None:
    folder = _write(tmp_path, {f"en/{FIXTURES}": HOUSE, "en/light_HassTurnOn.yaml": FLAT})
    (path,) = test_files([folder])
    file = read_tests(path)
    assert [test.text for test in file.tests] == [
        "light up the den", "light up the snug", "light up den", "light up snug", "den on",
    ]  # fmt: skip
    first = file.tests[0]
    assert (first.intent, first.slots, first.area_id) == ("HassTurnOn", {"area": "Den", "domain": "light"}, "den_id")
    assert first.responses == ("Lit", "Lit it")
    assert first.where == f"{path}:4"
    assert file.tests[-1].where == f"{path}:5"


def test_fixtures_become_a_home(tmp_path: Path) -> None:
    _write(tmp_path, {FIXTURES: HOUSE})
    home = home_of(read_fixtures(tmp_path / FIXTURES))
    lamp = home.entities["light.bob"]
    assert lamp.names == ("Uncle Bob's Lamp", "Uncle Bobs Lamp")
    assert (lamp.area_id, lamp.state) == ("den_id", State("on", {"brightness": 3}))
    assert "brightness" in lamp.capabilities
    assert (home.entities["binary_sensor.hatch"].state.value, home.entities["binary_sensor.hatch"].device_class) == (
        "off",
        "window",
    )
    assert "light.hidden" not in home.entities
    assert (home.areas["den_id"].aliases, home.areas["den_id"].floor_id) == (("Den",), "attic")


def test_newer_file_brings_its_home_and_its_folder_names_the_intent(tmp_path: Path) -> None:
    folder = _write(tmp_path, {f"en/{FIXTURES}": HOUSE, "en/HassTurnOn/domain_only.yaml": COMBINED})
    file = read_tests(folder / "en/HassTurnOn/domain_only.yaml")
    (test,) = file.tests
    assert (test.intent, test.slots) == ("HassTurnOn", {})
    assert test.area_id == "snug", "domain_only is said to a satellite in an area"
    assert test.optional == {"domain", "area"}
    assert list(file.home.entities) == ["light.big_lamp"]
    assert file.home.entities["light.big_lamp"].area_id == "loft"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("language: en\n", 1, "lacks tests"),
        ("language: en\ntests:\n  - sentences: []\n", 3, "names no intent"),
        ("language: en\ntests:\n  - intent: {name: X}\n", 3, "lacks sentences"),
        (FLAT.replace("den on", '"{den} on"'), 5, "cannot be unfolded"),
        (FLAT.replace("den on", '"<den> on"'), 5, "cannot be unfolded"),
        (FLAT.replace("den on", '"(den on"'), 5, "cannot parse"),
        (FLAT.replace("den on", '"' + "[a] " * 40 + 'on"'), 5, "more than 100 texts"),
        (FLAT.replace("den on", '"' + "[a|b|c|d|e|f|g|h] " * 60 + 'on"'), 5, "more than 100 texts"),
        ("language: en\nareas: [{id: x}]\ntests: []\n", 2, "lacks name"),
        ("a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"{c}: &{c} [{','.join([f'*{b}'] * 9)}]\n" for b, c in zip(
            "abcdefgh", "bcdefghi", strict=True)), 0, "more than 50000 values"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(text: str, line: int, message: str, tmp_path: Path) -> None:
    path = tmp_path / "tests.yaml"
    path.write_text(text)
    with pytest.raises(SentenceError, match=message) as caught:
        read_tests(path)
    assert caught.value.message.startswith(f"{path}:{line}:" if line else f"{path}:")


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SentenceError, match="is not there"):
        test_files([tmp_path / "none.yaml"])


HOME = Home.of([], [], [Entity("light.bob", "Bob's Lamp", ("The Lamp",)), Entity("light.eve", "Eve's Lamp")])


@pytest.mark.parametrize(
    ("expected", "matched", "wrong"),
    [
        ({"name": "bob's lamp"}, {"name": "light.bob"}, ""),
        ({"name": "The  lamp"}, {"name": "light.bob"}, ""),
        ({"name": "light.bob"}, {"name": "light.bob"}, ""),
        ({"name": "Eve's Lamp"}, {"name": "light.bob"}, "name is 'light.bob' in place of \"Eve's Lamp\""),
        ({"brightness": "50"}, {"brightness": 50}, ""),
        ({"brightness": 50}, {"brightness": 50.5}, "in place of 50"),
        ({"domain": ["light", "fan"]}, {"domain": "fan"}, ""),
        ({"domain": "light"}, {"domain": ["light", "fan"]}, ""),
        ({"domain": ["light"]}, {"domain": ["fan"]}, "in place of"),
        ({}, {"name": "light.bob"}, "was not expected"),
        ({"name": "x"}, {}, "is missing"),
        ({}, {"area": "here"}, ""),
    ],
)
def test_slots_are_compared_by_what_they_mean(expected: dict[str, Any], matched: dict[str, Any], wrong: str) -> None:
    test = SentenceTest("…", "X", expected, "f:1", optional=frozenset({"area"}))
    match = IntentMatch("X", {name: Slot(value, "") for name, value in matched.items()}, "…")
    found = differences(test, [match], HOME)
    assert (wrong in found[0] and len(found) == 1) if wrong else found == ()


def test_another_intent_and_none_are_told() -> None:
    test = SentenceTest("…", "X", {"a": 1}, "f:1")
    assert differences(test, [IntentMatch("Y", {}, "…")], HOME) == ("intent Y in place of X",)
    assert differences(test, [], HOME) == ("not understood",)
