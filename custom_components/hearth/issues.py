"""What a person should put right: told as repair issues, taken back when it is right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from hearth_core.errors import HearthError

from .const import DOMAIN

VERSION: Final = "version"
NAMES: Final = "ambiguous_names"
LANGUAGE: Final = "language"
MICROPHONE: Final = "microphone"


def issue_ids(entry: ConfigEntry[Any]) -> Iterator[str]:
    """Yield every issue that an entry may have."""
    for kind in (VERSION, NAMES, LANGUAGE, MICROPHONE):
        yield f"{kind}_{entry.entry_id}"


@callback
def async_update_issues(hass: HomeAssistant, entry: ConfigEntry[Any], status: Mapping[str, Any], speaks: str) -> None:
    """Tell what the server's status shows to be wrong."""
    problems = status.get("problems")
    names = [p["message"] for p in problems if isinstance(p, dict) and "message" in p] if problems else []
    _set(hass, entry, NAMES, bool(names), names="\n".join(f"- {name}" for name in names), count=str(len(names)))
    wanted = hass.config.language
    other = wanted.partition("-")[0] != speaks.partition("-")[0]
    _set(hass, entry, LANGUAGE, other, wanted=wanted, spoken=speaks)
    deaf = [s["name"] for s in status.get("satellites", ()) if s.get("connected") and s.get("microphone_ok") is False]
    _set(hass, entry, MICROPHONE, bool(deaf), satellites=", ".join(deaf))


@callback
def async_version_issue(hass: HomeAssistant, entry: ConfigEntry[Any], error: HearthError) -> None:
    """Tell that the server and the integration are of different ages."""
    _set(hass, entry, VERSION, True, message=error.message, remedy=error.remedy)


@callback
def async_clear_version(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Take that back."""
    _set(hass, entry, VERSION, False)


@callback
def _set(hass: HomeAssistant, entry: ConfigEntry[Any], kind: str, wrong: bool, **placeholders: str) -> None:
    issue_id = f"{kind}_{entry.entry_id}"
    if not wrong:
        ir.async_delete_issue(hass, DOMAIN, issue_id)
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        data={"entry_id": entry.entry_id},
        is_fixable=True,
        severity=ir.IssueSeverity.ERROR if kind == VERSION else ir.IssueSeverity.WARNING,
        translation_key=kind,
        translation_placeholders={"name": entry.title, **placeholders},
    )
