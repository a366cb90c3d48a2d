"""The examples of a button and a light, each as a process of its own at the control socket of a satellite."""

from __future__ import annotations

import asyncio
import importlib
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from wyoming.audio import AudioChunk, AudioStart
from wyoming.timer import TimerFinished

from hearth_satellite.news import Happening, Told
from tests.satellite.fakes import Peer, RecordingSpeaker
from tests.satellite.lab import WAIT_S, living

DESK = Path(__file__).with_name("leds_on_a_desk.py")
OFF, MUTED, AWAY, RINGS = "0 0 0", "30 0 0", "80 0 0", "120 60 0"
STREAMS, ANSWERS, PLAYS = "0 0 120", "60 0 100", "0 80 0"


class Desk:
    """An example that runs, and a finger at its button."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def press(self) -> None:
        self._say(b"press\n")

    def release(self) -> None:
        self._say(b"release\n")

    def tap(self) -> None:
        self._say(b"press\nrelease\n")

    def _say(self, line: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line)

    async def shows(self, light: str) -> None:
        """Wait until it shows this."""
        assert self._process.stdout is not None
        async with asyncio.timeout(WAIT_S):
            while (line := await self._process.stdout.readline()).decode().strip() != light:
                assert line, "the example ended"


@asynccontextmanager
async def desk(example: str, local: Path) -> AsyncIterator[Desk]:
    command = [sys.executable, str(DESK), example, str(local)]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    try:
        yield Desk(process)
    finally:
        process.kill()
        await process.communicate()


@pytest.mark.parametrize("example", ["gpio", "respeaker"])
async def test_its_button_talks_stops_and_mutes_and_its_light_tells_what_happens(example: str, tmp_path: Path) -> None:
    local, speaker, told = tmp_path / "satellite.sock", RecordingSpeaker(), list[Told]()
    section = {"socket": {"path": str(local)}}
    async with desk(example, local) as at_desk:
        await at_desk.shows(AWAY)
        async with living(section, speaker=speaker) as running:
            session, driver = running.satellite.session, Peer()
            running.satellite.news.listen(told.append)
            await at_desk.shows(OFF)
            session.run(driver)

            at_desk.tap()
            await at_desk.shows(STREAMS)
            at_desk.tap()
            await at_desk.shows(ANSWERS)

            speaker.free.clear()
            for event in (AudioStart(16000, 2, 1), AudioChunk(16000, 2, 1, bytes(3200))):
                session.receive(driver, event.event())
            await at_desk.shows(PLAYS)
            at_desk.tap()
            await at_desk.shows(OFF)
            speaker.free.set()

            session.receive(driver, TimerFinished("1").event())
            await at_desk.shows(RINGS)
            at_desk.tap()
            await at_desk.shows(OFF)
            assert not session.ringing

            # A release that began a command would be seen at the second time: muting ends it.
            for muted, light in ((True, MUTED), (False, OFF)) * 2:
                at_desk.press()
                await at_desk.shows(light)
                assert session.muted is muted
                at_desk.release()
            at_desk.tap()
            await at_desk.shows(STREAMS)
        await at_desk.shows(AWAY)
        async with living(section):
            await at_desk.shows(OFF)
    states = [each.facts["state"] for each in told if each.happening is Happening.STATE]
    assert states == ["listening", "streaming", "answering", "playing", "listening", "streaming"]


LISTENS, MUTE = {"event": "state", "state": "listening"}, {"event": "settings", "mute": True}
SILENCED = [{"event": "timer-ringing"}, {"event": "timer-silenced"}]


@pytest.mark.parametrize(
    ("events", "light"),
    [
        ([LISTENS, MUTE, *SILENCED], (30, 0, 0)),
        ([LISTENS, *SILENCED], (0, 0, 0)),
        ([{"event": "state", "state": "streaming"}, {"event": "settings", "mute": False}], (0, 0, 120)),
        ([LISTENS, SILENCED[0], {"event": "settings", "mute": False}], (120, 60, 0)),
        ([LISTENS, {"event": "error"}], (80, 0, 0)),
        ([LISTENS, {"event": "error"}, LISTENS], (0, 0, 0)),
        ([{"event": "hello", "state": "idle", "mute": True}], (30, 0, 0)),
        ([{"event": "hello", "state": "idle", "mute": False}, {"event": "not-connected"}], (80, 0, 0)),
        ([LISTENS, SILENCED[0], {"event": "away"}], (80, 0, 0)),
        ([], (80, 0, 0)),
    ],
)
def test_one_happening_does_not_hide_what_another_said(
    events: list[dict[str, object]], light: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(DESK.parents[2] / "examples" / "leds"))
    satellite = importlib.import_module("satellite_socket").Satellite()
    for event in events:
        satellite.take(event)
    assert satellite.colour == light
