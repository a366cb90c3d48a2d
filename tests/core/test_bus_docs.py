"""The configurations in the pages on KNX and MQTT are ones that Hearth takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from hearth_core.config import load_as
from hearth_core.config_knx import KnxConfig, KnxFile
from hearth_core.config_mqtt import MqttConfig
from hearth_core.section import Section

DOCS = Path(__file__).parents[2] / "docs"
BLOCKS = [
    pytest.param(page, block, id=f"{page}-{number}")
    for page in ("knx.md", "mqtt.md")
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL))
]


@pytest.mark.parametrize(("page", "block"), BLOCKS)
def test_configuration_in_the_docs_is_taken(page: str, block: str, tmp_path: Path) -> None:
    data = yaml.safe_load(block)
    model: type[Section] = KnxFile
    if "home" in data:
        ((bus, data),) = data["home"].items()
        models: dict[str, type[Section]] = {"knx": KnxConfig, "mqtt": MqttConfig}
        model = models[bus]
    file = tmp_path / "section.yaml"
    # As text again, because how YAML reads an unquoted DPT is part of the question.
    file.write_text(block if model is KnxFile else yaml.safe_dump(data))
    assert load_as(file, model)
    assert "entities" not in data or len(data["entities"]) >= 5


def test_the_pages_have_configurations() -> None:
    assert len(BLOCKS) >= 5
