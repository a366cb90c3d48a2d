"""The bench of the chime runs real satellites and a real server, and counts who chimed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parents[2] / "bench" / "chime.py"


def test_of_two_satellites_that_hear_a_word_one_chimes() -> None:
    command = [sys.executable, str(BENCH), "--wakes", "1", "--satellites", "2", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stderr
    (said,) = json.loads(done.stdout)
    assert said["heard"] == 2
    # On a machine that is too busy to answer a claim within 80 ms the other does not wait any longer.
    assert said["chimes"] in (1, 2)
    assert said["after_ms"] >= 0.0
