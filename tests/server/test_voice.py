"""Spoken answers: through a Wyoming service, espeak-ng or a chime; the answer is never lost."""

from __future__ import annotations

import asyncio
import io
import os
import stat
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event
from wyoming.tts import Synthesize

from hearth_core import wire
from hearth_core.audio import PcmFormat
from hearth_core.command import Response, ResponseKind
from hearth_core.errors import EngineError
from hearth_core.settings import SpeakConfig
from hearth_server import voice as voice_module
from hearth_server.voice import (
    ChimeVoice,
    EspeakVoice,
    FallbackVoice,
    NoVoice,
    Voice,
    WyomingVoice,
    choose_voice,
)
from tests.real import parts

ANSWER = Response("Turned on the light", ResponseKind.DONE)
FAILURE = Response("The light did not answer", ResponseKind.FAILED)
SILENT = Response("", ResponseKind.ANSWER)
FORMAT = PcmFormat(22_050, 2, 1)
PCM = b"\x01\x02" * 1000


async def heard(voice: Voice, response: Response = ANSWER) -> tuple[PcmFormat, bytes]:
    pcm_format, chunks = await voice.speak(response)
    return pcm_format, b"".join([chunk async for chunk in chunks])


# -- chime -------------------------------------------------------------------------------------------------------------


async def test_chime_rises_when_done_and_falls_when_not() -> None:
    pcm_format, done = await heard(ChimeVoice())
    _, failed = await heard(ChimeVoice(), FAILURE)
    _, not_understood = await heard(ChimeVoice(), Response("?", ResponseKind.NOT_UNDERSTOOD))
    assert failed == not_understood

    def pitches(pcm: bytes) -> list[float]:
        samples = np.frombuffer(pcm, "<i2").astype(float)
        halves = np.split(samples, 2)
        return [float(np.argmax(np.abs(np.fft.rfft(half)))) * pcm_format.rate / len(half) for half in halves]

    low, high = pitches(done)
    assert low < high
    assert pitches(failed) == [high, low]
    assert 0.1 < np.abs(np.frombuffer(done, "<i2")).max() / 32768 < 0.6


async def test_no_voice_says_nothing() -> None:
    assert (await heard(NoVoice()))[1] == b""


# -- Wyoming -----------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def service(serve: Callable[[wire.Connection, str], Awaitable[None]]) -> AsyncIterator[str]:
    """Run a text-to-speech service; `serve` gets the connection and the text."""

    async def on_connection(connection: wire.Connection) -> None:
        event = await connection.read(5)
        assert event is not None
        await serve(connection, Synthesize.from_event(event).text)

    listener = await wire.serve("127.0.0.1", 0, on_connection)
    async with listener:
        yield f"tcp://127.0.0.1:{listener.port}"


async def test_wyoming_service_speaks_the_text() -> None:
    texts: list[str] = []

    async def serve(connection: wire.Connection, text: str) -> None:
        texts.append(text)
        await connection.write(Event("something-new"))
        await connection.write(AudioStart(22_050, 2, 1).event())
        for start in range(0, len(PCM), 700):
            await connection.write(AudioChunk(22_050, 2, 1, PCM[start : start + 700]).event())
        await connection.write(AudioStop().event())

    async with service(serve) as uri:
        assert await heard(WyomingVoice(uri)) == (FORMAT, PCM)
        assert await heard(WyomingVoice(uri), Response("a" * 5000 + "\n\x00 b", ResponseKind.DONE)) == (FORMAT, PCM)
        assert (await heard(WyomingVoice(uri), SILENT))[1] == b""
    assert texts[0] == "Turned on the light"
    assert len(texts) == 2, "nothing is asked of the service for an empty answer"
    assert len(texts[1]) <= voice_module.MAX_TEXT_CHARS


async def says_error(connection: wire.Connection, text: str) -> None:
    await connection.write(Error("no such voice").event())
    await connection.read(5)


async def closes(connection: wire.Connection, text: str) -> None:
    return


async def says_nothing(connection: wire.Connection, text: str) -> None:
    await connection.read(5)


async def sends_an_impossible_format(connection: wire.Connection, text: str) -> None:
    await connection.write(Event("audio-start", {"rate": 10**9, "width": 2, "channels": 1}))
    await connection.read(5)


@pytest.mark.parametrize("serve", [says_error, closes, says_nothing, sends_an_impossible_format])
async def test_service_that_fails_at_once_is_replaced_by_the_chime(
    serve: Callable[[wire.Connection, str], Awaitable[None]], caplog: pytest.LogCaptureFixture
) -> None:
    async with service(serve) as uri:
        broken = WyomingVoice(uri, timeout_s=0.2)
        with pytest.raises(EngineError):
            await broken.speak(FAILURE)
        assert await heard(FallbackVoice(broken), FAILURE) == await heard(ChimeVoice(), FAILURE)
    assert "chime instead" in caplog.text


async def test_service_that_is_away_is_replaced_by_the_chime(unused_tcp_port: int) -> None:
    away = f"tcp://127.0.0.1:{unused_tcp_port}"
    assert await heard(choose_voice(SpeakConfig(tts=away))) == await heard(ChimeVoice())


async def test_speech_that_breaks_off_ends_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def serve(connection: wire.Connection, text: str) -> None:
        await connection.write(AudioStart(22_050, 2, 1).event())
        await connection.write(AudioChunk(22_050, 2, 1, PCM).event())

    async with service(serve) as uri:
        assert await heard(FallbackVoice(WyomingVoice(uri, timeout_s=1))) == (FORMAT, PCM)
    assert "broke off" in caplog.text


async def test_speech_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice_module, "MAX_SPEECH_BYTES", 10_000)

    async def serve(connection: wire.Connection, text: str) -> None:
        await connection.write(AudioStart(22_050, 2, 1).event())
        for _ in range(100):
            await connection.write(AudioChunk(22_050, 2, 1, PCM).event())

    async with service(serve) as uri:
        assert len((await heard(FallbackVoice(WyomingVoice(uri, timeout_s=1))))[1]) <= 10_000


async def test_listener_that_leaves_closes_the_connection() -> None:
    closed = asyncio.Event()

    async def serve(connection: wire.Connection, text: str) -> None:
        await connection.write(AudioStart(22_050, 2, 1).event())
        await connection.write(AudioChunk(22_050, 2, 1, PCM).event())
        if await connection.read(5) is None:
            closed.set()

    async with service(serve) as uri:
        _, chunks = await FallbackVoice(WyomingVoice(uri)).speak(ANSWER)
        assert await anext(chunks) == PCM
        await chunks.aclose()
        await asyncio.wait_for(closed.wait(), 5)


# -- espeak-ng ---------------------------------------------------------------------------------------------------------


def program(folder: Path, body: str) -> str:
    """Return the path of a shell script that stands for espeak-ng."""
    file = folder / "espeak-ng"
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(file.stat().st_mode | stat.S_IEXEC)
    return str(file)


def wav_file(folder: Path) -> Path:
    raw = io.BytesIO()
    with wave.open(raw, "wb") as file:
        file.setframerate(22_050)
        file.setsampwidth(2)
        file.setnchannels(1)
        file.writeframes(PCM)
    path = folder / "speech.wav"
    path.write_bytes(raw.getvalue())
    return path


async def test_espeak_gets_the_text_by_standard_input(tmp_path: Path) -> None:
    binary = program(tmp_path, f'echo "$@" > {tmp_path}/arguments; cat > {tmp_path}/text; cat {wav_file(tmp_path)}')
    response = Response("-x $(touch gone); it is 5 °C", ResponseKind.ANSWER)
    assert await heard(EspeakVoice(binary), response) == (FORMAT, PCM)
    assert (tmp_path / "text").read_text() == response.text
    assert response.text not in (tmp_path / "arguments").read_text()
    assert (await heard(EspeakVoice(binary), SILENT))[1] == b""


@pytest.mark.parametrize(
    "body", ["exit 3", "cat > /dev/null; echo no wave", "exec sleep 60", "cat /dev/zero", "cat > /dev/null"]
)
async def test_espeak_that_fails_is_replaced_by_the_chime(
    body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voice_module, "MAX_SPEECH_BYTES", 1_000_000)
    broken = EspeakVoice(program(tmp_path, body), timeout_s=0.5)
    with pytest.raises(EngineError):
        await broken.speak(ANSWER)
    assert await heard(FallbackVoice(broken)) == await heard(ChimeVoice())


async def test_espeak_that_is_not_there_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="cannot be started"):
        await EspeakVoice(str(tmp_path / "nothing")).speak(ANSWER)


async def test_real_espeak_speaks() -> None:
    parts.program("espeak-ng", "espeak-ng")
    pcm_format, pcm = await heard(choose_voice(SpeakConfig()))
    assert pcm_format == FORMAT
    seconds = len(pcm) / pcm_format.frame_bytes / pcm_format.rate
    assert 0.5 < seconds < 5


# -- choice ------------------------------------------------------------------------------------------------------------


def test_configured_voice_or_the_best_there_is_gets_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    assert isinstance(choose_voice(SpeakConfig()), ChimeVoice)
    with pytest.raises(EngineError, match="not installed"):
        choose_voice(SpeakConfig(voice="espeak-ng"))
    program(tmp_path, "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert choose_voice(SpeakConfig()).name == "espeak-ng"
    assert choose_voice(SpeakConfig(voice="espeak-ng")).name == "espeak-ng"
    assert isinstance(choose_voice(SpeakConfig(voice="chime")), ChimeVoice)
    assert isinstance(choose_voice(SpeakConfig(voice="none")), NoVoice)
    assert choose_voice(SpeakConfig(tts="tcp://127.0.0.1:10200", voice="none")).name == "wyoming"
