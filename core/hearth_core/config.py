"""Read the configuration: one YAML file, its mistakes told all at once with file, line, key and remedy."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from .config_control import (
    ControlConfig,
    DeviceMqttConfig,
    HooksConfig,
    LinkSecurityConfig,
    SecurityConfig,
    SocketConfig,
)
from .config_microphone import MicrophoneConfig
from .config_wake import WakeConfig
from .document import Document, KeyPath, Problem, read, spelled
from .errors import ConfigError
from .section import Section
from .settings import (
    Config,
    HomeConfig,
    SatelliteConfig,
    SatelliteLinkConfig,
    ServerConfig,
    SpeakConfig,
    SpeakerConfig,
    UtteranceConfig,
    WhisperConfig,
)

__all__ = [
    "Config",
    "ControlConfig",
    "DeviceMqttConfig",
    "HomeConfig",
    "HooksConfig",
    "LinkSecurityConfig",
    "MicrophoneConfig",
    "Problem",
    "SatelliteConfig",
    "SatelliteLinkConfig",
    "Section",
    "SecurityConfig",
    "ServerConfig",
    "SocketConfig",
    "SpeakConfig",
    "SpeakerConfig",
    "UtteranceConfig",
    "WakeConfig",
    "WhisperConfig",
    "find",
    "load",
    "load_as",
    "problems",
    "schema",
]

ENVIRONMENT: Final = "HEARTH_CONFIG"
MACHINE: Final = Path("/etc/hearth/hearth.yaml")  # where `hearth satellite install` writes it
S = TypeVar("S", bound=Section)


def find(path: Path | None = None) -> Path | None:
    """Return the file that holds the configuration, None if there is none and the defaults apply.

    The first of: the path given, the one in the environment variable HEARTH_CONFIG, ./hearth.yaml,
    ~/.config/hearth/hearth.yaml ($XDG_CONFIG_HOME, if that is set), /etc/hearth/hearth.yaml. The first two are returned
    whether they exist or not.
    """
    if path is not None:
        return path
    if named := os.environ.get(ENVIRONMENT):
        return Path(named).expanduser()
    own = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    for place in (Path("hearth.yaml"), own / "hearth" / "hearth.yaml", MACHINE):
        if place.exists():
            return place
    return None


def load(path: Path | None = None) -> Config:
    """Return the configuration of a file, found as `find` says.

    Raises:
        ConfigError: the file cannot be read; or it has mistakes, all of which the message names.
    """
    found = find(path)
    if found is None:
        return Config()
    return load_as(found, Config)


def load_as(path: Path, model: type[S]) -> S:
    """Return a file that is a section of the configuration, or all of it.

    Raises:
        ConfigError: the file cannot be read; or it has mistakes, all of which the message names.
    """
    config, mistakes = _read(path, model)
    if config is not None:
        return config
    if len(mistakes) == 1:
        (only,) = mistakes
        raise ConfigError(f"{only.where}: {only.message}", remedy=only.remedy)
    listed = "; ".join(f"{mistake.where}: {mistake.message}" for mistake in mistakes)
    raise ConfigError(
        f"{path} has {len(mistakes)} mistakes: {listed}",
        remedy=f"`hearth config check {path}` says what to do about each" if model is Config else "",
    )


def problems(path: Path) -> list[Problem]:
    """Return everything that is wrong in a configuration file, in the order of its lines.

    Raises:
        ConfigError: the file cannot be read.
    """
    return _read(path, Config)[1]


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the configuration, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Config.model_json_schema()}


def _read(path: Path, model: type[S]) -> tuple[S | None, list[Problem]]:
    document = read(path)
    config: S | None = None
    if not isinstance(document.data, dict) and not document.problems and document.data is not None:
        document.add((), "should be keys and values", "Begin with a key, e.g. `language: en`")
    elif document.data is not None:
        _drop_blank_sections(document.data, model)
        try:
            # As JSON, because that is what strict is made for: lists are tuples there, but "1" is no number.
            raw = json.dumps(document.data)
            config = model.model_validate_json(raw, strict=True, context={"folder": path.absolute().parent})
        except ValidationError as error:
            for details in error.errors(include_url=False, include_input=False):
                _add(document, details, model)
    elif not document.problems:  # an empty file
        config = model()
    mistakes = sorted(document.problems, key=lambda problem: (problem.line, problem.column))
    return (None if mistakes else config), mistakes


def _drop_blank_sections(data: dict[str, Any], model: type[BaseModel]) -> None:
    """Drop sections without a word, `speak:` with all its keys commented out: they have their defaults."""
    for key, field in model.model_fields.items():
        section = field.annotation
        if key in data and isinstance(section, type) and issubclass(section, BaseModel):
            if data[key] is None:
                del data[key]
            elif isinstance(data[key], dict):
                _drop_blank_sections(data[key], section)


def _add(document: Document, details: ErrorDetails, model: type[Section]) -> None:
    """Add what pydantic found; the values themselves are never repeated, because they may be secret."""
    context = details.get("ctx", {})
    path = _in_file(document, (*details["loc"], *context.get("at", ())))
    if spelled(path) in {problem.key for problem in document.problems}:  # no value because of a mistake told already
        return
    keys, description = _known(path, model)
    kind, message = details["type"], details["msg"]
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(path[-1]), keys, n=1)
        remedy = f"Did you mean {near[0]}?" if near else f"Known here: {', '.join(keys)}"
        document.add(path, "is not a key that is known", remedy)
        return
    if kind == "missing":
        message = "is missing"
    message = message.removeprefix("Value error, ").removeprefix("Input ")
    remedy = description
    if kind == "string_type":
        remedy = f"Put it in quotes if it is meant as a text. {description}".strip()
    document.add(path, message, remedy.removesuffix("."))


def _in_file(document: Document, loc: Iterable[str | int]) -> KeyPath:
    """Return pydantic's place as a path of the file: without the names of union members, which are not in it."""
    loc = tuple(loc)
    # So pydantic says that it means the key of a mapping, not its value.
    if loc[-1:] == ("[key]",) and loc not in document.marks:
        loc = loc[:-1]
    path: KeyPath = ()
    for index, part in enumerate(loc):
        if (*path, part) in document.marks or (index == len(loc) - 1 and isinstance(part, str)):
            path = (*path, part)
    return path


def _known(path: KeyPath, root: type[Section]) -> tuple[list[str], str]:
    """Return the keys that may stand beside the last of a path, and what the last is for."""
    models: list[type[BaseModel]] = [root]
    keys, description = sorted(root.model_fields), ""
    for part in path:
        fields = [model.model_fields[part] for model in models if part in model.model_fields]
        if isinstance(part, str) and models:  # else a mapping's own key: what the mapping is for is all that is known
            keys = sorted({name for model in models for name in model.model_fields})
            description = next((field.description for field in fields if field.description), "")
            models = [model for field in fields for model in _models(field.annotation)]
    return keys, description


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models(argument)]
