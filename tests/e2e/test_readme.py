"""What the README tells people to type works: its commands are run, its configuration is checked."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


COMMANDS = [line.split("#")[0].strip() for block in blocks("sh") for line in block.splitlines() if line.strip()]
HEARTH = [line for line in COMMANDS if line.startswith("hearth ")]
# These run until they are stopped, or need a microphone: only their options are checked here; other tests run them.
ENDLESS = ("hearth server", "hearth satellite", "hearth demo")


def run(arguments: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hearth_core", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def test_the_readme_has_commands() -> None:
    assert len(HEARTH) >= 5
    assert "make demo" in COMMANDS
    assert "make test" in COMMANDS


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("make ")])
def test_every_make_target_exists(line: str) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert re.search(rf"^{line.split()[1]}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("line", HEARTH)
def test_every_hearth_command_runs(line: str, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "hearth.yaml").write_text("".join(blocks("yaml")), "utf-8")
    arguments = shlex.split(line.split(">")[0])[1:]
    if line.startswith(ENDLESS):
        arguments.append("--help")
    done = run(arguments, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("index", range(len(blocks("yaml"))))
def test_every_configuration_is_valid(index: int, tmp_path: Path) -> None:
    (tmp_path / "hearth.yaml").write_text(blocks("yaml")[index], "utf-8")
    done = run(["config", "check", "hearth.yaml"], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
