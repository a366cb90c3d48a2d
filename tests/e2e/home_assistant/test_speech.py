"""A real recording, a real Home Assistant, and every way between them; an independent client sees what came of it."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import soundfile

from hearth_core.command import Context, OutcomeStatus, ResponseKind
from hearth_core.config import Config
from hearth_server.server import Server, running_server
from tests.real.home_assistant.assist import make_pipeline, run_pipeline, wyoming
from tests.real.home_assistant.client import Client
from tests.real.home_assistant.house import rename
from tests.real.home_assistant.running import HomeAssistant
from tests.real.home_assistant.voice import speaking
from tests.real.satellite import hearing

pytestmark = pytest.mark.timeout(1200)  # the first test of all installs Home Assistant

RECORDINGS = Path(__file__).parents[3] / "examples" / "recordings"
GREEN = RECORDINGS / "set_kitchen_lights_to_green.flac"
LOCK = RECORDINGS / "lock_the_front_door.flac"
KITCHEN = "light.kitchen_lights"
WAIT_S = 60.0


def pcm(recording: Path) -> bytes:
    samples, rate = soundfile.read(recording, dtype="int16")
    assert rate == 16_000
    return bytes(samples.tobytes()) + bytes(32_000)  # and a second of silence, as after a command


@asynccontextmanager
async def serving(home_assistant: HomeAssistant, **server: Any) -> AsyncIterator[Server]:
    """Run a Hearth server whose home is this Home Assistant, configured as people do."""
    home = {"home_assistant": {"url": home_assistant.base, "token": home_assistant.token}}
    config = Config.model_validate({"server": {"port": 0, **server}, "home": home})
    async with running_server(config) as running:
        yield running


@pytest.fixture
async def observer(home_assistant: HomeAssistant) -> AsyncIterator[Client]:
    async with home_assistant.observer() as client:
        await client.call("light.turn_on", KITCHEN, color_name="red")
        yield client


async def until_green(observer: Client) -> None:
    await observer.wait(KITCHEN, lambda state: state["attributes"].get("rgb_color") == [0, 128, 0] or green(state))


def green(state: Any) -> bool:
    hue = state["attributes"].get("hs_color")
    return bool(state["state"] == "on" and hue and abs(hue[0] - 120) < 1)


async def told(server: Server, text: str) -> tuple[ResponseKind, str, set[OutcomeStatus]]:
    """Give the server a command as text; return what it answers and what became of it."""
    answer = await server.pipeline.answer_text(text, Context())
    return answer.response.kind, answer.response.text, {outcome.status for outcome in answer.outcomes}


async def test_through_satellite_and_server_a_light_turns_green(
    home_assistant: HomeAssistant, observer: Client
) -> None:
    async with hearing(GREEN) as port:
        link = {"name": "kitchen", "uri": f"tcp://127.0.0.1:{port}", "area": "Kitchen"}
        async with serving(home_assistant, satellites=[link]):
            await until_green(observer)


async def test_home_assistants_own_pipeline_uses_the_server(home_assistant: HomeAssistant, observer: Client) -> None:
    async with (
        serving(home_assistant) as server,
        wyoming(home_assistant, "127.0.0.1", server.listener.port) as entities,
    ):
        pipeline = await make_pipeline(observer, entities["stt"], entities["conversation"])
        run = await run_pipeline(observer, pipeline, pcm(GREEN))
        assert (run.text, run.kind) == ("set kitchen lights to green", "action_done")
        await until_green(observer)
        run = await run_pipeline(observer, pipeline, pcm(LOCK))
        assert (run.text, run.kind) == ("lock the front door", "action_done")
        assert (await observer.state("lock.front_door"))["state"] == "locked"
        run = await run_pipeline(observer, pipeline, bytes(4 * 32_000))  # nobody speaks
        assert run.text == ""


async def test_home_assistant_runs_the_satellite(
    home_assistant: HomeAssistant, observer: Client, tmp_path: Path
) -> None:
    answer = tmp_path / "answer.wav"
    async with (
        serving(home_assistant) as server,
        speaking() as (voice, said),
        wyoming(home_assistant, "127.0.0.1", server.listener.port) as hearth,
        wyoming(home_assistant, "127.0.0.1", voice) as tone,
        hearing(GREEN, "--name", "Bedside", "--speaker", str(answer)) as port,
    ):
        await make_pipeline(observer, hearth["stt"], hearth["conversation"], tone["tts"])
        async with wyoming(home_assistant, "127.0.0.1", port) as satellite:
            assert satellite["assist_satellite"].startswith("assist_satellite.bedside")
            await until_green(observer)
            async with asyncio.timeout(WAIT_S):
                while not said or not played(answer):
                    await asyncio.sleep(0.1)
            await observer.wait(satellite["assist_satellite"], "idle")  # it is ready for the next command
    assert said == ["Color set"]


def played(recording: Path) -> float:
    """Return how many seconds of sound are in the file that stands for the speaker."""
    try:
        with wave.open(str(recording)) as file:
            return file.getnframes() / file.getframerate() if any(file.readframes(file.getnframes())) else 0.0
    except (OSError, EOFError, wave.Error):
        return 0.0


async def test_killed_and_back_the_answers_are_true(home_assistant: HomeAssistant) -> None:
    async with serving(home_assistant) as server:
        assert await told(server, "turn on the bed light") == (
            ResponseKind.DONE,
            "Turned on the light",
            {OutcomeStatus.DONE},
        )
        home_assistant.kill()
        async with asyncio.timeout(WAIT_S):
            while server.pipeline.house.home.entities["light.bed_light"].state.value != "unavailable":
                await asyncio.sleep(0.05)
        kind, text, outcomes = await told(server, "turn off the bed light")
        assert kind is ResponseKind.FAILED
        assert outcomes <= {OutcomeStatus.UNREACHABLE}
        assert "Turned" not in text
        home_assistant.launch()
        await asyncio.to_thread(home_assistant.wait)
        async with asyncio.timeout(2 * WAIT_S):
            while server.pipeline.house.home.entities["light.bed_light"].state.value == "unavailable":
                await asyncio.sleep(0.05)
        assert (await told(server, "turn on the bed light"))[0] is ResponseKind.DONE


async def test_what_succeeds_and_moves_nothing_is_not_spoken_as_done(home_assistant: HomeAssistant) -> None:
    async with serving(home_assistant, action_timeout_s=1.0) as server:
        kind, text, outcomes = await told(server, "turn on the stuck light")
    assert kind is ResponseKind.FAILED
    assert outcomes == {OutcomeStatus.UNCONFIRMED}
    assert text != "Turned on the light"


async def test_a_new_name_can_be_said_and_the_old_one_no_more(home_assistant: HomeAssistant, observer: Client) -> None:
    async with serving(home_assistant) as server:
        await rename(observer, "light.bed_light", "Reading lamp")
        try:
            async with asyncio.timeout(WAIT_S):
                while (await told(server, "turn on the reading lamp"))[0] is not ResponseKind.DONE:
                    await asyncio.sleep(0.1)
            assert (await told(server, "turn on the bed light"))[0] is ResponseKind.NOT_UNDERSTOOD
        finally:
            await rename(observer, "light.bed_light", None)


@pytest.mark.parametrize("name", [".", "💡", "x" * 200, "4711", "(a|b) {c}", "[optional] <rule>"])
async def test_an_impossible_name_spoils_nothing(home_assistant: HomeAssistant, observer: Client, name: str) -> None:
    await rename(observer, "light.office_rgbw_lights", name)
    try:
        async with serving(home_assistant) as server:
            assert server.pipeline.house.home.entities["light.office_rgbw_lights"].name == name
            assert (await told(server, "turn on the bed light"))[0] is ResponseKind.DONE
            await told(server, "turn on the lights in the office")
            assert (await observer.state("light.office_rgbw_lights"))["state"] == "on"
    finally:
        await rename(observer, "light.office_rgbw_lights", None)
