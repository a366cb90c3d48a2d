"""Home Assistant's own Wyoming integration runs this satellite: a command, an announcement, its mute switch."""

from __future__ import annotations

import asyncio
import json
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hearth_core.config import Config
from hearth_server.server import running_server
from tests.real.home_assistant.assist import make_pipeline, wyoming
from tests.real.home_assistant.running import HomeAssistant
from tests.real.home_assistant.voice import speaking
from tests.real.satellite import hearing

pytestmark = pytest.mark.timeout(1200)  # the first test of all installs Home Assistant

GREEN = Path(__file__).parents[3] / "examples" / "recordings" / "set_kitchen_lights_to_green.flac"
KITCHEN = "light.kitchen_lights"
WAIT_S = 40.0
HA_PING_S = 5.0  # it pings every 2 s, on a busy machine later


class Looker:
    """Sees over the control socket what happens in the satellite."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.happened: list[dict[str, Any]] = []

    async def until(self, **facts: object) -> dict[str, Any]:
        """Return the next message of which this holds."""
        async with asyncio.timeout(WAIT_S):
            while line := await self._reader.readline():
                message: dict[str, Any] = json.loads(line)
                self.happened.append(message)
                if all(message.get(key) == value for key, value in facts.items()):
                    return message
        raise AssertionError(f"closed before {facts}: {self.happened}")

    async def command(self, name: str) -> dict[str, Any]:
        self._writer.write(json.dumps({"command": name}).encode() + b"\n")
        return await self.until(reply=name)


@asynccontextmanager
async def looking(path: Path) -> AsyncIterator[Looker]:
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        yield Looker(reader, writer)
    finally:
        writer.close()


def seconds(recording: Path) -> float:
    """Return how much sound the file that stands for the speaker has."""
    with wave.open(str(recording)) as file:
        return float(file.getnframes() / file.getframerate())


async def test_a_command_an_announcement_and_the_mute_switch(
    home_assistant: HomeAssistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, local = tmp_path / "answers.wav", tmp_path / "satellite.sock"
    satellite_config = tmp_path / "satellite.yaml"
    satellite_config.write_text(json.dumps({"satellite": {"control": {"socket": {"path": str(local)}}}}))
    monkeypatch.setenv("HEARTH_CONFIG", str(satellite_config))
    home = {"home_assistant": {"url": home_assistant.base, "token": home_assistant.token}}
    config = Config.model_validate({"server": {"port": 0}, "home": home})
    async with (
        home_assistant.observer() as observer,
        running_server(config) as server,
        speaking() as (voice, said),
        wyoming(home_assistant, "127.0.0.1", server.listener.port) as hearth,
        wyoming(home_assistant, "127.0.0.1", voice) as tone,
        hearing(GREEN, "--name", "Hallway", "--speaker", str(answers)) as port,
        looking(local) as looker,
    ):
        await observer.call("light.turn_on", KITCHEN, color_name="red")
        await make_pipeline(observer, hearth["stt"], hearth["conversation"], tone["tts"])
        async with wyoming(home_assistant, "127.0.0.1", port) as entities:
            satellite, mute = entities["assist_satellite"], entities["switch"]

            # A command is heard, done and answered.
            assert "kitchen lights" in (await looker.until(event="transcript"))["text"]
            assert (await looker.until(event="answer"))["text"] == "Color set"
            await looker.until(event="output-ended")
            state = await observer.wait(KITCHEN, lambda state: state["attributes"].get("hs_color", [0])[0] == 120)
            assert state["state"] == "on"
            await observer.wait(satellite, "idle")
            answered = seconds(answers)
            assert answered > 0.3

            # It hands its announcements out at its own address, which here is loopback and nothing else.
            await observer.command("config/core/update", internal_url=home_assistant.base)

            # An announcement is spoken, and Home Assistant knows when it has been heard.
            await observer.call("assist_satellite.announce", satellite, message="Dinner is ready", preannounce=False)
            assert said == ["Color set", "Dinner is ready"]
            await looker.until(event="output-ended")
            assert seconds(answers) == pytest.approx(answered + 0.5, abs=0.3)

            # Its mute switch holds the satellite, and lets it go.
            await observer.call("switch.turn_on", mute)
            await looker.until(event="state", state="idle")
            assert (await looker.command("wake"))["done"] is False
            assert not any(message.get("event") == "not-connected" for message in looker.happened)
            # Home Assistant looks at its own switch after each ping; back before that, it forgets to run us again.
            await asyncio.sleep(HA_PING_S)
            await observer.call("switch.turn_off", mute)
            await looker.until(event="state", state="listening")
