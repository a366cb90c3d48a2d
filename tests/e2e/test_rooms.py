"""Two real satellites in two rooms, one real server, real sockets, real speech: one answer, from the right room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import numpy as np

from hearth_core.audio import PcmFormat, read_recording
from hearth_core.config import Config
from hearth_core.speech import Endpointer, EndpointSettings, SileroDetector
from hearth_satellite.events import Identity
from hearth_satellite.satellite import Options, Satellite
from hearth_satellite.session import Manners, State
from hearth_satellite.speaker import NullSpeaker
from hearth_satellite.wake import MicroWakeWord
from hearth_server.pipeline import Answer, Partial
from hearth_server.server import Server, running_server

ROOT = Path(__file__).parents[2]
RATE = 16_000
CHUNK_S = 0.032
WAIT_S = 60.0
LOCK = "lock_the_front_door"
TIME = "what_time_is_it"


def spoken(command: str, *, lead_s: float = 1.0) -> np.ndarray:
    """Return a wake word and a recorded command as somebody says them, and the silence after it."""
    wake = ROOT / "tests" / "data" / "satellite" / "alexa-slt.flac"
    words = ROOT / "examples" / "recordings" / f"{command}.flac"
    parts = [np.frombuffer(read_recording(path), "<i2").astype(np.float64) for path in (wake, words)]
    breath = np.zeros(int(0.4 * RATE))
    return np.concatenate((np.zeros(int(lead_s * RATE)), parts[0], breath, parts[1], np.zeros(int(1.5 * RATE))))


def heard(sound: np.ndarray, gain: float, delay_s: float = 0.0) -> bytes:
    """Return the sound as it comes to a microphone, over the noise of a quiet room."""
    late = np.concatenate((np.zeros(int(delay_s * RATE)), sound * gain))
    noise = np.random.default_rng(len(late)).normal(0, 6, len(late))
    return np.clip(late + noise, -32768, 32767).astype("<i2").tobytes()


class RoomMicrophone:
    """Delivers a room's sound at the pace of sound, once the house is ready; then it stays quiet."""

    def __init__(self, pcm: bytes, begin: asyncio.Event) -> None:
        self._pcm = pcm
        self._begin = begin

    async def __aiter__(self) -> AsyncIterator[bytes]:
        await self._begin.wait()
        clock = asyncio.get_running_loop().time
        began, size = clock(), int(CHUNK_S * RATE) * 2
        for index, start in enumerate(range(0, len(self._pcm) + 60 * 2 * RATE, size)):
            await asyncio.sleep(max(0.0, began + index * CHUNK_S - clock()))
            yield self._pcm[start : start + size] or bytes(size)

    async def __aenter__(self) -> RoomMicrophone:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class Listener(NullSpeaker):
    """A speaker that notes in which state of its satellite each sound began."""

    def __init__(self) -> None:
        super().__init__()
        self.satellite: Satellite | None = None
        self.states: list[State] = []

    async def start(self, audio: PcmFormat) -> None:
        assert self.satellite is not None
        self.states.append(self.satellite.session.state)


@dataclass
class Rooms:
    """A house in which sounds are heard."""

    server: Server
    satellites: dict[str, Satellite]
    speakers: dict[str, Listener]
    tasks: dict[str, asyncio.Task[None]]
    begin: asyncio.Event
    answers: list[Answer] = field(default_factory=list)
    partials: list[str] = field(default_factory=list)  # satellites whose audio was recognised

    async def all_done(self) -> None:
        """Wait until every satellite has been woken and rests again, and what was said is answered."""
        async with asyncio.timeout(WAIT_S):
            for satellite in self.satellites.values():
                while not satellite.session.command_id:
                    await asyncio.sleep(0.02)
            while any(not task.done() and s.session.state is not State.LISTENING for task, s in self._pairs()):
                await asyncio.sleep(0.02)
            while not self.answers:
                await asyncio.sleep(0.02)
            while any(not link.resting.is_set() for link in self.server.links if link.connected.is_set()):
                await asyncio.sleep(0.02)

    def _pairs(self) -> list[tuple[asyncio.Task[None], Satellite]]:
        return [(self.tasks[name], satellite) for name, satellite in self.satellites.items()]

    def chimes(self) -> list[str]:
        """Return the satellites that chimed at the wake word."""
        return [name for name, speaker in self.speakers.items() if State.STREAMING in speaker.states]

    def spoke(self) -> list[str]:
        """Return the satellites that were heard to answer."""
        answering = (State.PLAYING, State.ANSWERING)
        return [name for name, s in self.speakers.items() if any(state in answering for state in s.states)]


@asynccontextmanager
async def house(sounds: dict[str, bytes]) -> AsyncIterator[Rooms]:
    """Run a satellite in each area, each with its own sound, and a server that drives them."""
    begin = asyncio.Event()
    satellites, speakers, tasks, ports = {}, {}, {}, {}
    for area, pcm in sounds.items():
        speakers[area] = Listener()
        end = Endpointer(EndpointSettings(), SileroDetector())
        options = Options(port=0, manners=Manners(wake_chime=True))
        wake = MicroWakeWord(["alexa"])
        wake.preroll_s = 0.1  # of this voice's wake word, 0.3 s hold a syllable that sounds like a command
        satellite = Satellite(Identity(area), wake, end, speakers[area], options)
        speakers[area].satellite = satellites[area] = satellite
        listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        tasks[area] = asyncio.create_task(
            satellite.run(RoomMicrophone(pcm, begin), lambda _, port, ready=listening: ready.set_result(port))  # type: ignore[misc]
        )
        ports[area] = await listening
    entries = [{"name": a, "uri": f"tcp://127.0.0.1:{port}", "area": a} for a, port in ports.items()]
    config = Config.model_validate({"server": {"port": 0, "speak": {"voice": "chime"}, "satellites": entries}})
    try:
        async with running_server(config) as server:
            rooms = Rooms(server, satellites, speakers, tasks, begin)

            def note(progress: Answer | Partial) -> None:
                if isinstance(progress, Answer):
                    rooms.answers.append(progress)

            server.pipeline.observers.append(note)
            async with asyncio.timeout(WAIT_S):
                for link in server.links:
                    await link.connected.wait()
                while any(s.session.state is not State.LISTENING for s in satellites.values()):
                    await asyncio.sleep(0.02)
            yield rooms
    finally:
        for task in tasks.values():
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks.values(), return_exceptions=True)


def texts(answers: Sequence[Answer]) -> list[tuple[str | None, str]]:
    return sorted((answer.context.area_id, answer.transcription.text) for answer in answers)


async def test_the_nearer_room_answers_once_though_the_farther_heard_first() -> None:
    said = spoken(LOCK)
    async with house({"Office": heard(said, 0.12), "Kitchen": heard(said, 0.8, delay_s=0.15)}) as rooms:
        rooms.begin.set()
        await rooms.all_done()
        assert texts(rooms.answers) == [("kitchen", "lock the front door")]
        assert rooms.chimes() == ["Office"], "the first claims, and it alone chimes"
        assert rooms.spoke() == ["Kitchen"]
        assert [o.entity_id for o in rooms.answers[0].outcomes] == ["lock.front_door"]
        why = rooms.answers[0].facts["rooms"]
        assert (why["winner"], why["first"]) == ("Kitchen", "Office")
        assert set(why["satellites"]) == {"Kitchen", "Office"}


async def test_the_next_best_answers_when_the_nearer_dies_in_the_middle() -> None:
    said = spoken(LOCK)
    async with house({"Office": heard(said, 0.15), "Kitchen": heard(said, 0.8)}) as rooms:
        rooms.begin.set()
        async with asyncio.timeout(WAIT_S):
            while any(s.session.state is not State.STREAMING for s in rooms.satellites.values()):
                await asyncio.sleep(0.01)
        rooms.tasks["Kitchen"].cancel()
        await rooms.all_done()
        assert texts(rooms.answers) == [("office", "lock the front door")]
        assert rooms.spoke() == ["Office"]


async def test_two_people_who_say_different_things_at_once_are_both_answered() -> None:
    async with house({"Office": heard(spoken(TIME), 0.6), "Kitchen": heard(spoken(LOCK), 0.6, delay_s=0.1)}) as rooms:
        rooms.begin.set()
        async with asyncio.timeout(WAIT_S):
            while len(rooms.answers) < 2:
                await asyncio.sleep(0.05)
        await rooms.all_done()
        assert texts(rooms.answers) == [("kitchen", "lock the front door"), ("office", "what time is it")]
        assert sorted(rooms.spoke()) == ["Kitchen", "Office"]


async def test_a_wake_word_after_the_window_is_a_new_command() -> None:
    quiet_first = spoken(LOCK, lead_s=3.2)
    async with house({"Office": heard(spoken(TIME), 0.6), "Kitchen": heard(quiet_first, 0.6)}) as rooms:
        rooms.begin.set()
        async with asyncio.timeout(WAIT_S):
            while len(rooms.answers) < 2:
                await asyncio.sleep(0.05)
        await rooms.all_done()
        assert texts(rooms.answers) == [("kitchen", "lock the front door"), ("office", "what time is it")]
        assert sorted(rooms.chimes()) == ["Kitchen", "Office"]
