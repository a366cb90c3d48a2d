"""What an author's sentences do: one step or several, as they stand under `action:`.

    action:
      - service: light.turn_on                        # a Home Assistant service call, whatever the bus
        target: {area_id: den}
        data: {brightness_pct: "{{ level }}"}
      - scene: scene.movie                            # short for scene.turn_on
      - knx: {address: 1/2/3, dpt: 9.001, value: "{{ degrees }}"}
      - mqtt: {topic: den/screen, payload: down, qos: 1, retain: false}

Texts are Jinja templates over the sentence's slots. What holds no template is checked when the file is read.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    RootModel,
    StrictBool,
    Tag,
    field_validator,
    model_validator,
)

from hearth_core.config_knx import group_address

# A scene of a whole house has some dozens.
MAX_STEPS = 50
MAX_TEXT_CHARS = 20_000
# The standard allows 65,535 bytes; nobody writes that by hand.
MAX_TOPIC_CHARS = 500

_ID = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+")
_DPT = re.compile(r"\d{1,3}(\.\d{1,3})?|[a-z][a-z0-9_]*")


def is_template(value: Any) -> bool:
    """Return whether a value is only known when a sentence is said."""
    return isinstance(value, str) and "{" in value


def topic(text: str) -> str:
    """Return a topic that can be published on.

    Raises:
        ValueError: it is none; wildcards are for listening.
    """
    if not text or len(text) > MAX_TOPIC_CHARS or any(c in text for c in "#+\x00"):
        raise ValueError(f"{text[:80]!r} is not a topic to publish on: it has no wildcards # and +, and is not empty")
    return text


def _text_of(value: Any) -> Any:
    """Return what YAML makes a number of as it was meant: 9.001, and a free group address."""
    if type(value) is int:
        return str(value)
    return f"{value:.3f}" if isinstance(value, float) else value


def _address(text: str) -> str:
    if not is_template(text):
        group_address(text)
    return text


def _dpt(text: str) -> str:
    if not is_template(text) and not _DPT.fullmatch(text):
        raise ValueError(f"{text!r} is not a datapoint type; write e.g. 9.001 or temperature")
    return text


def _entity_ids(value: str | list[str]) -> str | list[str]:
    for text in [value] if isinstance(value, str) else value:
        for each in () if is_template(text) else text.split(","):
            if not _ID.fullmatch(each.strip()):
                raise ValueError(f"{each.strip()!r} is not an entity; write e.g. light.desk")
    return value


Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARS)]
EntityIds = Annotated[Text | list[Text], AfterValidator(_entity_ids)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Target(_Model):
    """What a service is called for, as Home Assistant's `target`: entities, or those of places."""

    entity_id: EntityIds | None = None
    area_id: Text | list[Text] | None = None
    floor_id: Text | list[Text] | None = None


class ServiceStep(_Model):
    """A service call; `action` is Home Assistant's newer word for `service`."""

    service: Annotated[str, Field(pattern=rf"^{_ID.pattern}$", validation_alias=AliasChoices("service", "action"))]
    target: Target | None = None
    entity_id: EntityIds | None = None
    data: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_target(self) -> ServiceStep:
        if self.target is not None and self.entity_id is not None:
            raise ValueError("give either target or entity_id")
        return self

    def as_data(self) -> dict[str, Any]:
        """Return {service, entity_id: list, data}, with area_id and floor_id where they are given."""
        target = self.target or Target(entity_id=self.entity_id)
        places = {"area_id": target.area_id, "floor_id": target.floor_id}
        found = {key: _listed(value) for key, value in places.items() if value is not None}
        return {"service": self.service, "entity_id": _listed(target.entity_id or []), **found, "data": self.data}


class SceneStep(_Model):
    """A scene, by its entity."""

    scene: EntityIds

    def as_data(self) -> dict[str, Any]:
        """Return the service call."""
        return {"service": "scene.turn_on", "entity_id": _listed(self.scene), "data": {}}


class KnxWrite(_Model):
    """A GroupValueWrite: without a DPT a bit, 1.001."""

    address: Annotated[str, BeforeValidator(_text_of), AfterValidator(_address)]
    dpt: Annotated[
        str,
        BeforeValidator(_text_of),
        AfterValidator(_dpt),
        Field(validation_alias=AliasChoices("dpt", "type")),
    ] = "1.001"
    value: Any

    @field_validator("value")
    @classmethod
    def _some(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("there is no value to write")
        return value


class KnxStep(_Model):
    """A value for a group address, whether or not an entity has it."""

    knx: KnxWrite

    def as_data(self) -> dict[str, Any]:
        """Return {knx: {address, dpt, value}}."""
        return self.model_dump()


class MqttPublish(_Model):
    """A message."""

    topic: Annotated[str, AfterValidator(lambda text: text if is_template(text) else topic(text))]
    payload: Any = ""
    qos: Literal[0, 1, 2] = 1
    retain: StrictBool = False


class MqttStep(_Model):
    """A message to publish, whether or not an entity has the topic."""

    mqtt: MqttPublish

    def as_data(self) -> dict[str, Any]:
        """Return {mqtt: {topic, payload, qos, retain}}."""
        return self.model_dump()


def _kind(step: Any) -> str:
    for key in ("knx", "mqtt", "scene"):
        if isinstance(step, dict) and key in step:
            return f"a {key} step"
    return "a service step"


Step = Annotated[
    Annotated[ServiceStep, Tag("a service step")]
    | Annotated[SceneStep, Tag("a scene step")]
    | Annotated[KnxStep, Tag("a knx step")]
    | Annotated[MqttStep, Tag("a mqtt step")],
    Discriminator(_kind),
]


class ActionBlock(RootModel[list[Step]]):
    """The steps of a block of sentences; they are done at once, in no order."""

    root: Annotated[list[Step], Field(min_length=1, max_length=MAX_STEPS)]

    @model_validator(mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        return value if isinstance(value, list) else [value]

    def as_data(self) -> dict[str, Any]:
        """Return a step's data, of several {steps: [data, …]}; JSON's types alone."""
        steps = [step.as_data() for step in self.root]
        found: dict[str, Any] = json.loads(json.dumps(steps[0] if len(steps) == 1 else {"steps": steps}, default=str))
        return found


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
