"""The server as any Wyoming client meets it: through the wyoming package's own client, over TCP."""

from __future__ import annotations

import asyncio
import re

import pytest
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.handle import Handled, NotHandled
from wyoming.info import Describe, Info
from wyoming.intent import Intent, NotRecognized, Recognize
from wyoming.ping import Ping, Pong

from hearth_server.handler import MAX_EXPECTED, expected
from tests.fakes import FakeEngine, silence, tone
from tests.server.conftest import PipelineFactory, serving

WAIT_S = 10


async def read(client: AsyncTcpClient) -> Event:
    event = await asyncio.wait_for(client.read_event(), WAIT_S)
    assert event is not None
    return event


async def speak(client: AsyncTcpClient, pcm: bytes, rate: int = 16_000, width: int = 2, channels: int = 1) -> None:
    await client.write_event(AudioStart(rate, width, channels).event())
    for start in range(0, len(pcm), 2048):
        await client.write_event(AudioChunk(rate, width, channels, pcm[start : start + 2048]).event())


async def test_describe_names_the_services(running: PipelineFactory) -> None:
    async with (
        running() as pipeline,
        serving(pipeline) as listener,
        AsyncTcpClient("127.0.0.1", listener.port) as client,
    ):
        await client.write_event(Describe().event())
        info = Info.from_event(await read(client))
    assert info.asr[0].models[0].languages == ["en"]
    assert info.asr[0].requires_external_vad is False
    assert info.intent
    assert info.handle[0].supports_home_control


async def test_ping_is_answered(running: PipelineFactory) -> None:
    async with (
        running() as pipeline,
        serving(pipeline) as listener,
        AsyncTcpClient("127.0.0.1", listener.port) as client,
    ):
        await client.write_event(Ping(text="hello").event())
        assert Pong.from_event(await read(client)).text == "hello"


async def test_the_transcript_comes_before_the_client_stops(running: PipelineFactory) -> None:
    async with (
        running("lock the front door") as pipeline,
        serving(pipeline) as listener,
        AsyncTcpClient("127.0.0.1", listener.port) as client,
    ):
        before = pipeline.house.home
        await client.write_event(Transcribe(language="en-US").event())
        await speak(client, silence(0.3) + tone(1) + silence(1.5))
        transcript = Transcript.from_event(await read(client))
        assert transcript.text == "lock the front door"
        assert transcript.context is not None
        assert transcript.context["confidence"] == 0.9
        assert transcript.context["end"] == "silence"
        assert re.fullmatch("[0-9a-f]{12}", transcript.context["command_id"])
        assert pipeline.house.home == before, "speech-to-text alone does nothing"
        await client.write_event(AudioStop().event())
        await client.write_event(Ping().event())
        assert Pong.is_type((await read(client)).type), "the late audio-stop is not a second utterance"


async def test_audio_stop_ends_the_utterance(running: PipelineFactory) -> None:
    async with (
        running("lock the front door") as pipeline,
        serving(pipeline) as listener,
        AsyncTcpClient("127.0.0.1", listener.port) as client,
    ):
        await client.write_event(Transcribe().event())
        await speak(client, silence(0.2) + tone(1))
        await client.write_event(AudioStop().event())
        assert Transcript.from_event(await read(client)).text == "lock the front door"


async def test_one_connection_serves_one_utterance_after_the_other(running: PipelineFactory) -> None:
    async with (
        running("lock the front door", "unlock the front door") as pipeline,
        serving(pipeline) as listener,
        AsyncTcpClient("127.0.0.1", listener.port) as client,
    ):
        texts = []
        for _ in range(2):
            await client.write_event(Transcribe().event())
            await speak(client, tone(1))
            await client.write_event(AudioStop().event())
            texts.append(Transcript.from_event(await read(client)).text)
    assert texts == ["lock the front door", "unlock the front door"]


@pytest.mark.parametrize(("rate", "width", "channels"), [(8000, 2, 1), (48_000, 2, 2), (44_100, 4, 1)])
async def test_any_pcm_is_taken(running: PipelineFactory, rate: int, width: int, channels: int) -> None:
    import numpy as np

    t = np.arange(rate) / rate
    wave = np.repeat((0.5 * np.sin(2 * np.pi * 440 * t) * (2 ** (8 * width - 1) - 1)), channels)
    pcm = wave.astype({2: "<i2", 4: "<i4"}[width]).tobytes()
    async with (
        running("lock the front door") as pipeline,
        serving(pipeline) as listener,
        AsyncTcpClient("127.0.0.1", listener.port) as client,
    ):
        await speak(client, pcm, rate, width, channels)
        await client.write_event(AudioStop().event())
        assert Transcript.from_event(await read(client)).text == "lock the front door"


@pytest.mark.parametrize("audio", [b"", silence(8)], ids=["no audio", "silence"])
async def test_silence_gives_an_empty_transcript(running: PipelineFactory, audio: bytes) -> None:
    async with (
        running("lock the front door") as pipeline,
        serving(pipeline) as listener,
        AsyncTcpClient("127.0.0.1", listener.port) as client,
    ):
        await client.write_event(Transcribe().event())
        await speak(client, audio)
        await client.write_event(AudioStop().event())
        assert Transcript.from_event(await read(client)).text == ""


async def test_a_format_that_changes_in_the_middle_is_told_and_the_next_utterance_served(
    running: PipelineFactory,
) -> None:
    async with (
        running("lock the front door") as pipeline,
        serving(pipeline) as listener,
        AsyncTcpClient("127.0.0.1", listener.port) as client,
    ):
        await client.write_event(Transcribe().event())
        await client.write_event(AudioChunk(16_000, 2, 1, tone(0.1)).event())
        await client.write_event(AudioChunk(48_000, 2, 1, tone(0.1)).event())
        assert Error.from_event(await read(client)).code == "audio"
        await client.write_event(Transcribe().event())
        await speak(client, tone(1))
        await client.write_event(AudioStop().event())
        assert Transcript.from_event(await read(client)).text == "lock the front door"


async def test_a_language_that_is_not_spoken_is_told(running: PipelineFactory) -> None:
    async with (
        running() as pipeline,
        serving(pipeline) as listener,
        AsyncTcpClient("127.0.0.1", listener.port) as client,
    ):
        await client.write_event(Transcribe(language="de").event())
        assert "'de'" in Error.from_event(await read(client)).text


async def test_a_text_is_carried_out(running: PipelineFactory) -> None:
    async with (
        running() as pipeline,
        serving(pipeline) as listener,
        AsyncTcpClient("127.0.0.1", listener.port) as client,
    ):
        context = {"conversation_id": "abc"}
        await client.write_event(Transcript("lock the front door", context=context).event())
        handled = Handled.from_event(await read(client))
        assert handled.text
        assert handled.context is not None
        assert handled.context["conversation_id"] == "abc"
        assert handled.context["outcomes"] == {"lock.front_door": "done"}
        assert pipeline.house.home.entities["lock.front_door"].state.value == "locked"


async def test_a_text_that_is_not_understood_is_not_handled(running: PipelineFactory) -> None:
    async with (
        running() as pipeline,
        serving(pipeline) as listener,
        AsyncTcpClient("127.0.0.1", listener.port) as client,
    ):
        before = pipeline.house.home
        await client.write_event(Transcript("the weather was fine on tuesday").event())
        assert NotHandled.from_event(await read(client)).text
        assert pipeline.house.home == before


async def test_recognize_understands_and_does_nothing(running: PipelineFactory) -> None:
    async with (
        running() as pipeline,
        serving(pipeline) as listener,
        AsyncTcpClient("127.0.0.1", listener.port) as client,
    ):
        before = pipeline.house.home
        await client.write_event(Recognize("turn on standing light").event())
        intent = Intent.from_event(await read(client))
        assert intent.name == "HassTurnOn"
        assert {e.name: e.value for e in intent.entities}["name"] == "light.standing_light"
        await client.write_event(Recognize("la la la").event())
        assert NotRecognized.is_type((await read(client)).type)
        assert pipeline.house.home == before


@pytest.mark.parametrize(
    "event",
    [
        Event("transcript", {"text": 7}),
        Event("transcript", {}),
        Event("audio-chunk", {"rate": "x", "width": 2, "channels": 1}, b"\0\0"),
        Event("audio-chunk", {"rate": 16000, "width": 9, "channels": 1}, b"\0\0"),
        Event("transcribe", {"language": ["en"]}),
    ],
    ids=str,
)
async def test_junk_in_an_event_disturbs_nobody_else(running: PipelineFactory, event: Event) -> None:
    async with (
        running() as pipeline,
        serving(pipeline) as listener,
        AsyncTcpClient("127.0.0.1", listener.port) as other,
        AsyncTcpClient("127.0.0.1", listener.port) as client,
    ):
        await client.write_event(event)
        answer = await asyncio.wait_for(client.read_event(), WAIT_S)
        assert answer is None or Error.is_type(answer.type)
        await other.write_event(Ping().event())
        assert Pong.is_type((await read(other)).type)


async def test_unknown_events_are_ignored(running: PipelineFactory) -> None:
    async with (
        running() as pipeline,
        serving(pipeline) as listener,
        AsyncTcpClient("127.0.0.1", listener.port) as client,
    ):
        await client.write_event(Event("something-of-tomorrow", {"a": 1}))
        await client.write_event(Ping().event())
        assert Pong.is_type((await read(client)).type)


async def test_a_client_that_leaves_in_the_middle_frees_the_recogniser(running: PipelineFactory) -> None:
    async with running("lock the front door") as pipeline, serving(pipeline) as listener:
        client = AsyncTcpClient("127.0.0.1", listener.port)
        await client.connect()
        await speak(client, tone(0.5))
        await client.disconnect()
        streams = pipeline.engine.streams  # type: ignore[attr-defined]
        async with asyncio.timeout(WAIT_S):
            while not (streams and all(stream.closed for stream in streams)):
                await asyncio.sleep(0.01)


async def test_names_that_a_client_expects_reach_the_recogniser(running: PipelineFactory) -> None:
    async with (
        running("turn on the lamp") as pipeline,
        serving(pipeline) as listener,
        AsyncTcpClient("127.0.0.1", listener.port) as client,
    ):
        await client.write_event(Transcribe(transcript_names=["Lava Lamp", "EcoBee"], transcript_terms=["Den"]).event())
        await speak(client, silence(0.3) + tone(1.0) + silence(1.5))
        assert Transcript.is_type((await read(client)).type)
        await client.write_event(Transcribe().event())
        await speak(client, silence(0.3) + tone(1.0) + silence(1.5))
        assert Transcript.is_type((await read(client)).type)
        assert isinstance(pipeline.engine, FakeEngine)
        assert [s.expected for s in pipeline.engine.streams] == [("Lava Lamp", "EcoBee", "Den"), ()]


@pytest.mark.parametrize(
    ("lists", "kept"),
    [
        ((["a b", " a  b ", "c"], ["c", "d"]), ("a b", "c", "d")),
        ((None, "letters", {"a": 1}, 5), ()),
        (([1, None, ["x"], "", "!?", "x" * 101, "a\x00b", "é"],), ("é",)),
        (([f"n{number}" for number in range(2000)],), tuple(f"n{number}" for number in range(MAX_EXPECTED))),
    ],
)
def test_expected_names_are_checked_and_bounded(lists: tuple[object, ...], kept: tuple[str, ...]) -> None:
    assert expected(*lists) == kept
