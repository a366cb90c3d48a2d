"""The topics that are Hearth's own.

hearth/<server>/status           online or offline, retained; offline is the last will
hearth/<server>/intent/<intent>  a command that was understood, as JSON
hearth/<server>/not-understood   one that was not
hearth/<server>/say              heard: a command as text, plain or JSON
hearth/<server>/response         what is answered to that
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass

from hearth_core.config_home import slug
from hearth_core.config_mqtt import MqttConfig

# An author's intent may be called anything; on a topic these would be levels and wildcards.
_NOT_IN_A_LEVEL = re.compile(r"[/+#\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class OwnTopics:
    """The topics of one server."""

    root: str

    @classmethod
    def of(cls, config: MqttConfig) -> OwnTopics:
        """Return the topics that are configured."""
        return cls(f"{config.base_topic}/{config.server_name or slug(socket.gethostname())}")

    @property
    def status(self) -> str:
        """Our presence."""
        return f"{self.root}/status"

    @property
    def not_understood(self) -> str:
        """Commands that were not understood."""
        return f"{self.root}/not-understood"

    @property
    def say(self) -> str:
        """Commands to us, as text."""
        return f"{self.root}/say"

    @property
    def response(self) -> str:
        """Answers to those."""
        return f"{self.root}/response"

    def intent(self, name: str) -> str:
        """Commands of one intent."""
        return f"{self.root}/intent/{level(name)}"


def level(name: str) -> str:
    """Return a name as one level of a topic."""
    return _NOT_IN_A_LEVEL.sub("_", name) or "_"
