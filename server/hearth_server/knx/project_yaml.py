"""An imported project as a file that a person reviews."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from .project import Draft, Imported, Remark

_HEAD = """\
# Entities of the KNX project "{project}", imported by `hearth knx import`.
#
# Review it before use: the names are those of ETS, and they are what people will have to say.
# Lines that begin with # were not decided: what they are is for you to say.
# Use it by
#
#   home:
#     knx:
#       connection: {{type: tunnelling, host: ADDRESS-OF-YOUR-IP-INTERFACE}}
#       file: {file}
"""

# The points whose status says whether a command was carried out; a blind's position says it for its other points too.
_CONFIRMED = ("switch", "brightness", "position", "setpoint", "mode")


def to_yaml(project: Imported, file: str = "home.yaml") -> str:
    """Return the project as text, which is a valid `KnxFile` as it is."""
    drafts = sorted(project.drafts, key=lambda draft: (draft.area or "~", draft.name))
    entities = [draft for draft in drafts if draft.entity is not None]
    parts = [_HEAD.format(project=project.project, file=file), _list("areas", project.areas)]
    parts.append("entities:\n" if entities else "entities: []\n")
    parts += [_entity(draft) for draft in entities]
    undecided = [draft for draft in drafts if draft.entity is None]
    if undecided:
        parts.append("\n# Functions that were not decided:\n")
        parts += [_undecided(draft) for draft in undecided]
    if project.unused:
        parts.append("\n# Group addresses that are in no function:\n#\n")
        parts += [_line(remark, reason=False) for remark in project.unused]
    return "".join(parts)


def _list(key: str, items: Iterable[Mapping[str, Any]]) -> str:
    found = [dict(item) for item in items]
    return yaml.safe_dump({key: found}, sort_keys=False, allow_unicode=True, width=1000) if found else f"{key}: []\n"


def _entity(draft: Draft) -> str:
    assert draft.entity is not None
    lines = [f"  # {draft.area or 'in no room'}: {draft.name}\n"]
    for index, (key, value) in enumerate(draft.entity.items()):
        flow = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=1000)
        text = flow.removesuffix("\n").removesuffix("\n...")
        lines.append(f"  {'-' if index == 0 else ' '} {key}: {text}\n")
    lines += [f"  {_line(remark)}" for remark in draft.remarks]
    lines += [
        f"  #   {key} has no status address: nothing can confirm what is done to it\n"
        for key in _CONFIRMED
        if "state" not in draft.entity.get(key, {"state": ""})
    ]
    return "".join(lines)


def _undecided(draft: Draft) -> str:
    return f"#\n# {draft.area or 'in no room'}: {draft.name}\n" + "".join(_line(remark) for remark in draft.remarks)


def _line(remark: Remark, *, reason: bool = True) -> str:
    why = f"; {remark.reason}" if reason else ""
    dpt = f"DPT {remark.dpt}" if remark.dpt else "no DPT"
    return f"#   {remark.address}  {remark.name}  ({dpt}{why})\n"
