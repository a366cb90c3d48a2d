"""A real Home Assistant for the tests of this folder, one for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.real.home_assistant.running import HomeAssistant
from tests.real.parts import missing
from tests.real.python314 import InstallError


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomeAssistant]:
    """A Home Assistant that is set up and running; installed first if it has to be, which takes a minute or more."""
    try:
        home_assistant = HomeAssistant(tmp_path_factory.mktemp("home-assistant"))
        home_assistant.set_up()
    except InstallError as error:
        missing(f"these tests need a real Home Assistant: {error.message}", error.remedy)
    home_assistant.start()
    yield home_assistant
    home_assistant.kill()


@pytest.fixture
def home_assistant(installed: HomeAssistant) -> HomeAssistant:
    """The same, running again if a test has killed it."""
    if not installed.running:
        installed.start()
    return installed
