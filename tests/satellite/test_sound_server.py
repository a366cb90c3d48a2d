"""Sound through the real PortAudio, ALSA, and a sound server: PulseAudio and PipeWire, in a room without hardware."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from hearth_core.audio import read_recording
from tests.real.sound_server import PipeWire, PulseAudio, SoundServer, play, saying

ALEXA = Path(__file__).parent.parent / "data" / "satellite" / "alexa-rms.flac"
WAIT_S = 60
Sound = NDArray[np.float64]

# Hears until a line comes; what it has heard goes into a file.
HEAR = """
import asyncio, sys, threading
from pathlib import Path
from hearth_core.audio import PcmFormat
from hearth_satellite.microphone import DeviceMicrophone
from hearth_satellite.watchdog import Patience, WatchedMicrophone

device, rate, channels, channel, heard = sys.argv[1], *map(int, sys.argv[2:5]), Path(sys.argv[5])
formats = []

class Microphone(DeviceMicrophone):
    async def __aenter__(self):
        await super().__aenter__()
        print("opened", self._audio.rate, self._audio.channels, flush=True)
        return self

def told(health):
    print("works" if health.ok else health.reason, flush=True)

def make(failures):
    return Microphone(device, PcmFormat(rate, 2, channels), channel=channel, refresh=failures > 1)

async def hear():
    done = asyncio.Event()
    asyncio.get_running_loop().add_reader(0, done.set)
    async with WatchedMicrophone(make, Patience(retry_s=0.1, retry_max_s=0.5), on_health=told) as microphone:
        pcm = bytearray()
        async for chunk in microphone:
            if not pcm:
                print("hears", flush=True)
            pcm += chunk
            if done.is_set():
                heard.write_bytes(pcm)
                return

asyncio.run(hear())
"""


@pytest.fixture(scope="module", params=[PulseAudio, PipeWire])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoundServer]:
    """A sound server, for all tests of this file."""
    server: SoundServer = request.param(tmp_path_factory.mktemp("sound"))
    server.start()
    yield server
    server.kill()


def samples(pcm: bytes) -> Sound:
    return np.frombuffer(pcm, "<i2").astype(np.float64)


def said() -> Sound:
    """Return the words, 16 kHz."""
    return samples(read_recording(ALEXA))


def found_in(heard: Sound, sound: Sound) -> tuple[float, float]:
    """Return how alike the likest stretch of what was heard is to a sound, 0 to 1, and how much louder, in dB."""
    length = 1 << (len(heard) + len(sound)).bit_length()
    likeness = np.fft.irfft(np.fft.rfft(heard, length) * np.conj(np.fft.rfft(sound, length)), length)[: len(heard)]
    stretch = heard[int(np.argmax(likeness)) :][: len(sound)]
    own, other = (float(np.sqrt(np.sum(np.square(one)))) for one in (sound, stretch))
    return float(np.max(likeness)) / (own * other), 20 * float(np.log10(other / own))


@contextmanager
def hearing(server: SoundServer, *options: object) -> Iterator[subprocess.Popen[str]]:
    """Hear with the satellite's microphone, in a process of its own: PortAudio looks at its surroundings once."""
    process = subprocess.Popen(
        [sys.executable, "-c", HEAR, server.device, *map(str, options)],
        env=server.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    watch = threading.Timer(WAIT_S, process.kill)
    watch.start()
    try:
        yield process
    finally:
        watch.cancel()
        process.kill()
        process.communicate()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def stop(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.wait(WAIT_S) == 0


@pytest.mark.parametrize(("rate", "channels", "channel"), [(16_000, 1, 1), (48_000, 2, 2)])
def test_what_is_said_into_the_room_is_heard(
    server: SoundServer, tmp_path: Path, rate: int, channels: int, channel: int
) -> None:
    words = said()
    left = words if channels == 1 else words[::-1]  # as loud, and nothing like it
    soundfile.write(tmp_path / "said.wav", np.stack([left, words], axis=1) / 32768, 16_000)
    with hearing(server, rate, channels, channel, tmp_path / "heard.raw") as process:
        assert [line(process), line(process)] == [f"opened {rate} {channels}", "hears"]
        play(server, tmp_path / "said.wav")
        stop(process)
    heard = samples((tmp_path / "heard.raw").read_bytes())
    alike, louder_db = found_in(heard, words)
    assert alike > 0.95
    # Of two channels PulseAudio makes one by their mean; PipeWire keeps the power, so what is on both is 3 dB louder.
    summed = channels == 1 and isinstance(server, PipeWire)
    assert louder_db == pytest.approx(3.0 if summed else 0.0, abs=0.5)
    if channel == 2:
        assert found_in(heard, left)[0] < 0.5, "nothing of the other channel"


def test_a_server_that_died_is_heard_again(server: SoundServer, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "said.wav", said() / 32768, 16_000)
    with hearing(server, 16_000, 1, 1, tmp_path / "heard.raw") as process:
        assert [line(process), line(process)] == ["opened 16000 1", "hears"]
        server.kill()
        assert line(process) == "it ended"
        server.start()
        assert line(process) == "opened 16000 1"
        play(server, tmp_path / "said.wav")
        assert line(process) == "works"
        stop(process)
    assert found_in(samples((tmp_path / "heard.raw").read_bytes()), said())[0] > 0.95


def test_check_hears_the_wake_word_and_is_heard(server: SoundServer, tmp_path: Path) -> None:
    both = f"microphone: {{device: {server.device}}}, speaker: {{device: {server.device}}}"
    (tmp_path / "hearth.yaml").write_text(f"satellite: {{port: 0, {both}, wake: {{words: [alexa]}}}}")
    soundfile.write(tmp_path / "said.wav", np.tile(said(), 100) / 32768, 16_000)
    with saying(server, tmp_path / "said.wav"):
        done = checked(server, tmp_path)
        if "digital silence" in done.stdout:  # a busy sound server has not joined room and microphone within 4 s
            done = checked(server, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    findings = {finding["what"]: finding["says"] for finding in json.loads(done.stdout)["findings"]}
    heard = findings["wake word"].removeprefix("heard ").split(", ")
    assert set(heard) == {"alexa"}, "as often as it was said in these 4 s"
    assert findings["speaker"] == "a chime was played"


def checked(server: SoundServer, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hearth_core", "satellite", "check", "--json", "--seconds", "4"]
    return subprocess.run(
        command, cwd=folder, env=server.environment, capture_output=True, text=True, timeout=WAIT_S, check=False
    )
