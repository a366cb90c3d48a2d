"""One Home Assistant with the integration, one server and one satellite for the tests of this folder."""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator, Iterator

import numpy as np
import pytest

from tests.real.home_assistant.client import Client
from tests.real.home_assistant.running import HomeAssistant, _free_port
from tests.real.home_assistant.with_integration import HearthServer, with_integration
from tests.real.parts import needing
from tests.real.satellite import SatelliteProcess


@pytest.fixture(scope="package")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomeAssistant]:
    """A Home Assistant with the integration's folder, freshly onboarded."""
    folder = tmp_path_factory.mktemp("with-integration")
    with needing("a real Home Assistant"):
        home_assistant = with_integration(folder)
        home_assistant.set_up()
    home_assistant.start()
    yield home_assistant
    home_assistant.kill()


@pytest.fixture(scope="package")
def satellite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SatelliteProcess]:
    """A satellite that is not there yet; its room is quiet but for a little noise."""
    folder = tmp_path_factory.mktemp("satellite")
    room = folder / "room.wav"
    with wave.open(str(room), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(np.random.default_rng(0).integers(-20, 21, 16_000 * 600).astype("<i2").tobytes())
    process = SatelliteProcess(folder, _free_port(), room)
    yield process
    process.kill()


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory, satellite: SatelliteProcess) -> Iterator[HearthServer]:
    """A server with one satellite that is not there yet."""
    link = f"{{name: Hallway, uri: 'tcp://127.0.0.1:{satellite.port}'}}"
    config = f"  satellites: [{link}]\n  speak: {{voice: chime}}\n"
    running = HearthServer(tmp_path_factory.mktemp("server"), _free_port(), config)
    running.start()
    yield running
    running.kill()


@pytest.fixture
async def observer(house: HomeAssistant) -> AsyncIterator[Client]:
    async with house.observer() as client:
        yield client
