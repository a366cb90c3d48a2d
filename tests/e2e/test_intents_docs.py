"""docs/intents.md shows what its commands really print, and its files are right."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from hearth_core.config import Config, load_as
from hearth_intents.sentences import load_sentences
from hearth_intents.test_file import read_tests

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "intents.md").read_text("utf-8")
SHOWN = [
    pytest.param(command, shown, id=command)
    for block in re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for command, shown in re.findall(r"^\$ (.*?)\n(.*?)(?=^\$ |\Z)", block, re.MULTILINE | re.DOTALL)
]
FILES = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("command", "shown"), SHOWN)
def test_command_prints_what_is_shown(command: str, shown: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hearth_core", *shlex.split(command)[1:]],
        cwd=ROOT,
        env={**{k: v for k, v in os.environ.items() if k != "HEARTH_CONFIG"}, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.strip() == shown.strip(), done.stderr
    assert done.returncode in (0, 1), done.stderr


def test_every_tool_is_described() -> None:
    from hearth_server.intents_cli import intents

    assert len(SHOWN) >= 6
    assert all(f"`{name}" in PAGE for name in intents.commands)


def test_files_are_right(tmp_path: Path) -> None:
    config, sentences, tests = FILES
    (tmp_path / "hearth.yaml").write_text(config)
    assert load_as(tmp_path / "hearth.yaml", Config).server.sentences == (str(tmp_path / "sentences"),)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "calls.yaml").write_text(sentences)
    assert load_sentences("en", [tmp_path / "own"]).problems == ()
    (tmp_path / "test.yaml").write_text(tests)
    assert len(read_tests(tmp_path / "test.yaml").tests) == 1
