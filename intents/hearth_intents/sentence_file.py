"""One sentence file: YAML in Home Assistant's `custom_sentences` format, checked before anything is made of it.

Beside that format it may hold `responses` and, in a block of sentences, an `action`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError, model_validator

from hearth_core.errors import SentenceError

# Home Assistant's own English sentences are 180 kB in one file; no file by hand is near it.
MAX_FILE_BYTES = 512 * 1024

# YAML nodes after its references are followed; one kilobyte of references can stand for billions.
_MAX_NODES = 50_000

_MAX_TEMPLATE_CHARS = 2_000
_MAX_NUMBERS = 10_000

Where = tuple[str | int, ...]
Template = Annotated[str, Field(min_length=1, max_length=_MAX_TEMPLATE_CHARS)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Target(_Model):
    """What an action is done to, as Home Assistant's `target`."""

    entity_id: str | list[str]


class ActionBlock(_Model):
    """What to do when a sentence of the block is said: a service call; texts may be Jinja templates over the slots."""

    service: Annotated[str, Field(pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$")]
    target: Target | None = None
    entity_id: str | list[str] | None = None
    data: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if self.target is not None and self.entity_id is not None:
            raise ValueError("give either target or entity_id")
        return self

    def as_data(self) -> dict[str, Any]:
        """Return {service, entity_id: list, data}."""
        ids = self.target.entity_id if self.target else self.entity_id or []
        return {"service": self.service, "entity_id": [ids] if isinstance(ids, str) else ids, "data": self.data}


class ListValue(_Model):
    """A value of a list: what is said, and what it means."""

    said: Template = Field(alias="in")
    out: Any = None
    context: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None


class NumberRange(_Model):
    """Numbers from one to another, both included."""

    start: int = Field(alias="from")
    to: int
    step: Annotated[int, Field(gt=0)] = 1
    type: Literal["number", "percentage", "temperature"] = "number"
    fractions: Literal["halves", "tenths"] | None = None
    multiplier: float | None = None
    digits: StrictBool = True
    words: StrictBool = True
    words_language: str | None = None

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.to < self.start:
            raise ValueError("to is less than from")
        if (self.to - self.start) // self.step > _MAX_NUMBERS:
            raise ValueError(f"more than {_MAX_NUMBERS} numbers")
        if not (self.digits or self.words):
            raise ValueError("digits and words cannot both be off")
        return self


class SlotListBlock(_Model):
    """A list of values, a range of numbers, or a wildcard."""

    values: Annotated[list[str | ListValue], Field(max_length=10_000)] | None = None
    range: NumberRange | None = None
    wildcard: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum(kind is not None for kind in (self.values, self.range, self.wildcard)) != 1:
            raise ValueError("give one of values, range and wildcard")
        return self


class SentenceBlock(_Model):
    """Sentences that mean the same."""

    sentences: Annotated[list[Template], Field(min_length=1)]
    slots: dict[str, Any] = Field(default_factory=dict)
    response: str | None = None
    requires_context: dict[str, Any] = Field(default_factory=dict)
    excludes_context: dict[str, Any] = Field(default_factory=dict)
    expansion_rules: dict[Name, Template] = Field(default_factory=dict)
    lists: dict[Name, SlotListBlock] = Field(default_factory=dict)
    required_keywords: list[str] | None = None
    inferred_domain: str | None = None
    name_domains: list[str] | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    settings: dict[str, Any] = Field(default_factory=dict)
    action: ActionBlock | None = None


class IntentBlock(_Model):
    """The sentences of an intent."""

    data: list[SentenceBlock]


class Responses(_Model):
    """Jinja templates of the answers, by intent and key."""

    intents: dict[Name, dict[str, str]] = Field(default_factory=dict)
    errors: dict[str, str] = Field(default_factory=dict)


class SentenceModel(_Model):
    """A whole sentence file."""

    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*$")]
    intents: dict[Name, IntentBlock] = Field(default_factory=dict)
    lists: dict[Name, SlotListBlock] = Field(default_factory=dict)
    expansion_rules: dict[Name, Template] = Field(default_factory=dict)
    skip_words: list[str] = Field(default_factory=list)
    responses: Responses = Field(default_factory=Responses)
    settings: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SentenceFile:
    """A sentence file that was read and has the right form."""

    path: Path
    model: SentenceModel
    lines: dict[Where, int] = field(repr=False)

    def error(self, where: Where, message: str, remedy: str = "") -> SentenceError:
        """Return an error that names the file and the line."""
        return SentenceError(f"{self.path}:{self.line(where)}: {message}", remedy=remedy)

    def line(self, where: Where) -> int:
        """Return the line on which a part of the file stands, from 1."""
        return line_of(self.lines, where)


def read_sentence_file(path: Path) -> SentenceFile:
    """Return a sentence file.

    Raises:
        SentenceError: it cannot be read, is too large, is not YAML, or not of the form; file and line are named.
    """
    data, lines = read_yaml(path)
    try:
        return SentenceFile(path, SentenceModel.model_validate(data), lines)
    except ValidationError as error:
        raise form_error(path, error, lines) from error


def read_yaml(path: Path) -> tuple[Any, dict[Where, int]]:
    """Return what a YAML file holds, and the line of everything in it.

    Raises:
        SentenceError: it cannot be read, is too large, or is not YAML; file and line are named.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
        text = raw.decode("utf-8")
    except OSError as error:
        raise SentenceError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SentenceError(f"{path}:{line}: not UTF-8", remedy="Save the file as UTF-8") from error
    if len(raw) > MAX_FILE_BYTES:
        raise SentenceError(f"{path}: larger than {MAX_FILE_BYTES // 1024} KiB", remedy="Split it into several files")
    return _parse(path, text)


def _parse(path: Path, text: str) -> tuple[Any, dict[Where, int]]:
    lines: dict[Where, int] = {}
    try:
        loader = yaml.SafeLoader(text)
        try:
            root = loader.get_single_node()
            if root is None:
                raise SentenceError(f"{path}:1: the file is empty", remedy="It needs at least language and intents")
            _mark(path, root, (), lines)
            return loader.construct_document(root), lines
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        said = re.sub(r"\s+", " ", error.problem or error.context or "cannot be parsed")
        remedy = "Check indentation and quotes"
        raise SentenceError(f"{path}:{line}: not YAML: {said}", remedy=remedy) from error
    except (yaml.YAMLError, ValueError) as error:  # a control character; a date that is none
        said = re.sub(r"\s+", " ", str(error))
        raise SentenceError(f"{path}:1: not YAML: {said}") from error
    except RecursionError as error:
        raise SentenceError(f"{path}:1: nested too deeply", remedy="Use fewer levels") from error


def _mark(path: Path, node: yaml.Node, where: Where, lines: dict[Where, int]) -> None:
    """Note the line of everything in the file, and refuse what YAML itself lets pass."""
    lines[where] = node.start_mark.line + 1
    if len(lines) > _MAX_NODES:
        raise SentenceError(f"{path}: more than {_MAX_NODES} values", remedy="Split it into several files")
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _mark(path, item, (*where, index), lines)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if (*where, name) in lines:
                line = key.start_mark.line + 1
                raise SentenceError(f"{path}:{line}: {name} stands here twice", remedy="Put both under one key")
            _mark(path, value, (*where, name), lines)
            lines[(*where, name)] = key.start_mark.line + 1


def line_of(lines: Mapping[Where, int], where: Where) -> int:
    """Return the line of a part of a file, or of the nearest part around it that is known."""
    while where and where not in lines:
        where = where[:-1]
    return lines.get(where, 1)


def form_error(path: Path, error: ValidationError, lines: Mapping[Where, int]) -> SentenceError:
    """Return one error, with file and line, for what pydantic found in a file."""
    # of a union's errors the one that got furthest into the file is the one that the author meant, and a key that
    # is unknown says more than the key that is missing for it
    first = max(error.errors(), key=lambda each: (len(each["loc"]), each["type"] == "extra_forbidden"))
    where: Where = ()
    for step in first["loc"]:
        if (*where, step) in lines:
            where = (*where, step)
    key = ".".join(str(step) for step in where) or "the file"
    if first["type"] == "extra_forbidden":
        key = ".".join(str(step) for step in where[:-1]) or "the file"
        message, remedy = f"{key} has no key {first['loc'][-1]}", "Check its spelling"
    elif first["type"] == "missing":
        message, remedy = f"{key} lacks {first['loc'][-1]}", "Add it"
    else:
        message = f"{key}: {first['msg'].removeprefix('Value error, ').rstrip('.')}"
        unquoted = first["type"] == "string_type" and isinstance(first["input"], bool | int | float)
        remedy = "Put it in quotes" if unquoted else ""
    return SentenceError(f"{path}:{line_of(lines, where)}: {message}", remedy=remedy)
