"""The section `companion` of the server: Home Assistant with Hearth's own integration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field

from .section import PathText, Section


class CompanionConfig(Section):
    """Hearth's integration in Home Assistant: pairing by a code, its names, its devices, its entities."""

    enabled: bool = Field(default=True, description="Whether a Home Assistant may pair with this server by a code.")
    state: PathText = Field(
        default="",
        description="Folder for what is to be kept: the server's id and who is paired. Empty for the user's own.",
    )
    name: Annotated[str, Field(min_length=1, max_length=100)] = Field(
        default="Hearth", description="What the server is called in Home Assistant."
    )
    announce: bool | None = Field(
        default=None,
        description="Whether the network is told of this server (zeroconf); null: if it listens beyond loopback.",
    )

    tls: bool = Field(
        default=True,
        description="Whether Home Assistant is spoken to over TLS; false: sound, commands and the pairing's token in "
        "the clear.",
    )
    tls_port: Annotated[int, Field(ge=0, le=65535)] | None = Field(
        default=None, description="Port for that; null: the one after the server's own; 0: a free one."
    )

    @property
    def folder(self) -> Path:
        """The folder for what is to be kept; not made yet."""
        if self.state:
            return Path(self.state)
        return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "hearth"
