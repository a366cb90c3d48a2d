"""A state as response templates see it: what Home Assistant's conversation agent hands to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hearth_core.home import Entity


@dataclass(frozen=True, slots=True, eq=False)
class SpokenState:
    """An entity's state, its value in words.

    Compares with a string as the state in Home Assistant's words ("not_home"), which `state` no longer is ("away").

    Attributes:
        entity_id: of the entity.
        name: of the entity.
        state: in the words of the language.
        raw: in Home Assistant's words.
        attributes: of the state.
    """

    entity_id: str
    name: str
    state: str
    raw: str
    attributes: Mapping[str, Any]

    @classmethod
    def of(cls, entity: Entity, words: Mapping[str, str]) -> SpokenState:
        """Return the entity's state; `words` as `states` in phrases/<language>.yaml."""
        value = entity.state.value
        keys = (f"{entity.domain}.{entity.device_class}.{value}", f"{entity.domain}.{value}", value)
        spoken = next((words[key] for key in keys if key in words), value)
        return cls(entity.entity_id, entity.name, spoken, value, entity.state.attributes)

    @property
    def domain(self) -> str:
        """The kind of entity."""
        return self.entity_id.partition(".")[0]

    @property
    def object_id(self) -> str:
        """The id without the kind."""
        return self.entity_id.partition(".")[2]

    @property
    def state_with_unit(self) -> str:
        """The state, and its unit if it has one."""
        unit = self.attributes.get("unit_of_measurement")
        return f"{self.state} {unit}" if unit else self.state

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return self.raw == other
        return isinstance(other, SpokenState) and (self.entity_id, self.raw) == (other.entity_id, other.raw)

    def __hash__(self) -> int:
        return hash((self.entity_id, self.raw))
