"""`hearth satellite check`: the satellite of this machine, whatever its doors are, and where its sound comes from."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hearth_core import trust, wire
from hearth_core.audio import read_recording
from hearth_core.config import Config, SatelliteConfig
from hearth_core.config_microphone import MicrophoneConfig
from hearth_satellite.check import Finding, Verdict
from hearth_satellite.check_own import Door, check_driver, check_own, door_of, explained, invitation, runs
from hearth_satellite.satellite import Doors
from tests.satellite.fakes import Peer
from tests.satellite.lab import living

TOKEN = "t" * 20
ALEXA = Path(__file__).parent.parent / "data" / "satellite" / "alexa-rms.flac"
WAIT_S = 60


def satellite(**keys: Any) -> SatelliteConfig:
    return Config.model_validate({"satellite": keys}).satellite


async def nobodys_port() -> int:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


async def test_a_running_satellite_says_whether_it_is_driven() -> None:
    async with living(doors=Doors(token=TOKEN)) as running:
        config = satellite(host="0.0.0.0", port=running.port, control={"security": {"token": TOKEN}})
        finding = await check_own(config)
        assert (finding.verdict, finding.says) == (Verdict.WARNING, "the satellite runs, and nobody drives it")
        running.satellite.session.run(Peer())
        driven = await check_own(config)
        assert (driven.says, runs(driven)) == ("the satellite is driven, and listening", True)
        finding = await check_own(satellite(port=running.port))
        assert (finding.verdict, "does not take the token" in finding.says) == (Verdict.WARNING, True)
        assert "restart" in finding.remedy
        assert runs(finding), "it may have the microphone all the same"
    finding = await check_own(config)
    assert (finding.verdict, "no satellite runs" in finding.says, runs(finding)) == (Verdict.SKIPPED, True, False)
    assert str(running.port) in finding.says, "where it was looked for"


async def test_one_that_speaks_tls_alone_is_found_too(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    fingerprint = await asyncio.to_thread(trust.make_certificate, cert, key, "kitchen")
    async with living(doors=Doors(TOKEN, trust.server_context(cert, key), plain=False)) as running:
        assert running.listening.tls_port is not None
        security = {
            "cert_file": str(cert), "key_file": str(key), "tls_port": running.listening.tls_port,
            "plain": False, "token": TOKEN,
        }  # fmt: skip
        config = satellite(control={"security": security})
        assert door_of(config) == Door(f"tcp://127.0.0.1:{security['tls_port']}", TOKEN, fingerprint)
        assert (await check_own(config)).says == "the satellite runs, and nobody drives it"
        door = Door(f"tcp://127.0.0.1:{security['tls_port']}", TOKEN, "0" * 64)
        finding = await check_driver(door)
        assert (finding.verdict, "another certificate" in finding.says) == (Verdict.WARNING, True)
        cert.unlink()
        finding = await check_own(config)
        assert (finding.verdict, "cannot be asked" in finding.says) == (Verdict.SKIPPED, True)
        assert finding.remedy


async def test_what_is_no_satellite_and_what_cannot_be_known_is_told() -> None:
    async def serve(connection: wire.Connection) -> None:
        await connection.read()

    async with await wire.serve("127.0.0.1", 0, serve) as listener:
        finding = await check_own(satellite(port=listener.port))
    assert (finding.verdict, "no satellite of Hearth's" in finding.says) == (Verdict.WARNING, True)
    assert not runs(finding)
    assert (await check_own(satellite(port=0))).says == "the satellite cannot be asked: its port is 0, any free one"
    assert door_of(satellite(host="::", port=1)) == Door("tcp://[::1]:1")


NO_SOUND = Finding("microphone", Verdict.FAILED, "it delivered no sound", "Choose another device")


@pytest.mark.parametrize(
    ("keys", "runs", "invites", "remedy"),
    [
        ({}, False, "Say the wake word", "Choose another device"),
        ({}, True, "Say the wake word", "stop it"),
        ({}, True, "Say the wake word", "Choose another device"),
        ({"source": "socket"}, False, "raw PCM (16000 Hz, 16 bit, 1 channel) to 127.0.0.1:10701", "Send raw PCM"),
        ({"source": "socket"}, True, "Send raw PCM", "stop it"),
        ({"source": "socket", "protocol": "wyoming", "port": 0}, False, "Wyoming's audio events", "give it a number"),
        (
            {"source": "stdin", "rate": 48000, "channels": 2, "width": 4}, True,
            "standard input", "arecord -t raw -f S32_LE -r 48000 -c 2 |",
        ),
        ({"source": "file", "file": "x.wav"}, True, "Hearing x.wav", "Choose another device"),
    ],
)  # fmt: skip
def test_the_words_are_those_of_where_the_sound_comes_from(
    keys: dict[str, Any], runs: bool, invites: str, remedy: str
) -> None:
    config = MicrophoneConfig.model_validate(keys)
    assert invites in invitation(config, 5.0)
    loud = Finding("microphone level", Verdict.OK, "loud")
    failed, other = explained([NO_SOUND, loud], config, runs=runs)
    assert (failed.says, remedy in failed.remedy, other) == (NO_SOUND.says, True, loud)


def check(config: str, folder: Path, heard: bytes) -> str:
    (folder / "hearth.yaml").write_text(config)
    command = [sys.executable, "-m", "hearth_core", "satellite", "check", "--seconds", "2"]
    done = subprocess.run(command, cwd=folder, input=heard, capture_output=True, timeout=WAIT_S, check=False)
    assert not done.stderr, done.stderr
    return done.stdout.decode()


async def test_what_is_piped_in_is_heard(tmp_path: Path) -> None:
    port = await nobodys_port()
    config = (
        f"satellite: {{port: {port}, microphone: {{source: stdin}}, speaker: {{sink: none}}, wake: {{words: [alexa]}}}}"
    )
    told = await asyncio.to_thread(check, config, tmp_path, read_recording(ALEXA) + b"\1\0" * 32_000)
    assert "heard alexa" in told
    told = await asyncio.to_thread(check, config, tmp_path, b"")
    assert "arecord" in told
    assert "another device" not in told
    assert "there was no sound to hear" in told
