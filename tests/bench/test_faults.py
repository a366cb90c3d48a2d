"""The run of faults makes them for real and says what came of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.real.parts import missing, program

BENCH = Path(__file__).parents[2] / "bench"
LIMIT_S = 280


@pytest.mark.timeout(300)
def test_a_killed_server_and_junk_are_recovered_from() -> None:
    program("ip", "iproute2")
    unshare = [program("unshare", "util-linux"), "--map-root-user", "--net", "true"]
    if subprocess.run(unshare, capture_output=True, check=False).returncode:
        missing("this test needs a network namespace", "Allow it: sudo sysctl -w kernel.unprivileged_userns_clone=1")
    done = subprocess.run(
        [sys.executable, str(BENCH / "soak.py"), "--faults", "--rounds", "1", "--only", "server,junk", "--json"],
        capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert [(row["fault"], row["rounds"], row["recovered"], row["heard"]) for row in result["faults"]] == [
        ("server", 1, 1, 1),
        ("junk", 1, 1, 1),
    ]
    assert all(len(row["seconds"]) == 1 for row in result["faults"])
    assert result["satellite_starts"] == 1


def test_an_unknown_fault_is_told() -> None:
    command = [sys.executable, str(BENCH / "soak.py"), "--faults", "--only", "earthquake"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "no such fault: earthquake" in done.stderr
