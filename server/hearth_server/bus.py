"""What a bus is: the part of the house that it knows, told as it changes, and actions on the entities that it owns.

Every bus speaks Home Assistant's words, whatever its wire: states ("on", "locked"), services ("light.turn_on") and
these capabilities of entities, beside what each domain can always do (switch, open and close, lock, start):

    light         brightness, color, color_temp
    cover, valve  position
    fan           speed
    climate       temperature, fan_mode
    media_player  pause, next, previous, volume, mute
    vacuum        clean_area
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

from hearth_core.command import Action, Outcome
from hearth_core.home import Home, State


class Watcher(Protocol):
    """Whom a bus tells what changed; called on the event loop."""

    def states_changed(self, states: Mapping[str, State]) -> None:
        """These entities have these states now; the bus's `home` shows them already."""

    def part_changed(self) -> None:
        """Floors, areas, entities, names or capabilities changed: the bus's `home` is to be read again."""


class Bus(Protocol):
    """One way to devices: the demo home, Home Assistant, KNX, MQTT."""

    name: str

    @property
    def home(self) -> Home:
        """The part of the house that this bus knows, as it is now; each entity has one binding, to this bus."""

    @property
    def reachable(self) -> bool:
        """True while actions can be sent."""

    async def start(self, watcher: Watcher) -> None:
        """Begin to connect and to report; a bus that is away is not an error, it keeps trying until stopped.

        Raises:
            ConfigError: it can never work as configured.
        """

    async def stop(self) -> None:
        """Disconnect and end every task; may be called without a start, and more than once."""

    async def perform(self, action: Action, timeout_s: float) -> tuple[Outcome, ...]:
        """Do the action, wait until the states read back confirm it, return one outcome for each entity.

        A state on its way (`opening` where `open` is expected) confirms. A device that refuses is an outcome, not an
        exception. Returns within `timeout_s`; whoever has not confirmed by then is UNCONFIRMED.
        """


@runtime_checkable
class Writes(Protocol):
    """What a bus can have beside: it takes what is for no entity, a group address, a topic or a service.

    Such an action has one id, `bus:place` ("knx:1/2/3"), which names the bus.
    """

    async def write(self, action: Action, timeout_s: float) -> Outcome:
        """Send it; DONE as soon as the bus has acknowledged it. Returns within `timeout_s`, as `Bus.perform`."""


def write_id(bus: str, place: str) -> str:
    """Return the id of something that is written to a bus itself."""
    return f"{bus}:{place}"


def written_to(entity_id: str) -> str | None:
    """Return the bus that an id of `write_id` names, None if it is an entity's."""
    bus, colon, _ = entity_id.partition(":")
    return bus if colon else None


class Readback:
    """States coming back from a bus, and the actions that wait for them."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}

    def seen(self, entity_id: str) -> None:
        """Tell that a state of the entity came in."""
        for event in self._waiting.get(entity_id, ()):
            event.set()

    async def wait(self, entity_id: str, confirmed: Callable[[], bool], timeout_s: float) -> bool:
        """Return True as soon as `confirmed()` holds, looked at anew at each state; False after `timeout_s`."""
        event = asyncio.Event()
        self._waiting.setdefault(entity_id, set()).add(event)
        try:
            async with asyncio.timeout(timeout_s):
                while not confirmed():
                    event.clear()
                    await event.wait()
            return True
        except TimeoutError:
            return False
        finally:
            self._waiting[entity_id].discard(event)
            if not self._waiting[entity_id]:
                del self._waiting[entity_id]
