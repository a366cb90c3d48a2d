"""What server and satellite of Hearth say to each other beside Wyoming's own events; other peers ignore it.

hearth-hello     driver -> satellite   {token?, verifies?}     "I speak this too", that I may, and verify wake words
hearth-settings  driver -> satellite   {mute?, volume?, wake_words?, sensitivity?}; what is left out stays
hearth-state     satellite -> driver   all of `SatelliteState`, after the hello and after each change
hearth-wake      satellite -> driver   {id, phrase, sure} and the sound of a wake word, to a driver that verifies
hearth-near-miss satellite -> driver   {wake_word, score, threshold}, after the hello; almost a wake word
hearth-verdict   driver -> satellite   {id, said, reason}, for a wake word that was not sure
"""

from __future__ import annotations

from typing import Annotated, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from wyoming.event import Event

from .audio import BYTES_PER_SECOND
from .errors import InputError, WireError

HELLO: Final = "hearth-hello"
SETTINGS: Final = "hearth-settings"
STATE: Final = "hearth-state"
WAKE: Final = "hearth-wake"
VERDICT: Final = "hearth-verdict"
NEAR_MISS: Final = "hearth-near-miss"

MAX_TOKEN: Final = 200  # characters
# Of the sound that a wake word ends in; in more of it there is only more of what is none.
WORD_S: Final = 2.0

Level = Annotated[float, Field(ge=0, le=1)]
Word = Annotated[str, Field(min_length=1, max_length=100)]
Words = Annotated[tuple[Word, ...], Field(min_length=1, max_length=16)]


class _Said(BaseModel):
    # What a later version says more is not looked at; numbers for texts and texts for numbers are mistakes.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, strict=True, hide_input_in_errors=True)


_AnySaid = TypeVar("_AnySaid", bound=_Said)


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
        trigger: what of the sound begins a command: wake-word, speech (whatever is said) or button (nothing).
        mute: it listens to nothing.
        volume: 0 silent to 1 full.
        wake_word: the first of `wake_words`; empty if there is none.
        wake_words: what it listens for.
        available_wake_words: what it could listen for.
        sensitivity: 0 wakes seldom to 1 often.
        microphone_ok: sound arrives, and is not dead silence.
        level_dbfs: how loud it is in the room, in dB below full scale; None before that is known, and while
            the microphone is dead.
        last_command: the text that was heard last.
    """

    state: Annotated[str, Field(max_length=50)] = "idle"
    trigger: Annotated[str, Field(max_length=50)] = "wake-word"
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
    return _read(SatelliteState, event)


def change_of(event: Event) -> SettingsChange:
    """Return the change that a driver asks for.

    Raises:
        WireError: it is not what its type asks for.
    """
    try:
        return SettingsChange.of(event.data)
    except InputError as error:
        raise WireError(f"{SETTINGS}: {error.message}") from error


def hello(token: str | None = None, *, verifies: bool = False) -> Event:
    """Return the greeting, with the pairing token if there is one.

    Args:
        token: the pairing token.
        verifies: wake words that are not sure may be asked about.
    """
    said: dict[str, object] = {} if token is None else {"token": token}
    return Event(HELLO, said | {"verifies": True} if verifies else said)


class WakeSound(_Said):
    """A wake word whose sound is to be verified.

    Attributes:
        id: of the question, or of the command if the word was sure enough to begin one.
        phrase: what people say.
        sure: it has begun a command already, which ends if the word was not said.
    """

    id: Annotated[str, Field(min_length=1, max_length=64)]
    phrase: Word
    sure: bool = False

    def event(self, pcm: bytes) -> Event:
        """Return the question, with the sound that the word ends in, 16 kHz s16le mono."""
        return Event(WAKE, self.model_dump(mode="json"), pcm)


class WakeVerdict(_Said):
    """Whether a wake word that was not sure was said, and why not."""

    id: Annotated[str, Field(min_length=1, max_length=64)]
    said: bool
    reason: Annotated[str, Field(max_length=200)] = ""

    def event(self) -> Event:
        """Return the answer."""
        return Event(VERDICT, self.model_dump(mode="json"))


def wake_sound_of(event: Event) -> tuple[WakeSound, bytes]:
    """Return what a satellite asks to have verified, and its sound, no longer than `WORD_S`.

    Raises:
        WireError: it is not what its type asks for.
    """
    asked = _read(WakeSound, event)
    pcm = event.payload or b""
    whole = pcm[: len(pcm) // 2 * 2]
    return asked, whole[-round(WORD_S * BYTES_PER_SECOND) :]


def wake_verdict_of(event: Event) -> WakeVerdict:
    """Return the driver's verdict.

    Raises:
        WireError: it is not what its type asks for.
    """
    return _read(WakeVerdict, event)


def _read(kind: type[_AnySaid], event: Event) -> _AnySaid:
    """Return what an event says; anything else than its type asks for is a `WireError`."""
    try:
        return kind.model_validate(event.data)
    except ValidationError as error:
        raise WireError(f"{event.type}: {_told(error)}") from error


def _told(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "it"
    return f"{where}: {first['msg']}"
