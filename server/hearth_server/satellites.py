"""Driving satellites: the server connects to each configured one, runs it, and answers it.

server                                     satellite
hearth-hello                           ->      (of no meaning to others than Hearth's own)
                                       <-  hearth-state
describe, run-satellite                ->
                                       <-  info
                                       <-  detection, run-pipeline, audio-start, audio-chunk…
hearth-claim                           ->      (where the detection asks for it: may it chime?)
                                       <-  hearth-wake     (if the hello offers it: was the wake word said?)
hearth-verdict                         ->      (where it was not sure; where it was, the command may end in nothing)
voice-started, voice-stopped, transcript   (as soon as the speech has ended)
synthesize, audio-start, audio-chunk…,
  audio-stop                           ->
                                       <-  played
                                           (after a question, synthesize says `listen`, and the satellite goes on:)
                                       <-  run-pipeline, audio-start, audio-chunk…
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

from hearth_core import control_event
from hearth_core.command import Context, EndReason, Response, ResponseKind, Stopwatch, Transcription, new_command_id
from hearth_core.control_event import SatelliteState
from hearth_core.errors import HearthError, PeerError
from hearth_core.wire import Connection, connect, parse

from . import opening
from .arbitration import Arbitration
from .handler import transcription_facts
from .hearing import Ear, Hearing, Verdict
from .pipeline import Pipeline
from .satellite_control import SatelliteControl, Trust
from .satellite_part import SatellitePart
from .voice import Voice
from .wake_check import WakeCheck

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LinkLimits:
    """How long a link waits for what, in seconds."""

    # With `last_retry_s` this bounds the time from a satellite's return to its connection: 2 + 2 * 1.2 s.
    connect_s: float = 2.0
    ping_s: float = 2.0  # how often the satellite is asked whether it lives
    silent_s: float = 6.0  # three pings unanswered: a Pi on a bad Wi-Fi loses one, seldom three
    played_margin_s: float = 5.0  # beyond the length of the answer
    first_retry_s: float = 0.5
    last_retry_s: float = 2.0
    announce_s: float = 60.0  # for a command under way to end before something else is spoken


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
        trust: Trust | None = None,
        arbitration: Arbitration | None = None,
        ear: Ear | None = None,
    ) -> None:
        self.name = name
        self.arbitration = arbitration or Arbitration(pipeline)
        self.ear = ear or Ear(name)
        self.uri = uri
        self.connected = asyncio.Event()
        self.resting = asyncio.Event()  # no command is under way
        self.resting.set()
        self.announced_area = ""
        self.tell: Callable[[str, dict[str, Any]], None] = lambda event, facts: None
        self.changed: Callable[[], None] = lambda: None  # it came, went, or is not as it was
        self._drive: _Drive | None = None
        self._area = area
        self.pipeline = pipeline
        self.voice = voice
        self.language = language
        self.limits = limits or LinkLimits()
        self.control = SatelliteControl(name, trust)
        self.control.listen(lambda state: self.changed())

    @property
    def state(self) -> SatelliteState | None:
        """What the satellite last said of itself; None if it is away, or not Hearth's own."""
        return self.control.state

    async def set(self, **settings: Any) -> bool:
        """Change mute, volume, wake_words or sensitivity, as `SatelliteControl.set` does."""
        return await self.control.set(**settings)

    async def interrupt(self, response: Response) -> bool:
        """Say something at any time, before an answer that is being heard; return whether it was heard to its end."""
        return await self.control.announce(await self.voice.speak(response))

    def occupied(self, under_way: bool) -> None:
        """Take note that a command is under way, or over."""
        (self.resting.clear if under_way else self.resting.set)()
        self.changed()

    def area_id(self) -> str | None:
        """Return the area that the satellite is in: as configured, else as it says itself."""
        return self.pipeline.area_id(self._area or self.announced_area)

    def context(self, event: Event) -> Context:
        """Return the context of the command that an event opens; a wake word may have a language and an area."""
        said = opening.read(event)
        return Context(
            _command_id(event),
            said.language or self.language,
            satellite=self.name,
            area_id=self.pipeline.area_id(said.area) or self.area_id(),
            conversation=f"satellite:{self.name}",
        )

    async def send(self, event: Event) -> None:
        """Send an event.

        Raises:
            PeerError: the satellite is away.
        """
        await self._driven().send(event)

    async def announce(self, response: Response) -> None:
        """Speak without having been spoken to, after the command that is under way; after a question it listens.

        Raises:
            PeerError: the satellite is away, has no time, goes in the middle, or does not play it.
        """
        await self._driven().announce(response)

    def _driven(self) -> _Drive:
        if self._drive is None:
            raise PeerError(f"satellite {self.name} is away")
        return self._drive

    async def run(self) -> None:
        """Connect, serve, and connect again, until cancelled. Nothing that a satellite does ends it."""
        retry_s = self.limits.first_retry_s
        while True:
            try:
                connection = await connect(
                    self.uri, timeout=self.limits.connect_s, fingerprint=self.control.trust.fingerprint
                )
            except PeerError as error:
                level = logging.WARNING if retry_s == self.limits.first_retry_s else logging.DEBUG
                log.log(level, "satellite %s is away: %s; trying again", self.name, error)
            else:
                retry_s = self.limits.first_retry_s
                log.info("satellite %s connected at %s", self.name, self.uri)
                try:
                    self._drive = _Drive(self, connection)
                    self.connected.set()
                    self.changed()
                    await self._drive.run()
                    log.warning("satellite %s closed the connection; trying again", self.name)
                except HearthError as error:
                    log.warning("satellite %s is lost: %s; trying again", self.name, error)
                finally:
                    self._drive = None
                    self.connected.clear()
                    self.control.left()
                    self.changed()
                    await connection.close()
            await asyncio.sleep(retry_s * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, not a secret
            retry_s = min(retry_s * 2, self.limits.last_retry_s)


class _Drive:
    """One connection to a satellite."""

    def __init__(self, link: SatelliteLink, connection: Connection) -> None:
        self._link = link
        self._connection = connection
        self._part = SatellitePart(link.arbitration, link.ear, link.context)
        self._wake_check = WakeCheck(link.pipeline, link.name, connection.write, self._part.refuse)
        self._played = asyncio.Event()
        self._conversation: asyncio.Task[None] | None = None
        self._announcing = False  # the conversation is an announcement
        self._superseded = False
        self._heard = False  # the answer was played to its end; who speaks right after it takes nothing from that

    async def run(self) -> None:
        """Serve the satellite until it leaves.

        Raises:
            WireError, PeerError: it broke the framing, went away, or no longer answers.
        """
        await self._link.control.greet(self._connection, verifies=self._link.pipeline.verifies)
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
            self._part.leave()  # unless what was spoken is being done: that is, even if the satellite has gone since
            if self._conversation is not None and self._announcing:
                self._conversation.cancel()
            await asyncio.gather(
                pinging, self._wake_check.close(), *filter(None, [self._conversation]), return_exceptions=True
            )

    async def send(self, event: Event) -> None:
        """Send an event."""
        await self._connection.write(event)

    async def announce(self, response: Response) -> None:
        """Speak when no command is under way. A speaker who begins meanwhile is not kept waiting."""
        link = self._link
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(link.resting.wait(), link.limits.announce_s)
        if self._superseded or not link.resting.is_set():
            raise PeerError(f"satellite {link.name} has no time to say it")
        link.occupied(True)
        task = self._conversation = asyncio.create_task(self._announce(response))
        self._announcing = True
        try:
            await asyncio.wait([task])
        finally:
            task.cancel()
        if task.cancelled():
            raise PeerError(f"satellite {link.name} went while it was spoken to")
        task.result()

    async def _announce(self, response: Response) -> None:
        try:
            if not await self._speak(response, Context(language=self._link.language, satellite=self._link.name)):
                raise PeerError(f"satellite {self._link.name} did not play what it was to say")
        finally:
            self._link.occupied(False)

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(self._link.limits.ping_s)
            await self._connection.write(Ping(text=self._part.latency.ping()).event())

    async def _on(self, event: Event) -> None:
        if AudioChunk.is_type(event.type):
            self._part.hear(parse(AudioChunk, event))
        elif AudioStop.is_type(event.type):
            self._part.complete()
        elif RunPipeline.is_type(event.type):
            await self._on_run(parse(RunPipeline, event), event)
        elif Played.is_type(event.type):
            if not self._link.control.played():
                self._heard = True
                self._played.set()
        elif Detection.is_type(event.type):
            self._link.tell("wake", {"satellite": self._link.name, "wake_word": parse(Detection, event).name})
            await self._on_detection(event)
        elif event.type == control_event.WAKE:
            self._wake_check.hear(event)
        elif event.type == control_event.NEAR_MISS:
            told = {k: event.data.get(k) for k in ("wake_word", "score")}
            self._link.tell("near_miss", {"satellite": self._link.name, **told})
        elif self._link.control.receive(event):
            pass
        elif Info.is_type(event.type):
            satellite = parse(Info, event).satellite
            self._link.announced_area = (satellite.area or "") if satellite else ""
        elif Pong.is_type(event.type):
            self._part.latency.pong(parse(Pong, event).text)
        elif Ping.is_type(event.type):
            await self._connection.write(Pong(text=parse(Ping, event).text).event())
        elif Error.is_type(event.type):
            log.warning("satellite %s reports: %s", self._link.name, parse(Error, event).text)

    async def _on_detection(self, event: Event) -> None:
        """Grant or refuse the chime before anything else: the satellite waits for it, but not for long."""
        if (answer := self._part.detected(event)) is not None:
            await self._connection.write(answer)
        await self._end_former()

    async def _on_run(self, run: RunPipeline, event: Event) -> None:
        if run.start_stage is not PipelineStage.ASR:
            self._part.leave()
            text = f"this server starts at asr, not at {run.start_stage.value}: let the satellite detect its wake word"
            await self._connection.write(Error(text, "unsupported-stage").event())
            return
        if not self._part.woken:
            await self._end_former()
        self._announcing = False
        self._conversation = asyncio.create_task(self._converse(self._part.opened(event)))

    async def _end_former(self) -> None:
        """End a command that is still under way when its speaker begins anew: its answer is not waited for."""
        if self._conversation is None or self._conversation.done():
            return
        self._superseded = True
        self._played.set()
        self._part.cut()
        await asyncio.gather(self._conversation, return_exceptions=True)
        self._superseded = False

    async def _converse(self, hearing: Hearing) -> None:
        """One command: listen, act, speak. Whatever happens, the satellite is told that it is over."""
        link = self._link
        link.occupied(True)
        context = hearing.context
        telling: list[asyncio.Task[None]] = []

        def heard(transcription: Transcription) -> None:
            # Beside the action, not before it: a slow satellite must not delay the light.
            telling.append(asyncio.create_task(self._tell_transcript(transcription, context)))

        try:
            verdict = await hearing.verdict
            if verdict.transcription is None:
                await self._fall_silent(verdict)
                return
            watch = verdict.watch or Stopwatch()
            answer = await link.pipeline.answer_heard(verdict.transcription, context, watch, heard, verdict.facts())
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
            for task in telling:
                task.cancel()
            link.occupied(False)

    async def _fall_silent(self, verdict: Verdict) -> None:
        """Tell a satellite that another one answers: the transcript ends its command, and it has no words."""
        await self._connection.write(VoiceStopped().event())
        facts = {"command_id": verdict.context.command_id, "answered_by": verdict.answered_by}
        await self._connection.write(Transcript("", facts, verdict.context.language).event())

    async def _tell_transcript(self, transcription: Transcription, context: Context) -> None:
        await self._connection.write(VoiceStopped().event())
        facts = transcription_facts(transcription, context)
        await self._connection.write(Transcript(transcription.text, facts, context.language).event())

    async def _speak(self, response: Response, context: Context) -> bool:
        """Say a response; return whether it was heard to its end."""
        self._played.clear()
        self._heard = False
        if self._superseded:
            return False
        write = self._connection.write
        facts: dict[str, object] = {"command_id": context.command_id, "kind": str(response.kind)}
        if response.kind is ResponseKind.QUESTION:
            facts["listen"] = True  # without a wake word, once the question is spoken
        await write(Synthesize(response.text, context=facts).event())
        speech = await self._link.voice.speak(response)
        seconds, (rate, width, channels) = 0.0, (speech.format.rate, speech.format.width, speech.format.channels)
        async with self._link.control.speaking, aclosing(speech.chunks) as chunks:
            await write(AudioStart(rate, width, channels).event())
            async for pcm in chunks:
                await write(AudioChunk(rate, width, channels, pcm).event())
                seconds += len(pcm) / (rate * width * channels)
            await write(AudioStop().event())
        try:
            await asyncio.wait_for(self._played.wait(), seconds + self._link.limits.played_margin_s)
        except TimeoutError:
            log.warning("%s satellite %s did not say that it played the answer", context.command_id, self._link.name)
            return False
        return self._heard
