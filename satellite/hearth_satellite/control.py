"""What people set on a satellite, from wherever they do it: the server, MQTT, a button; and how it is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from hearth_core.control_event import SatelliteState, SettingsChange
from hearth_core.errors import HearthError, InputError

from .level import LevelMeter
from .memory import Memory
from .news import Happening, News, Told
from .playback import Playback
from .session import Session
from .wake import WakeWord
from .wake_word import Trigger

_LOG = logging.getLogger(__name__)

_MAX_WAITING: Final = 16  # changes; a driver that sends more at once has a fault
_LEVEL_EVERY_S: Final = 5.0  # a level is for people to look at
_LEVEL_STEP_DB: Final = 3.0
_MAX_COMMAND: Final = 500  # characters of a command that are shown


@dataclass(frozen=True, slots=True)
class WakeChoice:
    """What wake words there are to choose from.

    Attributes:
        words: the ones to begin with; none if no wake word begins a command.
        available: all that can be had.
        sensitivity: to begin with.
        make: returns the detector for these words at this sensitivity; may take a second.
    """

    words: tuple[str, ...] = ()
    available: tuple[str, ...] = ()
    sensitivity: float = 0.5
    make: Callable[[Sequence[str], float], WakeWord] | None = None


class Control:
    """The settings of a satellite that can be changed while it runs, and its state for whoever shows it.

    Args:
        session: what is controlled.
        playback: its voice.
        news: what happens.
        level: how loud the room is.
        wake: the wake words to choose from.
        memory: where changes are remembered.
        mute, volume: what counts before anybody has changed it.
    """

    def __init__(
        self,
        session: Session,
        playback: Playback,
        news: News,
        level: LevelMeter,
        wake: WakeChoice,
        memory: Memory,
        *,
        mute: bool = False,
        volume: float = 1.0,
    ) -> None:
        self.session = session
        self.news = news
        self.restart_wanted = asyncio.Event()
        self._playback = playback
        self._level = level
        self._wake = wake
        self._memory = memory
        self._settings = SettingsChange(
            mute=mute, volume=volume, wake_words=wake.words or None, sensitivity=wake.sensitivity
        )
        self._changed: set[str] = set()  # what people have set themselves; only that is remembered
        self.microphone_ok = True
        """What its watchdog says of the microphone."""
        self._last_command = ""
        self._told_level: float | None = None
        self._told_ok = True
        self._listeners: list[Callable[[SatelliteState], None]] = []
        self._changing = asyncio.Lock()
        self._waiting: asyncio.Queue[SettingsChange] = asyncio.Queue(_MAX_WAITING)
        news.listen(self._on_news)

    # --- how it is -----------------------------------------------------------------------------------------------

    def state(self) -> SatelliteState:
        """Return how the satellite is."""
        words = self._settings.wake_words or ()
        ok = self._level.ok and self.microphone_ok
        return SatelliteState(
            state=str(self.session.state),
            trigger=str(self.session.trigger),
            mute=bool(self._settings.mute),
            volume=1.0 if self._settings.volume is None else self._settings.volume,
            wake_word=words[0] if words else "",
            wake_words=words,
            available_wake_words=self._wake.available,
            sensitivity=0.5 if self._settings.sensitivity is None else self._settings.sensitivity,
            microphone_ok=ok,
            level_dbfs=self._level.dbfs if ok else None,  # a dead microphone knows nothing of the room
            last_command=self._last_command,
        )

    def listen(self, listener: Callable[[SatelliteState], None]) -> Callable[[], None]:
        """Tell this listener each change from now on; return what ends that. It must not wait."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    # --- what people do ------------------------------------------------------------------------------------------

    async def change(self, change: SettingsChange) -> None:
        """Change what is given, and remember it.

        Raises:
            InputError: there is no such wake word, or none can be chosen.
            HearthError: the wake word cannot be loaded; nothing has changed.
        """
        async with self._changing:
            values = change.model_dump(exclude_none=True)
            new = self._settings.model_copy(update=values)
            wake = await self._other_wake(new)
            self._settings = new
            self._changed |= values.keys()
            self._apply(wake)
            remembered = SettingsChange(**{key: getattr(new, key) for key in self._changed})
            await asyncio.to_thread(self._memory.save, remembered)

    def submit(self, change: SettingsChange) -> None:
        """Change what is given soon; what cannot be changed is logged."""
        try:
            self._waiting.put_nowait(change)
        except asyncio.QueueFull:
            _LOG.warning("a change of settings is left out: %d others wait", _MAX_WAITING)

    def restart(self) -> None:
        """End the satellite, to be started again."""
        _LOG.info("a restart was asked for")
        self.restart_wanted.set()

    # --- its life ------------------------------------------------------------------------------------------------

    async def recall(self) -> None:
        """Take up what was remembered; a wake word that there is no more is left."""
        remembered = await asyncio.to_thread(self._memory.load)
        values = remembered.model_dump(exclude_none=True)
        new = self._settings.model_copy(update=values)
        self._changed = set(values)
        try:
            wake = await self._other_wake(new)
        except HearthError as error:
            _LOG.warning("the remembered wake word cannot be had: %s", error)
            kept = {"wake_words": self._settings.wake_words, "sensitivity": self._settings.sensitivity}
            new, wake = new.model_copy(update=kept), None
        self._settings = new
        self._apply(wake)

    async def run(self) -> None:
        """Make the changes that were submitted, and tell how loud it is, until cancelled."""
        telling = asyncio.create_task(self._watch_level())
        try:
            while True:
                change = await self._waiting.get()
                try:
                    await self.change(change)
                except HearthError as error:
                    _LOG.warning("a change of settings was refused: %s", error)
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)

    async def _other_wake(self, new: SettingsChange) -> WakeWord | None:
        """Return the detector that the new settings need, None if the one there is does."""
        old = self._settings
        if (new.wake_words, new.sensitivity) == (old.wake_words, old.sensitivity):
            return None
        if self._wake.make is None or not new.wake_words:
            if new.wake_words == old.wake_words:
                return None
            if self.session.trigger is Trigger.BUTTON:
                raise InputError("this satellite has no wake word", remedy="Name some as satellite.wake.words")
            raise InputError(
                "this satellite listens to all speech", remedy="Set satellite.wake.engine to have wake words"
            )
        for word in new.wake_words:
            if word not in self._wake.available:
                raise InputError(
                    f"there is no wake word {word!r}", remedy=f"Choose of {', '.join(self._wake.available)}"
                )
        sensitivity = 0.5 if new.sensitivity is None else new.sensitivity
        return await asyncio.to_thread(self._wake.make, new.wake_words, sensitivity)

    def _apply(self, wake: WakeWord | None) -> None:
        if wake is not None:
            self.session.use_wake(wake)
        self.session.mute(bool(self._settings.mute))
        self._playback.volume = 1.0 if self._settings.volume is None else self._settings.volume
        state = self.state()
        self.news.tell(
            Happening.SETTINGS,
            mute=state.mute,
            volume=state.volume,
            wake_words=list(state.wake_words),
            sensitivity=state.sensitivity,
        )

    async def _watch_level(self) -> None:
        while True:
            await asyncio.sleep(_LEVEL_EVERY_S)
            self.look()

    def look(self) -> None:
        """Tell how loud it is if that has changed much, and whether the microphone lives if that has changed."""
        now, told = self.state(), self._told_level
        if now.microphone_ok is not self._told_ok:
            self._told_ok, self._told_level = now.microphone_ok, None
            if now.microphone_ok:
                _LOG.info("the microphone is back")
            else:
                _LOG.warning("the microphone delivers nothing")
            self.news.tell(Happening.MICROPHONE, ok=now.microphone_ok)
        elif now.level_dbfs is not None and (told is None or abs(now.level_dbfs - told) >= _LEVEL_STEP_DB):
            self._told_level = now.level_dbfs
            self._tell()

    def _on_news(self, told: Told) -> None:
        match told.happening:
            case Happening.TRANSCRIPT:
                self._last_command = str(told.facts["text"])[:_MAX_COMMAND]
                self._tell()
            case Happening.STATE | Happening.SETTINGS | Happening.MICROPHONE:
                self._tell()

    def _tell(self) -> None:
        state = self.state()
        for listener in tuple(self._listeners):
            try:
                listener(state)
            except Exception:
                _LOG.exception("a listener failed on a change of state")
