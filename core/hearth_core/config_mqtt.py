"""The section `mqtt` of a home: the broker, and entities bound to topics, in the words of Home Assistant's MQTT."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, SecretStr, StringConstraints, Tag, model_validator

from .config_home import EntityConfig, HomePart
from .section import PathText, Section

# A topic to publish on or to hear: no wildcards. The standard allows 65,535 bytes; nobody writes that by hand.
Topic = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^#+\x00]+$")]
Payload = Annotated[str, StringConstraints(max_length=1000)]
# Of Jinja, over `value` (the payload) and `value_json` (the payload parsed, if it is JSON).
Template = Annotated[str, StringConstraints(max_length=2000)]


class TlsConfig(Section):
    """Encryption. The certificate authorities of the system are trusted unless `ca_file` names others."""

    ca_file: PathText | None = None
    cert_file: PathText | None = Field(default=None, description="This client's own certificate, with key_file.")
    key_file: PathText | None = None
    key_password: SecretStr | None = None

    @model_validator(mode="after")
    def _paired(self) -> TlsConfig:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file go together")
        return self


class BrokerConfig(Section):
    """Where the broker is, and who we are there."""

    host: str = "localhost"
    port: int = Field(default=0, ge=0, le=65535, description="0 is 1883, or 8883 with tls.")
    username: str | None = None
    password: SecretStr | None = None
    client_id: str | None = Field(default=None, max_length=200, description="Default: hearth- and the server's name.")
    tls: TlsConfig | None = None
    keepalive_s: int = Field(default=30, ge=5, le=3600)
    connect_timeout_s: float = Field(default=5.0, gt=0, le=60)
    retry_s: tuple[float, float] = Field(
        default=(0.5, 30.0), description="The first and the longest wait between attempts."
    )

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return self.host, self.port or (8883 if self.tls else 1883)


class _Mqtt(EntityConfig):
    """What every entity on MQTT has."""

    availability_topic: Topic | None = None
    availability_template: Template | None = None
    payload_available: Payload = "online"
    payload_not_available: Payload = "offline"
    qos: Literal[0, 1, 2] = 1


class _Switched(_Mqtt):
    command_topic: Topic
    payload_on: Payload = "ON"
    payload_off: Payload = "OFF"
    state_topic: Topic | None = None
    value_template: Template | None = None
    state_on: Payload | None = Field(default=None, description="Default: payload_on.")
    state_off: Payload | None = Field(default=None, description="Default: payload_off.")


class MqttSwitch(_Switched):
    """Something that goes on and off."""


class MqttLight(_Switched):
    """A light that goes on and off, and may be dimmed."""

    brightness_command_topic: Topic | None = None
    brightness_command_template: Template | None = None
    brightness_state_topic: Topic | None = None
    brightness_value_template: Template | None = None
    brightness_scale: int = Field(default=255, ge=1, le=65535, description="The number that is fully bright.")


class MqttCover(_Mqtt):
    """A blind, shutter, curtain or gate. Positions are as in Home Assistant: 100 is open."""

    command_topic: Topic | None = None
    payload_open: Payload = "OPEN"
    payload_close: Payload = "CLOSE"
    payload_stop: Payload = "STOP"
    state_topic: Topic | None = None
    value_template: Template | None = None
    state_open: Payload = "open"
    state_opening: Payload = "opening"
    state_closed: Payload = "closed"
    state_closing: Payload = "closing"
    state_stopped: Payload = "stopped"
    set_position_topic: Topic | None = None
    set_position_template: Template | None = None
    position_topic: Topic | None = None
    position_template: Template | None = None
    position_open: int = 100
    position_closed: int = 0

    @model_validator(mode="after")
    def _movable(self) -> MqttCover:
        if self.command_topic is None and self.set_position_topic is None:
            raise ValueError("a cover needs command_topic or set_position_topic")
        if self.position_open == self.position_closed:
            raise ValueError("position_open and position_closed are the same")
        return self


class MqttSensor(_Mqtt):
    """Something that measures or tells."""

    state_topic: Topic
    value_template: Template | None = None
    unit_of_measurement: str | None = None


class MqttBinarySensor(_Mqtt):
    """Something that is or is not: a door contact, a motion sensor."""

    state_topic: Topic
    value_template: Template | None = None
    payload_on: Payload = "ON"
    payload_off: Payload = "OFF"


class MqttClimate(_Mqtt):
    """A heating or an air conditioner: set-point, temperature, and mode if it has one."""

    temperature_command_topic: Topic
    temperature_command_template: Template | None = None
    temperature_state_topic: Topic | None = None
    temperature_state_template: Template | None = None
    current_temperature_topic: Topic | None = None
    current_temperature_template: Template | None = None
    mode_command_topic: Topic | None = None
    mode_state_topic: Topic | None = None
    mode_state_template: Template | None = None
    modes: tuple[str, ...] = ("off", "heat")
    min_temp: float = 5.0
    max_temp: float = 35.0


def _domain(value: Any) -> str | None:
    entity_id = value.get("entity_id") if isinstance(value, dict) else getattr(value, "entity_id", None)
    return entity_id.partition(".")[0] if isinstance(entity_id, str) else None


MqttEntity = Annotated[
    Annotated[MqttSwitch, Tag("switch")]
    | Annotated[MqttLight, Tag("light")]
    | Annotated[MqttCover, Tag("cover")]
    | Annotated[MqttSensor, Tag("sensor")]
    | Annotated[MqttBinarySensor, Tag("binary_sensor")]
    | Annotated[MqttClimate, Tag("climate")],
    Discriminator(
        _domain,
        custom_error_type="entity_domain",
        custom_error_message="on MQTT the entity_id begins with switch, light, cover, sensor, binary_sensor or climate",
    ),
]


class MqttConfig(HomePart):
    """The section `mqtt`."""

    broker: BrokerConfig = BrokerConfig()
    entities: tuple[MqttEntity, ...] = Field(default=(), max_length=5000)
    base_topic: Topic = Field(default="hearth", description="What our own topics begin with.")
    server_name: Annotated[str, Field(pattern=r"^[^/#+\x00]*$", max_length=100)] = Field(
        default="",
        description="What they go on with, so that several servers share a broker; empty: this machine's name.",
    )
    publish_commands: bool = Field(
        default=True, description="Tell every command, understood or not, on our own topics."
    )
    hermes: bool = Field(default=False, description="Tell them on the topics of Rhasspy's Hermes protocol too.")
    text_commands: bool = Field(
        default=False, description="Do what is published on the topic `say`: whoever may publish there can."
    )
