"""A Hearth satellite as a process of its own, that hears a recording."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

START_S = 60.0


class SatelliteProcess:
    """A satellite on a port of its own, to be started, killed, and started again.

    Args:
        folder: for its log, its settings, and the file that stands for its speaker.
        port: to listen on.
        recording: what it hears.
        wake: its wake word.
    """

    def __init__(self, folder: Path, port: int, recording: Path, wake: str = "okay_nabu") -> None:
        self.port = port
        self.log = folder / "satellite.log"
        self.speaker = folder / "speaker.wav"
        config = folder / "satellite.yaml"
        config.write_text(json.dumps({"satellite": {"control": {"state_file": str(folder / "state.json")}}}))
        self._env = {**os.environ, "HEARTH_CONFIG": str(config)}
        options = ["--port", str(port), "--name", "Hallway", "--wake", wake, "--mic-file", str(recording)]
        self._command = [sys.executable, "-m", "hearth_satellite", *options, "--speaker", str(self.speaker)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._env, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )

    @property
    def running(self) -> bool:
        """True while its process lives."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End it at once."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def played_s(self) -> float:
        """Return the seconds of sound that it has played."""
        if not self.speaker.exists() or self.speaker.stat().st_size < 44:
            return 0.0
        with wave.open(str(self.speaker)) as file:
            return float(file.getnframes() / file.getframerate())


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
