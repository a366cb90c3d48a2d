"""A microphone that dies and returns, from the sound device to whoever is told: hook, control socket, MQTT."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hearth_core.config import Config
from hearth_satellite import control, device, level
from hearth_satellite.cli import Choices, build
from hearth_satellite.events import Identity
from hearth_satellite.news import Happening, Told
from hearth_satellite.satellite import Options, Satellite
from hearth_satellite.speaker import NullSpeaker
from hearth_satellite.watchdog import Health
from tests.real.mosquitto import Mosquitto
from tests.satellite.fakes import ByteEnd, ByteWake, Clock
from tests.satellite.lab import WAIT_S, lines_of
from tests.satellite.on_mqtt import Stranger, as_device
from tests.satellite.socket_client import at

PORTAUDIO = Path(__file__).parents[2] / "bench" / "fake_device" / "sounddevice.py"
WATCHDOG = {"stall_s": 0.5, "zeros_s": 1.0, "retry_s": 0.1, "retry_max_s": 0.2}


@pytest.fixture
def plug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that commands the only sound device there is."""
    folder = tmp_path / "device"
    folder.mkdir()
    monkeypatch.setenv("FAKE_DEVICE", str(folder))
    spec = importlib.util.spec_from_file_location("fake_sounddevice", PORTAUDIO)
    assert spec is not None
    assert spec.loader is not None
    sounddevice = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sounddevice)
    monkeypatch.setattr(device, "_import_sounddevice", lambda: sounddevice)
    return folder


@asynccontextmanager
async def running(section: dict[str, Any]) -> AsyncIterator[None]:
    """Run the satellite as `hearth satellite` makes it of this section `control`."""
    microphone = {"source": "device", "watchdog": WATCHDOG}
    rest = {"port": 0, "speaker": {"sink": "none"}, "wake": {"engine": "none"}, "microphone": microphone}
    satellite, hears = build(Config.model_validate({"satellite": {**rest, "control": section}}).satellite, Choices())
    listens = asyncio.Event()
    task = asyncio.create_task(satellite.run(hears, lambda host, port: listens.set()))
    try:
        async with asyncio.timeout(WAIT_S):
            await listens.wait()
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("fault", ["stuck", "zeros"])
async def test_all_are_told_that_the_microphone_died_and_that_it_is_back(
    fault: str, plug: Path, mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "_LEVEL_EVERY_S", 0.05)
    for limit in ("_SILENT_S", "_ZEROS_S"):  # the level meter would find it out too, later: this is about the watchdog
        monkeypatch.setattr(level, limit, 1e9)
    local, out, stranger = tmp_path / "satellite.sock", tmp_path / "out", Stranger(mosquitto)
    hook = ["/bin/sh", "-c", f'echo "$HEARTH_EVENT $HEARTH_OK" >> {out}']
    section = {
        **as_device(mosquitto),
        "state_file": str(tmp_path / "state.json"),
        "socket": {"path": str(local)},
        "hooks": {"commands": {"microphone": hook}},
    }
    try:
        async with running(section), at(local) as client:
            assert (await client.read())["microphone_ok"] is True
            await stranger.level(-96, -80)

            loud = np.random.default_rng(0).integers(-8000, 8000, 40_000).astype("<i2")
            (plug / "say.part").write_bytes(loud.tobytes())
            (plug / "say.part").rename(plug / "say.raw")
            await stranger.level(-25, 0)

            (plug / fault).touch()
            assert (await client.until("event", "microphone"))["ok"] is False
            assert (await client.command("say-state"))["microphone_ok"] is False
            await stranger.state(microphone_ok=False, level_dbfs=None)
            assert await lines_of(out) == ["microphone false"]

            (plug / fault).unlink()
            assert (await client.until("event", "microphone"))["ok"] is True
            assert (await client.command("say-state"))["microphone_ok"] is True
            await stranger.level(-96, -80)
            assert await lines_of(out, 2) == ["microphone false", "microphone true"]
    finally:
        stranger.close()


def test_that_it_is_back_is_told_with_the_first_sound_and_not_at_the_next_look() -> None:
    clock, told = Clock(), list[Told]()
    satellite = Satellite(
        Identity("Kitchen", None), ByteWake(), ByteEnd(), NullSpeaker(), Options(live=True), clock=clock
    )
    satellite.news.listen(told.append)
    clock.now += 10
    satellite.on_microphone(Health(False, "it has given no sound for 3 s"))
    satellite.on_microphone(Health(True, reopened=1))
    assert told == [Told(Happening.MICROPHONE, {"ok": False}), Told(Happening.MICROPHONE, {"ok": True})]
