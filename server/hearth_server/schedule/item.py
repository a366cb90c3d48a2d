"""What is kept for later: a timer, an alarm, or a command."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What an item is."""

    TIMER = "timer"
    ALARM = "alarm"
    COMMAND = "command"


class State(StrEnum):
    """Where an item stands."""

    WAITING = "waiting"
    PAUSED = "paused"  # a timer that was stopped for a while
    RINGING = "ringing"  # a timer or an alarm whose time has come; it is announced again at `due_at`
    RUNNING = "running"  # a command that is being done; found at a start, it was cut off in the middle


@dataclass(frozen=True, slots=True)
class Item:
    """One of them.

    Attributes:
        due_at: when something is to happen next, seconds since 1970 UTC; None while it is paused.
        created_at: when it was said.
        name: what a timer or an alarm is called, empty if nothing.
        command: the words to understand and do, for a command.
        satellite: the satellite that it was said to, None if it was typed.
        area_id: the room that it was said in.
        language: of the words.
        duration_s: how long a timer was set for.
        remaining_s: what is left of a paused timer.
        elapsed: whether it comes so long after it was said, whatever clocks show; else at a clock time.
        every: days of the week on which it comes again, Monday is 0; empty if it comes once.
        minute: its clock time in minutes after midnight, None if it has none.
        sun: "sunrise" or "sunset" if the sun decides.
        offset_s: seconds after the sun's moment.
        rang: how often it has been announced.
        rings_since: when it first was due, while it rings.
    """

    kind: Kind
    due_at: float | None
    created_at: float
    id: int = 0
    state: State = State.WAITING
    name: str = ""
    command: str = ""
    satellite: str | None = None
    area_id: str | None = None
    language: str = "en"
    duration_s: float = 0.0
    remaining_s: float = 0.0
    elapsed: bool = False
    every: tuple[int, ...] = ()
    minute: int | None = None
    sun: str | None = None
    offset_s: float = 0.0
    rang: int = 0
    rings_since: float | None = None
