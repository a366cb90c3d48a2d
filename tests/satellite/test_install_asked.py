"""`hearth satellite install` in a real terminal: a wrong microphone is asked about again, a right one is shown."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import soundfile

from hearth_core.audio import read_recording
from hearth_core.config import load
from tests.real.sound_server import PulseAudio, saying
from tests.real.terminal import Terminal

ROOT = Path(__file__).parents[2]
ALEXA = ROOT / "tests" / "data" / "satellite" / "alexa-rms.flac"
MICROPHONE = r"Microphone: number or name, empty for the default: $"
ANOTHER = r"Choose another one\? \[Y/n\]: $"


@contextmanager
def installing(home: Path, env: dict[str, str], *options: str) -> Iterator[Terminal]:
    command = [sys.executable, "-m", "hearth_core", "satellite", "install", "--user", *options]
    with Terminal(command, env={"PATH": "/usr/bin:/bin", **env, "HOME": str(home)}, cwd=home) as terminal:
        yield terminal


def written(home: Path) -> Path:
    return home / ".config" / "hearth" / "hearth.yaml"


@pytest.fixture
def no_device(tmp_path: Path) -> dict[str, str]:
    """The surroundings of a machine whose only sound device was pulled out."""
    (tmp_path / "device").mkdir()
    (tmp_path / "device" / "gone").touch()
    path = os.pathsep.join([str(ROOT / "bench" / "fake_device"), os.environ.get("PYTHONPATH", "")])
    return {"FAKE_DEVICE": str(tmp_path / "device"), "PYTHONPATH": path}


def test_the_microphone_is_chosen_from_a_list_by_its_level(tmp_path: Path) -> None:
    (tmp_path / "sound").mkdir()
    server = PulseAudio(tmp_path / "sound")
    (tmp_path / "home").mkdir()
    pcm = read_recording(ALEXA)
    soundfile.write(tmp_path / "said.wav", memoryview(pcm * 100).cast("h"), 16_000)
    try:
        server.start()
        with installing(tmp_path / "home", server.environment, "--name", "Attic") as terminal:
            terminal.expect(r"Room that it stands in: $")
            terminal.type("Upstairs")
            for wrong, told in (("mixer", "sound device 'mixer'"), ("99", "sound device 99")):
                terminal.expect(r"The devices are: 0 'pulse' \(\d+ in, \d+ out\)[^\n]*\n" + MICROPHONE)
                terminal.type(wrong)
                terminal.expect(rf"That does not work: cannot listen on {told}")
                terminal.expect(ANOTHER)
                terminal.type("")
            terminal.expect(MICROPHONE)
            with saying(server, tmp_path / "said.wav"):
                terminal.type("pulse")
                terminal.expect(r"Speak for 6 seconds:")
                terminal.expect(r"█+·*│?·* +-\d+\.\d dBFS")
                loudest = terminal.expect(r"The loudest was (-\d+) dBFS; speech should be at -40 to -15\.")
            assert -25 < int(loudest[1]) < -5
            terminal.expect(r"Is this the one\? \[Y/n\]: $")
            terminal.type("")
            assert terminal.end() == 0, terminal.seen
    finally:
        server.kill()
    satellite = load(written(tmp_path / "home")).satellite
    assert (satellite.name, satellite.area, satellite.microphone.device) == ("Attic", "Upstairs", "pulse")


def test_who_has_no_microphone_is_not_asked_for_ever(tmp_path: Path, no_device: dict[str, str]) -> None:
    with installing(tmp_path, no_device) as terminal:
        terminal.expect(r"Name of the satellite \[\S+\]: $")
        terminal.type("Attic")
        terminal.expect(r"Room that it stands in: $")
        terminal.type("")
        terminal.expect(r"This machine has no sound device\n" + MICROPHONE)
        terminal.type("")
        terminal.expect(r"That does not work: cannot listen on the default sound device")
        terminal.expect(ANOTHER)
        terminal.type("n")
        assert terminal.end() == 0, terminal.seen
    satellite = load(written(tmp_path)).satellite
    assert (satellite.name, satellite.area, satellite.microphone.device) == ("Attic", "", "")


def test_who_breaks_off_leaves_nothing(tmp_path: Path, no_device: dict[str, str]) -> None:
    with installing(tmp_path, no_device, "--name", "Attic", "--area", "Attic") as terminal:
        terminal.expect(MICROPHONE)
        assert terminal.interrupt() == 130
        assert "Traceback" not in terminal.seen
    assert not written(tmp_path).exists()
