"""Whatever plays in the room is lowered for an answer: commands of people's own run around it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Eventable
from wyoming.satellite import RunSatellite

from hearth_core import wire
from hearth_satellite.session import State
from tests.satellite.fakes import END, TALK, WAKE, RecordingSpeaker
from tests.satellite.lab import Running, lines_of, living, until
from tests.satellite.socket_client import at

ANSWER = b"\5\0" * 1600


@asynccontextmanager
async def answering(
    out: Path, local: Path, speaker: RecordingSpeaker
) -> AsyncIterator[tuple[Running, wire.Connection]]:
    """Run a satellite that has begun to play an answer of which nothing can be heard yet."""
    hook = ["/bin/sh", "-c", f'echo "$HEARTH_EVENT" >> {out}']
    section = {
        "hooks": {"commands": {"output-began": hook, "output-ended": hook}},
        "socket": {"path": str(local)},
    }
    async with (
        living(section, speaker=speaker) as running,
        await wire.connect(f"tcp://127.0.0.1:{running.port}") as driver,
    ):
        speaker.free.clear()
        await driver.write(RunSatellite())
        await until(lambda: running.state() is State.LISTENING)
        running.microphone.hear(WAKE, TALK, END)
        await until(lambda: running.state() is State.ANSWERING)
        answer: list[Eventable] = [AudioStart(16000, 2, 1), AudioChunk(16000, 2, 1, ANSWER), AudioStop()]
        for event in answer:
            await driver.write(event)
        await until(lambda: running.state() is State.PLAYING)
        yield running, driver


@pytest.mark.parametrize("how", ["heard to its end", "a wake word", "a button", "the driver goes"])
async def test_commands_run_before_an_answer_is_heard_and_after_it(how: str, tmp_path: Path) -> None:
    out, local, speaker = tmp_path / "out", tmp_path / "satellite.sock", RecordingSpeaker()
    async with answering(out, local, speaker) as (running, driver):
        assert await lines_of(out) == ["output-began"]
        assert ANSWER not in speaker.said
        match how:
            case "heard to its end":
                speaker.free.set()
            case "a wake word":
                running.microphone.hear(WAKE)
            case "a button":
                async with at(local) as client:
                    assert (await client.command("stop"))["done"]
            case "the driver goes":
                await driver.close()
        assert await lines_of(out, 2) == ["output-began", "output-ended"]
        assert speaker.said[-1] == ("finish" if how == "heard to its end" else "stop")
        assert (ANSWER in speaker.said) is (how == "heard to its end")
