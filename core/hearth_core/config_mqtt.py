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

    ca_file: PathText | None = Field(default=None, description="Certificate authorities to trust, PEM.")
    cert_file: PathText | None = Field(default=None, description="This client's own certificate, with key_file.")
    key_file: PathText | None = Field(default=None, description="The key of this client's certificate, PEM.")
    key_password: SecretStr | None = Field(default=None, description="Password of the key.")

    @model_validator(mode="after")
    def _paired(self) -> TlsConfig:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file go together")
        return self


class BrokerConfig(Section):
    """Where the broker is, and who we are there."""

    host: str = Field(default="localhost", description="Where the broker listens.")
    port: int = Field(default=0, ge=0, le=65535, description="0 is 1883, or 8883 with tls.")
    username: str | None = Field(default=None, description="User, if the broker wants one.")
    password: SecretStr | None = Field(default=None, description="Password, if the broker wants one.")
    client_id: str | None = Field(default=None, max_length=200, description="Default: hearth- and the server's name.")
    tls: TlsConfig | None = Field(default=None, description="Encryption; left out, there is none.")
    keepalive_s: int = Field(
        default=30, ge=5, le=3600, description="Seconds after which a silent connection is checked."
    )
    connect_timeout_s: float = Field(default=5.0, gt=0, le=60, description="Seconds to wait for a connection.")
    retry_s: tuple[float, float] = Field(
        default=(0.5, 30.0), description="The first and the longest wait between attempts."
    )

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return self.host, self.port or (8883 if self.tls else 1883)


class _Mqtt(EntityConfig):
    """What every entity on MQTT has."""

    availability_topic: Topic | None = Field(default=None, description="Topic that tells whether it is there.")
    availability_template: Template | None = Field(
        default=None, description="Jinja template over what that topic says."
    )
    payload_available: Payload = Field(default="online", description="What says that it is there.")
    payload_not_available: Payload = Field(default="offline", description="What says that it is not.")
    qos: Literal[0, 1, 2] = Field(default=1, description="Quality of service of what is sent and heard.")


class _Switched(_Mqtt):
    command_topic: Topic = Field(description="Topic that commands go to.")
    payload_on: Payload = Field(default="ON", description="What says on.")
    payload_off: Payload = Field(default="OFF", description="What says off.")
    state_topic: Topic | None = Field(default=None, description="Topic that tells its state.")
    value_template: Template | None = Field(default=None, description="Jinja template over what that topic says.")
    state_on: Payload | None = Field(default=None, description="Default: payload_on.")
    state_off: Payload | None = Field(default=None, description="Default: payload_off.")


class MqttSwitch(_Switched):
    """Something that goes on and off."""


class MqttLight(_Switched):
    """A light that goes on and off, and may be dimmed."""

    brightness_command_topic: Topic | None = Field(default=None, description="Topic that sets the brightness.")
    brightness_command_template: Template | None = Field(
        default=None, description="Jinja template of what is sent there."
    )
    brightness_state_topic: Topic | None = Field(default=None, description="Topic that tells the brightness.")
    brightness_value_template: Template | None = Field(
        default=None, description="Jinja template over what that topic says."
    )
    brightness_scale: int = Field(default=255, ge=1, le=65535, description="The number that is fully bright.")


class MqttCover(_Mqtt):
    """A blind, shutter, curtain or gate. Positions are as in Home Assistant: 100 is open."""

    command_topic: Topic | None = Field(default=None, description="Topic that commands go to.")
    payload_open: Payload = Field(default="OPEN", description="What opens it.")
    payload_close: Payload = Field(default="CLOSE", description="What closes it.")
    payload_stop: Payload = Field(default="STOP", description="What stops it.")
    state_topic: Topic | None = Field(default=None, description="Topic that tells its state.")
    value_template: Template | None = Field(default=None, description="Jinja template over what that topic says.")
    state_open: Payload = Field(default="open", description="What says open.")
    state_opening: Payload = Field(default="opening", description="What says that it opens.")
    state_closed: Payload = Field(default="closed", description="What says closed.")
    state_closing: Payload = Field(default="closing", description="What says that it closes.")
    state_stopped: Payload = Field(default="stopped", description="What says that it stopped.")
    set_position_topic: Topic | None = Field(default=None, description="Topic that sets the position.")
    set_position_template: Template | None = Field(default=None, description="Jinja template of what is sent there.")
    position_topic: Topic | None = Field(default=None, description="Topic that tells the position.")
    position_template: Template | None = Field(default=None, description="Jinja template over what that topic says.")
    position_open: int = Field(default=100, description="The number that is open.")
    position_closed: int = Field(default=0, description="The number that is closed.")

    @model_validator(mode="after")
    def _movable(self) -> MqttCover:
        if self.command_topic is None and self.set_position_topic is None:
            raise ValueError("a cover needs command_topic or set_position_topic")
        if self.position_open == self.position_closed:
            raise ValueError("position_open and position_closed are the same")
        return self


class MqttSensor(_Mqtt):
    """Something that measures or tells."""

    state_topic: Topic = Field(description="Topic that tells its state.")
    value_template: Template | None = Field(default=None, description="Jinja template over what that topic says.")
    unit_of_measurement: str | None = Field(default=None, description="Unit of what is told.")


class MqttBinarySensor(_Mqtt):
    """Something that is or is not: a door contact, a motion sensor."""

    state_topic: Topic = Field(description="Topic that tells its state.")
    value_template: Template | None = Field(default=None, description="Jinja template over what that topic says.")
    payload_on: Payload = Field(default="ON", description="What says on.")
    payload_off: Payload = Field(default="OFF", description="What says off.")


class MqttClimate(_Mqtt):
    """A heating or an air conditioner: set-point, temperature, and mode if it has one."""

    temperature_command_topic: Topic = Field(description="Topic that sets the temperature.")
    temperature_command_template: Template | None = Field(
        default=None, description="Jinja template of what is sent there."
    )
    temperature_state_topic: Topic | None = Field(default=None, description="Topic that tells the set temperature.")
    temperature_state_template: Template | None = Field(
        default=None, description="Jinja template over what that topic says."
    )
    current_temperature_topic: Topic | None = Field(
        default=None, description="Topic that tells the measured temperature."
    )
    current_temperature_template: Template | None = Field(
        default=None, description="Jinja template over what that topic says."
    )
    mode_command_topic: Topic | None = Field(default=None, description="Topic that sets the mode.")
    mode_state_topic: Topic | None = Field(default=None, description="Topic that tells the mode.")
    mode_state_template: Template | None = Field(default=None, description="Jinja template over what that topic says.")
    modes: tuple[str, ...] = Field(default=("off", "heat"), description="The modes that it has.")
    min_temp: float = Field(default=5.0, description="The lowest that can be set, in degrees Celsius.")
    max_temp: float = Field(default=35.0, description="The highest that can be set, in degrees Celsius.")


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

    broker: BrokerConfig = Field(default=BrokerConfig(), description="Where the broker is.")
    entities: tuple[MqttEntity, ...] = Field(default=(), max_length=5000, description="What can be switched or asked.")
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
