"""Entities in the configuration and in a file beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hearth_core.config import load_as
from hearth_core.config_knx import KnxConfig
from hearth_core.errors import ConfigError
from hearth_server.knx.home_file import knx_bus

FILE = """
areas: [{name: Kitchen, floor: Ground floor}, {name: Bath, floor: Ground floor}]
entities:
  - {entity_id: light.sink, name: sink light, area: Kitchen, switch: {write: 1/1/1, state: 1/1/2, dpt: 1.001}}
  - {entity_id: sensor.air, name: air, area: Bath, value: {state: 2563, dpt: 9.010}}
"""
CONFIG = """
connection: {host: 192.0.2.1}
file: entities.yaml
areas: [{name: Kitchen, aliases: [galley]}]
entities: [{entity_id: switch.hob, name: hob, area: galley, switch: 1/1/9}]
"""


def config(folder: Path, file: str = FILE, text: str = CONFIG) -> KnxConfig:
    (folder / "entities.yaml").write_text(file)
    (folder / "hearth.yaml").write_text(text)
    return load_as(folder / "hearth.yaml", KnxConfig)


def test_both_are_one_part_of_the_house(tmp_path: Path) -> None:
    home = knx_bus(config(tmp_path)).home
    assert set(home.entities) == {"switch.hob", "light.sink", "sensor.air"}
    assert home.areas["kitchen"].aliases == ("galley",)
    assert home.areas["bath"].floor_id == "ground_floor"
    assert home.entities["light.sink"].area_id == home.entities["switch.hob"].area_id == "kitchen"
    assert home.entities["sensor.air"].bindings[0].address == {"value state": "1/2/3 (9.010)"}


def test_mistake_in_the_file_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"entities\.yaml:4: entities\[0\]\.switch\.write: '99/1/1'"):
        knx_bus(config(tmp_path, FILE.replace("1/1/1", "99/1/1")))


def test_entity_in_both_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"switch\.hob is in .*entities\.yaml"):
        knx_bus(config(tmp_path, "entities: [{entity_id: switch.hob, name: hob, switch: 1/1/9}]"))


def test_file_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml does not exist"):
        knx_bus(config(tmp_path, text=CONFIG.replace("entities.yaml", "nowhere.yaml")))


def test_password_in_a_wrong_place_is_not_shown(tmp_path: Path) -> None:
    text = CONFIG.replace("{host: 192.0.2.1}", "{host: 192.0.2.1, keyring_password: open sesame}")
    with pytest.raises(ConfigError, match="go together") as caught:
        config(tmp_path, text=text)
    assert "sesame" not in str(caught.value)
