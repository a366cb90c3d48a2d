"""The bench of commands as it is run: on the bundled recordings, and with wrong input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench import commands
from hearth_core.command import EndReason, Hypothesis, Transcription
from hearth_intents.grammar import Grammar

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


@pytest.fixture(scope="module")
def scorer() -> commands.Scorer:
    return commands.Scorer(commands.Setup("pocketsphinx", demo=True))


@pytest.mark.parametrize(
    ("readings", "end", "right"),
    [
        ([("turn on the kettle", 0.6)], EndReason.SILENCE, True),
        ([("turn on the kettle", 0.6), ("turn on the kettle please", 0.3)], EndReason.SILENCE, True),
        ([("turn on the kettle", 0.6), ("turn off the kettle", 0.3)], EndReason.SILENCE, False),
        ([("turn on the kettle", 0.6)], EndReason.LIMIT, False),
    ],
)
def test_what_the_server_would_not_do_is_no_command(
    scorer: commands.Scorer, readings: list[tuple[str, float]], end: EndReason, right: bool
) -> None:
    heard = Transcription(tuple(Hypothesis(*each) for each in readings), "fake", end)
    assert bool(scorer.matches(heard)) is right
    assert scorer.judge(commands.Item(ROOT, text="turn on the kettle"), heard) == (right, right)


def test_answers_and_follow_ups_can_be_heard_as_at_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[Grammar] = []
    monkeypatch.setattr(commands, "load_engine", lambda config: SimpleNamespace(use=used.append))
    commands.Scorer(commands.Setup("fake", demo=True))
    commands.Scorer(commands.Setup("fake", demo=True, alone=True))
    assert [grammar.graph.accepts(["turn", "it", "off"]) for grammar in used] == [True, False]
    assert all(grammar.graph.accepts(["turn", "off", "the", "kettle"]) for grammar in used)


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
