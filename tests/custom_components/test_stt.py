"""Speech on its way to the server, and what comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from custom_components.hearth import stt as ours
from homeassistant.components import stt
from homeassistant.const import MAJOR_VERSION, MINOR_VERSION
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry
from wyoming.asr import Transcript
from wyoming.event import Event

from tests.custom_components.fake_server import FakeServer, error, partial
from tests.custom_components.recording import METADATA

ENTITY = "stt.test_server_speech"


async def speech(*pcm: bytes) -> AsyncIterator[bytes]:
    for part in pcm:
        yield part


def entity(hass: HomeAssistant) -> Any:
    found = stt.async_get_speech_to_text_entity(hass, ENTITY)
    assert found is not None
    return found


async def test_speech_goes_with_names_and_comes_back_as_text(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer
) -> None:
    listening = entity(home)
    assert listening.check_metadata(METADATA)
    assert not listening.audio_processing.requires_external_vad
    result = await listening.internal_async_process_audio_stream(METADATA, speech(b"\1\0" * 800, b"\2\0" * 800))
    assert (result.text, result.result) == ("turn on the lamp", stt.SpeechResultState.SUCCESS)
    assert server.heard == b"\1\0" * 800 + b"\2\0" * 800
    assert server.transcribe is not None
    assert server.transcribe.transcript_names == ["lamp"]
    assert server.transcribe.transcript_terms == ["Kitchen", "cook house", "Ground floor"]
    assert server.transcribe.context == {"home_assistant": "test home"}


async def test_partial_results_come_before_the_result(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ours, "_Partial", lambda text: text)
    server.speech = [partial("turn"), partial(""), Event("unheard-of"), partial("turn on"), Transcript("go").event()]
    stream = entity(home).async_process_audio_stream_with_progress(METADATA, speech(b"\1\0"))
    results = [result async for result in stream]
    assert results[:-1] == ["turn", "turn on"]
    assert results[-1].text == "go"


async def test_partial_results_are_of_home_assistants_own_class(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer
) -> None:
    """Where there is such a class; before, only the result is given, and the readings on the way to it are dropped."""
    own = getattr(stt, "PartialSpeechResult", None)
    assert (own is not None) is ((MAJOR_VERSION, MINOR_VERSION) >= (2026, 11))
    server.speech = [partial("turn"), partial("turn on"), *server.speech]
    stream = entity(home).async_process_audio_stream_with_progress(METADATA, speech(b"\1\0"))
    *readings, result = [result async for result in stream]
    assert isinstance(result, stt.SpeechResult)
    assert (result.text, result.result) == ("turn on the lamp", stt.SpeechResultState.SUCCESS)
    assert readings == ([] if own is None else [own(text="turn"), own(text="turn on")])


@pytest.mark.parametrize("with_progress", [False, True])
async def test_the_servers_end_of_speech_ends_the_upload(
    home: HomeAssistant,
    loaded: MockConfigEntry,
    server: FakeServer,
    monkeypatch: pytest.MonkeyPatch,
    with_progress: bool,
) -> None:
    """The microphone goes on and on; who has heard a whole command waits for no silence of Home Assistant's."""
    monkeypatch.setattr(ours, "_Partial", lambda text: text)
    server.enough, server.speech = 1600, [partial("turn on"), *server.speech]
    ended = asyncio.Event()
    spoken = 0

    async def unending() -> AsyncIterator[bytes]:
        nonlocal spoken
        try:
            while True:
                yield b"\1\0" * 160
                spoken += 320
                # As a microphone does: no more sound than there was time, once enough is said.
                await asyncio.sleep(0.001 if spoken < 3200 else 30)
        finally:
            ended.set()

    listening, microphone = entity(home), unending()
    async with asyncio.timeout(10):
        if with_progress:
            stream = listening.async_process_audio_stream_with_progress(METADATA, microphone)
            results = [result async for result in stream]
            assert results[0] == "turn on"
            result = results[-1]
        else:
            result = await listening.async_process_audio_stream(METADATA, microphone)
        assert (result.text, result.result) == ("turn on the lamp", stt.SpeechResultState.SUCCESS)
        await ended.wait()
    assert 1600 <= len(server.heard) <= 3200 + 320
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "stream speech to the Hearth server"]


@pytest.mark.parametrize("answer", [[error("the engine failed")], [Event("drop")], [Event("transcript", {})]])
async def test_a_server_that_fails_is_an_error_and_one_line(
    home: HomeAssistant,
    loaded: MockConfigEntry,
    server: FakeServer,
    answer: list[Event],
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.speech = answer
    result = await entity(home).async_process_audio_stream(METADATA, speech(b"\1\0"))
    assert result.result is stt.SpeechResultState.ERROR
    assert caplog.text.count("did not hear a command") == 1


async def test_sound_that_breaks_off_is_an_error(
    home: HomeAssistant, loaded: MockConfigEntry, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ours, "ANSWER_S", 0.2)

    async def broken() -> AsyncIterator[bytes]:
        yield b"\1\0"
        raise RuntimeError("unplugged")

    result = await entity(home).async_process_audio_stream(METADATA, broken())
    assert result.result is stt.SpeechResultState.ERROR
