"""The KNX bus as it is configured, with the file that holds its entities."""

from __future__ import annotations

from pathlib import Path

from hearth_core.config import load_as
from hearth_core.config_knx import KnxConfig, KnxFile
from hearth_core.errors import ConfigError

from .bus import KnxBus


def knx_bus(config: KnxConfig) -> KnxBus:
    """Return the bus of a section `knx`.

    Raises:
        ConfigError: its file cannot be read or has mistakes, or an entity is in both.
    """
    if not config.file:
        return KnxBus(config)
    file = load_as(Path(config.file), KnxFile)
    own = {entity.entity_id for entity in config.entities}
    for entity in file.entities:
        if entity.entity_id in own:
            raise ConfigError(
                f"{entity.entity_id} is in {config.file} and in the configuration too", remedy="Remove one of them"
            )
    described = {area.area_id for area in config.areas}
    areas = (*config.areas, *(area for area in file.areas if area.area_id not in described))
    return KnxBus(config.model_copy(update={"areas": areas, "entities": (*config.entities, *file.entities)}))
