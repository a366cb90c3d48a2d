"""A test that lacks a real part never passes quietly."""

from __future__ import annotations

import pytest

from .parts import missing, program


def test_missing_part_is_a_loud_skip_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="sudo apt-get install knxd"):
        missing("this test needs knxd", "Install it: sudo apt-get install knxd")


def test_missing_part_is_a_failure_where_all_must_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="needs knxd"):
        missing("this test needs knxd", "")


def test_program_that_is_there_is_found_where_it_is() -> None:
    assert program("sh", "dash").endswith("/sh")
