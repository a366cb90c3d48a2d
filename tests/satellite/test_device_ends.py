"""A sound device that ends, does not close, or cannot be begun with: the satellite goes on, or says what is wrong."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from hearth_core.audio import PcmFormat
from hearth_satellite.microphone import CHUNK_BYTES, DeviceMicrophone
from tests.real.parts import library
from tests.satellite.sound_card import CallbackStop, FakeSoundDevice

ROOT = Path(__file__).parents[2]
SILENCE = bytes(CHUNK_BYTES)


async def test_a_device_whose_stream_has_ended_ends_after_its_last_sound() -> None:
    fake = FakeSoundDevice(16000)
    async with asyncio.timeout(10), DeviceMicrophone(None, PcmFormat(), sounddevice=fake) as microphone:
        await asyncio.to_thread(fake.speak, SILENCE, SILENCE)
        await asyncio.to_thread(fake.finished)
        assert [chunk async for chunk in microphone] == [SILENCE] * 2


async def test_portaudio_s_thread_has_ended_by_itself_when_its_stream_is_closed() -> None:
    events: list[str] = []

    class Card(FakeSoundDevice):
        def run(self) -> None:
            try:
                while True:
                    self.speak(SILENCE)
            except CallbackStop:
                events.append("ended")
            self.finished()

        def close(self) -> None:
            events.append("closed")

    fake = Card(16000)
    async with DeviceMicrophone(None, PcmFormat(), sounddevice=fake):
        thread = threading.Thread(target=fake.run)
        thread.start()
    thread.join()
    assert events == ["ended", "closed"]


NEVER_CLOSES = """
import asyncio, atexit
from hearth_core.audio import PcmFormat
from hearth_satellite import watchdog
from hearth_satellite.microphone import DeviceMicrophone
from tests.satellite.sound_card import FakeSoundDevice
import threading

watchdog._CLOSE_S = 1.0

class Card(FakeSoundDevice):
    def close(self):
        threading.Event().wait()

    _exit_handler = close

def make(failures):
    return DeviceMicrophone(None, PcmFormat(), sounddevice=card)

async def hear():
    async with watchdog.WatchedMicrophone(make, watchdog.Patience()):
        pass

card = Card(16000)
atexit.register(card._exit_handler)
asyncio.run(hear())
print("done")
"""


def test_a_device_that_never_closes_does_not_keep_the_satellite_from_ending() -> None:
    run = subprocess.run(
        [sys.executable, "-c", NEVER_CLOSES], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.returncode, run.stdout) == (0, "done\n"), run.stderr
    assert "left behind" in run.stderr


def test_a_portaudio_that_does_not_begin_is_told_with_where_to_look(tmp_path: Path) -> None:
    library("portaudio", "libportaudio2")
    (tmp_path / "asoundrc").write_text("pcm.broken { type")
    command = [sys.executable, "-m", "hearth_core", "satellite", "check", "--seconds", "1", "--json"]
    environment = {**os.environ, "ALSA_CONFIG_PATH": f"{tmp_path}/asoundrc"}
    run = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 1, run.stderr
    found = json.loads(run.stdout)["findings"][0]
    assert (found["verdict"], found["says"].startswith("PortAudio does not begin (")) == ("failed", True)
    assert "~/.asoundrc" in found["remedy"]
