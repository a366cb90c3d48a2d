"""Satellites as Home Assistant sees them: facts, settings, and what can be said through them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from hearth_core.command import Response, ResponseKind
from hearth_core.companion import RefusedError
from hearth_core.control_event import SatelliteState
from hearth_core.errors import PeerError


class Satellite(Protocol):
    """What every satellite is to others."""

    name: str
    connected: asyncio.Event
    resting: asyncio.Event

    def area_id(self) -> str | None:
        """Return the area that it is in."""


@runtime_checkable
class Told(Protocol):
    """A satellite that says how it is."""

    @property
    def state(self) -> SatelliteState | None:
        """What it said last, None before it has said anything."""


@runtime_checkable
class Settable(Protocol):
    """A satellite that can be told how to be."""

    async def set(self, **settings: Any) -> bool:
        """Change settings; return whether they were sent."""


@runtime_checkable
class Speaking(Protocol):
    """A satellite through which something can be said."""

    async def announce(self, response: Response) -> None:
        """Say it, and after a question listen for a command without a wake word; returns when it was heard.

        Raises:
            PeerError: the satellite is away, or did not play it.
        """


# What Home Assistant may set, and what it may set it to.
_SETTINGS: Mapping[str, type | tuple[type, ...]] = {
    "mute": bool,
    "wake_word": str,
    "sensitivity": (int, float),
    "volume": (int, float),
}


def facts(satellite: Satellite) -> dict[str, Any]:
    """Return a satellite as it is told."""
    there = satellite.connected.is_set()
    state = "disconnected" if not there else "idle" if satellite.resting.is_set() else "busy"
    told: dict[str, Any] = {"state": state}
    if isinstance(satellite, Told) and satellite.state is not None:
        said = satellite.state.model_dump(mode="json")
        # To choose from, as Home Assistant shows it, is every word that the satellite could listen for.
        said["wake_words"] = list(dict.fromkeys((*said.pop("available_wake_words"), *said["wake_words"])))
        told |= {k: v for k, v in said.items() if there or k not in ("state", "level_dbfs")}
        if told.get("mute") and told["state"] in ("idle", "listening"):
            told["state"] = "muted"  # it would listen, if it heard
    can = [name for name, kind in (("announce", Speaking), ("set", Settable)) if isinstance(satellite, kind)]
    return {"name": satellite.name, "connected": there, "area_id": satellite.area_id(), **told, "can": can}


def named(satellites: Sequence[Satellite], name: object) -> Satellite:
    """Return the satellite that is called so.

    Raises:
        RefusedError: there is none.
    """
    for satellite in satellites:
        if satellite.name == name:
            return satellite
    raise RefusedError("unknown-satellite", f"there is no satellite {str(name)[:60]!r}")


async def announce(satellite: Satellite, text: str, *, listen: bool) -> None:
    """Say something through a satellite.

    Raises:
        RefusedError: it cannot.
        PeerError: it is away.
    """
    if not isinstance(satellite, Speaking):
        raise RefusedError("unsupported", f"nothing can be said through {satellite.name}")
    await satellite.announce(Response(text, ResponseKind.QUESTION if listen else ResponseKind.ANSWER))


async def change(satellite: Satellite, settings: Mapping[str, Any]) -> None:
    """Change settings of a satellite.

    Raises:
        RefusedError: it has none of these, or they cannot be so.
        PeerError: it is away.
    """
    for name, value in settings.items():
        kind = _SETTINGS.get(name)
        wrong = kind is None or not isinstance(value, kind) or (kind is not bool and isinstance(value, bool))
        if wrong or (isinstance(value, int | float) and not 0 <= value <= 1):
            raise RefusedError("bad-setting", f"{name[:40]!a} cannot be set to {str(value)[:40]!a}")
    if not isinstance(satellite, Settable):
        raise RefusedError("unsupported", f"the settings of {satellite.name} cannot be changed from here")
    asked = {name: value for name, value in settings.items() if name != "wake_word"}
    if "wake_word" in settings:
        asked["wake_words"] = (settings["wake_word"],)
    if not await satellite.set(**asked):
        raise PeerError(f"satellite {satellite.name} is away")
