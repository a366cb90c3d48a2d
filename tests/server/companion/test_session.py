"""A Home Assistant and a server in dialogue, through a real socket; the integration is played by its own client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event

from hearth_core import companion_client as client
from hearth_core.companion import Dialogue, RefusedError, pack
from hearth_core.config import Config
from hearth_core.control_event import SatelliteState
from hearth_core.errors import WireError
from hearth_core.wire import Connection, serve
from hearth_server import server as hearth
from hearth_server.companion import companion as companion_module
from tests.fakes import FakeEngine, silence, tone

from .assistant import HOME, Assistant, tell


async def understood(dialogue: Dialogue, text: str, **fields: Any) -> Mapping[str, Any]:
    """Ask until the new names are known."""
    async with asyncio.timeout(20):
        while True:
            answer = await dialogue.request("ask", {"text": text, **fields})
            if answer["kind"] != "not-understood":
                return answer
            await asyncio.sleep(0.05)


async def test_a_command_is_carried_by_home_assistant_in_the_name_of_who_asked(assistant: Assistant) -> None:
    async with assistant.inside() as dialogue:
        answer = await understood(dialogue, "turn on the lava lamp", asked="42")
        assert (answer["kind"], answer["outcomes"]) == ("done", {"light.lava": "done"})
        (call,) = assistant.calls
        assert (call["domain"], call["service"], call["asked"]) == ("light", "turn_on", "42")
        assert call["target"] == {"entity_id": ["light.lava"]}
        assert (await dialogue.request("ask", {"text": "turn off the blob"}))["kind"] == "done"
        answer = await dialogue.request("ask", {"text": "turn on the lights", "area_id": "den"})
        assert answer["outcomes"] == {"light.lava": "done"}


async def test_the_demo_home_gives_way_to_a_real_one(
    assistant: Assistant, served: tuple[hearth.Server, list[str]]
) -> None:
    house = served[0].pipeline.house
    assert "light.lava" not in house.home.entities
    assert len(house.home.entities) > 10
    async with assistant.inside():
        assert house.home.entities.keys() == {"light.lava", "lock.cellar"}
        assert house.home.areas["den"].aliases == ("snug",)


async def test_what_home_assistant_refuses_is_told_as_failed(assistant: Assistant) -> None:
    assistant.refuses = "light.lava is not exposed"
    async with assistant.inside() as dialogue:
        answer = await understood(dialogue, "turn on the lava lamp")
        assert (answer["kind"], answer["outcomes"]) == ("failed", {"light.lava": "failed"})


async def test_a_call_that_moves_nothing_is_not_done(
    assistant: Assistant, served: tuple[hearth.Server, list[str]]
) -> None:
    assistant.follows = False
    async with assistant.inside() as dialogue:
        answer = await understood(dialogue, "lock the cellar door")
        assert answer["outcomes"] == {"lock.cellar": "unconfirmed"}


async def test_while_home_assistant_is_away_its_devices_are_told_as_unreachable(
    assistant: Assistant, served: tuple[hearth.Server, list[str]]
) -> None:
    house = served[0].pipeline.house
    async with assistant.inside():
        assert house.home.entities["light.lava"].state.value == "off"
    async with asyncio.timeout(5):
        while house.home.entities["light.lava"].state.value != "unavailable":
            await asyncio.sleep(0.01)
    async with assistant.inside(home=None) as dialogue:
        answer = await understood(dialogue, "turn on the lava lamp")
        assert answer["outcomes"] == {"light.lava": "unreachable"}


async def test_a_rename_is_understood(assistant: Assistant) -> None:
    async with assistant.inside() as dialogue:
        await understood(dialogue, "turn on the lava lamp")
        renamed = [{**HOME["entities"][0], "names": ["Volcano"]}, HOME["entities"][1]]
        await tell(dialogue, {**HOME, "entities": renamed})
        assert (await understood(dialogue, "turn off the volcano"))["kind"] == "done"
        assert (await dialogue.request("ask", {"text": "turn on the lava lamp"}))["kind"] == "not-understood"


async def test_speech_comes_back_as_partial_results_and_a_transcript(assistant: Assistant) -> None:
    async with assistant.opened("speech") as opened:
        write = opened.connection.write
        await write(Transcribe(language="en", transcript_names=["Lava lamp"], context={"area_id": "den"}).event())
        await write(AudioStart(16000, 2, 1).event())
        pcm = silence(0.2) + tone(1.5) + silence(2.0)
        seen: list[Event] = []

        async def listen() -> None:
            while not seen or not Transcript.is_type(seen[-1].type):
                event = await opened.connection.read(5.0)
                assert event is not None
                seen.append(event)

        listening = asyncio.create_task(listen())
        for start in range(0, len(pcm), 3200):
            await write(AudioChunk(16000, 2, 1, pcm[start : start + 3200]).event())
            await asyncio.sleep(0.01)
        await write(AudioStop().event())
        await listening
    partials = [event.data["text"] for event in seen if event.type == "hearth-partial"]
    assert partials
    assert all("turn on the lava lamp".startswith(text) for text in partials)


async def test_events_and_status_tell_what_happens(assistant: Assistant) -> None:
    async with assistant.inside() as dialogue:
        assert assistant.welcome["feed"] is True
        await understood(dialogue, "turn on the lava lamp")
        async with asyncio.timeout(5):
            while (event := await assistant.events.get())["event"] != "understood":
                pass
        assert event["facts"]["text"] == "turn on the lava lamp"
        async with asyncio.timeout(5):
            while not assistant.statuses or assistant.statuses[-1]["last"] is None:
                await asyncio.sleep(0.01)
        status = assistant.statuses[-1]
        assert status["home"]["entities"] == 2
        assert status["engine"] == "fake"
        assert status["last"]["latency_ms"] > 0


async def test_names_that_cannot_be_told_apart_are_told(assistant: Assistant) -> None:
    twin = {"id": "light.second", "names": ["Lava lamp"], "area_id": "den"}
    states = {**HOME["states"], "light.second": HOME["states"]["light.lava"]}
    async with assistant.inside({**HOME, "entities": [*HOME["entities"], twin], "states": states}):
        async with asyncio.timeout(10):
            while not assistant.statuses or not assistant.statuses[-1]["problems"]:
                await asyncio.sleep(0.02)
        assert "lava lamp" in assistant.statuses[-1]["problems"][0]["message"]


async def test_sentences_of_home_assistants_owner_are_understood(assistant: Assistant) -> None:
    text = "language: en\nintents:\n  OpenSesame:\n    data:\n      - sentences: ['open sesame [now]']\n"
    async with assistant.inside({**HOME, "sentences": {"en/sesame.yaml": text, "../evil.yaml": text}}) as dialogue:
        answer = await understood(dialogue, "open sesame")
        assert (answer["intent"], answer["refusal"]) == ("OpenSesame", "not_supported")


@pytest.mark.parametrize(
    ("fields", "payload"),
    [
        ({}, b""),
        ({"part": 0, "parts": 1}, b"junk"),
        ({"part": 0, "parts": 1}, pack(b"[]")[0]),
        ({"part": 0, "parts": 1}, pack(b'{"entities": [{"id": "no entity"}]}')[0]),
        ({"part": 1, "parts": 2}, b""),
        ({"part": 0, "parts": 99}, b""),
        ({"part": True, "parts": 1}, b""),
        ({"part": 0, "parts": 1}, pack(b'{"entities": 5}')[0][:-3]),
    ],
)
async def test_a_home_that_cannot_be_read_is_refused_and_the_last_one_stays(
    assistant: Assistant, served: tuple[hearth.Server, list[str]], fields: dict[str, Any], payload: bytes
) -> None:
    async with assistant.inside() as dialogue:
        with pytest.raises(RefusedError) as refused:
            await dialogue.request("home", fields, payload)
        assert refused.value.reason == "wire"
        assert "light.lava" in served[0].pipeline.house.home.entities


@pytest.mark.parametrize(
    ("method", "fields", "reason"),
    [
        ("ask", {}, "input"),
        ("ask", {"text": "x" * 1001}, "input"),
        ("announce", {"text": "hello", "satellite": "nowhere"}, "unknown-satellite"),
        ("set", {"satellite": "nowhere", "settings": {"mute": True}}, "unknown-satellite"),
        ("policy", {"rules": [{"target": "lock", "action": "explode"}]}, "bad-policy"),
        ("policy", {"rules": {}}, "bad-policy"),
        ("dance", {}, "unknown-method"),
    ],
)
async def test_what_cannot_be_done_is_refused_with_a_reason(
    assistant: Assistant, method: str, fields: dict[str, Any], reason: str
) -> None:
    async with assistant.inside() as dialogue:
        with pytest.raises(RefusedError) as refused:
            await dialogue.request(method, fields)
        assert refused.value.reason == reason


async def test_a_policy_is_kept(assistant: Assistant, tmp_path: Path) -> None:
    rules = [{"target": "lock", "action": "confirm", "areas": ["den"]}]
    async with assistant.inside() as dialogue:
        assert (await dialogue.request("policy", {"rules": rules}))["rules"] == 1
        assert json.loads((tmp_path / "policy.json").read_text()) == rules


async def test_sentences_are_read_again_on_request(assistant: Assistant, tmp_path: Path) -> None:
    async with assistant.inside() as dialogue:
        folder = tmp_path / "sentences" / "en"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "bad.yaml").write_text("language: en\nintents: 5\n")
        told = await dialogue.request("reload")
        assert "bad.yaml" in told["problems"][0]


async def test_a_home_of_five_thousand_entities_is_taken(
    assistant: Assistant, served: tuple[hearth.Server, list[str]]
) -> None:
    entities = [{"id": f"light.l{n}", "names": [f"Lamp number {n}"], "area_id": "den"} for n in range(5000)]
    attributes = {"supported_color_modes": ["brightness"], "supported_features": 44, "friendly_name": "a lamp" * 10}
    states = {entity["id"]: {"s": "off", "a": attributes, "c": "1"} for entity in entities}
    async with assistant.inside({**HOME, "entities": entities, "states": states}):
        assert len(served[0].pipeline.house.home.entities) == 5000


def test_no_home_is_packed_that_would_not_be_unpacked() -> None:
    with pytest.raises(WireError, match="bytes"):
        pack(bytes(33 * 2**20))


async def test_what_a_satellite_does_is_told_as_it_does_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question is listened to for a few seconds; told every ten, nobody would see it."""
    monkeypatch.setattr(hearth, "load_engine", lambda config, language: FakeEngine())
    monkeypatch.setattr(companion_module, "REFRESH_S", 3600.0)
    drivers: list[Connection] = []

    async def satellite(connection: Connection) -> None:
        drivers.append(connection)
        while (event := await connection.read(30)) is not None:
            if event.type == "ping":
                await connection.write(Event("pong"))

    async with await serve("127.0.0.1", 0, satellite) as listener:
        link = {"name": "Hallway", "uri": f"tcp://127.0.0.1:{listener.port}"}
        server = {"port": 0, "companion": {"state": str(tmp_path)}, "satellites": [link]}
        codes: list[str] = []
        config = Config.model_validate({"server": server})
        async with hearth.running_server(config, lambda code, minutes: codes.append(code)) as running:
            port = running.listener.port
            identity = await client.identify("127.0.0.1", port)
            await client.request_code("127.0.0.1", port)
            assistant = Assistant(port, await client.pair("127.0.0.1", port, codes[0], "house", identity), identity)

            def seen() -> list[str]:
                return [satellite["state"] for told in assistant.statuses for satellite in told["satellites"]]

            async with assistant.inside(home=None):
                for state in ("listening", "streaming", "listening"):
                    async with asyncio.timeout(10):
                        while not drivers:
                            await asyncio.sleep(0.01)
                        await drivers[0].write(SatelliteState(state=state).event())
                        while state not in seen()[-1:]:
                            await asyncio.sleep(0.01)
                drivers[0].abort()
                async with asyncio.timeout(10):
                    while "disconnected" not in seen():
                        await asyncio.sleep(0.01)
