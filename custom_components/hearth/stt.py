"""Speech to text by a Hearth server, with the home's names, partial results, and the server's own end of speech."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing
from typing import Any, Final

from homeassistant.components import stt
from homeassistant.components.stt.models import SpeechAudioProcessing
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error

from hearth_core.companion_client import Opened
from hearth_core.errors import HearthError, PeerError
from hearth_core.wire import parse

from .coordinator import HearthConfigEntry, HearthCoordinator
from .entity import HearthEntity

_LOGGER = logging.getLogger(__name__)

PARALLEL_UPDATES = 0

RATE: Final = 16_000
# The server ends an utterance after 15 s by default; what it then still computes on a slow machine.
ANSWER_S: Final = 30.0
# Since 2026.11; before, an entity gives one result.
_Partial: Any = getattr(stt, "PartialSpeechResult", None)


async def async_setup_entry(
    hass: HomeAssistant, entry: HearthConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the entity."""
    async_add_entities([HearthSpeechToText(entry.runtime_data)])


class HearthSpeechToText(HearthEntity, stt.SpeechToTextEntity):
    """The server's recogniser."""

    def __init__(self, coordinator: HearthCoordinator) -> None:
        """Name it."""
        super().__init__(coordinator, "speech")

    @property
    def supported_languages(self) -> list[str]:
        """Return what the server speaks."""
        return [self.coordinator.language]

    @property
    def supported_formats(self) -> list[stt.AudioFormats]:
        """Return WAV."""
        return [stt.AudioFormats.WAV]

    @property
    def supported_codecs(self) -> list[stt.AudioCodecs]:
        """Return PCM."""
        return [stt.AudioCodecs.PCM]

    @property
    def supported_bit_rates(self) -> list[stt.AudioBitRates]:
        """Return 16 bits."""
        return [stt.AudioBitRates.BITRATE_16]

    @property
    def supported_sample_rates(self) -> list[stt.AudioSampleRates]:
        """Return 16 kHz."""
        return [stt.AudioSampleRates.SAMPLERATE_16000]

    @property
    def supported_channels(self) -> list[stt.AudioChannels]:
        """Return mono."""
        return [stt.AudioChannels.CHANNEL_MONO]

    @property
    def audio_processing(self) -> SpeechAudioProcessing:
        """Say that the server finds the end of a command itself, and wants the sound as it is."""
        return SpeechAudioProcessing(
            requires_external_vad=False, prefers_auto_gain_enabled=False, prefers_noise_reduction_enabled=False
        )

    async def async_process_audio_stream(
        self, metadata: stt.SpeechMetadata, stream: AsyncIterable[bytes]
    ) -> stt.SpeechResult:
        """Return what was said."""
        async with aclosing(self._listen(metadata, stream)) as heard:
            async for result in heard:
                if isinstance(result, stt.SpeechResult):
                    return result
        return _failed()

    async def async_process_audio_stream_with_progress(
        self, metadata: stt.SpeechMetadata, stream: AsyncIterable[bytes]
    ) -> AsyncGenerator[Any]:
        """Yield what is heard so far, and at last what was said."""
        async with aclosing(self._listen(metadata, stream)) as heard:
            async for result in heard:
                if isinstance(result, stt.SpeechResult):
                    yield result
                    return
                if _Partial is not None:
                    yield _Partial(text=result)

    async def _listen(
        self, metadata: stt.SpeechMetadata, stream: AsyncIterable[bytes]
    ) -> AsyncGenerator[str | stt.SpeechResult]:
        """Yield readings as they grow, then the result."""
        try:
            async with self.coordinator.opened("speech") as server:
                names, terms = self.coordinator.expected
                about = {"home_assistant": self.hass.config.location_name}
                asked = Transcribe(
                    language=metadata.language,
                    transcript_names=list(names),
                    transcript_terms=list(terms),
                    context=about,
                )
                await server.connection.write(asked.event())
                await server.connection.write(AudioStart(RATE, 2, 1).event())
                uploading = asyncio.create_task(_upload(server, stream), name="stream speech to the Hearth server")
                try:
                    async with aclosing(_results(server, uploading)) as results:
                        async for result in results:
                            yield result
                finally:
                    uploading.cancel()
                    await asyncio.gather(uploading, return_exceptions=True)
        except HearthError as error:
            _LOGGER.error("%s did not hear a command: %s", self.coordinator.config_entry.title, error.message)
            yield _failed()


def _failed() -> stt.SpeechResult:
    return stt.SpeechResult(None, stt.SpeechResultState.ERROR)


async def _upload(server: Opened, stream: AsyncIterable[bytes]) -> None:
    """Send the sound until it ends, or the server has heard enough."""
    async for pcm in stream:
        await server.connection.write(AudioChunk(RATE, 2, 1, pcm).event())
    await server.connection.write(AudioStop().event())


async def _results(server: Opened, uploading: asyncio.Task[None]) -> AsyncGenerator[str | stt.SpeechResult]:
    """Yield what the server sends.

    Raises:
        HearthError: it failed, or left.
    """
    while True:
        event = await server.connection.read(timeout=ANSWER_S)
        if event is None:
            raise PeerError("the server closed the connection")
        if event.type == "hearth-partial" and isinstance(text := event.data.get("text"), str):
            if text:
                yield text
        elif Transcript.is_type(event.type):
            text = parse(Transcript, event).text
            yield stt.SpeechResult(text, stt.SpeechResultState.SUCCESS)
            return
        elif Error.is_type(event.type):
            raise PeerError(parse(Error, event).text)
        if uploading.done() and not uploading.cancelled() and uploading.exception() is not None:
            raise PeerError(f"the sound broke off: {uploading.exception()}")
