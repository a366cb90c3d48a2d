"""Satellites as Home Assistant sees them; and one, of the project's own, through which something is said."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from wyoming.audio import AudioStop
from wyoming.event import Event
from wyoming.snd import Played
from wyoming.wake import Detection

from hearth_core.command import Response, ResponseKind
from hearth_core.companion import RefusedError
from hearth_core.control_event import SatelliteState
from hearth_core.errors import PeerError
from hearth_core.wire import Connection, serve
from hearth_server.companion import satellites
from hearth_server.satellites import LinkLimits, SatelliteLink
from hearth_server.voice import NoVoice
from tests.server.conftest import PipelineFactory


class FakeSatellite:
    """One that tells and takes everything."""

    def __init__(self, name: str = "Kitchen") -> None:
        self.name = name
        self.connected = asyncio.Event()
        self.resting = asyncio.Event()
        self.resting.set()
        self.state: SatelliteState | None = SatelliteState(state="listening", volume=0.5, level_dbfs=-40.0)
        self.settings: dict[str, Any] = {}
        self.said: list[tuple[str, bool]] = []

    def area_id(self) -> str | None:
        return "kitchen"

    async def set(self, **settings: Any) -> bool:
        self.settings |= settings
        return self.connected.is_set()

    async def announce(self, response: Response) -> None:
        self.said.append((response.text, response.kind is ResponseKind.QUESTION))


class Plain:
    """One that has nothing but its name."""

    def __init__(self) -> None:
        self.name = "Plain"
        self.connected = asyncio.Event()
        self.resting = asyncio.Event()

    def area_id(self) -> str | None:
        return None


def test_a_satellite_is_told_with_what_it_can() -> None:
    satellite = FakeSatellite()
    told = satellites.facts(satellite)
    assert {key: told[key] for key in ("name", "connected", "area_id", "state", "mute", "volume", "can")} == {
        "name": "Kitchen", "connected": False, "area_id": "kitchen", "state": "disconnected", "mute": False,
        "volume": 0.5, "can": ["announce", "set"],
    }  # fmt: skip
    assert "level_dbfs" not in told, "nobody knows how loud it is there now"
    satellite.connected.set()
    assert satellites.facts(satellite)["state"] == "listening"
    assert satellites.facts(Plain()) == {
        "name": "Plain", "connected": False, "area_id": None, "state": "disconnected", "can": [],
    }  # fmt: skip


def test_the_words_to_choose_from_are_all_that_the_satellite_has_models_for() -> None:
    satellite = FakeSatellite()
    satellite.state = SatelliteState(
        wake_word="okay_nabu", wake_words=("okay_nabu",), available_wake_words=("hey_jarvis", "okay_nabu")
    )
    told = satellites.facts(satellite)
    assert (told["wake_word"], told["wake_words"]) == ("okay_nabu", ["hey_jarvis", "okay_nabu"])
    assert "available_wake_words" not in told


async def test_settings_reach_the_satellite() -> None:
    satellite = FakeSatellite()
    satellite.connected.set()
    await satellites.change(satellite, {"mute": True, "volume": 1, "wake_word": "hey_jarvis", "sensitivity": 0.3})
    assert satellite.settings == {"mute": True, "volume": 1, "wake_words": ("hey_jarvis",), "sensitivity": 0.3}


async def test_settings_that_do_not_reach_the_satellite_are_told() -> None:
    with pytest.raises(PeerError, match="is away"):
        await satellites.change(FakeSatellite(), {"mute": True})


@pytest.mark.parametrize(
    "settings", [{"volume": 2}, {"volume": True}, {"mute": 1}, {"wake_word": 5}, {"colour": "red"}, {"volume": -0.1}]
)
async def test_settings_that_cannot_be_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(RefusedError) as refused:
        await satellites.change(FakeSatellite(), settings)
    assert refused.value.reason == "bad-setting"


async def test_what_a_satellite_cannot_do_is_refused() -> None:
    with pytest.raises(RefusedError):
        await satellites.change(Plain(), {"mute": True})
    with pytest.raises(RefusedError):
        await satellites.announce(Plain(), "hello", listen=False)
    with pytest.raises(RefusedError):
        satellites.named([Plain()], "Moon")


class Peer:
    """A satellite's side of the wire: it plays what it is given."""

    def __init__(self, *, plays: bool = True) -> None:
        self.plays = plays
        self.events: list[Event] = []
        self.connection: Connection | None = None

    async def run(self, connection: Connection) -> None:
        self.connection = connection
        while (event := await connection.read(30)) is not None:
            self.events.append(event)
            if AudioStop.is_type(event.type) and self.plays:
                await connection.write(Played().event())
            if event.type == "ping":
                await connection.write(Event("pong"))


LIMITS = LinkLimits(played_margin_s=2.0, announce_s=0.2)


async def announced(peer: Peer, running: PipelineFactory, *, listen: bool, busy: bool = False) -> SatelliteLink:
    async with running() as pipeline, await serve("127.0.0.1", 0, peer.run) as listener:
        uri = f"tcp://127.0.0.1:{listener.port}"
        link = SatelliteLink("Kitchen", uri, "", pipeline, NoVoice(), limits=LIMITS)
        task = asyncio.create_task(link.run())
        try:
            async with asyncio.timeout(5):
                await link.connected.wait()
            if busy:
                link.resting.clear()
            await satellites.announce(link, "Dinner is ready", listen=listen)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    return link


async def test_an_announcement_is_played(running: PipelineFactory) -> None:
    peer = Peer()
    await announced(peer, running, listen=False)
    assert [event.data["context"].get("listen") for event in peer.events if event.type == "synthesize"] == [None]


async def test_a_question_is_played_and_then_listened_to(running: PipelineFactory) -> None:
    peer = Peer()
    await announced(peer, running, listen=True)
    assert [event.data["context"].get("listen") for event in peer.events if event.type == "synthesize"] == [True]


@pytest.mark.parametrize(
    ("peer", "busy", "why"),
    [(Peer(plays=False), False, "did not play"), (Peer(), True, "has no time")],
)
async def test_an_announcement_that_fails_says_why(running: PipelineFactory, peer: Peer, busy: bool, why: str) -> None:
    with pytest.raises(PeerError, match=why):
        await announced(peer, running, listen=False, busy=busy)


async def test_a_satellite_that_is_away_says_so(running: PipelineFactory) -> None:
    async with running() as pipeline:
        link = SatelliteLink("Kitchen", "tcp://127.0.0.1:1", "", pipeline, NoVoice(), limits=LIMITS)
        with pytest.raises(PeerError, match="is away"):
            await satellites.announce(link, "Dinner", listen=False)


async def test_wake_words_and_near_misses_are_told(running: PipelineFactory) -> None:
    told: list[tuple[str, dict[str, Any]]] = []
    peer = Peer()
    async with running() as pipeline, await serve("127.0.0.1", 0, peer.run) as listener:
        uri = f"tcp://127.0.0.1:{listener.port}"
        link = SatelliteLink("Kitchen", uri, "", pipeline, NoVoice(), limits=LIMITS)
        link.tell = lambda event, facts: told.append((event, facts))
        task = asyncio.create_task(link.run())
        async with asyncio.timeout(5):
            while peer.connection is None:
                await asyncio.sleep(0.01)
            await peer.connection.write(Detection("okay_nabu").event())
            await peer.connection.write(Event("hearth-near-miss", {"wake_word": "okay_nabu", "score": 0.4}))
            while len(told) < 2:
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert told == [
        ("wake", {"satellite": "Kitchen", "wake_word": "okay_nabu"}),
        ("near_miss", {"satellite": "Kitchen", "wake_word": "okay_nabu", "score": 0.4}),
    ]
