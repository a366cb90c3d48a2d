"""Questions over real sockets: Home Assistant's way of asking, a satellite's, and `hearth say`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import SecretStr
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.event import Event
from wyoming.handle import Handled, NotHandled

from hearth_core.mqtt.session import Incoming
from hearth_server.ask import ask_server
from hearth_server.conversation import Conversations
from hearth_server.dialogue import TalkSettings
from hearth_server.mqtt.exchange import _Desk
from hearth_server.mqtt.own_topics import OwnTopics
from hearth_server.pin import PinGate
from hearth_server.pipeline import Pipeline
from hearth_server.policy import BUILTIN, Decision, Rule
from tests.fakes import FakeEngine, silence, tone
from tests.server.conftest import PipelineFactory, serving
from tests.server.test_handler import read, speak
from tests.server.test_satellites import FakeSatellite, driving

WAIT_S = 10


def back_door(pipeline: Pipeline) -> str:
    return pipeline.house.home.entities["lock.back_door"].state.value


async def tell(port: int, text: str, **context: Any) -> Event:
    """Say a text as Home Assistant does: a connection for every sentence."""
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await client.write_event(Transcript(text, context=context).event())
        return await read(client)


@pytest.mark.parametrize(("reply", "becomes"), [("yes", "unlocked"), ("no", "locked"), ("flumox", "locked")])
async def test_home_assistants_conversation_is_asked_and_answers(
    running: PipelineFactory, reply: str, becomes: str
) -> None:
    async with running() as pipeline, serving(pipeline) as listener:
        asked = Handled.from_event(await tell(listener.port, "unlock the back door", conversation_id="01J"))
        assert asked.text == "Unlock the Back Door?"
        assert asked.context is not None
        assert asked.context["continue_conversation"] is True
        assert asked.context["question"] == "confirm"
        assert asked.context["policy"][0]["rule"] == "built-in: locks"
        assert back_door(pipeline) == "locked"
        other = await tell(listener.port, "yes", conversation_id="01K")
        assert NotHandled.is_type(other.type), "another conversation's yes"
        await tell(listener.port, reply, conversation_id="01J")
        assert back_door(pipeline) == becomes


async def test_an_answer_is_not_a_question_any_more(running: PipelineFactory) -> None:
    async with running() as pipeline, serving(pipeline) as listener:
        told = Handled.from_event(await tell(listener.port, "lock the back door", conversation_id="01J"))
        assert told.context is not None
        assert told.context["continue_conversation"] is False


async def test_a_client_that_stays_connected_has_a_conversation_of_its_own(running: PipelineFactory) -> None:
    async with (
        running() as pipeline,
        serving(pipeline) as listener,
        AsyncTcpClient("127.0.0.1", listener.port) as client,
    ):
        for text in ("unlock the back door", "yes"):
            await client.write_event(Transcript(text).event())
            await asyncio.wait_for(client.read_event(), WAIT_S)
        assert back_door(pipeline) == "unlocked"


async def test_hearth_say_can_answer_what_hearth_say_was_asked(running: PipelineFactory) -> None:
    async with running() as pipeline, serving(pipeline) as listener:
        asked = await ask_server(f"tcp://127.0.0.1:{listener.port}", "unlock the back door")
        assert (asked.text, asked.done) == ("Unlock the Back Door?", False)
        assert (await ask_server(f"tcp://127.0.0.1:{listener.port}", "yes")).done
        assert back_door(pipeline) == "unlocked"


async def test_a_satellite_is_told_to_listen_on_and_its_answer_counts(running: PipelineFactory) -> None:
    async with (
        running("unlock the back door", "yes") as pipeline,
        FakeSatellite().run() as satellite,
        driving(pipeline, satellite),
    ):
        await satellite.speak(tone(1) + silence(1.5))
        asked = await satellite.next("synthesize")
        assert asked.data["text"] == "Unlock the Back Door?"
        assert asked.data["context"]["listen"] is True
        await satellite.next("audio-stop")
        assert back_door(pipeline) == "locked"
        await satellite.speak(tone(1) + silence(1.5))  # no wake word: the pipeline simply runs again
        answer = await satellite.next("synthesize")
        assert answer.data["context"]["kind"] == "done"
        assert "listen" not in answer.data["context"]
        assert back_door(pipeline) == "unlocked"
        await satellite.speak(tone(1) + silence(1.5))
        await satellite.next("synthesize")
        engine = pipeline.engine
        assert isinstance(engine, FakeEngine)
        # Who is asked something is believed sooner.
        assert [stream.replies for stream in engine.streams] == [False, True, False]


async def test_a_satellite_at_which_nobody_answers_leaves_the_door_locked(running: PipelineFactory) -> None:
    async with (
        running("unlock the back door", "yes") as pipeline,
        FakeSatellite().run() as satellite,
        driving(pipeline, satellite),
    ):
        await satellite.speak(tone(1) + silence(1.5))
        await satellite.next("audio-stop")
        await satellite.speak(silence(8))
        assert (await satellite.next("error")).data["code"] == "no-speech"
        await satellite.speak(tone(1) + silence(1.5))  # a television says yes, later
        await satellite.next("synthesize")
        assert back_door(pipeline) == "locked"


async def test_a_television_that_says_yes_too_late_does_nothing(running: PipelineFactory) -> None:
    now = [0.0]
    async with (
        running("unlock the back door", "yes") as pipeline,
        FakeSatellite().run() as satellite,
        driving(pipeline, satellite),
    ):
        pipeline.dialogue._means.conversations = Conversations(30.0, 60.0, lambda: now[0])
        await satellite.speak(tone(1) + silence(1.5))
        await satellite.next("audio-stop")
        now[0] = 31.0
        await satellite.speak(tone(1) + silence(1.5))
        assert (await satellite.next("synthesize")).data["context"]["kind"] == "not-understood"
        assert back_door(pipeline) == "locked"


async def test_a_spoken_pin_opens_and_is_not_on_the_wire_to_the_satellite_nor_in_the_log(
    running: PipelineFactory, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    talk = TalkSettings(
        (Rule("locks", Decision.PIN, domains=frozenset({"lock"})), *BUILTIN), PinGate(SecretStr("2468"))
    )
    async with (
        running("unlock the back door", "two four six eight", talk=talk) as pipeline,
        FakeSatellite().run() as satellite,
        driving(pipeline, satellite),
        serving(pipeline) as listener,
        AsyncTcpClient("127.0.0.1", listener.port) as client,
    ):
        await satellite.speak(tone(1) + silence(1.5))
        assert (await satellite.next("synthesize")).data["text"] == "Please say your PIN"
        await satellite.next("audio-stop")
        await satellite.speak(tone(1) + silence(1.5))
        transcript = await satellite.next("transcript")
        assert transcript.data["text"] == "…"
        assert "six" not in str(transcript.data)
        await satellite.next("synthesize")
        assert back_door(pipeline) == "unlocked"
        # Speech-to-text alone gives the client its words, and keeps them from the log.
        await client.write_event(Transcribe().event())
        await speak(client, silence(0.3) + tone(1) + silence(1.5))
        event = await asyncio.wait_for(client.read_event(), WAIT_S)
        assert event is not None
        assert event.data["text"] == "two four six eight"
        await client.write_event(AudioStop().event())
    assert "six eight" not in caplog.text


async def test_commands_from_the_broker_are_guarded_too(running: PipelineFactory) -> None:
    said: list[str] = []

    class Broker:
        def say(self, topic: str, payload: str) -> None:
            said.append(payload)

    async with running() as pipeline:
        desk = _Desk(pipeline, Broker(), OwnTopics("hearth/x"), "en")  # type: ignore[arg-type]
        worker = asyncio.create_task(desk.run())
        try:
            for text in ("unlock the back door", "yes"):
                count = len(said)
                if text == "yes":
                    assert back_door(pipeline) == "locked"
                desk.receive(Incoming("hearth/x/say", text.encode(), False))
                async with asyncio.timeout(WAIT_S):
                    while len(said) == count:
                        await asyncio.sleep(0.01)
        finally:
            worker.cancel()
        assert "Unlock the Back Door?" in said[0]
        assert back_door(pipeline) == "unlocked"
