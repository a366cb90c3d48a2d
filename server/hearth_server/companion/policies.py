"""Rules about what may be done by voice, as Home Assistant sets them: kept, and given to whoever enforces them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from hearth_core.companion import RefusedError
from hearth_core.errors import ConfigError

from . import state_file

log = logging.getLogger(__name__)

MAX_RULES: Final = 200

_Target = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)?$", max_length=255)]


class Rule(BaseModel):
    """One rule: what is to happen when a thing is to be acted upon by voice.

    Attributes:
        target: a domain, `lock`, or an entity, `lock.front_door`.
        action: allow it, ask the speaker whether it is meant, or deny it.
        areas: rooms from which the rule holds; empty for all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    target: _Target
    action: Literal["allow", "confirm", "deny"]
    areas: Annotated[tuple[Annotated[str, StringConstraints(min_length=1, max_length=255)], ...], Field()] = ()


Listener = Callable[[tuple[Rule, ...]], None]


class Policies:
    """The rules; one list for the whole server.

    Args:
        folder: where they are kept.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "policy.json"
        self._listeners: list[Listener] = []
        self.rules = self._load()

    def subscribe(self, listener: Listener) -> None:
        """Call the listener now and whenever the rules change."""
        self._listeners.append(listener)
        listener(self.rules)

    def set(self, rules: object) -> None:
        """Replace the rules.

        Raises:
            RefusedError: they are none.
            ConfigError: they cannot be kept.
        """
        self.rules = _checked(rules)
        state_file.write(self._file, [rule.model_dump() for rule in self.rules])
        for listener in self._listeners:
            listener(self.rules)

    def _load(self) -> tuple[Rule, ...]:
        try:
            return _checked(state_file.read(self._file) or [])
        except (ConfigError, RefusedError) as error:
            # Fail closed: with rules that cannot be read, nobody knows what may be opened.
            raise ConfigError(f"{self._file}: {error.message}", remedy="Correct or remove it") from error


def _checked(rules: Any) -> tuple[Rule, ...]:
    if not isinstance(rules, list) or len(rules) > MAX_RULES:
        raise RefusedError("bad-policy", f"a policy is a list of at most {MAX_RULES} rules")
    try:
        return tuple(Rule.model_validate(rule) for rule in rules)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise RefusedError("bad-policy", f"a rule cannot be read: {where}: {first['msg']}") from None
