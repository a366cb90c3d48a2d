"""The keys of the satellite's microphone."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from .section import PathText, Section

DeviceText = Annotated[str, Field(max_length=300), BeforeValidator(lambda v: str(v) if type(v) is int else v)]


class WatchdogConfig(Section):
    """When a sound device counts as dead, and how it is opened again."""

    enabled: bool = Field(default=True, description="Close a sound device that has died and open it again.")
    stall_s: float = Field(
        default=3.0, ge=0.5, le=60, description="Seconds without any sound delivered after which it is dead."
    )
    zeros_s: float = Field(
        default=20.0,
        ge=1,
        le=3600,
        description="Seconds of nothing but zeros after which it is dead; a quiet room is never that quiet.",
    )
    retry_s: float = Field(default=0.5, ge=0.1, le=60, description="Seconds before it is opened again; then doubled.")
    retry_max_s: float = Field(default=30.0, ge=0.1, le=3600, description="The most seconds between two attempts.")

    @model_validator(mode="after")
    def _ordered(self) -> WatchdogConfig:
        if self.retry_max_s < self.retry_s:
            raise PydanticCustomError("order", "is less than retry_s", {"at": ("retry_max_s",)})
        return self


class MicrophoneConfig(Section):
    """Where the satellite hears."""

    source: Literal["device", "file", "stdin", "socket"] = Field(
        default="device", description="A sound device, a recording, standard input, or whoever connects to a port."
    )
    device: DeviceText = Field(
        default="", description="Name or number of the sound device; empty for the system's default."
    )
    file: PathText = Field(default="", description="The recording, for source: file.")
    rate: int = Field(default=16000, ge=8000, le=192_000, description="Hz of the device, standard input or socket.")
    channels: int = Field(default=1, ge=1, le=8, description="Channels of the device, standard input or socket.")
    channel: int = Field(
        default=0, ge=0, le=8, description="The channel to hear, 1 is the first; 0 hears the mean of all."
    )
    width: int = Field(default=2, ge=1, le=4, description="Bytes of a sample on standard input or socket.")
    realtime: bool = Field(
        default=True, description="Play a file as fast as it was spoken; false: as fast as it is taken."
    )
    host: str = Field(default="127.0.0.1", min_length=1, description="Address that source: socket listens on.")
    port: int = Field(default=10701, ge=0, le=65535, description="Port that source: socket listens on; 0 takes one.")
    protocol: Literal["raw", "wyoming"] = Field(
        default="raw", description="What source: socket takes: plain PCM, or Wyoming's audio events."
    )
    watchdog: WatchdogConfig = Field(default=WatchdogConfig(), description="A sound device that dies.")

    @model_validator(mode="after")
    def _complete(self) -> MicrophoneConfig:
        if self.source == "file" and not self.file:
            raise PydanticCustomError("file", "is needed with source: file", {"at": ("file",)})
        if self.channel > self.channels:
            raise PydanticCustomError("channel", "is more than channels", {"at": ("channel",)})
        return self
