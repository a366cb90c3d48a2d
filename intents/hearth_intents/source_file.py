"""A YAML file of an author's: what it holds, where everything in it stands, and errors that say so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from hearth_core.document import Mark
from hearth_core.errors import SentenceError

__all__ = ["MAX_FILE_BYTES", "Mark", "PlacedError", "Where", "form_error", "place_of", "read_yaml"]

# Home Assistant's own English sentences are 180 kB in one file; no file by hand is near it.
MAX_FILE_BYTES = 512 * 1024

# YAML nodes after its references are followed; one kilobyte of references can stand for billions.
_MAX_NODES = 50_000

Where = tuple[str | int, ...]
"""The way from the top of a file to a part of it: keys of mappings and indices of lists."""

Places = Mapping[Where, Mark]
_START = Mark(1, 1)


class PlacedError(SentenceError):
    """A mistake at a place in a file; the message begins with `file:line:column`.

    Args:
        path: the file.
        mark: the place, None for the file as a whole.
        said: what is wrong.
        remedy: what to do about it.
    """

    def __init__(self, path: Path, mark: Mark | None, said: str, remedy: str = "") -> None:
        place = f":{mark.line}:{mark.column}" if mark else ""
        super().__init__(f"{path}{place}: {said}", remedy=remedy)
        self.path = path
        self.mark = mark
        self.said = said


def read_yaml(path: Path) -> tuple[Any, dict[Where, Mark]]:
    """Return what a YAML file holds, and the place of everything in it.

    Raises:
        SentenceError: it cannot be read, is too large, or is not YAML; file and place are named.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise PlacedError(path, None, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        mark = Mark(before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        raise PlacedError(path, mark, "not UTF-8", "Save the file as UTF-8") from error
    if len(raw) > MAX_FILE_BYTES:
        said = f"larger than {MAX_FILE_BYTES // 1024} KiB"
        raise PlacedError(path, None, said, "Split it into several files")
    return _parse(path, text)


def _parse(path: Path, text: str) -> tuple[Any, dict[Where, Mark]]:
    places: dict[Where, Mark] = {}
    try:
        loader = yaml.SafeLoader(text)
        try:
            root = loader.get_single_node()
            if root is None:
                raise PlacedError(path, _START, "the file is empty", "It needs at least language and intents")
            _mark(path, root, (), places)
            return loader.construct_document(root), places
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark or error.context_mark
        mark = Mark(at.line + 1, at.column + 1) if at else _START
        said = re.sub(r"\s+", " ", error.problem or error.context or "cannot be parsed")
        raise PlacedError(path, mark, f"not YAML: {said}", "Check indentation and quotes") from error
    except (yaml.YAMLError, ValueError) as error:  # a control character; a date that is none
        said = re.sub(r"\s+", " ", str(error))
        raise PlacedError(path, _START, f"not YAML: {said}") from error
    except RecursionError as error:
        raise PlacedError(path, _START, "nested too deeply", "Use fewer levels") from error


def _mark(path: Path, node: yaml.Node, where: Where, places: dict[Where, Mark]) -> None:
    """Note the place of everything in the file, and refuse what YAML itself lets pass."""
    places[where] = _start(node)
    if len(places) > _MAX_NODES:
        raise PlacedError(path, None, f"more than {_MAX_NODES} values", "Split it into several files")
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _mark(path, item, (*where, index), places)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if (*where, name) in places:
                raise PlacedError(path, _start(key), f"{name} stands here twice", "Put both under one key")
            _mark(path, value, (*where, name), places)
            places[(*where, name)] = _start(key)


def _start(node: yaml.Node) -> Mark:
    return Mark(node.start_mark.line + 1, node.start_mark.column + 1)


def place_of(places: Places, where: Where) -> Mark:
    """Return the place of a part of a file, or of the nearest part around it that is known."""
    while where and where not in places:
        where = where[:-1]
    return places.get(where, _START)


def form_error(path: Path, error: ValidationError, places: Places) -> PlacedError:
    """Return one error, with its place, for what pydantic found in a file."""
    # of a union's errors the one that got furthest into the file is the one that the author meant, and a key that
    # is unknown says more than the key that is missing for it
    first = max(error.errors(), key=lambda each: (len(each["loc"]), each["type"] == "extra_forbidden"))
    where: Where = ()
    for step in first["loc"]:
        if (*where, step) in places:
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
    return PlacedError(path, place_of(places, where), message, remedy)
