"""A session with everything around it, for the tests of what it does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from wyoming.audio import AudioChunk, AudioStart
from wyoming.event import Event

from hearth_satellite.session import Manners, Session, State, TimeLimits
from tests.satellite.fakes import END, TALK, WAKE, ByteEnd, ByteWake, Clock, Peer, Sounds

LIMITS = TimeLimits(
    streaming_s=20, answer_s=30, empty_answer_s=3, voice_s=10, play_margin_s=5, driver_silence_s=20, echo_s=0.25
)


class Room:
    """A session with everything around it."""

    def __init__(
        self, *, words: bool = True, audible: bool = False, wake_chime: bool = False, barge_in: bool = False
    ) -> None:
        self.clock = Clock()
        self.sounds = Sounds(audible=audible)
        self.end = ByteEnd()
        self.session = Session(
            ByteWake(words=words),
            self.end,
            self.sounds,
            limits=LIMITS,
            manners=Manners(wake_chime=wake_chime, barge_in=barge_in),
            clock=self.clock,
        )
        self.peer = Peer()
        self.former_peers: list[Peer] = []

    def state(self) -> State:
        return self.session.state

    def tell(self, *events: object) -> None:
        for event in events:
            self.session.receive(self.peer, event.event())  # type: ignore[attr-defined]

    def hear(self, *chunks: bytes) -> None:
        for chunk in chunks:
            self.session.hear(chunk)

    def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds
        self.session.tick()

    def bring_to(self, state: State) -> None:
        """Bring a fresh session into a state."""
        order = list(State)
        steps: list[Callable[[], None]] = [
            lambda: self.session.run(self.peer),
            lambda: self.hear(WAKE),
            lambda: self.hear(TALK, END),
            lambda: self.tell(AudioStart(22050, 2, 1), AudioChunk(22050, 2, 1, bytes(44100))),
        ]
        for step in steps[: order.index(state)]:
            step()
        assert self.session.state is state


def claim(room: Room, *, granted: bool) -> Event:
    return Event("hearth-claim", {"command_id": room.session.command_id, "granted": granted})


def noise(amplitude: int) -> bytes:
    values = np.random.default_rng(amplitude).integers(-amplitude, amplitude + 1, 512)
    return values.astype("<i2").tobytes()
