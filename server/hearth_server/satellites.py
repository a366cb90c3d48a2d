"""Driving satellites: the server connects to each configured one, runs it, and answers it.

server                                     satellite
describe, run-satellite                ->
                                       <-  info
                                       <-  detection, run-pipeline, audio-start, audio-chunk…
voice-started, voice-stopped, transcript   (as soon as the speech has ended)
synthesize, audio-start, audio-chunk…,
  audio-stop                           ->
                                       <-  played
ping                                   ->
                                       <-  pong
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import re
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.pipeline import PipelineStage, RunPipeline
from wyoming.satellite import RunSatellite
from wyoming.snd import Played
from wyoming.tts import Synthesize
from wyoming.vad import VoiceStopped
from wyoming.wake import Detection

from hearth_core.audio import Converter, PcmFormat
from hearth_core.command import Context, EndReason, Response, ResponseKind, Transcription, new_command_id
from hearth_core.errors import HearthError, PeerError
from hearth_core.wire import Connection, connect, parse

from .handler import transcription_facts
from .inbox import AudioInbox
from .pipeline import Pipeline
from .voice import Voice

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LinkLimits:
    """How long a link waits for what, in seconds."""

    connect_s: float = 5.0
    ping_s: float = 2.0  # how often the satellite is asked whether it lives
    silent_s: float = 6.0  # three pings unanswered: a Pi on a bad Wi-Fi loses one, seldom three
    played_margin_s: float = 5.0  # beyond the length of the answer
    busy_s: float = 20.0  # for a command to end before an announcement is given up
    woken_s: float = 2.0  # for a satellite to begin to listen; its own echo keeps it deaf for a moment
    wake_again_s: float = 0.3
    first_retry_s: float = 0.5
    last_retry_s: float = 15.0


def _command_id(event: Event) -> str:
    """Return the id that the satellite gave its command, so that one search follows it through both logs."""
    context = event.data.get("context")
    given = context.get("command_id") if isinstance(context, dict) else None
    return given if isinstance(given, str) and re.fullmatch(r"[0-9A-Za-z_-]{1,64}", given) else new_command_id()


class SatelliteLink:
    """The server's side of one satellite, for as long as the server runs."""

    def __init__(
        self,
        name: str,
        uri: str,
        area: str,
        pipeline: Pipeline,
        voice: Voice,
        *,
        language: str = "en",
        limits: LinkLimits | None = None,
    ) -> None:
        self.name = name
        self.uri = uri
        self.connected = asyncio.Event()
        self.resting = asyncio.Event()  # no command is under way
        self.resting.set()
        self.announced_area = ""
        self._announcing = asyncio.Lock()
        self._area = area
        self.pipeline = pipeline
        self.voice = voice
        self.language = language
        self.limits = limits or LinkLimits()
        self.tell: Callable[[str, dict[str, Any]], None] = lambda event, facts: None
        self._drive: _Drive | None = None

    async def announce(self, text: str, *, listen: bool = False) -> None:
        """Say a text through the satellite, and then listen for a command without a wake word.

        Raises:
            PeerError: the satellite is away, busy for too long, or did not play it.
        """
        async with self._announcing:  # one after the other
            try:
                async with asyncio.timeout(self.limits.busy_s):
                    await self.resting.wait()
            except TimeoutError:
                raise PeerError(f"satellite {self.name} is busy") from None
            if self._drive is None:
                raise PeerError(f"satellite {self.name} is away")
            await self._drive.announce(text, listen=listen)

    def area_id(self) -> str | None:
        """Return the area that the satellite is in: as configured, else as it says itself."""
        return self.pipeline.area_id(self._area or self.announced_area)

    async def run(self) -> None:
        """Connect, serve, and connect again, until cancelled. Nothing that a satellite does ends it."""
        retry_s = self.limits.first_retry_s
        while True:
            try:
                connection = await connect(self.uri, timeout=self.limits.connect_s)
            except PeerError as error:
                level = logging.WARNING if retry_s == self.limits.first_retry_s else logging.DEBUG
                log.log(level, "satellite %s is away: %s; trying again", self.name, error)
            else:
                retry_s = self.limits.first_retry_s
                log.info("satellite %s connected at %s", self.name, self.uri)
                try:
                    self.connected.set()
                    self._drive = _Drive(self, connection)
                    await self._drive.run()
                    log.warning("satellite %s closed the connection; trying again", self.name)
                except HearthError as error:
                    log.warning("satellite %s is lost: %s; trying again", self.name, error)
                finally:
                    self._drive = None
                    self.connected.clear()
                    await connection.close()
            await asyncio.sleep(retry_s * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, not a secret
            retry_s = min(retry_s * 2, self.limits.last_retry_s)


class _Drive:
    """One connection to a satellite."""

    def __init__(self, link: SatelliteLink, connection: Connection) -> None:
        self._link = link
        self._connection = connection
        self._inbox: AudioInbox | None = None
        self._converter: Converter | None = None
        self._played = asyncio.Event()
        self._conversation: asyncio.Task[None] | None = None
        self._heard = False
        self._superseded = False
        self._began = asyncio.Event()

    async def announce(self, text: str, *, listen: bool) -> None:
        """Say a text, then let the satellite listen; the link sees to it that nothing else is under way.

        Raises:
            PeerError: it is lost, did not play it, or does not listen.
        """
        context = Context(language=self._link.language, satellite=self._link.name)
        if not await self._speak(Response(text, ResponseKind.ANSWER), context):
            raise PeerError(f"satellite {self._link.name} did not play the announcement")
        if not listen:
            return
        self._began.clear()
        try:
            async with asyncio.timeout(self._link.limits.woken_s):
                while not self._began.is_set():
                    await self._connection.write(RunPipeline(PipelineStage.ASR, PipelineStage.TTS).event())
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._began.wait(), self._link.limits.wake_again_s)
        except TimeoutError:
            raise PeerError(f"satellite {self._link.name} does not listen") from None

    async def run(self) -> None:
        """Serve the satellite until it leaves.

        Raises:
            WireError, PeerError: it broke the framing, went away, or no longer answers.
        """
        await self._connection.write(Describe().event())
        await self._connection.write(RunSatellite().event())
        pinging = asyncio.create_task(self._ping())
        try:
            # It answers every ping, so a silence of three pings is its end.
            while (event := await self._connection.read(timeout=self._link.limits.silent_s)) is not None:
                await self._on(event)
        finally:
            pinging.cancel()
            self._superseded = True  # nobody is left to say that the answer was played
            self._played.set()
            if self._conversation is not None and not self._heard:
                self._conversation.cancel()  # what was spoken whole is done even if the satellite has gone since
            await asyncio.gather(pinging, *filter(None, [self._conversation]), return_exceptions=True)

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(self._link.limits.ping_s)
            await self._connection.write(Ping().event())

    async def _on(self, event: Event) -> None:
        if AudioChunk.is_type(event.type):
            await self._on_audio(parse(AudioChunk, event))
        elif AudioStop.is_type(event.type):
            if self._inbox is not None:
                await self._inbox.end()
        elif RunPipeline.is_type(event.type):
            await self._on_run(parse(RunPipeline, event), _command_id(event))
        elif Played.is_type(event.type):
            self._played.set()
        elif Detection.is_type(event.type):
            self._link.tell("wake", {"satellite": self._link.name, "wake_word": parse(Detection, event).name})
        elif event.type == "hearth-near-miss":
            told = {k: event.data.get(k) for k in ("wake_word", "score")}
            self._link.tell("near_miss", {"satellite": self._link.name, **told})
        elif Info.is_type(event.type):
            satellite = parse(Info, event).satellite
            self._link.announced_area = (satellite.area or "") if satellite else ""
        elif Ping.is_type(event.type):
            await self._connection.write(Pong(text=parse(Ping, event).text).event())
        elif Error.is_type(event.type):
            log.warning("satellite %s reports: %s", self._link.name, parse(Error, event).text)

    async def _on_run(self, run: RunPipeline, command_id: str) -> None:
        if run.start_stage is not PipelineStage.ASR:
            text = f"this server starts at asr, not at {run.start_stage.value}: let the satellite detect its wake word"
            await self._connection.write(Error(text, "unsupported-stage").event())
            return
        if self._conversation is not None and not self._conversation.done():
            # The satellite began anew: the old utterance ends with what was heard, and its answer is not waited for.
            self._superseded = True
            self._played.set()
            if self._inbox is not None:
                await self._inbox.end()
            await asyncio.gather(self._conversation, return_exceptions=True)
            self._superseded = False
        self._began.set()
        self._inbox, self._converter, self._heard = AudioInbox(), None, False
        self._conversation = asyncio.create_task(self._converse(self._inbox, command_id))

    async def _on_audio(self, chunk: AudioChunk) -> None:
        if self._inbox is None or self._inbox.closed:
            return
        if self._converter is None:
            self._converter = Converter(PcmFormat(chunk.rate, chunk.width, chunk.channels))
        await self._inbox.put(self._converter.feed(chunk.audio))

    async def _converse(self, inbox: AudioInbox, command_id: str) -> None:
        """One command: listen, act, speak. Whatever happens, the satellite is told that it is over."""
        link = self._link
        link.resting.clear()
        context = Context(command_id, link.language, satellite=link.name, area_id=link.area_id())
        telling: list[asyncio.Task[None]] = []

        def heard(transcription: Transcription) -> None:
            self._heard = True
            # Beside the action, not before it: a slow satellite must not delay the light.
            telling.append(asyncio.create_task(self._tell_transcript(transcription, context)))

        try:
            answer = await link.pipeline.answer(inbox, context, heard)
            inbox.close()
            await asyncio.gather(*telling)
            if answer.transcription.end is EndReason.NO_SPEECH:
                await self._connection.write(Error("nobody spoke", "no-speech").event())
            else:
                await self._speak(answer.response, context)
        except HearthError as error:
            log.warning("%s satellite %s: %s", context.command_id, link.name, error)
            await self._connection.write(Error(error.message, error.code).event())
        except Exception:
            log.exception("%s satellite %s: the command failed", context.command_id, link.name)
            await self._connection.write(Error("the server failed; its log says why", "internal").event())
        finally:
            inbox.close()
            for task in telling:
                task.cancel()
            link.resting.set()

    async def _tell_transcript(self, transcription: Transcription, context: Context) -> None:
        await self._connection.write(VoiceStopped().event())
        facts = transcription_facts(transcription, context)
        await self._connection.write(Transcript(transcription.text, facts, context.language).event())

    async def _speak(self, response: Response, context: Context) -> bool:
        """Say a response; return whether it was heard to its end."""
        self._played.clear()
        if self._superseded:
            return False
        write = self._connection.write
        facts = {"command_id": context.command_id, "kind": str(response.kind)}
        await write(Synthesize(response.text, context=facts).event())
        speech = await self._link.voice.speak(response)
        seconds, (rate, width, channels) = 0.0, (speech.format.rate, speech.format.width, speech.format.channels)
        await write(AudioStart(rate, width, channels).event())
        async with aclosing(speech.chunks) as chunks:
            async for pcm in chunks:
                await write(AudioChunk(rate, width, channels, pcm).event())
                seconds += len(pcm) / (rate * width * channels)
        await write(AudioStop().event())
        try:
            await asyncio.wait_for(self._played.wait(), seconds + self._link.limits.played_margin_s)
        except TimeoutError:
            log.warning("%s satellite %s did not say that it played the answer", context.command_id, self._link.name)
            return False
        return not self._superseded
