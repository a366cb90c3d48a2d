"""A schedule in a fresh file, in English."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hearth_server.understanding import Understanding
from tests.schedule_fakes import Rig, rigged


@pytest.fixture
async def rig(demo_understanding: Understanding, tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigged(demo_understanding, tmp_path / "schedule.db") as made:
        yield made
