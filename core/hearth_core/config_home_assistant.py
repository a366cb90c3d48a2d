"""How a Home Assistant is configured."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


class HomeAssistantConfig(BaseModel):
    """A Home Assistant whose devices are part of the home."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = Field(
        default=None, description="Its address, e.g. http://homeassistant.local:8123, which is also what none means."
    )
    token: SecretStr | None = Field(
        default=None,
        description="A long-lived access token of an administrator. Better in token_file or the environment.",
    )
    token_file: Path | None = Field(default=None, description="A file that holds the token and nothing else.")

    @field_validator("url")
    @classmethod
    def _an_address(cls, url: str | None) -> str | None:
        if url is None:
            return None
        try:
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https", "ws", "wss") and parts.hostname and (parts.port or 1)
        except ValueError:
            usable = False
        if not usable:
            raise ValueError("is not an address such as http://homeassistant.local:8123")
        if parts.username or parts.password:
            raise ValueError("holds a user or password; Home Assistant takes a token")
        return url
