"""The section `home_assistant` of a home."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from .section import PathText, Section


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https", "ws", "wss") and parts.hostname and (parts.port or 1)
    except ValueError:
        usable = False
    if not usable:
        raise PydanticCustomError("address", "should be an address such as http://homeassistant.local:8123")
    if parts.username or parts.password:
        raise PydanticCustomError("address", "should have no user and no password: Home Assistant takes a token")
    return url


class HomeAssistantConfig(Section):
    """A Home Assistant whose devices, those that its Assist may use, are part of the home.

    Without token and token_file, the token is in the environment: HEARTH_HOME_ASSISTANT_TOKEN, or what an add-on gets.
    """

    url: Annotated[str, Field(max_length=300), AfterValidator(_address)] | None = Field(
        default=None, description="Its address, e.g. http://homeassistant.local:8123, which is the default."
    )
    token: SecretStr | None = Field(
        default=None,
        description="A long-lived access token of an administrator; better kept in token_file or the environment.",
    )
    token_file: PathText | None = Field(default=None, description="A file that holds the token and nothing else.")

    @model_validator(mode="after")
    def _one_token(self) -> HomeAssistantConfig:
        if self.token is not None and self.token_file is not None:
            raise PydanticCustomError("token", "should have token or token_file, not both")
        return self
