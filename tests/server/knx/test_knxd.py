"""The tests of knxd_scenarios.py, in a network namespace."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.namespace import Verdict, names_in, run
from tests.real.parts import missing, program

SCENARIOS = Path(__file__).with_name("knxd_scenarios.py")


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    program("knxd", "knxd")
    return run(SCENARIOS, tmp_path_factory.mktemp("namespace"))


@pytest.mark.parametrize("name", names_in(SCENARIOS))
def test_with_knxd(name: str, verdicts: dict[str, Verdict]) -> None:
    verdict = verdicts[name]
    if verdict.status == "skipped":
        missing(verdict.text, "")
    assert verdict.status == "passed", verdict.text
