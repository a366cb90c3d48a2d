"""Sentence files change under the running server, over its socket."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from hearth_server.ask import Reply, ask_server

# Far more than it takes, on a machine that does other things too.
PATIENCE_S = 60.0


def _sentences(template: str, response: str) -> str:
    return (
        "language: en\nintents:\n  Drill:\n    data:\n"
        f"      - sentences: ['{template}']\n        response: '{response}'\n"
        "        action: {service: light.turn_on, entity_id: light.bed_light}\n"
    )


class Running:
    """A server in a process of its own."""

    def __init__(self, uri: str, log: Path) -> None:
        self.uri = uri
        self._log = log

    async def say(self, text: str) -> Reply:
        return await ask_server(self.uri, text)

    async def until_said(self, text: str, true: Callable[[Reply], bool]) -> Reply:
        async with asyncio.timeout(PATIENCE_S):
            while not true(reply := await self.say(text)):
                await asyncio.sleep(0.2)
        return reply

    async def logged(self, pattern: str) -> list[str]:
        async with asyncio.timeout(PATIENCE_S):
            while not (found := re.findall(pattern, self._log.read_text())):
                await asyncio.sleep(0.2)
        return found


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "drill.yaml").write_text(_sentences("start the drill", "Drilling"))
    config = tmp_path / "hearth.yaml"
    config.write_text("server: {port: 0, sentences: [own]}\n")
    log = tmp_path / "log"
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hearth_core", "--config", str(config), "server"),
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            line = (await process.stdout.readline()).decode()
        assert "listening on" in line, log.read_text()
        yield Running(line.split()[-1], log)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), PATIENCE_S)


async def test_change_is_taken_and_a_bad_file_does_no_harm(server: Running, tmp_path: Path) -> None:
    path = tmp_path / "own" / "drill.yaml"
    assert await server.say("start the drill") == Reply("Drilling", done=True)
    assert not (await server.say("begin the drill")).done

    path.write_text(_sentences("begin the drill", "Off we go"))
    assert (await server.until_said("begin the drill", lambda reply: reply.done)).text == "Off we go"
    assert not (await server.say("start the drill")).done

    path.write_text(_sentences("begin the {nothing}", "Never"))
    (told,) = await server.logged(r"ERROR.*drill\.yaml:5:\d+: there is no list \{nothing\}.*")
    assert "last good text stays in use" in told
    assert await server.say("begin the drill") == Reply("Off we go", done=True)

    (tmp_path / "own" / "saw.yaml").write_text(_sentences("begin the sawing", "Sawing").replace("Drill", "Saw"))
    await server.until_said("begin the sawing", lambda reply: reply.done)
    assert await server.say("begin the drill") == Reply("Off we go", done=True)
    assert len(await server.logged(r"there is no list \{nothing\}")) == 1, "logged once, not at every look"

    path.unlink()
    await server.until_said("begin the drill", lambda reply: not reply.done)
