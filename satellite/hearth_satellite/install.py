"""What makes a machine a satellite: a first configuration and a systemd unit, as texts, and their way to the disk."""

from __future__ import annotations

import errno
import os
import shlex
import sys
import time
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any, Final

import yaml

from hearth_core.errors import ConfigError

UNIT: Final = "hearth-satellite.service"

# What only the system's own systemd can do; a user's units run as that user in any case.
_SYSTEM_LINES: Final = """\
User=$user
SupplementaryGroups=audio
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictNamespaces=yes
CapabilityBoundingSet=
"""


_FORCE: Final = "Give --force to replace it; the former is kept"
_SUDO: Final = "Run it with sudo, or with --user for a service of your own"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person wants of the satellite.

    Attributes:
        name, area: what it is called and where it stands.
        microphone, speaker: sound devices; empty for the system's default.
        wake_words: to listen for; none: it listens only when a button starts it.
        host, port: where drivers connect.
        id: what it is known by on the network for good.
        socket: the control socket, for lights and buttons.
        token_file, cert_file, key_file: who may drive it; empty for everybody.
        all_speech: whatever is said is a command, and there is no wake word.
    """

    name: str
    area: str = ""
    microphone: str = ""
    speaker: str = ""
    wake_words: tuple[str, ...] = ("okay_nabu",)
    host: str = "0.0.0.0"
    port: int = 10700
    id: str = ""
    socket: str = "/run/hearth/satellite.sock"
    token_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    all_speech: bool = False


def configuration(wishes: Wishes) -> str:
    """Return the text of the configuration file."""
    security = {key: value for key in ("token_file", "cert_file", "key_file") if (value := getattr(wishes, key))}
    control: dict[str, Any] = {"id": wishes.id, "socket": {"path": wishes.socket}}
    if security:
        control["security"] = security
    satellite: dict[str, Any] = {
        "name": wishes.name,
        **({"area": wishes.area} if wishes.area else {}),
        "host": wishes.host,
        "port": wishes.port,
        "microphone": {"device": wishes.microphone},
        "speaker": {"device": wishes.speaker},
        "wake": {"engine": "none"} if wishes.all_speech else {"words": list(wishes.wake_words)},
        "control": control,
    }
    head = "# The satellite of this machine. `hearth config check` tells mistakes, `hearth satellite check` tries it.\n"
    return head + yaml.safe_dump({"satellite": satellite}, sort_keys=False, allow_unicode=True)


def unit(config: Path, *, user: str | None, python: str = sys.executable) -> str:
    """Return the text of the systemd unit.

    Args:
        config: the configuration file.
        user: whom the system's service runs as; None for a unit of the user's own systemd.
        python: the interpreter in which Hearth is installed.
    """
    words = (python, "-m", "hearth_core", "--config", str(config), "-v", "satellite")
    template = Template(files("hearth_satellite").joinpath(UNIT).read_text("utf-8"))
    return template.substitute(
        command=" ".join(_quoted(word) for word in words),
        user_flag="" if user else " --user",
        system_lines=Template(_SYSTEM_LINES).substitute(user=user) if user else "",
        target="multi-user.target" if user else "default.target",
    )


def _quoted(word: str) -> str:
    """Return a word of a command line as systemd reads it: % and $ are its own signs. Source: systemd.service(5)."""
    plain = word.replace("\\", "\\\\").replace("%", "%%").replace("$", "$$")
    return '"' + plain.replace('"', '\\"') + '"' if shlex.quote(word) != word else plain


def places(*, system: bool) -> tuple[Path, Path]:
    """Return where the configuration and the unit go."""
    if system:
        return Path("/etc/hearth/hearth.yaml"), Path("/etc/systemd/system") / UNIT
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return config / "hearth" / "hearth.yaml", config / "systemd" / "user" / UNIT


def look_ahead(path: Path, *, force: bool) -> None:
    """Make sure, before anybody is asked anything, that a file can be written there.

    Raises:
        ConfigError: there is one and `force` is not given, or it could not be written.
    """
    if path.exists() and not force:
        raise ConfigError(f"{path} is there already", remedy=_FORCE)
    folder = next(parent for parent in path.parents if parent.exists())
    if not os.access(folder, os.W_OK):
        raise ConfigError(f"{path} cannot be written ({os.strerror(errno.EACCES)})", remedy=_SUDO)


def write(path: Path, text: str, *, mode: int, force: bool) -> Path | None:
    """Write a file whole; return where the former one is kept, None if there was none, or it was the same.

    Raises:
        ConfigError: there is another one and `force` is not given, or it cannot be written.
    """
    kept: Path | None = None
    try:
        if path.exists() and path.read_text("utf-8", "replace") != text:
            if not force:
                raise ConfigError(f"{path} is there already", remedy=_FORCE)
            kept = path.with_name(f"{path.name}.before-{int(time.time())}")
            path.replace(kept)
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
            file.write(text)
        new.replace(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written ({error.strerror})", remedy=_SUDO) from error
    return kept
