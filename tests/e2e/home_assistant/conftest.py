"""A real Home Assistant for the tests of this folder, one for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.real.home_assistant.running import HomeAssistant
from tests.real.parts import needing


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomeAssistant]:
    """A Home Assistant that is set up and running; installed first if it has to be, which takes a minute or more."""
    with needing("a real Home Assistant"):
        home_assistant = HomeAssistant(tmp_path_factory.mktemp("home-assistant"))
        home_assistant.set_up()
    home_assistant.start()
    yield home_assistant
    home_assistant.kill()


@pytest.fixture
def home_assistant(installed: HomeAssistant) -> HomeAssistant:
    """The same, running again if a test has killed it."""
    if not installed.running:
        installed.start()
    return installed
