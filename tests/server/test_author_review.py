"""What an author's actions and answers cannot do in this house."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hearth_core.config import Config
from hearth_core.home import Area, Entity, Home
from hearth_intents.review import Finding, Level
from hearth_intents.sentences import load_sentences
from hearth_server.author_review import review_actions, review_names

HOME = Home.of([], [Area("den", "Den")], [Entity("light.desk", "Desk Lamp", area_id="den")])
KNX = {"home": {"knx": {"connection": {"type": "routing"}}}}
MQTT = {"home": {"mqtt": {"broker": {"host": "127.0.0.1"}}}}
HASS: dict[str, Any] = {"home": {"home_assistant": {}}}


def _review(folder: Path, action: str, response: str = "Fine then", config: Any = None) -> tuple[Finding, ...]:
    (folder / "own.yaml").write_text(
        "language: en\nintents:\n  Own:\n    data:\n"
        f"      - sentences: ['go [{{hue}}]']\n        response: \"{response}\"\n        action: {action}\n"
        "lists: {hue: {values: [red]}}\n"
    )
    sentences = load_sentences("en", [folder], builtin=False)
    assert sentences.problems == ()
    return review_actions(sentences, HOME, Config.model_validate(config or {}))


@pytest.mark.parametrize(
    ("action", "config", "expected"),
    [
        ("{service: light.turn_on, entity_id: light.desk}", None, []),
        ("{service: light.turn_on, entity_id: 'light.{{ hue }}'}", None, []),
        ("{service: light.turn_on, entity_id: light.gone}", None, [(Level.WARNING, "no-entity", 7)]),
        ("{service: light.turn_on, target: {area_id: den}}", None, []),
        ("{knx: {address: 1/2/3, value: 1}}", None, [(Level.WARNING, "no-bus", 7)]),
        ("{knx: {address: 1/2/3, value: 1}}", KNX, []),
        ("{knx: {address: 1/2/3, dpt: 9.001, value: 1}}", KNX, []),
        ("{knx: {address: 1/2/3, dpt: 99.999, value: 1}}", KNX, [(Level.ERROR, "dpt", 7)]),
        ("{knx: {address: 1/2/3, type: warmth, value: 1}}", KNX, [(Level.ERROR, "dpt", 7)]),
        ("{mqtt: {topic: bell}}", None, [(Level.WARNING, "no-bus", 7)]),
        ("{mqtt: {topic: bell}}", MQTT, []),
        ("{service: notify.me, data: {message: hi}}", None, [(Level.WARNING, "no-bus", 7)]),
        ("{service: notify.me, data: {message: hi}}", HASS, []),
        ("{service: script.tea}", None, []),
        ("{mqtt: {topic: bell, payload: '{{ hue | center(9) }}'}}", MQTT, [(Level.ERROR, "template", 7)]),
        (
            "[{mqtt: {topic: bell}}, {scene: scene.gone}]",
            None,
            [(Level.WARNING, "no-bus", 7), (Level.WARNING, "no-entity", 7)],
        ),
    ],
)
def test_step_is_compared_with_the_house(
    action: str, config: Any, expected: list[tuple[Level, str, int]], tmp_path: Path
) -> None:
    found = _review(tmp_path, action, config=config)
    assert [(each.level, each.code, each.line) for each in found] == expected, found
    assert all(each.remedy and each.column for each in found)


def test_answer_with_a_filter_that_the_sandbox_lacks_is_told(tmp_path: Path) -> None:
    (finding,) = _review(tmp_path, "{scene: '{{ hue }}'}", "{{ slots.hue | center(9) }}!")
    assert (finding.level, finding.code, finding.line) == (Level.ERROR, "template", 6)
    assert "center" in finding.message


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("Bed Light", "Kettle"), []),
        (("Bed Light", "Bet Light"), [(Level.WARNING, "sound-alike")]),
        (("Bed Light", "bed light"), [(Level.ERROR, "name")]),
        (("🎄", "Kettle"), [(Level.ERROR, "name")]),
    ],
)
def test_names_of_the_home_are_looked_at(names: tuple[str, ...], expected: list[tuple[Level, str]]) -> None:
    home = Home.of([], [], [Entity(f"light.n{i}", name) for i, name in enumerate(names)])
    found = review_names(home, load_sentences("en", builtin=False))
    assert [(each.level, each.code) for each in found] == expected, found
