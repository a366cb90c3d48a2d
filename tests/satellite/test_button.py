"""A satellite without a wake word, whether its libraries are missing or nobody wants one."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from asyncio.subprocess import Process
from pathlib import Path

import pytest
import yaml
from wyoming.client import AsyncTcpClient
from wyoming.satellite import RunSatellite

from hearth_core.audio import read_recording
from hearth_core.config import ControlConfig, SatelliteConfig, WakeConfig
from hearth_core.control_event import SettingsChange
from hearth_core.errors import InputError
from hearth_satellite.button import NoWakeWord
from hearth_satellite.check import Verdict, check_wake
from hearth_satellite.cli import Choices, build
from hearth_satellite.ears import build_wake
from hearth_satellite.news import Happening
from hearth_satellite.session import State
from hearth_satellite.wake_word import Trigger
from tests.satellite import tiny_wake
from tests.satellite.around import Room
from tests.satellite.fakes import END, QUIET, TALK, WAKE
from tests.satellite.hidden import environment, hide
from tests.satellite.socket_client import at
from tests.satellite.test_cli import COMMAND, TURN_ON, WAIT_S, plays_once, reply, satellite, until

PACKAGES = ("pymicro_wakeword", "pymicro_features", "openwakeword", "onnxruntime", "ai_edge_litert")
SPEECH = read_recording(TURN_ON)
WORDS = SPEECH[16_000:48_000]
MISSING = "no wake word (pymicro-wakeword is not installed): it listens only when"


def configured(folder: Path, **keys: object) -> Path:
    """Write `hearth.yaml` with a control socket and these keys of the satellite; return the socket."""
    path = folder / "satellite.sock"
    keys = {"control": {"socket": {"path": str(path)}}, **keys}
    (folder / "hearth.yaml").write_text(yaml.safe_dump({"satellite": keys}))
    return path


async def speak(process: Process, source: str) -> None:
    """Let standard input have a command; a recording begins by itself."""
    if source == "stdin":
        assert process.stdin is not None
        process.stdin.write(SPEECH + bytes(64_000))
        await process.stdin.drain()


@pytest.mark.parametrize(
    ("lacks", "source"),
    [(PACKAGES, "file"), (PACKAGES, "stdin"), ((), "file")],
    ids=["not installed, file", "not installed, stdin", "not wanted"],
)
async def test_a_press_begins_a_whole_command(tmp_path: Path, lacks: tuple[str, ...], source: str) -> None:
    env, loaded = environment(tmp_path / "hidden", *lacks)
    path = configured(tmp_path, **({} if lacks else {"wake": {"words": []}}))
    answers, answer = tmp_path / "answers.wav", bytes([1, 2]) * 1600
    heard_by = ["--mic-file", str(TURN_ON), "--no-realtime"] if source == "file" else ["--stdin"]
    async with satellite(*heard_by, "--once", "--speaker", str(answers), cwd=tmp_path, env=env) as (process, port):
        async with AsyncTcpClient("127.0.0.1", port, read_timeout=WAIT_S) as client, at(path) as button:
            hello = await button.until("event", "hello")
            assert (hello["trigger"], hello["wake_words"], hello["available_wake_words"]) == ("button", [], [])
            await client.write_event(RunSatellite().event())
            await button.until("state", "listening")
            assert (await button.command("wake-words", value=["alexa"]))["ok"] is False
            assert (await button.command("wake"))["done"] is True
            await speak(process, source)
            assert await until(client, "run-pipeline") == b"", "nothing was sent before"
            heard = await until(client, "audio-stop")
            assert WORDS in heard, "a recording waits for the press"
            if source == "stdin":
                assert process.stdin is not None
                process.stdin.close()
            await reply(client, answer)
        assert await asyncio.wait_for(process.wait(), WAIT_S) == 0
        assert process.stderr is not None
        said = (await process.stderr.read()).decode()
    assert (MISSING in said, str(path) in said) == (bool(lacks), bool(lacks)), said
    assert read_recording(answers) == answer
    assert set(json.loads(loaded.read_text())).isdisjoint(PACKAGES)


@pytest.mark.parametrize("source", ["file", "stdin"])
async def test_without_either_library_any_speech_may_be_a_command(tmp_path: Path, source: str) -> None:
    env, loaded = environment(tmp_path / "hidden", *PACKAGES)
    await plays_once(tmp_path, source, env)
    assert set(json.loads(loaded.read_text())).isdisjoint(PACKAGES)


@pytest.mark.parametrize(
    ("wake", "extra"), [("alexa", "satellite"), ("hey_house.onnx", "openwakeword"), ("lite.tflite", "openwakeword")]
)
def test_a_word_whose_library_is_missing_is_told_with_both_remedies(tmp_path: Path, wake: str, extra: str) -> None:
    tiny_wake.write(tmp_path)
    (tmp_path / "lite.tflite").touch()
    env, _ = environment(tmp_path / "hidden", *PACKAGES)
    configured(tmp_path, wake={"words": [wake]})
    done = subprocess.run(
        [*COMMAND, "--stdin"], cwd=tmp_path, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=WAIT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert f"pip install 'hearth-voice[{extra}]'" in done.stderr
    assert "satellite.wake.words to []" in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.parametrize(
    ("lacks", "keys", "says"),
    [
        (PACKAGES, {}, f"WARNING  wake word: {MISSING}"),
        ((), {"wake": {"words": []}}, "OK       wake word: no wake word: it listens only when"),
    ],
    ids=["not installed", "not wanted"],
)
def test_check_says_what_begins_a_command(
    tmp_path: Path, lacks: tuple[str, ...], keys: dict[str, object], says: str
) -> None:
    env, loaded = environment(tmp_path / "hidden", *lacks)
    path = configured(tmp_path, microphone={"source": "stdin"}, speaker={"sink": "none"}, port=0, **keys)
    command = [sys.executable, "-m", "hearth_core", "satellite", "check", "--seconds", "1"]
    done = subprocess.run(
        command, cwd=tmp_path, env=env, input=SPEECH, capture_output=True, timeout=WAIT_S, check=False
    )
    told = done.stdout.decode()
    assert (done.returncode, done.stderr) == (0, b"")
    assert f"{says} the control socket {path} or its driver starts it" in told
    assert ("pip install 'hearth-voice[satellite]'" in told) is bool(lacks)
    assert set(json.loads(loaded.read_text())).isdisjoint(PACKAGES)


@pytest.mark.parametrize(
    ("control", "verdict", "starters"),
    [
        ({}, Verdict.WARNING, "its driver"),
        ({"socket": {"port": 0, "token_file": "t"}}, Verdict.OK, "the control socket on port 0 or its driver"),
        ({"mqtt": {}}, Verdict.OK, "MQTT or its driver"),
    ],
)
def test_whoever_could_press_nothing_is_told(control: dict[str, object], verdict: Verdict, starters: str) -> None:
    finding = check_wake(NoWakeWord, TALK, ControlConfig.model_validate(control))
    assert (finding.verdict, finding.says.rpartition(" when ")[2]) == (verdict, f"{starters} starts it")
    assert bool(finding.remedy) is (verdict is Verdict.WARNING)


@pytest.mark.parametrize(
    ("keys", "installed", "expected"),
    [
        ({}, True, Trigger.WAKE_WORD),
        ({}, False, Trigger.BUTTON),
        ({"sensitivity": 0.4}, False, Trigger.BUTTON),
        ({"words": []}, True, Trigger.BUTTON),
        ({"engine": "none"}, False, Trigger.SPEECH),
        ({"engine": "none", "words": []}, True, Trigger.SPEECH),
    ],
)
def test_the_configuration_says_what_begins_a_command(
    keys: dict[str, object], installed: bool, expected: Trigger, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not installed:
        hide(monkeypatch, "pymicro_wakeword")
    assert build_wake(WakeConfig.model_validate(keys)).trigger is expected


def pressed() -> Room:
    room = Room(audible=True)
    room.session.use_wake(NoWakeWord())
    room.session.run(room.peer)
    room.hear(QUIET, WAKE, TALK)
    return room


def test_what_was_heard_before_the_press_is_not_sent() -> None:
    room = pressed()
    assert (room.state(), room.peer.events, room.session.started()) == (State.LISTENING, [], False)
    assert room.session.wake_up()
    assert room.session.started()
    room.hear(TALK, END, TALK)
    assert room.state() is State.ANSWERING
    assert (room.peer.heard(), room.peer.types()[0]) == (TALK + END, "run-pipeline")


def test_a_driver_may_begin_one_too() -> None:
    room = pressed()
    room.session.run_pipeline()
    assert room.state() is State.STREAMING


def test_whoever_pressed_is_told_that_the_server_has_gone() -> None:
    room = pressed()
    room.session.wake_up()
    room.hear(TALK)
    room.session.drop(room.peer)
    assert len(room.happened(Happening.NOT_CONNECTED)) == 1


async def test_a_wake_word_cannot_be_chosen_while_it_runs() -> None:
    config = SatelliteConfig.model_validate({"wake": {"words": []}, "microphone": {"source": "stdin"}})
    running, _ = build(config, Choices())
    with pytest.raises(InputError, match=r"no wake word.*satellite\.wake\.words"):
        await running.control.change(SettingsChange(wake_words=("alexa",)))
    await running.control.change(SettingsChange(volume=0.5))
    state = running.control.state()
    assert (state.trigger, state.volume, state.wake_words) == ("button", 0.5, ())
