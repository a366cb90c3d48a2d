"""`hearth server pair`: the code for those who have no log before them, and the way back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hearth_core.cli import run
from hearth_server.companion.pairing import Pairing


@pytest.fixture
def config(tmp_path: Path) -> list[str]:
    file = tmp_path / "hearth.yaml"
    file.write_text("server:\n  companion:\n    state: state\n")
    return ["--config", str(file), "server", "pair"]


def test_it_shows_a_code_that_pairs(config: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config) == 0
    code = capsys.readouterr().out.strip()
    assert re.fullmatch(r"\d{3} \d{3}", code)
    token = Pairing(tmp_path / "state").accept(code.replace(" ", ""), "Home")
    assert run([*config, "--list"]) == 0
    assert capsys.readouterr().out.endswith("  Home\n")
    assert run([*config, "--remove", "Home"]) == 0
    assert Pairing(tmp_path / "state").known(token) is None


def test_who_is_not_there_cannot_be_removed(config: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*config, "--remove", "Nobody"]) == 2
    assert "names 0 pairings" in capsys.readouterr().err
