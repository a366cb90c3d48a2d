"""A wake word of which the satellite is not sure, from the microphone to the lock: real models on both sides."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hearth_core.audio import read_recording
from hearth_satellite.session import State
from hearth_satellite.wake import WakeWords, Word
from hearth_satellite.wake_micro import MicroEngine
from hearth_server.satellites import SatelliteLink
from hearth_server.voice import ChimeVoice
from tests.fakes import silence, tone
from tests.satellite.lab import living, until
from tests.server.conftest import PipelineFactory
from tests.server.conftest import demo_understanding as demo_understanding
from tests.server.conftest import running as running
from tests.server.test_wake_check import HearingEngine

DATA = Path(__file__).parent.parent / "data" / "satellite"


def in_chunks(pcm: bytes) -> list[bytes]:
    return [pcm[start : start + 1024] for start in range(0, len(pcm), 1024)]


@pytest.mark.parametrize("threshold", [0.9999, 0.9], ids=["unsure", "sure"])
async def test_the_word_begins_a_command_and_the_command_is_done(
    running: PipelineFactory, threshold: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hearth_satellite.verification.WAIT_S", 20.0)  # a machine that does other things too
    async with running() as pipeline, living() as satellite:
        pipeline.engine = HearingEngine(["lock the front door"])
        link = SatelliteLink("kitchen", f"tcp://127.0.0.1:{satellite.port}", "", pipeline, ChimeVoice())
        task = asyncio.create_task(link.run())
        try:
            await until(lambda: satellite.state() is State.LISTENING)
            words = {"alexa": Word(threshold=threshold)}
            satellite.satellite.session.use_wake(WakeWords([MicroEngine(["alexa"])], words, unsure=True))
            satellite.microphone.hear(*in_chunks(silence(1) + read_recording(DATA / "alexa-rms.flac") + silence(0.3)))
            await until(lambda: satellite.state() is State.STREAMING)
            satellite.microphone.hear(*in_chunks(tone(1) + silence(1.5)))
            await until(lambda: pipeline.house.home.entities["lock.front_door"].state.value == "locked")
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
