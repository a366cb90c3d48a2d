"""`hearth satellite check`: each thing that is tried says what to do about it, and that on the terminal too."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from wyoming.event import Event
from wyoming.info import Info

from hearth_core import wire
from hearth_core.audio import read_recording
from hearth_core.config_control import ControlConfig
from hearth_satellite import check
from hearth_satellite.check import Verdict, check_server, check_speaker, check_wake, judge_sound
from hearth_satellite.speaker import DeviceSpeaker, FileSpeaker
from tests.fakes import silence, tone
from tests.satellite.fakes import TALK, ByteWake
from tests.satellite.sound_card import FakeSoundDevice
from tests.satellite.test_check import noise

ALEXA = Path(__file__).parent.parent / "data" / "satellite" / "alexa-rms.flac"
WAIT_S = 60


@pytest.mark.parametrize(
    ("pcm", "what", "says", "advice"),
    [
        (noise(3, 10), "microphone level", "the loudest sound was at -70 dBFS", "raise the gain (alsamixer, F4)"),
        (tone(1) + tone(1, 32767), "clipping", "of the samples are at full scale", "Lower the gain (alsamixer, F4)"),
        (noise(3, 1500), "noise floor", "the room is at -27 dBFS", "Move it away from fans and fridges"),
        (silence(3), "microphone", "digital silence, and nothing else", "Unmute it (alsamixer, F4)"),
        (b"", "microphone", "it delivered no sound", "Choose another device"),
    ],
)
def test_a_microphone_s_fault_is_told_with_what_to_do(pcm: bytes, what: str, says: str, advice: str) -> None:
    (finding,) = [finding for finding in judge_sound(pcm) if finding.verdict is not Verdict.OK and finding.what == what]
    assert says in finding.says
    assert advice in finding.remedy


def test_each_limit_is_where_it_is_said_to_be() -> None:
    def verdicts(pcm: bytes) -> dict[str, Verdict]:
        return {finding.what: finding.verdict for finding in judge_sound(pcm)}

    loud = tone(0.5, 12_000)
    for dbfs, level in ((-47, Verdict.WARNING), (-43, Verdict.OK)):
        spoken = tone(1, round(32768 * 2**0.5 * 10 ** (dbfs / 20)))
        assert verdicts(noise(2, 3) + spoken)["microphone level"] is level, dbfs
    for dbfs, floor in ((-42, Verdict.OK), (-38, Verdict.WARNING)):
        assert verdicts(noise(3, 32768 * 10 ** (dbfs / 20)) + loud)["noise floor"] is floor, dbfs
    samples = np.frombuffer(loud * 4, "<i2").copy()  # 32,000 of them; one in a thousand may be at full scale
    for clipped, verdict in ((32, Verdict.OK), (33, Verdict.WARNING)):
        samples[:clipped] = -32768
        assert verdicts(samples.tobytes())["clipping"] is verdict, clipped


async def test_a_speaker_s_fault_is_told_with_what_to_do() -> None:
    class NoOutput(FakeSoundDevice):
        def query_devices(self, device: str | int | None = None, kind: str | None = None) -> object:
            if kind == "output":
                raise ValueError(f"No output device matching {device!r}")
            return super().query_devices(device, kind)

    finding = await check_speaker(DeviceSpeaker("hall", sounddevice=NoOutput()))
    assert (finding.verdict, finding.says) == (Verdict.FAILED, "sound device 'hall' cannot play")
    assert "The devices are: 0 'usb mic' (2 in, 0 out)" in finding.remedy


async def test_a_chime_that_was_played_may_still_not_be_heard(tmp_path: Path) -> None:
    finding = await check_speaker(FileSpeaker(tmp_path / "chime.wav"))
    assert finding.verdict is Verdict.OK
    assert finding.remedy == "If you did not hear it, raise the volume (alsamixer)"


def test_a_wake_word_that_is_not_heard_is_told_with_what_to_do() -> None:
    finding = check_wake(ByteWake, TALK, ControlConfig())
    assert (finding.verdict, finding.says) == (Verdict.WARNING, '"Alexa" was not heard')
    assert finding.remedy.startswith('If you said "Alexa", raise satellite.wake.sensitivity')


async def silent(connection: wire.Connection) -> None:
    await connection.read()
    await asyncio.Event().wait()


async def deaf(connection: wire.Connection) -> None:
    await connection.read()
    await connection.write(Info().event())


async def strange(connection: wire.Connection) -> None:
    await connection.read()
    await connection.write(Event("hello"))


@pytest.mark.parametrize(
    ("serve", "verdict", "says", "advice"),
    [
        (silent, Verdict.FAILED, "sent nothing for 0.2 s", "Look whether the server runs"),
        (deaf, Verdict.WARNING, "recognises no speech", "usually port 10300"),
        (strange, Verdict.FAILED, "is no Wyoming server", "Look at its address and port"),
    ],
)
async def test_a_server_s_fault_is_told_with_what_to_do(
    serve: Callable[[wire.Connection], Awaitable[None]],
    verdict: Verdict,
    says: str,
    advice: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(check, "_LATE_S", 0.2)
    async with await wire.serve("127.0.0.1", 0, serve) as listener:
        finding = await check_server(f"tcp://127.0.0.1:{listener.port}")
    assert finding.verdict is verdict
    assert says in finding.says
    assert advice in finding.remedy


@pytest.mark.parametrize(
    ("louder_db", "told"),
    [
        (
            0,
            [
                "OK       microphone level:",
                "OK       clipping:",
                "OK       noise floor:",
                "OK       wake word: heard alexa",
            ],
        ),
        (-40, ["WARNING  microphone level:", "         If you spoke, raise the gain"]),
        (40, ["WARNING  clipping:", "         Lower the gain"]),
    ],
)
def test_the_terminal_shows_findings_and_advice(tmp_path: Path, louder_db: float, told: list[str]) -> None:
    samples = np.frombuffer(read_recording(ALEXA), "<i2") * 10 ** (louder_db / 20)
    quiet = np.random.default_rng(1).normal(0, 3, 16_000)
    heard = np.clip(np.concatenate((quiet, samples, quiet)), -32768, 32767).astype("<i2")
    soundfile.write(tmp_path / "said.wav", heard, 16_000)
    (tmp_path / "hearth.yaml").write_text("satellite: {port: 0, speaker: {sink: none}, wake: {words: [alexa]}}")
    command = [sys.executable, "-m", "hearth_core", "satellite", "check", "--mic-file", "said.wav"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert done.returncode == 0, "a warning is no failure"
    for line in told:
        assert line in done.stdout


async def test_nobody_at_the_server_s_address_is_told_with_what_to_do() -> None:
    async with await wire.serve("127.0.0.1", 0, silent) as listener:
        port = listener.port
    finding = await check_server(f"tcp://127.0.0.1:{port}")
    assert (finding.verdict, bool(finding.remedy)) == (Verdict.FAILED, True)
