"""Push to talk without any wake word's library: a process, a button on its socket, a real server, real speech."""

from __future__ import annotations

import asyncio
from pathlib import Path

from hearth_core.audio import read_recording
from hearth_core.config import Config
from hearth_server.pipeline import Answer, Partial
from hearth_server.server import running_server
from tests.satellite.hidden import environment
from tests.satellite.socket_client import at
from tests.satellite.test_button import PACKAGES, configured
from tests.satellite.test_cli import WAIT_S, satellite

LOCK = Path(__file__).parents[2] / "examples" / "recordings" / "lock_the_front_door.flac"


async def test_a_press_locks_the_door_without_any_wake_word(tmp_path: Path) -> None:
    env, _ = environment(tmp_path / "hidden", *PACKAGES)
    path, spoken = configured(tmp_path), tmp_path / "spoken.wav"
    options = ("--mic-file", str(LOCK), "--once", "--speaker", str(spoken))
    answers: asyncio.Queue[Answer] = asyncio.Queue()

    def note(progress: Answer | Partial) -> None:
        if isinstance(progress, Answer):
            answers.put_nowait(progress)

    async with satellite(*options, cwd=tmp_path, env=env) as (process, port), at(path) as button:
        kitchen = {"name": "kitchen", "uri": f"tcp://127.0.0.1:{port}", "area": "kitchen"}
        config = Config.model_validate({"server": {"port": 0, "speak": {"voice": "chime"}, "satellites": [kitchen]}})
        async with running_server(config) as server:
            server.pipeline.observers.append(note)
            await button.until("state", "listening")
            assert (await button.command("wake"))["done"] is True
            answer = await asyncio.wait_for(answers.get(), WAIT_S)
            assert answer.transcription.text == "lock the front door"
            assert [(each.entity_id, each.status.value) for each in answer.outcomes] == [("lock.front_door", "done")]
            assert await asyncio.wait_for(process.wait(), WAIT_S) == 0
    assert len(read_recording(spoken)) > 0
