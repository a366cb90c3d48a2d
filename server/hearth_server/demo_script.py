"""What the demo plays and what must come of it: `examples/recordings/demo.yaml`, and the judgement of each answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from hearth_core.errors import InputError
from hearth_core.home import Home

from .pipeline import Answer


class Scene(BaseModel):
    """One recording of the demo and what must be true once it is answered."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    says: str
    entity: str | None = None
    state: str | None = None
    attributes: dict[str, Any] = {}
    answer: str | None = None
    nothing: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a recording did what it says; `change` says for people what it did."""

    right: bool
    change: str


def load_script(folder: Path) -> tuple[Scene, ...]:
    """Read `demo.yaml` in a folder of recordings.

    Raises:
        InputError: it cannot be read, or names a recording that is not there.
    """
    file = folder / "demo.yaml"
    try:
        scenes = TypeAdapter(tuple[Scene, ...]).validate_python(yaml.safe_load(file.read_text("utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise InputError(f"{file}: {error}") from error
    for scene in scenes:
        if not (folder / scene.file).is_file():
            raise InputError(f"{file}: there is no recording {scene.file}")
    return scenes


def changes(before: Home, after: Home) -> dict[str, str]:
    """Return what differs between two snapshots: entity id to what became of it, for people."""
    found = {}
    for entity_id, entity in after.entities.items():
        was = before.entities[entity_id].state if entity_id in before.entities else None
        now = entity.state
        if was == now:
            continue
        old = was.attributes if was else {}
        told = {k: v for k, v in now.attributes.items() if v is not None and old.get(k) != v and k != "last_triggered"}
        news = [_show(k, v) for k, v in told.items()]
        if was is None or was.value != now.value:
            # A scene's state is when it was last set.
            news.insert(0, "activated" if entity.domain == "scene" else now.value)
        found[entity_id] = f"{entity.name}: {', '.join(news) or 'started'}"
    return found


def _said(value: Any) -> Any:
    """Return a value as scripts get it without the variables that were not said."""
    if isinstance(value, Mapping):
        return {k: v for k, v in value.items() if v not in ("", None)}
    return list(value) if isinstance(value, tuple) else value


def _show(key: str, value: Any) -> str:
    said = _said(value)
    return ", ".join(str(v) for v in said.values()) if isinstance(said, dict) else f"{key} {said}"


def judge(scene: Scene, answer: Answer) -> Verdict:
    """Compare what became of a command with what the script says."""
    changed = changes(answer.before, answer.after)
    change = "; ".join(changed.values()) or answer.response.text
    if scene.answer is not None and not re.search(scene.answer, answer.response.text):
        return Verdict(False, change)
    if scene.nothing:
        return Verdict(not changed, change)
    entity = answer.after.entities.get(scene.entity or "")
    if entity is None or entity.entity_id not in changed:
        return Verdict(False, change)
    right = scene.state in (None, entity.state.value) and all(
        _said(entity.state.attributes.get(k)) == v for k, v in scene.attributes.items()
    )
    return Verdict(right, change)
