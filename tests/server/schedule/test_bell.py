"""Which satellites a timer rings at."""

from __future__ import annotations

import asyncio

import pytest
from wyoming.event import Event
from wyoming.timer import TimerFinished

from hearth_core.command import Response, ResponseKind
from hearth_core.errors import PeerError
from hearth_server.schedule.bell import SatelliteBell

WORDS = Response("The pizza timer is done", ResponseKind.ANSWER)


class FakeSpeaker:
    """A satellite that may be away, or break in the middle."""

    def __init__(self, name: str, area_id: str | None, *, connected: bool = True, breaks: bool = False) -> None:
        self.name = name
        self.connected = asyncio.Event()
        if connected:
            self.connected.set()
        self.heard: list[str] = []
        self._area_id = area_id
        self._breaks = breaks

    def area_id(self) -> str | None:
        return self._area_id

    async def send(self, event: Event) -> None:
        if self._breaks:
            raise PeerError("it went")
        self.heard.append(event.type)

    async def announce(self, response: Response) -> None:
        self.heard.append(response.text)


def house() -> list[FakeSpeaker]:
    return [FakeSpeaker("a", "kitchen"), FakeSpeaker("b", "kitchen"), FakeSpeaker("c", "office")]


@pytest.mark.parametrize(
    ("satellite", "area_id", "ring"),
    [("a", "kitchen", "a"), ("c", "kitchen", "c"), (None, "kitchen", "ab"), ("gone", "office", "c"),
     (None, None, "abc"), ("gone", "attic", "abc")],
)  # fmt: skip
async def test_the_nearest_ring(satellite: str | None, area_id: str | None, ring: str) -> None:
    speakers = house()
    bell = SatelliteBell(lambda: speakers)
    assert await bell.say(WORDS, satellite, area_id, TimerFinished("1").event())
    assert "".join(each.name for each in speakers if each.heard) == ring
    assert all(each.heard in ([], ["timer-finished", WORDS.text]) for each in speakers)


async def test_one_that_is_away_or_breaks_does_not_hide_that_another_spoke() -> None:
    speakers = [FakeSpeaker("a", "k", connected=False), FakeSpeaker("b", "k", breaks=True), FakeSpeaker("c", "k")]
    bell = SatelliteBell(lambda: speakers)
    assert await bell.say(WORDS, None, "k", TimerFinished("1").event())
    assert not await bell.say(WORDS, "a", "k")
    assert not await bell.say(WORDS, "b", "k", TimerFinished("1").event())


async def test_one_that_is_away_is_waited_for() -> None:
    speaker = FakeSpeaker("a", "k", connected=False)
    saying = asyncio.create_task(SatelliteBell(lambda: [speaker]).say(WORDS, "a", "k", wait_s=60))
    await asyncio.sleep(0)
    speaker.connected.set()
    assert await saying
    assert speaker.heard == [WORDS.text]


async def test_an_event_goes_to_those_that_are_there() -> None:
    speakers = [FakeSpeaker("a", "k", connected=False), FakeSpeaker("b", "k", breaks=True), FakeSpeaker("c", "k")]
    await SatelliteBell(lambda: speakers).tell(TimerFinished("1").event(), None, "k")
    assert [each.heard for each in speakers] == [[], [], ["timer-finished"]]


def test_without_satellites_nobody_is_reached() -> None:
    assert not SatelliteBell(list).reaches("a", "k")
    assert SatelliteBell(house).reaches(None, None)
