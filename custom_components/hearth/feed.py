"""The names feed: what Assist may use, its names, places and states, told to the server as it changes."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from homeassistant.components.homeassistant.exposed_entities import (
    async_listen_entity_updates,
    async_should_expose,
)
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, State, callback
from homeassistant.helpers import (
    area_registry as ar,
)
from homeassistant.helpers import (
    device_registry as dr,
)
from homeassistant.helpers import (
    entity_registry as er,
)
from homeassistant.helpers import (
    floor_registry as fr,
)
from homeassistant.helpers import (
    intent,
)
from homeassistant.helpers import (
    label_registry as lr,
)
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.json import json_bytes

from hearth_core.companion import Dialogue, RefusedError, pack
from hearth_core.errors import HearthError, WireError

from .const import ASSISTANT

_LOGGER = logging.getLogger(__name__)

# Home Assistant renames in bursts: an area, its devices, their entities. The first change is told at once, the next
# ones after this, or after as long as the telling took: a large home is not told all the time.
SETTLE_S: Final = 0.1
# Entities looked at before others have their turn: some milliseconds.
AT_ONCE: Final = 200
# Attributes that no sentence is about, and large; and the largest that one may be.
_NEEDLESS: Final = frozenset({"entity_picture", "entity_picture_local", "access_token", "attribution", "icon"})
MAX_ATTRIBUTE_BYTES: Final = 2048
STATES_AT_ONCE: Final = 100
MAX_SENTENCE_FILES: Final = 200
MAX_SENTENCE_BYTES: Final = 256 * 1024
# Nobody tells when a file of sentences was written: they are looked at.
LOOK_EVERY: Final = timedelta(seconds=5)
# What one utterance's request takes along; a prompt holds less.
MAX_NAMES: Final = 500
_REGISTRIES: Final = (
    ar.EVENT_AREA_REGISTRY_UPDATED,
    dr.EVENT_DEVICE_REGISTRY_UPDATED,
    er.EVENT_ENTITY_REGISTRY_UPDATED,
    fr.EVENT_FLOOR_REGISTRY_UPDATED,
    lr.EVENT_LABEL_REGISTRY_UPDATED,
)


class HomeFeed:
    """Tells one server the home, for as long as it is connected.

    Args:
        hass: whose home.
        dialogue: to whom.

    Attributes:
        names: what an utterance may name, things first; as it was told last.
        terms: the words for places and groups around them.
    """

    def __init__(self, hass: HomeAssistant, dialogue: Dialogue) -> None:
        """Begin with everything to be told."""
        self._hass = hass
        self._dialogue = dialogue
        self.names: tuple[str, ...] = ()
        self.terms: tuple[str, ...] = ()
        self._exposed: frozenset[str] = frozenset()
        self._outdated = True
        self._states: dict[str, State | None] = {}
        self._written: Mapping[str, tuple[int, int]] = {}
        self._wake = asyncio.Event()
        self._wake.set()

    async def run(self) -> None:
        """Tell the home, and what changes, until cancelled or the server is gone."""
        unsubscribe: list[Callable[[], None]] = [
            self._hass.bus.async_listen(event, self._on_registry) for event in _REGISTRIES
        ]
        unsubscribe.append(self._hass.bus.async_listen(EVENT_STATE_CHANGED, self._on_state))
        unsubscribe.append(async_listen_entity_updates(self._hass, ASSISTANT, self.outdate))
        unsubscribe.append(async_track_time_interval(self._hass, self._look_at_sentences, LOOK_EVERY))
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                if self._outdated:
                    began = time.monotonic()
                    await self._tell_home()
                    await asyncio.sleep(max(SETTLE_S, time.monotonic() - began))
                else:
                    await self._tell_states()
        except HearthError as error:
            _LOGGER.debug("The home is not told any more: %s", error)
        finally:
            for end in unsubscribe:
                end()

    @callback
    def outdate(self) -> None:
        """Take note that the home is another now."""
        self._outdated = True
        self._wake.set()

    @callback
    def _on_registry(self, event: Event[Any]) -> None:
        self.outdate()

    @callback
    def _on_state(self, event: Event[EventStateChangedData]) -> None:
        entity_id, new = event.data["entity_id"], event.data["new_state"]
        if entity_id not in self._exposed:
            # Thousands come while Home Assistant starts; those alone that Assist may use are news.
            if new is not None and event.data["old_state"] is None and self._may_be_used(entity_id):
                self.outdate()
        elif new is None or (
            # Without a registry entry its name is in its state.
            event.data["old_state"] is not None and new.name != event.data["old_state"].name
        ):
            self.outdate()
        else:
            self._states[entity_id] = new
            self._wake.set()

    async def _look_at_sentences(self, now: datetime) -> None:
        if await self._hass.async_add_executor_job(_written, self._hass.config.path()) != self._written:
            self.outdate()

    def _may_be_used(self, entity_id: str) -> bool:
        return async_should_expose(self._hass, ASSISTANT, entity_id)

    async def _tell_home(self) -> None:
        self._outdated = False  # before the reading: what changes meanwhile is told again
        self._states.clear()
        home, read = await snapshot(self._hass)
        # From here to the next await nothing changes: what did while the home was read is looked at again.
        self._exposed = frozenset(read)
        states = self._newest(read)
        self.names, self.terms = _names(home), _terms(home)
        config = self._hass.config.path()
        self._written = await self._hass.async_add_executor_job(_written, config)
        home["sentences"] = await self._hass.async_add_executor_job(_sentences, config)
        try:
            parts = await self._hass.async_add_executor_job(_packed, home, states)
            for number, part in enumerate(parts):
                await self._dialogue.request("home", {"part": number, "parts": len(parts)}, part)
        except (RefusedError, WireError) as error:
            # With the next change it may be another; the connection is good for everything else.
            _LOGGER.error("The server did not take the home: %s", error.message)

    def _newest(self, read: Mapping[str, State]) -> dict[str, State]:
        """Return the states as they are now; one that is gone, or has another name, makes the home outdated."""
        states = {}
        for entity_id, before in read.items():
            now = self._hass.states.get(entity_id)
            if now is None or now.name != before.name:
                self.outdate()
            states[entity_id] = now or before
        return states

    async def _tell_states(self) -> None:
        states, self._states = self._states, {}
        changed = [state for state in states.values() if state is not None]
        for start in range(0, len(changed), STATES_AT_ONCE):
            some = changed[start : start + STATES_AT_ONCE]
            await self._dialogue.note("states", {"a": {state.entity_id: _told(state) for state in some}})


async def snapshot(hass: HomeAssistant) -> tuple[dict[str, Any], dict[str, State]]:
    """Return what Assist may use, and its states by entity id; others have their turn meanwhile."""
    entities, states = [], {}
    registry, devices = er.async_get(hass), dr.async_get(hass)
    for number, state in enumerate(hass.states.async_all(), start=1):
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
        entity_id = state.entity_id
        if not async_should_expose(hass, ASSISTANT, entity_id):
            continue
        entry = registry.async_get(entity_id)
        labels = set(entry.labels) if entry else set()
        area_id = None
        if entry is not None:
            area_id = er.async_get_effective_area_id(hass, entry)
            device = devices.async_get(entry.device_id) if entry.device_id else None
            labels |= device.labels if device else set()
        names = [name for name in intent.async_get_entity_aliases(hass, entry, state=state) if name]
        states[entity_id] = state
        entities.append({"id": entity_id, "names": names, "area_id": area_id, "labels": sorted(labels)})
    home: dict[str, Any] = {
        "floors": [
            {"id": floor.floor_id, "name": floor.name, "aliases": sorted(floor.aliases), "level": floor.level}
            for floor in fr.async_get(hass).async_list_floors()
        ],
        "areas": [
            {"id": area.id, "name": area.name, "aliases": sorted(area.aliases), "floor_id": area.floor_id}
            for area in ar.async_get(hass).async_list_areas()
        ],
        "labels": [{"id": label.label_id, "name": label.name} for label in lr.async_get(hass).async_list_labels()],
        "entities": entities,
    }
    return home, states


def _names(home: Mapping[str, Any]) -> tuple[str, ...]:
    names = dict.fromkeys(name for entity in home["entities"] for name in entity["names"])
    return tuple(itertools.islice(names, MAX_NAMES))


def _terms(home: Mapping[str, Any]) -> tuple[str, ...]:
    items = (item for kind in ("areas", "floors", "labels") for item in home[kind])
    terms = dict.fromkeys(name for item in items for name in (item["name"], *item.get("aliases", ())))
    return tuple(itertools.islice(terms, MAX_NAMES))


def _told(state: State) -> dict[str, Any]:
    """Return a state as `subscribe_entities` tells it, without what is of no use to a voice."""
    attributes = {}
    for key, value in state.attributes.items():
        if key in _NEEDLESS:
            continue
        text = json_bytes(value)
        if len(text) <= MAX_ATTRIBUTE_BYTES:
            attributes[key] = json.loads(text)
    return {"s": state.state, "a": attributes, "c": state.context.id}


def _packed(home: Mapping[str, Any], states: Mapping[str, State]) -> tuple[bytes, ...]:
    told = {entity_id: _told(state) for entity_id, state in states.items()}
    return pack(json_bytes({**home, "states": told}))


def _files(config: str) -> list[Path]:
    return sorted((Path(config) / "custom_sentences").glob("*/*.yaml"))[:MAX_SENTENCE_FILES]


def _written(config: str) -> dict[str, tuple[int, int]]:
    """Return when each file of sentences was written, in ns, and its size."""
    found = {}
    for file in _files(config):
        with contextlib.suppress(OSError):  # it was there a moment ago
            told = file.stat()
            found[str(file)] = (told.st_mtime_ns, told.st_size)
    return found


def _sentences(config: str) -> dict[str, str]:
    """Return the owner's own sentences, by `<language>/<file>.yaml`."""
    found: dict[str, str] = {}
    for file in _files(config):
        try:
            if file.stat().st_size <= MAX_SENTENCE_BYTES:
                found[f"{file.parent.name}/{file.name}"] = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            _LOGGER.warning("The sentences in %s are left out: %s", file, error)
    return found
