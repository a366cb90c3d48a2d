"""The keys of the configuration: every one has a default, a range and a description.

Import these by way of `hearth_core.config`, which reads them from a file.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from . import address
from .config_companion import CompanionConfig
from .config_control import ControlConfig, LinkSecurityConfig
from .config_front_end import FrontEndConfig
from .config_home_assistant import HomeAssistantConfig
from .config_knx import KnxConfig
from .config_microphone import DeviceText, MicrophoneConfig
from .config_mqtt import MqttConfig
from .config_policy import ConversationConfig, PolicyConfig
from .config_rooms import HearingConfig, RoomsConfig
from .config_say_as import SayAs
from .config_schedule import ScheduleConfig
from .config_wake import WakeConfig
from .errors import InputError
from .section import PathText, Section

if TYPE_CHECKING:
    from .speech import EndpointSettings


def _wyoming_uri(uri: str) -> str:
    if uri:
        try:
            address.split(uri)
        except InputError as error:
            raise PydanticCustomError("address", "should be tcp://host:port") from error
    return uri


Uri = Annotated[str, Field(max_length=300), AfterValidator(_wyoming_uri)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Port = Annotated[int, Field(ge=0, le=65535)]


class UtteranceConfig(Section):
    """When a command is over."""

    silence_s: float = Field(default=0.5, ge=0.1, le=5, description="Seconds of silence that end a command.")
    min_speech_s: float = Field(
        default=0.2, ge=0, le=5, description="Seconds of speech from which silence_s ends it; less waits at least 1 s."
    )
    max_s: float = Field(
        default=15.0, ge=1, le=120, description="Seconds after which a command is cut, silence or not."
    )
    no_speech_s: float | None = Field(
        default=5.0, ge=0.5, le=120, description="Seconds to wait for somebody to speak; null waits until max_s."
    )
    background_db: float | None = Field(
        default=10.0,
        ge=3,
        le=40,
        description="Speech softer than the command's loudest by so many dB is a television's; null hears all of it.",
    )

    def settings(self) -> EndpointSettings:
        """Return these as the endpointer takes them."""
        from .speech import EndpointSettings  # needs numpy, which reading a configuration does not

        return EndpointSettings(
            silence_s=self.silence_s,
            min_speech_s=self.min_speech_s,
            max_s=self.max_s,
            no_speech_s=self.no_speech_s,
            background_db=self.background_db,
        )


class CommandConfig(UtteranceConfig):
    """When the server takes a command as over; it knows what may still be said if the engine does (micro)."""

    early_s: float | None = Field(
        default=0.13,
        ge=0.1,
        le=5,
        description="Seconds of silence that end a command to which nothing can be added; null waits for silence_s.",
    )
    enough_s: float | None = Field(
        default=0.3,
        ge=0.1,
        le=5,
        description="Seconds of silence that end a command to which something is seldom added; null: extendable_s.",
    )
    extendable_s: float = Field(
        default=0.4,
        ge=0.1,
        le=5,
        description="Seconds of silence that end a command that could go on, if less than silence_s.",
    )
    open_s: float = Field(
        default=0.9, ge=0.1, le=5, description="Seconds of silence that end a command of which something is missing."
    )

    def settings(self) -> EndpointSettings:
        """Return these as the endpointer takes them."""
        return replace(
            super().settings(),
            early_s=self.early_s,
            enough_s=self.enough_s,
            extendable_s=self.extendable_s,
            open_s=self.open_s,
        )


class MicroConfig(Section):
    """The micro engine: Hearth's own small speech model."""

    model: PathText = Field(default="", description="File of another model than the one that comes with Hearth.")
    # What other speech gives with it: docs/micro.md.
    least_confidence: float = Field(
        default=0.6,
        ge=0.01,
        le=0.99,
        description="How sure it must be that a sentence of the home was said, and of what was meant.",
    )


class WhisperConfig(Section):
    """The whisper engine, for open vocabulary."""

    model: str = Field(
        default="base.en", min_length=1, description="Name of a faster-whisper model, or a folder that holds one."
    )
    beam_size: int = Field(
        default=5, ge=1, le=20, description="Readings followed at a time: more is slower and a little better."
    )
    download: bool = Field(default=True, description="Fetch the model from the hub if it is not on this machine.")


class SpeakConfig(Section):
    """How answers are spoken."""

    tts: Uri = Field(
        default="", description="Address of a Wyoming text-to-speech server, tcp://host:port; empty for none."
    )
    voice: Literal["auto", "espeak-ng", "chime", "none"] = Field(
        default="auto",
        description="Without tts: espeak-ng if it is installed, else a chime (auto), or one of them, or none.",
    )


class SatelliteLinkConfig(HearingConfig):
    """A satellite that the server connects to and runs."""

    name: Name = Field(description="What the satellite is called; no two have the same.")
    uri: Uri = Field(min_length=1, description="Where it listens: tcp://host:port, usually port 10700.")
    area: str = Field(default="", description="The room that it stands in: id or name of an area of the home.")
    security: LinkSecurityConfig = Field(default=LinkSecurityConfig(), description="How the two trust each other.")


class ServerConfig(Section):
    """`hearth server`."""

    host: str = Field(
        default="127.0.0.1", min_length=1, description="Address to listen on; 0.0.0.0 lets the network in."
    )
    port: Port = Field(default=10300, description="Port to listen on; 0 takes a free one.")
    engine: str | None = Field(
        default=None,
        min_length=1,
        description="Recogniser: micro (English; the default there), pocketsphinx (else the default) or whisper.",
    )
    processes: int = Field(
        default=0,
        ge=0,
        le=16,
        description="Processes that listen beside the server's; one for each core where dozens speak at once.",
    )
    sentences: tuple[PathText, ...] = Field(default=(), description="Folders with sentence files of your own.")
    say_as: SayAs = Field(
        default={},
        description="How words of names are spoken, e.g. siobhan: shivawn; one spelling in English words, or a list.",
    )
    utterance: CommandConfig = Field(default=CommandConfig(), description="When the server takes a command as over.")
    micro: MicroConfig = Field(default=MicroConfig(), description="The micro engine.")
    whisper: WhisperConfig = Field(default=WhisperConfig(), description="The whisper engine.")
    speak: SpeakConfig = Field(default=SpeakConfig(), description="How the server speaks its answers.")
    satellites: tuple[SatelliteLinkConfig, ...] = Field(default=(), description="Satellites to connect to and run.")
    companion: CompanionConfig = Field(
        default=CompanionConfig(), description="Home Assistant with Hearth's own integration."
    )
    rooms: RoomsConfig = Field(default=RoomsConfig(), description="Which room answers when several hear a command.")
    action_timeout_s: float = Field(
        default=3.0, ge=0.1, le=60, description="Seconds to wait for a device to confirm an action."
    )
    announce: bool = Field(default=True, description="Be found on the network (zeroconf) where `host` lets it in.")
    max_connections: int = Field(
        default=64, ge=1, le=10_000, description="Wyoming connections at a time; more are refused."
    )

    @field_validator("satellites")
    @classmethod
    def _names_differ(cls, satellites: tuple[SatelliteLinkConfig, ...]) -> tuple[SatelliteLinkConfig, ...]:
        names: set[str] = set()
        for index, satellite in enumerate(satellites):
            if satellite.name in names:
                # `at` tells where in the value, because pydantic's own place is the whole list.
                raise PydanticCustomError(
                    "duplicate",
                    "{name} is the name of another satellite",
                    {"name": satellite.name, "at": (index, "name")},
                )
            names.add(satellite.name)
        return satellites


class SpeakerConfig(Section):
    """Where the satellite answers."""

    sink: Literal["device", "none", "file"] = Field(
        default="device", description="A sound device, nothing, or a WAV file."
    )
    device: DeviceText = Field(
        default="", description="Name or number of the sound device; empty for the system's default."
    )
    file: PathText = Field(default="", description="The WAV file to write, for sink: file.")

    @model_validator(mode="after")
    def _complete(self) -> SpeakerConfig:
        if self.sink == "file" and not self.file:
            raise PydanticCustomError("file", "is needed with sink: file", {"at": ("file",)})
        return self


class SatelliteConfig(Section):
    """`hearth satellite`."""

    name: Name = Field(default="hearth", description="What the satellite is called.")
    area: str = Field(default="", description="The room that it stands in.")
    host: str = Field(
        default="127.0.0.1", min_length=1, description="Address to listen on; 0.0.0.0 lets the network in."
    )
    port: Port = Field(default=10700, description="Port to listen on; 0 takes a free one.")
    microphone: MicrophoneConfig = Field(default=MicrophoneConfig(), description="Where it hears.")
    front_end: FrontEndConfig = Field(default=FrontEndConfig(), description="What is taken out of the sound.")
    speaker: SpeakerConfig = Field(default=SpeakerConfig(), description="Where it answers.")
    wake: WakeConfig = Field(default=WakeConfig(), description="What wakes it.")
    vad: UtteranceConfig = Field(default=UtteranceConfig(), description="When it stops streaming by itself.")
    control: ControlConfig = Field(default=ControlConfig(), description="How it is set, shown and found.")


class HomeConfig(Section):
    """What the home consists of."""

    demo: bool = Field(
        default=True, description="The built-in demo home; beside another only if it says so here, in so many words."
    )
    knx: KnxConfig | None = Field(default=None, description="A KNX bus, reached directly.")
    mqtt: MqttConfig | None = Field(default=None, description="An MQTT broker, and the entities behind it.")
    home_assistant: Annotated[HomeAssistantConfig | None, BeforeValidator(lambda v: {} if v is None else v)] = Field(
        default=None, description="A Home Assistant; with nothing under it, at its usual address."
    )

    @model_serializer(mode="wrap")
    def _only_what_is_there(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # A null written out would be read as a section with nothing under it.
        return {key: value for key, value in handler(self).items() if value is not None}


class Config(Section):
    """The configuration of Hearth. Every key has a default, so that no file is needed."""

    language: str = Field(
        default="en", pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", description="Language code, e.g. en."
    )
    server: ServerConfig = Field(default=ServerConfig(), description="The server: speech to action.")
    satellite: SatelliteConfig = Field(default=SatelliteConfig(), description="The satellite of this machine.")
    home: HomeConfig = Field(default=HomeConfig(), description="The home.")
    policy: PolicyConfig = Field(default=PolicyConfig(), description="What is asked about before it is done.")
    conversation: ConversationConfig = Field(
        default=ConversationConfig(), description="How long what was said is remembered."
    )
    schedule: ScheduleConfig = Field(default=ScheduleConfig(), description="Timers, alarms and commands for later.")
