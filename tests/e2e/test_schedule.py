"""A real server process that is killed, and what it keeps."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from hearth_server.ask import ask_server

START_S = 120


async def start(config: Path) -> tuple[Process, str]:
    command = (sys.executable, "-m", "hearth_core", "--config", str(config), "server", "--port", "0")
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), START_S)).decode()
    assert line.startswith("listening on ")
    return process, line.split()[-1]


async def output(config: Path, *arguments: str) -> str:
    command = (sys.executable, "-m", "hearth_core", "--config", str(config), *arguments)
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    return (await asyncio.wait_for(process.communicate(), START_S))[0].decode()


async def test_a_command_for_later_outlives_a_killed_server(tmp_path: Path) -> None:
    config = tmp_path / "hearth.yaml"
    config.write_text("schedule: {file: schedule.db}\n")
    process, uri = await start(config)
    try:
        assert (await ask_server(uri, "lock the front door in 2 hours")).text == "I will do that in 2 hours"
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
    assert "lock the front door" in await output(config, "schedule", "list")
    process, uri = await start(config)
    try:
        assert (await ask_server(uri, "what is scheduled")).text.startswith("Scheduled: lock the front door in 1 hour")
        assert "cancelled" in await output(config, "schedule", "cancel", "1")
        assert (await ask_server(uri, "what is scheduled")).text == "Nothing is scheduled"
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), START_S) == 0
