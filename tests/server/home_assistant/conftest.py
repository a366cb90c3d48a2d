"""A scripted Home Assistant, the bus connected to it, and what most tests of it ask and wait."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hearth_core.command import Action, Outcome, OutcomeStatus
from hearth_server.home_assistant.bus import HomeAssistant, Patience

from .fake import FakeHomeAssistant, Recorder, running_fake

# Waits of hundredths in place of seconds; the longest stay, no test may need them.
PATIENCE = Patience(retry_s=0.02, retry_longest_s=0.1, refused_s=0.3, settle_s=0.02)

ON = Action("light.turn_on", ("light.ceiling",), expected="on")
LONG_S = 8.0  # for what must come true: far more than it takes
SHORT_S = 0.2  # for what must not


def statuses(outcomes: tuple[Outcome, ...]) -> list[OutcomeStatus]:
    return [outcome.status for outcome in outcomes]


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
