"""`hearth knx import`: from a project of ETS to a file that can be used and reviewed."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from hearth_core.config import load_as
from hearth_core.config_knx import KnxConfig, KnxCover, KnxFile, KnxLight
from hearth_core.errors import InputError
from hearth_server.knx.bus import KnxBus
from hearth_server.knx.cli import knx
from hearth_server.knx.project import Draft, Imported, Remark, imported
from hearth_server.knx.project_file import PasswordNeededError, read_project
from hearth_server.knx.project_yaml import to_yaml
from tests.real.knx_project import Project


def house() -> Project:
    project = Project('The "Mill"')
    ceiling = project.function(
        "FT-6",
        "Ceiling",
        [
            (project.address("1/1/1", "switch", "1.001"), "SwitchOnOff"),
            (project.address("1/1/2", "status", "1.011"), "InfoOnOff"),
            (project.address("1/1/3", "dim", "3.007"), "DimmingControl"),
            (project.address("1/1/4", "value", "5.001"), "DimmingValue"),
            (project.address("1/1/5", "value status", "5"), "InfoDimmingValue"),  # 5.001 or 5.010: not said
        ],
    )
    blind = project.function(
        "FT-7",
        "Blind",
        [
            (project.address("2/1/1", "move", "1.008"), "MoveUpDown"),
            (project.address("2/1/2", "stop", "1.007"), "StopStepUpDown"),
            (project.address("2/1/3", "position", "5.001"), "AbsolutePositionBlindsPercentage"),
            (project.address("2/1/4", "position status", "5.001"), "CurrentAbsolutePositionBlindsPercentage"),
            (project.address("2/1/5", "slats", "5.001"), "AbsolutePositionSlatPercentage"),
        ],
    )
    heating = project.function(
        "FT-9",
        "Heating",
        [
            (project.address("3/1/1", "is", "9.001"), "TempRoom"),
            (project.address("3/1/2", "wanted", "9.001"), "TempRoomSetpoint"),
            (project.address("3/1/3", "mode", "20.102"), "HVACMode"),
        ],
    )
    bath = project.function("FT-1", "Spiegel", [(project.address("1/2/1", "schalten", "1.001"), "SwitchOnOff")])
    bath_above = project.function("FT-1", "Spiegel", [(project.address("1/2/2", "schalten", "1"), "SwitchOnOff")])
    fountain = project.function("FT-0", "Fountain", [(project.address("4/1/1", "pump", "1.001"), "")])
    broken = project.function("FT-1", "Cellar", [(project.address("1/3/1", "x", "9.001"), "SwitchOnOff")])
    project.address("5/1/1", "evening\n  - injected: true", "17.001")
    ground = project.space(
        "Floor",
        "Ground floor",
        project.space("Room", "Kitchen", ceiling, blind),
        project.space("Room", "Bad", bath),
        project.space("DistributionBoard", "Board"),
    )
    above = project.space("Floor", "First floor", project.space("Room", "Bad", bath_above, heating))
    project.add(project.space("Building", "Mill", ground, above, fountain, broken))
    return project


def run(*arguments: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(knx, ["import", *arguments], env=env)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return house().write(tmp_path / "mill.knxproj")


def test_rooms_become_areas_and_functions_entities(project: Path, tmp_path: Path) -> None:
    output = tmp_path / "home.yaml"
    result = run(str(project), "-o", str(output))
    assert result.exit_code == 0, result
    assert "3 areas, 5 entities; left to you: 2 functions and 1 group addresses in none" in result.stderr
    found = load_as(output, KnxFile)
    assert [(area.name, area.floor) for area in found.areas] == [
        ("Kitchen", "Ground floor"),
        ("Bad Ground floor", "Ground floor"),
        ("Bad First floor", "First floor"),
    ]
    entities = {entity.entity_id: entity for entity in found.entities}
    assert set(entities) == {
        "light.kitchen_ceiling",
        "cover.kitchen_blind",
        "light.bad_ground_floor_spiegel",
        "light.bad_first_floor_spiegel",
        "climate.bad_first_floor_heating",
    }
    ceiling = entities["light.kitchen_ceiling"]
    assert isinstance(ceiling, KnxLight)
    assert (ceiling.name, ceiling.area) == ("Ceiling", "Kitchen")
    assert (ceiling.switch.write, ceiling.switch.state) == ("1/1/1", "1/1/2")
    assert ceiling.brightness is not None
    assert (ceiling.brightness.write, ceiling.brightness.state) == ("1/1/4", None)
    assert ceiling.dim is not None
    blind = entities["cover.kitchen_blind"]
    assert isinstance(blind, KnxCover)
    assert blind.move is not None
    assert (blind.move.write, blind.move.dpt) == ("2/1/1", "1.008")


def test_what_is_not_said_is_left_as_comments(project: Path) -> None:
    text = run(str(project)).stdout
    for comment in (
        "#   1/1/5  value status  (DPT 5; role InfoDimmingValue: its datapoint type should be 5.001)",
        "#   2/1/5  slats  (DPT 5.001; role AbsolutePositionSlatPercentage: not supported)",
        "#   4/1/1  pump  (DPT 1.001; function of type custom: what it is has to be said)",
        "#   1/3/1  x  (DPT 9.001; role SwitchOnOff: its datapoint type should be 1.xxx)",
        "#   5/1/1  evening - injected: true  (DPT 17.001)",
        "#   setpoint has no status address",
    ):
        assert comment in text
    assert "injected" not in str(yaml.safe_load(text))


def test_a_bus_can_be_made_of_what_was_imported(project: Path, tmp_path: Path) -> None:
    output = tmp_path / "home.yaml"
    run(str(project), "-o", str(output))
    found = load_as(output, KnxFile)
    config = KnxConfig.model_validate({**found.model_dump(), "connection": {"host": "127.0.0.1"}})
    home = KnxBus(config).home
    assert home.floors["ground_floor"].name == "Ground floor"
    assert home.areas["kitchen"].floor_id == "ground_floor"
    assert home.entities["light.kitchen_ceiling"].area_id == "kitchen"


def test_protected_project_needs_its_password(tmp_path: Path) -> None:
    file = house().write(tmp_path / "mill.knxproj", password="grist")
    with pytest.raises(PasswordNeededError, match="is protected"):
        read_project(file)
    with pytest.raises(PasswordNeededError, match="another password"):
        read_project(file, "bran")
    result = run(str(file), env={"HEARTH_KNX_PASSWORD": "grist"})
    assert result.exit_code == 0, result
    assert "kitchen_ceiling" in result.stdout
    refused = run(str(file))
    assert "HEARTH_KNX_PASSWORD" in str(refused.exception)


def test_existing_file_is_not_written_over(project: Path, tmp_path: Path) -> None:
    output = tmp_path / "home.yaml"
    output.write_text("mine")
    refused = run(str(project), "-o", str(output))
    assert isinstance(refused.exception, InputError)
    assert output.read_text() == "mine"
    assert run(str(project), "-o", str(output), "--force").exit_code == 0
    assert "kitchen" in output.read_text()


@pytest.mark.parametrize("kind", ["missing", "text", "empty zip", "cut", "broken xml"])
def test_what_is_no_project_is_an_input_error(tmp_path: Path, project: Path, kind: str) -> None:
    file = tmp_path / "other.knxproj"
    if kind == "text":
        file.write_text("not a zip")
    elif kind == "cut":
        file.write_bytes(project.read_bytes()[:-200])
    elif kind != "missing":
        with zipfile.ZipFile(file, "w") as archive:
            if kind == "broken xml":
                archive.writestr("P-0001.signature", b"")
                archive.writestr(
                    "knx_master.xml", "<?xml version='1.0'?>\n<KNX xmlns=\"http://knx.org/xml/project/22\">"
                )
    with pytest.raises(InputError, match=r"other\.knxproj"):
        read_project(file)


names = st.text(max_size=40)


@given(name=names, area=names, floor=names, remark=names)
def test_names_of_any_kind_stay_in_their_place(name: str, area: str, floor: str, remark: str) -> None:
    locations = {
        "f": {
            "type": "Floor",
            "name": floor,
            "identifier": "f",
            "spaces": {"r": {"type": "Room", "name": area, "identifier": "r", "spaces": {}}},
        }
    }
    addresses = {
        "1/1/1": {"name": remark, "dpt": {"main": 1, "sub": 1}},
        "1/1/2": {"name": remark, "dpt": None},
    }
    function = {
        "function_type": "FT-1",
        "identifier": "F-1",
        "name": name,
        "space_id": "r",
        "usage_text": "",
        "group_addresses": {
            "1/1/1": {"role": "SwitchOnOff", "address": "1/1/1"},
            "1/1/2": {"role": "InfoOnOff", "address": "1/1/2"},
        },
    }
    project = {"info": {"name": remark}, "locations": locations, "functions": {"F-1": function}}
    found = KnxFile.model_validate(yaml.safe_load(to_yaml(imported({**project, "group_addresses": addresses}))))
    (entity,) = found.entities
    assert isinstance(entity, KnxLight)
    assert entity.switch.write == "1/1/1"
    assert entity.switch.state is None


def test_nothing_at_all_is_a_valid_file() -> None:
    undecided = Draft("x", None, None, (Remark("1/1/1", "y", "", "z"),))
    assert KnxFile.model_validate(yaml.safe_load(to_yaml(Imported("empty", (), (undecided,))))).entities == ()
