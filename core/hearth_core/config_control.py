"""The section `control` of a satellite: how it is set, shown and found, and who may drive it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from .config_mqtt import BrokerConfig
from .section import PathText, Section

# A test holds these beside the satellite's own list.
HookName = Literal[
    "state", "connected", "disconnected", "not-connected", "wake", "near-miss", "transcript", "answer", "error",
    "settings", "microphone", "output-began", "output-ended", "timer-started", "timer-updated", "timer-cancelled",
    "timer-ringing", "timer-silenced",
]  # fmt: skip
Argument = Annotated[str, StringConstraints(max_length=1000)]
Command = Annotated[tuple[Argument, ...], Field(min_length=1, max_length=50)]
Level = Annotated[str, StringConstraints(pattern=r"^[^#+/\x00]+(/[^#+/\x00]+)*$", max_length=200)]
WordName = Annotated[str, Field(min_length=1, max_length=100)]


class HooksConfig(Section):
    """Commands of your own that run when something happens."""

    commands: dict[HookName, Command] = Field(
        default={},
        max_length=50,
        description="Program and arguments for each happening, e.g. wake: [/usr/bin/led, on].",
    )
    timeout_s: float = Field(default=5.0, ge=0.1, le=60, description="Seconds after which a command is ended.")
    max_running: int = Field(default=4, ge=1, le=32, description="Commands that run at a time; others wait.")


class SocketConfig(Section):
    """A local socket that tells what happens and takes commands: lights and buttons."""

    path: PathText = Field(default="", description="A unix socket to listen on, for this user alone; empty for none.")
    port: int | None = Field(
        default=None, ge=0, le=65535, description="A TCP port of loopback, 0 a free one; null for none."
    )
    token_file: PathText = Field(
        default="", description="What a client of the TCP port has to say first; made if it is missing."
    )

    @model_validator(mode="after")
    def _complete(self) -> SocketConfig:
        if self.port is not None and not self.token_file:
            raise PydanticCustomError("token_file", "is needed with port", {"at": ("token_file",)})
        return self


class DeviceMqttConfig(Section):
    """The satellite as a device of Home Assistant, over MQTT."""

    broker: BrokerConfig = Field(default=BrokerConfig(), description="The broker of Home Assistant.")
    discovery_prefix: Level = Field(default="homeassistant", description="Where Home Assistant looks for devices.")
    base_topic: Level = Field(
        default="hearth/satellite", description="The satellite's topics are below this and its id."
    )


class SecurityConfig(Section):
    """Who may drive the satellite. Without anything here: whoever reaches its port, as Wyoming has it."""

    token: SecretStr | None = Field(
        default=None, min_length=16, max_length=200, description="A driver has to say this first; see also token_file."
    )
    token_file: PathText = Field(default="", description="A file whose first line is the token.")
    cert_file: PathText = Field(default="", description="Certificate for TLS, PEM; empty for none.")
    key_file: PathText = Field(default="", description="Its key, PEM.")
    tls_port: int = Field(default=10743, ge=0, le=65535, description="Port for TLS; 0 takes a free one.")
    plain: bool = Field(default=True, description="Listen on the plain port too, for drivers that know no TLS.")

    @model_validator(mode="after")
    def _complete(self) -> SecurityConfig:
        if bool(self.cert_file) != bool(self.key_file):
            raise PydanticCustomError("key_file", "cert_file and key_file go together", {"at": ("key_file",)})
        if not self.plain and not self.cert_file:
            raise PydanticCustomError("plain", "without cert_file nobody could connect", {"at": ("plain",)})
        if self.token is not None and self.token_file:
            raise PydanticCustomError("token", "give token or token_file, not both", {"at": ("token_file",)})
        return self


class ControlConfig(Section):
    """How the satellite is set, shown and found. What people change while it runs is remembered in `state_file`."""

    id: str = Field(
        default="",
        pattern=r"^[a-z0-9]?[a-z0-9-]{0,39}$",
        description="What it is known by on the network for good; empty: made from the machine's id.",
    )
    state_file: PathText = Field(
        default="", description="Where changes are remembered; empty: the system's place for that."
    )
    mute: bool = Field(default=False, description="Begin muted, before anybody has changed that.")
    volume: float = Field(default=1.0, ge=0, le=1, description="Loudness of answers, before anybody has changed that.")
    barge_in: bool = Field(default=True, description="A wake word stops an answer and is listened to.")
    stop_words: tuple[WordName, ...] = Field(
        default=(), max_length=16, description="Those of the wake words that only stop an answer or a timer."
    )
    ring_s: float = Field(default=120.0, ge=2, le=3600, description="Seconds that a timer rings at most.")
    not_connected: Literal["auto", "en", "de", "fr", "nl", "es", "tone"] = Field(
        default="auto",
        description="How somebody is told that no server is there: in a language, by a tone, or auto: in the wake "
        "word's language, else in the system's.",
    )
    announce: bool = Field(default=True, description="Be found on the network (zeroconf) where `host` lets it in.")
    hooks: HooksConfig = Field(default=HooksConfig(), description="Commands of your own.")
    socket: SocketConfig = Field(default=SocketConfig(), description="Lights and buttons.")
    mqtt: DeviceMqttConfig | None = Field(default=None, description="A device of Home Assistant, over MQTT.")
    security: SecurityConfig = Field(default=SecurityConfig(), description="Who may drive it.")

    @field_validator("stop_words")
    @classmethod
    def _differ(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(words)) != len(words):
            raise PydanticCustomError("duplicate", "names a word twice", {"at": ()})
        return words


class LinkSecurityConfig(Section):
    """How the server shows a satellite that it may drive it, and knows that it is that satellite."""

    token: SecretStr | None = Field(default=None, max_length=200, description="The satellite's token.")
    token_file: PathText = Field(default="", description="A file whose first line is the token.")
    fingerprint: str = Field(
        default="",
        pattern=r"^([0-9a-fA-F]{2}(:?[0-9a-fA-F]{2}){31})?$",
        description="SHA-256 of the satellite's certificate, in hexadecimal; given, the connection is TLS.",
    )
