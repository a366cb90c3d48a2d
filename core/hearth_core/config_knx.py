"""The section `knx` of a home: the way to the bus, and entities by their group addresses.

    entities:
      - entity_id: light.kitchen_ceiling
        name: kitchen ceiling light
        area: Kitchen
        switch: {write: 1/1/1, state: 1/1/2}        # DPT 1.001
        brightness: {write: 1/1/3, state: 1/1/4}    # DPT 5.001

`write` is where a value is set, `state` where the actuator tells it: only that confirms. `switch: 1/1/1` is short for
`switch: {write: 1/1/1}`.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, SecretStr, Tag, model_validator

from .config_home import EntityConfig, HomePart
from .section import PathText, Section

_THREE, _TWO, _FREE = re.compile(r"(\d+)/(\d+)/(\d+)"), re.compile(r"(\d+)/(\d+)"), re.compile(r"(\d+)")


def group_address(text: str) -> int:
    """Return the 16 bits of a group address, written as 1/2/3, as 1/515, or as 2563.

    Raises:
        ValueError: it is none, or 0/0/0, which is the broadcast.
    """
    for form, most in ((_THREE, (31, 7, 255)), (_TWO, (31, 2047)), (_FREE, (65535,))):
        found = form.fullmatch(text.strip())
        if found is None:
            continue
        parts = tuple(int(part) for part in found.groups())
        if any(part > limit for part, limit in zip(parts, most, strict=True)):
            break
        shifts = {3: (11, 8, 0), 2: (11, 0), 1: (0,)}[len(parts)]
        raw = sum(part << shift for part, shift in zip(parts, shifts, strict=True))
        if raw:
            return raw
    raise ValueError(f"{text!r} is not a group address; write e.g. 1/2/3")


def _canonical(text: str) -> str:
    raw = group_address(text)
    return f"{raw >> 11}/{raw >> 8 & 7}/{raw & 255}"


def _as_text(value: Any) -> Any:
    """Take what YAML makes a number of: a free-style address, and a DPT, of which 1.010 loses its last 0."""
    if type(value) is int:
        return str(value)
    return f"{value:.3f}" if isinstance(value, float) else value


GroupAddress = Annotated[str, BeforeValidator(_as_text), AfterValidator(_canonical)]
IndividualAddress = Annotated[str, Field(pattern=r"^\d{1,2}\.\d{1,2}\.\d{1,3}$")]


class Point(Section):
    """One value of an entity on the bus, by the address that sets it and the one that tells it."""

    write: GroupAddress | None = Field(default=None, description="Group address that sets it.")
    state: GroupAddress | None = Field(default=None, description="Group address that tells how it is.")
    dpt: str = Field(description="Datapoint type.")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"write": value} if isinstance(value, str | int) else value

    @model_validator(mode="after")
    def _some(self) -> Point:
        if self.write is None and self.state is None:
            raise ValueError("neither write nor state has a group address")
        return self


class BinaryPoint(Point):
    """One bit: on and off, up and down, stop."""

    dpt: Annotated[str, BeforeValidator(_as_text), Field(pattern=r"^1\.\d{3}$")] = Field(
        default="1.001", description="Datapoint type."
    )


class PercentPoint(Point):
    """0 to 100 % in one byte."""

    dpt: Annotated[Literal["5.001"], BeforeValidator(_as_text)] = Field(default="5.001", description="Datapoint type.")


class DimPoint(Point):
    """Brighter and darker, in steps."""

    dpt: Annotated[Literal["3.007"], BeforeValidator(_as_text)] = Field(default="3.007", description="Datapoint type.")


class TemperaturePoint(Point):
    """Degrees Celsius."""

    dpt: Annotated[Literal["9.001", "14.068"], BeforeValidator(_as_text)] = Field(
        default="9.001", description="Datapoint type."
    )


class ModePoint(Point):
    """HVAC operating mode: auto, comfort, standby, economy, building protection."""

    dpt: Annotated[Literal["20.102"], BeforeValidator(_as_text)] = Field(
        default="20.102", description="Datapoint type."
    )


class ScenePoint(Point):
    """Scene number, or scene control."""

    dpt: Annotated[Literal["17.001", "18.001"], BeforeValidator(_as_text)] = Field(
        default="17.001", description="Datapoint type."
    )


class ValuePoint(Point):
    """Anything that is told."""

    dpt: Annotated[str, BeforeValidator(_as_text), Field(pattern=r"^\d{1,3}\.\d{3}$")] = Field(
        description="Datapoint type."
    )


class KnxSwitch(EntityConfig):
    """Something that goes on and off."""

    switch: BinaryPoint = Field(description="On and off.")
    invert: bool = Field(default=False, description="True if 0 is on.")


class KnxLight(EntityConfig):
    """A light. With `brightness` it is set to a level; with `dim` alone it only goes brighter and darker."""

    switch: BinaryPoint = Field(description="On and off.")
    brightness: PercentPoint | None = Field(default=None, description="Level, 0 to 100 %.")
    dim: DimPoint | None = Field(default=None, description="Brighter and darker.")


class KnxCover(EntityConfig):
    """A blind, shutter or awning.

    On KNX 100 % and "down" are closed, in Home Assistant 0 % is: the bus turns the position round.
    `invert_position` is for the actuators that have it the other way round.
    """

    move: BinaryPoint | None = Field(default=None, description="DPT 1.008: 0 is up, 1 is down.")
    stop: BinaryPoint | None = Field(default=None, description="DPT 1.007 or 1.017.")
    position: PercentPoint | None = Field(default=None, description="Position, 0 to 100 %.")
    invert_position: bool = Field(default=False, description="True if 0 % is closed on the bus.")

    @model_validator(mode="after")
    def _movable(self) -> KnxCover:
        if (self.move is None or self.move.write is None) and (self.position is None or self.position.write is None):
            raise ValueError("a cover needs move or position to write to")
        return self


class KnxClimate(EntityConfig):
    """A room's heating."""

    setpoint: TemperaturePoint = Field(description="The temperature that is wanted.")
    temperature: TemperaturePoint | None = Field(default=None, description="What is measured.")
    mode: ModePoint | None = Field(default=None, description="Operating mode.")
    on_off: BinaryPoint | None = Field(default=None, description="On and off.")
    min_temp: float = Field(default=7.0, description="The lowest that can be set, in degrees Celsius.")
    max_temp: float = Field(default=35.0, description="The highest that can be set, in degrees Celsius.")


class KnxScene(EntityConfig):
    """A scene that actuators have stored. No state tells that it is there: it is done when the bus has taken it."""

    scene: ScenePoint = Field(description="Scene number or scene control.")
    number: int = Field(ge=1, le=64, description="As ETS shows it, from 1.")


class KnxSensor(EntityConfig):
    """Something that measures or tells."""

    value: ValuePoint = Field(description="What is told.")


class KnxBinarySensor(EntityConfig):
    """Something that is or is not."""

    value: BinaryPoint = Field(description="What is told.")
    invert: bool = Field(default=False, description="True if 0 is on.")


def _domain(value: Any) -> str | None:
    entity_id = value.get("entity_id") if isinstance(value, dict) else getattr(value, "entity_id", None)
    return entity_id.partition(".")[0] if isinstance(entity_id, str) else None


KnxEntity = Annotated[
    Annotated[KnxSwitch, Tag("switch")]
    | Annotated[KnxLight, Tag("light")]
    | Annotated[KnxCover, Tag("cover")]
    | Annotated[KnxClimate, Tag("climate")]
    | Annotated[KnxScene, Tag("scene")]
    | Annotated[KnxSensor, Tag("sensor")]
    | Annotated[KnxBinarySensor, Tag("binary_sensor")],
    Discriminator(
        _domain,
        custom_error_type="entity_domain",
        custom_error_message="on KNX an entity_id begins with switch, light, cover, climate, scene, (binary_)sensor",
    ),
]


class KnxConnection(Section):
    """The way to the bus. Keys and passwords come from the keyring that ETS exports."""

    TUNNELS: ClassVar = ("tunnelling", "tunnelling_tcp", "tunnelling_tcp_secure")
    SECURE: ClassVar = ("tunnelling_tcp_secure", "routing_secure")

    type: Literal["tunnelling", "tunnelling_tcp", "tunnelling_tcp_secure", "routing", "routing_secure"] = Field(
        default="tunnelling", description="How the bus is reached."
    )
    host: str | None = Field(default=None, description="The IP interface; for tunnelling.")
    port: int = Field(default=3671, ge=1, le=65535, description="Port of the IP interface.")
    local_ip: str | None = Field(default=None, description="Our own address, where there are several networks.")
    route_back: bool = Field(default=False, description="For tunnelling through NAT, as in a container.")
    individual_address: IndividualAddress | None = Field(
        default=None, description="Our address on the bus; for secure tunnels, to choose one."
    )
    keyring: PathText | None = Field(
        default=None, description="The .knxkeys file; for KNX Secure, on the wire or on the bus."
    )
    keyring_password: SecretStr | None = Field(default=None, description="Password of the keyring.")
    multicast_group: str = Field(default="224.0.23.12", description="Address for routing.")
    multicast_port: int = Field(default=3671, ge=1, le=65535, description="Port for routing.")
    retry_s: tuple[float, float] = Field(
        default=(0.5, 30.0), description="The first and the longest wait between attempts."
    )

    @model_validator(mode="after")
    def _complete(self) -> KnxConnection:
        if self.type in self.TUNNELS and not self.host:
            raise ValueError(f"{self.type} needs a host")
        if self.type in self.SECURE and not self.keyring:
            raise ValueError(f"{self.type} needs a keyring")
        if (self.keyring is None) != (self.keyring_password is None):
            raise ValueError("keyring and keyring_password go together")
        return self


class KnxFile(HomePart):
    """Entities in a file of their own, as `hearth knx import` writes it."""

    entities: tuple[KnxEntity, ...] = Field(default=(), max_length=5000, description="What can be switched or asked.")


class KnxConfig(KnxFile):
    """The section `knx`."""

    connection: KnxConnection = Field(description="The way to the bus.")
    file: PathText | None = Field(default=None, description="A file with more areas and entities.")
    writes_per_second: float = Field(default=20.0, gt=0, le=50, description="How many telegrams are sent at most.")
    reads_per_second: float = Field(
        default=10.0, gt=0, le=50, description="How many states are asked for at most, at the start."
    )
    max_age_s: float = Field(
        default=5.0, gt=0, le=60, description="How long a command waits for a lost connection; then it is never sent."
    )
