"""`hearth satellite check`: what is wrong is found, and what to do about it is said."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from wyoming.info import AsrModel, AsrProgram, Attribution, Info

from hearth_core import wire
from hearth_core.audio import PcmFormat
from hearth_core.config import ControlConfig
from hearth_core.errors import AudioError, EngineError
from hearth_satellite import check
from hearth_satellite.check import Verdict, check_microphone, check_server, check_speaker, judge_sound
from hearth_satellite.meter import show_level
from hearth_satellite.microphone import FileMicrophone
from hearth_satellite.speaker import FileSpeaker, NullSpeaker
from tests.fakes import silence, tone
from tests.satellite.fakes import QUIET, TALK, WAKE, ByteWake
from tests.satellite.lab import SpokenInto

DATA = Path(__file__).parent.parent / "data"
TURN_ON = DATA / "00007_turn_on_Standing_Light.flac"
WAIT_S = 60
CONTROL = ControlConfig()


def noise(seconds: float, amplitude: float) -> bytes:
    samples = np.random.default_rng(1).normal(0, amplitude, round(seconds * 16_000))
    return np.clip(samples, -32768, 32767).astype("<i2").tobytes()


@pytest.mark.parametrize(
    ("pcm", "expected"),
    [
        (noise(2, 10) + tone(1, 8000) + noise(2, 10), {}),
        (noise(3, 10), {"microphone level": Verdict.WARNING}),
        (noise(2, 10) + tone(2, 40000 // 2) + noise(1, 30000), {"clipping": Verdict.WARNING}),
        (noise(3, 1500) + tone(1, 8000), {"noise floor": Verdict.WARNING}),
        (silence(3), {"microphone": Verdict.FAILED}),
        (b"", {"microphone": Verdict.FAILED}),
        (b"\1", {"microphone": Verdict.FAILED}),
    ],
)
def test_a_sound_is_judged(pcm: bytes, expected: dict[str, Verdict]) -> None:
    findings = judge_sound(pcm)
    assert {finding.what: finding.verdict for finding in findings if finding.verdict is not Verdict.OK} == expected
    assert all(finding.remedy for finding in findings if finding.verdict is not Verdict.OK)


async def test_a_microphone_that_dies_or_is_missing_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(check, "_LATE_S", 0.05)
    dead = SpokenInto()
    dead.hear(tone(0.5))
    pcm, (finding,) = await check_microphone(dead, 5.0)
    assert (len(pcm), finding.verdict) == (16_000, Verdict.FAILED)
    assert "and then nothing" in finding.says
    assert (await check_microphone(SpokenInto(), 1.0))[1][0].says == "it delivered no sound within 0.05 s"
    _, (finding,) = await check_microphone(FileMicrophone([tmp_path / "none.wav"]), 1.0)
    assert (finding.verdict, "none.wav" in finding.says) == (Verdict.FAILED, True)


class Broken(NullSpeaker):
    """A speaker that cannot play, or never ends."""

    def __init__(self, *, hangs: bool) -> None:
        super().__init__()
        self._hangs = hangs

    async def start(self, audio: PcmFormat) -> None:
        if self._hangs:
            await asyncio.Event().wait()
        raise AudioError("it is gone", remedy="Plug it in")


async def test_a_speaker_is_played_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert (await check_speaker(FileSpeaker(tmp_path / "x.wav"))).verdict is Verdict.OK
    assert (tmp_path / "x.wav").stat().st_size > 1000
    assert (await check_speaker(NullSpeaker())).verdict is Verdict.SKIPPED
    monkeypatch.setattr(check, "NullSpeaker", type(None))
    monkeypatch.setattr(check, "_SPEAKER_S", 0.05)
    gone = await check_speaker(Broken(hangs=False))
    assert (gone.verdict, gone.says, gone.remedy) == (Verdict.FAILED, "it is gone", "Plug it in")
    assert "did not end" in (await check_speaker(Broken(hangs=True))).says


def test_the_wake_word_is_looked_for() -> None:
    assert check.check_wake(ByteWake, QUIET + WAKE, CONTROL).verdict is Verdict.OK
    assert check.check_wake(ByteWake, TALK, CONTROL).verdict is Verdict.WARNING
    for nothing in (b"", QUIET):
        finding = check.check_wake(ByteWake, nothing, CONTROL)
        assert (finding.verdict, finding.remedy) == (Verdict.SKIPPED, ""), "nobody could have been heard"
    assert check.check_wake(lambda: ByteWake(words=False), QUIET, CONTROL).verdict is Verdict.SKIPPED

    def broken() -> ByteWake:
        raise EngineError("no model", remedy="Install it")

    assert check.check_wake(broken, QUIET, CONTROL).remedy == "Install it"


async def test_a_server_is_looked_for() -> None:
    ours = Attribution("x", "x")
    programs = [AsrProgram("hearth", ours, True, None, None, models=[AsrModel("m", ours, True, None, None, ["en"])])]
    answers: list[Any] = [Info(asr=programs).event(), Info().event(), None]

    async def serve(connection: wire.Connection) -> None:
        await connection.read()
        if answer := answers.pop(0):
            await connection.write(answer)

    async with await wire.serve("127.0.0.1", 0, serve) as listener:
        uri = f"tcp://127.0.0.1:{listener.port}"
        verdicts = [(await check_server(uri)).verdict for _ in range(3)]
    assert verdicts == [Verdict.OK, Verdict.WARNING, Verdict.FAILED]
    assert (await check_server(uri)).verdict is Verdict.FAILED


async def test_the_level_is_shown_while_somebody_speaks() -> None:
    text = io.StringIO()
    microphone = FileMicrophone([TURN_ON], realtime=False)
    loudest = await show_level(microphone, Console(file=text, force_terminal=True, width=100), 2.0)
    assert -30 < loudest < 0
    assert "dBFS" in text.getvalue()


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--mic-file", str(TURN_ON)], 0, "microphone level"),
        (["--mic-file", "none.wav"], 1, "none.wav does not exist"),
        (["--mic-file", str(TURN_ON), "--server", "tcp://127.0.0.1:1"], 1, "cannot connect"),
        (["--mic-file", str(TURN_ON), "--seconds", "0"], 2, "--seconds"),
    ],
)
def test_the_exit_code_says_whether_it_will_work(tmp_path: Path, options: list[str], code: int, says: str) -> None:
    command = [sys.executable, "-m", "hearth_core", "satellite", "check", *options]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert done.returncode == code, done.stderr
    assert says in done.stdout + done.stderr
    if code < 2:
        done = subprocess.run(
            [*command, "--json"], cwd=tmp_path, capture_output=True, text=True, timeout=WAIT_S, check=False
        )
        assert json.loads(done.stdout)["ok"] is (code == 0)
