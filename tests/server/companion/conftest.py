"""A server that shows its codes, and a Home Assistant that is paired with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hearth_core import companion_client as client
from hearth_core.config import Config
from hearth_server import server as hearth
from tests.fakes import FakeEngine, LoudnessDetector

from .assistant import Assistant


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[hearth.Server, list[str]]]:
    monkeypatch.setattr(hearth, "load_engine", lambda config, language: FakeEngine(["turn on the lava lamp"]))
    config = Config.model_validate({"server": {"port": 0, "companion": {"state": str(tmp_path)}}})
    codes: list[str] = []
    async with hearth.running_server(config, lambda code, minutes: codes.append(code)) as running:
        running.pipeline._detector = LoudnessDetector
        yield running, codes


@pytest.fixture
async def assistant(served: tuple[hearth.Server, list[str]]) -> Assistant:
    server, codes = served
    port = server.listener.port
    identity = await client.identify("127.0.0.1", port)
    assert await client.request_code("127.0.0.1", port) == 600
    token = await client.pair("127.0.0.1", port, f" {codes[0][:3]}-{codes[0][3:]}", "test house", identity)
    return Assistant(port, token, identity)
