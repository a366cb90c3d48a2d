"""The integration's unit tests and types, in the Python and the Home Assistant that they need."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.real.home_assistant import install as home_assistant
from tests.real.home_assistant.component import install
from tests.real.parts import needing

pytestmark = pytest.mark.timeout(1800)  # the first test of all installs Home Assistant

ROOT = Path(__file__).parents[3]
LOWEST_COVERAGE = 95.0


@pytest.fixture(scope="module")
def python() -> Path:
    with needing("a Home Assistant of their own"):
        return install()


def run(python: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(python), *arguments],
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def test_its_unit_tests_pass_and_cover_it(python: Path, tmp_path: Path) -> None:
    report = tmp_path / "coverage.json"
    done = run(
        python, "-m", "pytest", "-c", "tests/custom_components/pytest.ini", "tests/custom_components", "-q",
        "--show-capture=no", "--tb=short", "--cov=custom_components.hearth", f"--cov-report=json:{report}",
        COVERAGE_FILE=str(tmp_path / "coverage"),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert json.loads(report.read_text())["totals"]["percent_covered"] >= LOWEST_COVERAGE


def test_its_partial_results_are_those_of_the_newest_home_assistant(python: Path) -> None:
    """The unit tests' Home Assistant has no such results yet; so the packages of the live tests' one go before it."""
    with needing("a real Home Assistant"):
        newest = home_assistant.install()
    (packages,) = newest.parent.parent.glob("lib/python3.*/site-packages")
    done = run(python, "-m", "tests.custom_components.partials", PYTHONPATH=f"{packages}:{ROOT}/core")
    assert done.returncode == 0, done.stderr[-4000:]
    partial, own = "PartialSpeechResult", "homeassistant.components.stt.models"
    assert json.loads(done.stdout) == [
        [partial, own, "turn"],
        [partial, own, "turn on"],
        ["SpeechResult", own, "turn on the lamp"],
    ]


def test_its_types_are_strict(python: Path, tmp_path: Path) -> None:
    done = run(
        python, "-m", "mypy", "--config-file=", "--strict", "--explicit-package-bases", "--namespace-packages",
        "--cache-dir", str(Path.home() / ".cache/hearth/mypy-component"), "custom_components/hearth",
        MYPYPATH="core",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
