"""A YAML file that a person wrote: its values, where each stands, and what is wrong with it as YAML.

Hostile or hurried, a file can be neither too large, nor too deep, nor unfold by aliases, nor make objects.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

import yaml

from .errors import ConfigError

KeyPath: TypeAlias = tuple[str | int, ...]

MAX_BYTES: Final = 1024 * 1024  # a home of thousands of entities has some hundred kilobytes
_MAX_VALUES: Final = 200_000  # a file of 1 MiB holds fewer; what aliases unfold to counts in full
_MAX_DEPTH: Final = 40  # the configuration has six levels


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a file; line and column count from 1, `key` is the path to it, empty for the file as a whole."""

    file: str
    line: int
    column: int
    key: str
    message: str
    remedy: str = ""

    @property
    def where(self) -> str:
        """`file:line: key`."""
        return f"{self.file}:{self.line}: {self.key}" if self.key else f"{self.file}:{self.line}"

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" + (f". {self.remedy}" if self.remedy else "")


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file, from 1."""

    line: int
    column: int


@dataclass(slots=True)
class Document:
    """What a file holds: values of JSON's types alone, the place of each by its path, and the mistakes so far."""

    file: str
    data: Any = None
    marks: dict[KeyPath, Mark] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, path: KeyPath, message: str, remedy: str = "", mark: Mark | None = None) -> None:
        """Add a mistake at a path, or at the nearest place above it that is in the file."""
        known = path
        while mark is None and known and known not in self.marks:
            known = known[:-1]
        place = mark or self.marks.get(known, Mark(1, 1))
        self.problems.append(Problem(self.file, place.line, place.column, spelled(path), message, remedy))


def spelled(path: KeyPath) -> str:
    """Return a path as people write it: `server.satellites[0].uri`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read(path: Path) -> Document:
    """Read a YAML file; what is wrong in it stands in the document's `problems`.

    Raises:
        ConfigError: the file cannot be read, is not a file, or is too large.
    """
    try:
        if path.exists() and not path.is_file():
            raise ConfigError(f"{path} is not a file", remedy="Give the path of a YAML file")
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise ConfigError(f"{path} does not exist", remedy="Give the path of a YAML file") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", remedy="Check its permissions") from error
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"{path} is larger than {MAX_BYTES} bytes", remedy="Check that it is the right file")
    return parse(raw, str(path))


def parse(raw: bytes, file: str) -> Document:
    """Parse YAML; `file` is its name in messages. What is wrong stands in the document's `problems`."""
    document = Document(file)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        document.add((), "is not UTF-8 text", "Save the file as UTF-8", Mark(line, 1))
        return document
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is not None:
            document.data = _Reader(document).value(root, ())
    except RecursionError:
        document.add((), "is nested too deep", f"Use at most {_MAX_DEPTH} levels")
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        document.add((), f"has a character that YAML does not allow, {error.character:#x}", "Remove it", Mark(line, 1))
    except yaml.MarkedYAMLError as error:
        _add_syntax_error(document, error)
    except _TooMuchError as error:
        document.add((), str(error), "Write it with fewer levels and aliases")
    return document


def _add_syntax_error(document: Document, error: yaml.MarkedYAMLError) -> None:
    at = error.problem_mark or error.context_mark
    what = " ".join(f"{error.problem or 'cannot be parsed'} {error.context or ''}".split())
    remedy = (
        "Indent with spaces" if "\\t" in what else "Check indentation, colons and quotes there and in the line before"
    )
    document.add((), f"is not YAML: {what}", remedy, Mark(at.line + 1, at.column + 1) if at else None)


class _TooMuchError(Exception):
    """The file unfolds to more than any configuration is."""


class _Reader:
    """Turns YAML nodes into values, and notes where they stand."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._constructor = yaml.constructor.SafeConstructor()
        self._values = 0

    def value(self, node: yaml.Node, path: KeyPath, place: yaml.Node | None = None) -> Any:
        """Return the node's value; `place` is what a message about it points to."""
        self._values += 1
        if self._values > _MAX_VALUES:
            raise _TooMuchError(f"has more than {_MAX_VALUES} values when its aliases are unfolded")
        if len(path) > _MAX_DEPTH:
            raise _TooMuchError(f"is nested deeper than {_MAX_DEPTH} levels")
        self._document.marks[path] = _mark(place or node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._document.add(path, "has a key that is not a word", "Write `key: value`", _mark(key_node))
                continue
            key = str(key_node.value)  # as written: `on` stays a word, though YAML 1.1 reads it as true
            if key in values:
                first = self._document.marks[(*path, key)].line
                message, remedy = f"is there twice, first in line {first}", "Keep one of them"
                self._document.add((*path, key), message, remedy, _mark(key_node))
                continue
            values[key] = self.value(value_node, (*path, key), key_node)
        return values

    def _scalar(self, node: yaml.Node, path: KeyPath) -> Any:
        kind = node.tag.rpartition(":")[2]
        if kind == "timestamp":  # dates are words here
            return str(node.value)
        if kind not in ("str", "int", "float", "bool", "null"):
            self._document.add(path, f"has the tag {ascii(node.tag)[:60]}, which is not read", "Remove it")
            return None
        try:
            value = self._constructor.construct_object(node)
            if isinstance(value, str):
                value.encode()  # half a surrogate pair, which only an escape can write, is no text
        except (ValueError, yaml.YAMLError):
            self._document.add(path, f"is not a value of the kind {kind}", 'Put it in quotes, "…", if it is a text')
            return None
        return value


def _mark(node: yaml.Node) -> Mark:
    return Mark(node.start_mark.line + 1, node.start_mark.column + 1)
