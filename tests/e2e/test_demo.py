"""The main job as a stranger runs it: recordings through a satellite process, TCP and the real recogniser."""

from __future__ import annotations

import subprocess
import sys


def test_the_demo_does_what_the_recordings_say() -> None:
    command = [sys.executable, "-m", "hearth_core", "demo", "--speed", "3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert sum(line.startswith("✓") for line in done.stdout.splitlines()) >= 10, done.stdout
