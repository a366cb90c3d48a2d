"""A Hearth satellite as a process of its own, that hears a recording."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

START_S = 60.0


@asynccontextmanager
async def hearing(recording: Path, *options: str) -> AsyncIterator[int]:
    """Run a satellite that hears this recording as soon as it is driven; yield its port."""
    command = [sys.executable, "-m", "hearth_satellite", "--port", "0", "--wake", "none", "--mic-file", str(recording)]
    process = await asyncio.create_subprocess_exec(*command, *options, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START_S):
            line = (await process.stdout.readline()).decode()
        found = re.search(r"listening on tcp://.*:(\d+)", line)
        assert found is not None, line
        yield int(found[1])
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
