"""What holds for every test: none of them touches what the user's own Hearth keeps; and a real broker."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.real.mosquitto import Mosquitto

# No example has a deadline, because a busy machine is slow at any of them. CI takes the same examples every time, so
# that a change is judged by what it changes; at a desk every run looks elsewhere, and prints what repeats a failure.
settings.register_profile(
    "hearth",
    deadline=None,
    print_blob=True,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("hearth")

# These need Home Assistant and its Python; tests/e2e/home_assistant/test_component.py runs them there.
collect_ignore = ["custom_components"] if sys.version_info < (3, 14) else []


@pytest.fixture(autouse=True, scope="session")
def state_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for what servers keep, for this process and those that it starts."""
    folder = tmp_path_factory.mktemp("state")
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(folder)
    yield folder
    if before is None:
        del os.environ["XDG_STATE_HOME"]
    else:
        os.environ["XDG_STATE_HOME"] = before


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A real broker for each test that wants one."""
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.kill()
