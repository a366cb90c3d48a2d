"""Where Home Assistant is, and the token that opens it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from pydantic import SecretStr

from hearth_core.config_home_assistant import HomeAssistantConfig
from hearth_core.errors import ConfigError

TOKEN_VARIABLE = "HEARTH_HOME_ASSISTANT_TOKEN"  # noqa: S105 - the name of a variable
SUPERVISOR_VARIABLE = "SUPERVISOR_TOKEN"  # what the Supervisor gives every add-on
SUPERVISOR_URL = "http://supervisor/core/websocket"
DEFAULT_URL = "http://homeassistant.local:8123"
REMEDY = (
    "Make a long-lived access token in Home Assistant (your profile, Security), of an administrator, and give it as "
    f"home.home_assistant.token or token_file, or in {TOKEN_VARIABLE}"
)
# A token is a JSON Web Token of some 200 characters; a file that is longer is another file.
MAX_TOKEN_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Access:
    """How to get in.

    Attributes:
        url: of the WebSocket, ws:// or wss://.
        fixed: the token, None if it is in the file.
        file: read anew at each connection, so that a new token needs no restart.
    """

    url: str
    fixed: SecretStr | None = None
    file: Path | None = None

    def token(self) -> SecretStr:
        """Return the token as it is now.

        Raises:
            ConfigError: the file cannot be read, or holds no token.
        """
        if self.fixed is not None:
            return self.fixed
        assert self.file is not None
        try:
            with self.file.open("rb") as opened:
                raw = opened.read(MAX_TOKEN_BYTES + 1)
        except OSError as error:
            raise ConfigError(f"the token file {self.file} cannot be read: {error.strerror}", remedy=REMEDY) from None
        return _checked(raw.decode("utf-8", errors="replace"), str(self.file))


def access(config: HomeAssistantConfig, environment: Mapping[str, str] = os.environ) -> Access:
    """Return how to get in: what the configuration says, else the environment, else what an add-on is given.

    Raises:
        ConfigError: there is no token anywhere, or the file that should hold it does not.
    """
    url = websocket_url(config.url or DEFAULT_URL)
    if config.token is not None:
        return Access(url, _checked(config.token.get_secret_value(), "home.home_assistant.token"))
    if config.token_file is not None:
        found = Access(url, file=Path(config.token_file))
        found.token()
        return found
    if TOKEN_VARIABLE in environment:
        return Access(url, _checked(environment[TOKEN_VARIABLE], TOKEN_VARIABLE))
    if SUPERVISOR_VARIABLE in environment:
        url = websocket_url(config.url or SUPERVISOR_URL)
        return Access(url, _checked(environment[SUPERVISOR_VARIABLE], SUPERVISOR_VARIABLE))
    raise ConfigError("there is no token for Home Assistant", remedy=REMEDY)


def websocket_url(url: str) -> str:
    """Return the address of the WebSocket at Home Assistant's own address, http://homeassistant.local:8123."""
    parts = urlsplit(url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    path = parts.path.rstrip("/")
    return urlunsplit((scheme, parts.netloc, path if path.endswith("/websocket") else f"{path}/api/websocket", "", ""))


def _checked(token: str, where: str) -> SecretStr:
    token = token.strip()
    # The token itself is never repeated, not even a wrong one.
    if not token or len(token) > MAX_TOKEN_BYTES or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(f"{where} holds no access token", remedy=REMEDY)
    return SecretStr(token)
