"""What the configured parts of a home have in common: areas and entities as a person writes them down."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from .section import Section

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
EntityId = Annotated[str, StringConstraints(pattern=r"^[a-z_]+\.[a-z0-9_]+$", max_length=255)]


class AreaConfig(Section):
    """A room. Only needed for what its name alone does not say."""

    name: Name = Field(description="What people call it.")
    id: str = Field(default="", description="Its id, if the name does not make a good one.")
    aliases: tuple[Name, ...] = Field(default=(), description="What else people call it.")
    floor: Name | None = Field(default=None, description="Name of the storey.")

    @property
    def area_id(self) -> str:
        """The id, made from the name if there is none."""
        return self.id or slug(self.name)


class EntityConfig(Section):
    """What every entity has: an id whose first half is its domain, names, and a room."""

    entity_id: EntityId = Field(description="Its id; the first half says what it is, e.g. light.hall.")
    name: Name = Field(description="What people call it.")
    aliases: tuple[Name, ...] = Field(default=(), description="What else people call it.")
    area: Name | None = Field(default=None, description="Name of the room; it need not be listed under areas.")
    device_class: str | None = Field(
        default=None, description="What kind, in Home Assistant's words, e.g. blind, window."
    )

    @property
    def domain(self) -> str:
        """The kind of entity."""
        return self.entity_id.partition(".")[0]


class HomePart(Section):
    """The areas and entities of one bus."""

    areas: tuple[AreaConfig, ...] = Field(
        default=(), description="Rooms, as far as their names alone do not say it all."
    )

    @model_validator(mode="after")
    def _distinct(self) -> HomePart:
        entities: tuple[EntityConfig, ...] = getattr(self, "entities", ())
        _once("areas", "id", [area.area_id for area in self.areas])
        _once("entities", "entity_id", [entity.entity_id for entity in entities])
        return self


def _once(key: str, name: str, ids: list[str]) -> None:
    seen: set[str] = set()
    for index, found in enumerate(ids):
        if found in seen:
            at = {"id": found, "at": (key, index, name)}  # `at` tells where in the value
            raise PydanticCustomError("duplicate", "{id} is there twice", at)
        seen.add(found)


def slug(name: str) -> str:
    """Return an id made from a name as Home Assistant makes it for most: "Küche 2" gives "kuche_2".

    The same room named in two places gets the same id, so that it is one room. Letters beyond Latin stay as they are.
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.replace("ß", "ss")) if not unicodedata.combining(c))
    return re.sub(r"\W+", "_", plain.casefold()).strip("_") or "_"
