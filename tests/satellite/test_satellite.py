"""The satellite over real sockets, driven by the wyoming package's own client as a stranger would."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType

import pytest
from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event, Eventable
from wyoming.info import Describe, Info
from wyoming.ping import Ping
from wyoming.satellite import PauseSatellite, RunSatellite
from wyoming.tts import Synthesize

from hearth_core.audio import BYTES_PER_SECOND, read_recording
from hearth_core.errors import AudioError, ConfigError
from hearth_core.speech import Endpointer, EndpointSettings, SileroDetector
from hearth_satellite.events import Identity
from hearth_satellite.microphone import CHUNK_BYTES, FileMicrophone, Microphone
from hearth_satellite.satellite import Options, Satellite
from hearth_satellite.session import State
from hearth_satellite.speaker import FileSpeaker, NullSpeaker, Speaker
from hearth_satellite.wake import AnySpeech, MicroWakeWord
from tests.satellite.fakes import END, QUIET, TALK, WAKE, ByteEnd, ByteWake, Clock

DATA = Path(__file__).parent.parent / "data"
TURN_ON = DATA / "00007_turn_on_Standing_Light.flac"
TURN_OFF = DATA / "satellite" / "turn_off_lights_in_the_office.flac"
SPOKEN = read_recording(TURN_ON)[int(0.55 * BYTES_PER_SECOND) : int(1.6 * BYTES_PER_SECOND)]  # the words, no more
WAIT_S = 20


class TestMicrophone:
    """Hears what a test puts into it."""

    __test__ = False

    def __init__(self) -> None:
        self.chunks: asyncio.Queue[bytes] = asyncio.Queue()

    def hear(self, *chunks: bytes) -> None:
        for chunk in chunks:
            self.chunks.put_nowait(chunk)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield await self.chunks.get()

    async def __aenter__(self) -> TestMicrophone:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class Driver:
    """A stranger's client."""

    def __init__(self, port: int) -> None:
        self._client = AsyncTcpClient("127.0.0.1", port, read_timeout=WAIT_S)

    async def __aenter__(self) -> Driver:
        await self._client.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.disconnect()

    async def tell(self, *events: Eventable) -> None:
        for event in events:
            await self._client.write_event(event.event())

    async def read(self) -> Event | None:
        return await self._client.read_event()

    async def until(self, kind: str) -> list[Event]:
        """Return what came up to and with the next event of a kind."""
        events: list[Event] = []
        while True:
            event = await self.read()
            assert event is not None, f"closed before {kind}; it sent {[e.type for e in events]}"
            events.append(event)
            if event.type == kind:
                return events


def sound(events: list[Event]) -> bytes:
    return b"".join(event.payload or b"" for event in events if event.type == "audio-chunk")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.005)


class Lab:
    """A satellite that runs, with a microphone that a test speaks into and a clock that it moves."""

    def __init__(self, satellite: Satellite, port: int, task: asyncio.Task[None]) -> None:
        self.satellite = satellite
        self.port = port
        self.task = task
        self.microphone = TestMicrophone()
        self.clock = Clock()

    @property
    def state(self) -> State:
        return self.satellite.session.state

    async def in_state(self, state: State) -> None:
        await until(lambda: self.state is state)

    async def bring_to(self, state: State, driver: Driver) -> None:
        await driver.tell(RunSatellite())
        await self.in_state(State.LISTENING)
        if state in (State.STREAMING, State.ANSWERING, State.PLAYING):
            self.microphone.hear(WAKE)
            await driver.until("audio-start")
        if state in (State.ANSWERING, State.PLAYING):
            self.microphone.hear(TALK, END)
            await driver.until("audio-stop")
        if state is State.PLAYING:
            await driver.tell(AudioStart(22050, 2, 1), AudioChunk(22050, 2, 1, bytes(4410)))
        await self.in_state(state)


@asynccontextmanager
async def running(satellite: Satellite, microphone: Microphone) -> AsyncIterator[tuple[int, asyncio.Task[None]]]:
    ports: list[int] = []
    task = asyncio.create_task(satellite.run(microphone, lambda host, port: ports.append(port)))
    try:
        await until(lambda: bool(ports) or task.done())
        yield ports[0], task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    clock, microphone = Clock(), TestMicrophone()
    satellite = Satellite(
        Identity("Kitchen satellite", "Kitchen"), ByteWake(), ByteEnd(), NullSpeaker(), Options(port=0), clock=clock
    )
    async with running(satellite, microphone) as (port, task):
        lab = Lab(satellite, port, task)
        lab.microphone, lab.clock = microphone, clock
        yield lab


def listening_to_speech(speaker: Speaker | None = None, *, once: bool = False) -> Satellite:
    """A satellite with the real detectors and no wake word."""
    end = Endpointer(EndpointSettings(), SileroDetector())
    return Satellite(Identity("s"), AnySpeech(), end, speaker or NullSpeaker(), Options(port=0, once=once))


async def test_describe_tells_what_home_assistant_looks_for(lab: Lab) -> None:
    async with Driver(lab.port) as driver:
        await driver.tell(Describe())
        (event,) = await driver.until("info")
    info = Info.from_event(event)
    assert info.satellite is not None
    assert (info.satellite.name, info.satellite.area) == ("Kitchen satellite", "Kitchen")
    assert (info.satellite.has_vad, info.satellite.supports_trigger) == (True, True)
    assert (info.satellite.active_wake_words, info.satellite.max_active_wake_words) == (["alexa"], 1)
    assert [(m.name, m.phrase) for w in info.wake for m in w.models] == [("alexa", "Alexa")]
    assert [(m.mic_format.rate, m.mic_format.width, m.mic_format.channels) for m in info.mic] == [(16000, 2, 1)]
    assert info.snd == [], "a satellite that plays nothing says so"
    assert [*info.asr, *info.tts, *info.handle, *info.intent] == []


async def test_one_command_and_its_answer(lab: Lab) -> None:
    async with Driver(lab.port) as driver:
        await driver.tell(RunSatellite())
        await lab.in_state(State.LISTENING)
        lab.microphone.hear(QUIET, QUIET, WAKE, TALK)
        opened = await driver.until("audio-chunk")
        assert [event.type for event in opened] == ["detection", "run-pipeline", "audio-start", "audio-chunk"]
        lab.microphone.hear(TALK)
        await asyncio.wait_for(driver.until("audio-chunk"), WAIT_S)
        await driver.tell(Transcript("lights on"))
        await driver.until("audio-stop")
        lab.microphone.hear(TALK)
        await driver.tell(Synthesize("done"), AudioStart(22050, 2, 1), AudioChunk(22050, 2, 1, bytes(4410)))
        await lab.in_state(State.PLAYING)
        lab.microphone.hear(TALK, TALK)
        await driver.tell(AudioStop())
        assert [event.type for event in await driver.until("played")] == ["played"]
        await lab.in_state(State.LISTENING)


async def test_a_ping_is_answered_with_its_text_whoever_asks(lab: Lab) -> None:
    async with Driver(lab.port) as driver, Driver(lab.port) as visitor:
        await driver.tell(RunSatellite(), Ping("a"))
        await visitor.tell(Ping("b"))
        assert [(await d.until("pong"))[-1].data["text"] for d in (driver, visitor)] == ["a", "b"]


async def test_a_visitor_neither_drives_nor_disturbs(lab: Lab) -> None:
    async with Driver(lab.port) as driver, Driver(lab.port) as visitor:
        await lab.bring_to(State.ANSWERING, driver)
        await visitor.tell(PauseSatellite(), Error("x"), AudioStart(16000, 2, 1), Describe())
        await visitor.until("info")
        assert lab.state is State.ANSWERING


async def test_a_second_driver_takes_over_and_the_first_is_told_by_the_end_of_its_connection(lab: Lab) -> None:
    async with Driver(lab.port) as first, Driver(lab.port) as second:
        await lab.bring_to(State.STREAMING, first)
        await second.tell(RunSatellite())
        await lab.in_state(State.LISTENING)
        while (event := await first.read()) is not None:
            assert event.type == "audio-chunk"
        lab.microphone.hear(WAKE)
        assert (await second.until("audio-start"))[0].type == "detection"


@pytest.mark.parametrize("state", [s for s in State if s is not State.IDLE])
async def test_a_driver_that_vanishes_leaves_a_satellite_for_the_next(lab: Lab, state: State) -> None:
    async with Driver(lab.port) as driver:
        await lab.bring_to(state, driver)
    await lab.in_state(State.IDLE)
    async with Driver(lab.port) as driver:
        await lab.bring_to(State.PLAYING, driver)
        await driver.tell(AudioStop())
        await driver.until("played")
        await lab.in_state(State.LISTENING)


@pytest.mark.parametrize(("state", "limit_s"), [(State.STREAMING, 60), (State.ANSWERING, 60), (State.PLAYING, 60)])
async def test_a_driver_that_falls_silent_does_not_hold_the_satellite(lab: Lab, state: State, limit_s: float) -> None:
    async with Driver(lab.port) as driver:
        await lab.bring_to(state, driver)
        lab.clock.now += limit_s
        if state is State.STREAMING:
            await lab.in_state(State.ANSWERING)
            lab.clock.now += limit_s
        await lab.in_state(State.LISTENING)
        lab.microphone.hear(WAKE)
        await lab.in_state(State.STREAMING)


JUNK = [
    b"\0\xff\x13junk\n",
    b"[1, 2, 3]\n",
    b"{}\n",
    b'{"type": "describe", "payload_length": 1000000000000}\n',
    b'{"type": "describe", "data_length": -1}\n',
    b'{"type": "audio-chunk", "data": {"rate": 16000}, "payload_length": 10}\nabc',
    b"x" * 200_000,
    b'{"type": "run-satellite"}\n{"type": "audio-start", "data": {"rate": "a", "width": [], "channels": null}}\n',
    b'{"type": "run-satellite"}\n{"type": "transcript"}\n',
    b'{"type": "ping", "data": {"text": 5}}\n',
]


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
async def test_junk_costs_its_sender_the_connection_and_nobody_else_anything(lab: Lab, junk: bytes) -> None:
    async with Driver(lab.port) as visitor:
        reader, writer = await asyncio.open_connection("127.0.0.1", lab.port)
        writer.write(junk)
        if junk.endswith(b"abc"):
            writer.write_eof()
        try:
            async with asyncio.timeout(WAIT_S):
                assert await reader.read() == b"", "closed, not answered"
        except ConnectionResetError:
            pass
        writer.close()
        await visitor.tell(Describe())
        await visitor.until("info")
        async with Driver(lab.port) as driver:
            await lab.bring_to(State.ANSWERING, driver)


async def test_a_peer_that_asks_and_never_reads_is_cut_off(lab: Lab) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", lab.port)
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        async with asyncio.timeout(WAIT_S):
            while True:
                writer.write(b'{"type": "describe"}\n' * 1000)
                await writer.drain()
    writer.close()
    async with Driver(lab.port) as driver:
        await lab.bring_to(State.ANSWERING, driver)


async def test_a_recording_streams_whole_with_its_first_word() -> None:
    satellite = listening_to_speech()
    microphone = FileMicrophone([TURN_ON], ready=satellite.session.ready, realtime=False)
    async with running(satellite, microphone) as (port, _), Driver(port) as driver:
        await driver.tell(RunSatellite())
        events = await driver.until("audio-stop")
    heard = sound(events)
    assert heard in bytes(CHUNK_BYTES * 100) + read_recording(TURN_ON), "as it is, and nothing left out"
    assert SPOKEN in heard
    timestamps = [event.data["timestamp"] for event in events if event.type == "audio-chunk"]
    assert timestamps == [32 * i for i in range(len(timestamps))]


async def test_recordings_wait_for_a_driver_and_for_each_others_answer(tmp_path: Path) -> None:
    satellite = listening_to_speech(FileSpeaker(tmp_path / "answers.wav"), once=True)
    microphone = FileMicrophone([TURN_ON, TURN_OFF], ready=satellite.session.ready, realtime=False)
    answers: list[bytes] = []
    async with running(satellite, microphone) as (port, task), Driver(port) as driver:
        await asyncio.sleep(0.1)
        assert satellite.session.state is State.IDLE
        await driver.tell(RunSatellite())
        for recording in (TURN_ON, TURN_OFF):
            heard = sound(await driver.until("audio-stop"))
            middle = int(1.4 * BYTES_PER_SECOND)
            assert read_recording(recording)[middle : middle + 3200] in heard
            answer = bytes([len(answers) + 1]) * 3200
            answers.append(answer)
            await driver.tell(Transcript("x"), AudioStart(16000, 2, 1), AudioChunk(16000, 2, 1, answer), AudioStop())
            await driver.until("played")
        await asyncio.wait_for(task, WAIT_S)
        assert await driver.read() is None
    assert read_recording(tmp_path / "answers.wav") == b"".join(answers)


async def test_a_real_wake_word_opens_a_command_that_follows_without_a_pause() -> None:
    word, command = read_recording(DATA / "satellite" / "alexa-slt.flac"), SPOKEN
    end = Endpointer(EndpointSettings(), SileroDetector())
    satellite = Satellite(Identity("s"), MicroWakeWord(["alexa", "okay_nabu"]), end, NullSpeaker(), Options(port=0))
    microphone = TestMicrophone()
    async with running(satellite, microphone) as (port, _), Driver(port) as driver:
        await driver.tell(RunSatellite())
        await until(lambda: satellite.session.state is State.LISTENING)
        spoken = bytes(BYTES_PER_SECOND) + word + command + bytes(2 * BYTES_PER_SECOND)
        microphone.hear(*(spoken[i : i + CHUNK_BYTES] for i in range(0, len(spoken), CHUNK_BYTES)))
        events = await driver.until("audio-stop")
    assert events[0].type == "detection"
    assert events[0].data["name"] == "alexa"
    assert events[1].data["wake_word_name"] == "alexa"
    heard = sound(events)
    assert heard in spoken, "nothing is left out"
    assert SPOKEN in heard
    assert spoken.index(heard) < BYTES_PER_SECOND + len(word), "it begins before the command does"


async def test_the_driver_that_hears_the_end_first_ends_the_command() -> None:
    satellite = listening_to_speech()
    microphone = FileMicrophone([TURN_OFF], ready=satellite.session.ready)
    async with running(satellite, microphone) as (port, _), Driver(port) as driver:
        await driver.tell(RunSatellite())
        for _ in range(20):
            await driver.until("audio-chunk")
        await driver.tell(Transcript("turn off lights"))
        events = await driver.until("audio-stop")
        assert len(sound(events)) < BYTES_PER_SECOND, "the recording had more to say"


async def test_the_end_of_the_satellite_is_the_end_of_its_connections(lab: Lab) -> None:
    async with Driver(lab.port) as driver:
        await lab.bring_to(State.LISTENING, driver)
        lab.task.cancel()
        assert await driver.read() is None
    await asyncio.gather(lab.task, return_exceptions=True)
    with pytest.raises(OSError):  # noqa: PT011 - refused
        await asyncio.open_connection("127.0.0.1", lab.port)


async def test_a_taken_port_is_told(lab: Lab) -> None:
    other = Satellite(Identity("s"), ByteWake(), ByteEnd(), NullSpeaker(), Options(port=lab.port))
    with pytest.raises(ConfigError, match=f"port {lab.port} of 127.0.0.1 is taken"):
        await other.run(TestMicrophone(), lambda host, port: None)


class BrokenMicrophone(TestMicrophone):
    """Fails after a chunk."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield QUIET
        raise AudioError("the microphone was unplugged")


async def test_a_microphone_that_fails_ends_the_satellite_with_its_error() -> None:
    satellite = Satellite(Identity("s"), ByteWake(), ByteEnd(), NullSpeaker(), Options(port=0))
    with pytest.raises(AudioError, match="unplugged"):
        await satellite.run(BrokenMicrophone(), lambda host, port: None)
