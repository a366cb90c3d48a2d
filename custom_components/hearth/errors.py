"""From what the server says to what Home Assistant shows."""

from __future__ import annotations

from homeassistant.exceptions import HomeAssistantError

from hearth_core.companion import RefusedError
from hearth_core.errors import HearthError

from .const import DOMAIN

# Refusals that a person can do something about have a text of their own; the rest come with the server's.
_KNOWN = frozenset({"unknown-satellite", "unsupported", "bad-setting", "bad-policy", "busy"})


def shown(error: HearthError) -> HomeAssistantError:
    """Return the error as a person sees it, in their language."""
    if isinstance(error, RefusedError):
        key = error.reason.replace("-", "_") if error.reason in _KNOWN else "refused"
    else:
        key = "unreachable"
    return HomeAssistantError(
        translation_domain=DOMAIN, translation_key=key, translation_placeholders={"message": error.message}
    )
