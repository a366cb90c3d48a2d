"""A scripted Home Assistant, and the bus connected to it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hearth_server.home_assistant.bus import HomeAssistant, Patience

from .fake import FakeHomeAssistant, Recorder, running_fake

# Waits of hundredths in place of seconds; the longest stay, no test may need them.
PATIENCE = Patience(retry_s=0.02, retry_longest_s=0.1, refused_s=0.3, settle_s=0.02)


@pytest.fixture
async def fake() -> AsyncIterator[FakeHomeAssistant]:
    """A scripted Home Assistant."""
    async with running_fake() as running:
        yield running


@pytest.fixture
async def bus(fake: FakeHomeAssistant) -> AsyncIterator[HomeAssistant]:
    """The bus, not started."""
    home_assistant = HomeAssistant(fake.access, PATIENCE)
    yield home_assistant
    await home_assistant.stop()


@pytest.fixture
async def recorder(bus: HomeAssistant) -> Recorder:
    """The bus's watcher, the bus started with it."""
    watcher = Recorder(bus)
    await watcher.tried()
    return watcher
