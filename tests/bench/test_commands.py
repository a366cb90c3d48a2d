"""The bench of commands as it is run: on the bundled recordings, and with wrong input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench import commands, drawn
from hearth_core.command import Context, EndReason, Hypothesis, Transcription
from hearth_core.errors import InputError
from hearth_core.home import Home
from hearth_intents.compile import compile_grammar
from hearth_intents.grammar import Grammar
from hearth_intents.matcher import Matcher
from hearth_intents.sentences import load_sentences

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
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


def test_home_commands_are_scored_against_so_many_sentences() -> None:
    home = ["--audio", str(DATA / "home-commands"), "--labels", str(DATA / "labels.tsv"), "--corpus", "home-commands"]
    done = bench(*home, "--sentences", str(ROOT / "bench" / "home"), "--draw", "200")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["conditions"]
    assert (row["commands"], row["right"]) == (3, 3)


def test_what_is_drawn_is_so_much_and_has_what_is_said(tmp_path: Path) -> None:
    said = ["Turn on the desk lamp", "set a timer for 5 minutes", "turn desk lamp on"]
    home = ROOT / "bench" / "home"
    files = [drawn.draw(home, said, 50, seed, tmp_path / name) for seed, name in ((1, "a"), (1, "b"), (2, "c"))]
    first, again, other = (load_sentences("en", [file], builtin=False) for file in files)
    grammars = [compile_grammar(known, Home()).graph for known in (first, again, other)]
    assert [grammar.sentence_count() for grammar in grammars] == [50, 50, 50]
    assert all(grammar.accepts(["set", "a", "timer", "for", "five", "minutes"]) for grammar in grammars)
    texts = [(file / "en" / "drawn.yaml").read_text("utf-8") for file in files]
    assert texts[0] == texts[1] != texts[2]
    matcher = Matcher(first, Home())
    one, two = (matcher.match(text, Context())[0] for text in (said[0], said[2]))
    assert drawn.meaning(one) == drawn.meaning(two)


@pytest.mark.parametrize(
    ("said", "count", "says"),
    [("buy some milk", 50, "does not know 'buy some milk'"), ("turn on the kettle", 10**7, "too few sentences")],
)
def test_what_cannot_be_drawn_is_told(said: str, count: int, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=says):
        drawn.draw(ROOT / "bench" / "home", [said], count, 0, tmp_path / "drawn")


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
