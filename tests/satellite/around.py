"""A session with everything around it, for the tests of what it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from wyoming.audio import AudioChunk, AudioStart
from wyoming.event import Event

from hearth_satellite.news import Happening, News, Told
from hearth_satellite.session import Manners, Session, State, TimeLimits
from tests.satellite.fakes import END, TALK, WAKE, ByteEnd, ByteWake, Clock, Peer, Sounds

LIMITS = TimeLimits()


class Room:
    """A session and everything around it; nothing interrupts it unless its manners say so."""

    def __init__(
        self, *, words: bool = True, audible: bool = False, wake: ByteWake | None = None, **manners: Any
    ) -> None:
        self.clock, self.sounds, self.end, self.peer = Clock(), Sounds(audible=audible), ByteEnd(), Peer()
        self.former_peers: list[Peer] = []
        self.news = News()
        self.told: list[Told] = []
        self.news.listen(self.told.append)
        self.session = Session(
            wake or ByteWake(words=words),
            self.end,
            self.sounds,
            limits=LIMITS,
            manners=Manners(**{"barge_in": False} | manners),
            news=self.news,
            clock=self.clock,
        )

    def state(self) -> State:
        return self.session.state

    def tell(self, *events: object) -> None:
        for event in events:
            self.session.receive(self.peer, event if isinstance(event, Event) else event.event())  # type: ignore[attr-defined]

    def hear(self, *chunks: bytes) -> None:
        for chunk in chunks:
            self.session.hear(chunk)

    def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds
        self.session.tick()

    def happened(self, happening: Happening) -> list[dict[str, object]]:
        return [dict(told.facts) for told in self.told if told.happening is happening]

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
