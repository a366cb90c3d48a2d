"""What server and satellite of Hearth say to each other beside Wyoming's own events; other peers ignore it.

hearth-hello     driver -> satellite   {token?}                "I speak this too", and that I may
hearth-settings  driver -> satellite   {mute?, volume?, wake_words?, sensitivity?}; what is left out stays
hearth-state     satellite -> driver   all of `SatelliteState`, after the hello and after each change
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from wyoming.event import Event

from .errors import InputError, WireError

HELLO: Final = "hearth-hello"
SETTINGS: Final = "hearth-settings"
STATE: Final = "hearth-state"

MAX_TOKEN: Final = 200  # characters

Level = Annotated[float, Field(ge=0, le=1)]
Word = Annotated[str, Field(min_length=1, max_length=100)]
Words = Annotated[tuple[Word, ...], Field(min_length=1, max_length=16)]


class _Said(BaseModel):
    # What a later version says more is not looked at; numbers for texts and texts for numbers are mistakes.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, strict=True, hide_input_in_errors=True)


class SettingsChange(_Said):
    """What is to be set; None leaves it.

    Attributes:
        mute: listen to nothing.
        volume: 0 silent to 1 full.
        wake_words: names of those to listen for.
        sensitivity: 0 wakes seldom to 1 often.
    """

    mute: bool | None = None
    volume: Level | None = None
    wake_words: Annotated[Words | None, Field(strict=False)] = None
    sensitivity: Level | None = None

    @classmethod
    def of(cls, values: object) -> SettingsChange:
        """Return the change that was asked for.

        Raises:
            InputError: a value is of a wrong type or out of its range.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise InputError(_told(error), remedy="docs/satellite.md lists the settings and their ranges") from error

    def event(self) -> Event:
        """Return the change as an event."""
        return Event(SETTINGS, self.model_dump(mode="json", exclude_none=True))


class SatelliteState(_Said):
    """How a satellite is.

    Attributes:
        state: idle, listening, streaming, answering or playing.
        mute: it listens to nothing.
        volume: 0 silent to 1 full.
        wake_word: the first of `wake_words`; empty if all speech is for Hearth.
        wake_words: what it listens for.
        available_wake_words: what it could listen for.
        sensitivity: 0 wakes seldom to 1 often.
        microphone_ok: sound arrives, and is not dead silence.
        level_dbfs: how loud it is in the room, in dB below full scale; None before that is known.
        last_command: the text that was heard last.
    """

    state: Annotated[str, Field(max_length=50)] = "idle"
    mute: bool = False
    volume: Level = 1.0
    wake_word: Annotated[str, Field(max_length=100)] = ""
    wake_words: Annotated[tuple[Word, ...], Field(max_length=16, strict=False)] = ()
    available_wake_words: Annotated[tuple[Word, ...], Field(max_length=200, strict=False)] = ()
    sensitivity: Level = 0.5
    microphone_ok: bool = True
    level_dbfs: Annotated[float, Field(ge=-200, le=20)] | None = None
    last_command: Annotated[str, Field(max_length=10_000)] = ""

    def event(self) -> Event:
        """Return the state as an event."""
        return Event(STATE, self.model_dump(mode="json"))


def state_of(event: Event) -> SatelliteState:
    """Return the state that a satellite tells.

    Raises:
        WireError: it is not what its type asks for.
    """
    try:
        return SatelliteState.model_validate(event.data)
    except ValidationError as error:
        raise WireError(f"{STATE}: {_told(error)}") from error


def change_of(event: Event) -> SettingsChange:
    """Return the change that a driver asks for.

    Raises:
        WireError: it is not what its type asks for.
    """
    try:
        return SettingsChange.of(event.data)
    except InputError as error:
        raise WireError(f"{SETTINGS}: {error.message}") from error


def hello(token: str | None = None) -> Event:
    """Return the greeting, with the pairing token if there is one."""
    return Event(HELLO, {} if token is None else {"token": token})


def _told(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "it"
    return f"{where}: {first['msg']}"
