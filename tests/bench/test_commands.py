"""The bench of commands as it is run: on the bundled recordings, and with wrong input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RECORDINGS = ROOT / "examples" / "recordings"


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "bench" / "commands.py"), "--jobs", "1", "--json", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)


def test_the_bundled_orders_are_scored_clean_and_in_noise() -> None:
    noise = str(RECORDINGS / "not_a_command.flac")
    labels = str(RECORDINGS / "labels.json")
    done = bench("--audio", str(RECORDINGS), "--labels", labels, "--limit", "3", "--noise", noise, "--snr", "40")
    assert done.returncode == 0, done.stderr
    clean, noisy = json.loads(done.stdout)["conditions"]
    assert (clean["condition"], clean["commands"], clean["right"]) == ("clean", 3, 3)
    assert noisy["condition"] == "not_a_command 40 dB"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--audio", "nowhere"), "nowhere"),
        (("--labels", "nowhere.json"), "nowhere.json"),
        (("--labels", str(RECORDINGS / "demo.yaml")), "demo.yaml"),
        (("--noise", str(RECORDINGS / "README.md")), "README.md"),
        (("--engine", "nosuch"), "nosuch"),
        (("--sentences", "nowhere"), "nowhere"),
    ],
)
def test_wrong_input_is_told_in_one_line(arguments: tuple[str, ...], says: str) -> None:
    done = bench("--audio", str(RECORDINGS), "--labels", str(RECORDINGS / "labels.json"), "--limit", "1", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
