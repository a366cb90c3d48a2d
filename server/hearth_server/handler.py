"""One client of the server: speech-to-text and commands as text, over Wyoming.

    client                         server
    describe                    -> info
    ping                        -> pong
    transcribe, audio-start,
      audio-chunk…, audio-stop  -> transcript   (as soon as the speech has ended, before audio-stop if need be)
    transcript                  -> handled or not-handled, after the command has been carried out
    recognize                   -> intent or not-recognized; nothing is carried out

Events that a service of this kind has no use for are ignored, as Wyoming asks.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any, Protocol

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event
from wyoming.handle import Handled, NotHandled
from wyoming.info import Describe
from wyoming.intent import Entity, Intent, NotRecognized, Recognize
from wyoming.ping import Ping, Pong

from hearth_core.audio import Converter, PcmFormat
from hearth_core.command import Context, ResponseKind, Stopwatch, Transcription, new_command_id
from hearth_core.errors import AudioError, HearthError, InputError, WireError
from hearth_core.wire import Connection, parse

from .inbox import AudioInbox
from .info import describe
from .pipeline import Answer, Pipeline

log = logging.getLogger(__name__)

# A client that has asked nothing for this long has gone: Home Assistant connects anew for every utterance.
IDLE_S = 300.0
# Home Assistant's ids of conversations have 26 characters.
MAX_ID_CHARS = 100
# Names, and again terms, that a client expects in an utterance: more than any engine takes.
MAX_EXPECTED = 500
MAX_EXPECTED_CHARS = 100


def transcription_facts(transcription: Transcription, context: Context) -> dict[str, Any]:
    """Return what Wyoming has no field for; it rides in `context`, which plain clients ignore."""
    return {
        "command_id": context.command_id,
        "confidence": transcription.confidence,
        "end": str(transcription.end),
        "engine": transcription.engine,
        "hypotheses": [{"text": h.text, "confidence": h.confidence} for h in transcription.hypotheses],
    }


def answer_facts(answer: Answer) -> dict[str, Any]:
    """Return what became of a command, for `context`."""
    return {
        "command_id": answer.context.command_id,
        "kind": str(answer.response.kind),
        "intent": answer.matches[0].intent if answer.matches else None,
        "outcomes": {outcome.entity_id: str(outcome.status) for outcome in answer.outcomes},
        "policy": [
            {"decision": str(ruling.decision), "rule": ruling.rule, "reason": ruling.reason}
            for ruling in answer.rulings
        ],
        "question": answer.question,
        "continue_conversation": answer.response.kind is ResponseKind.QUESTION,
        "milliseconds": dict(answer.milliseconds),
        **answer.facts,
    }


def _text(value: object) -> str:
    """Return what a peer says is a text.

    Raises:
        WireError: it is none.
    """
    if not isinstance(value, str):
        raise WireError(f"a text was expected, not {type(value).__name__}")
    return value


def expected(*lists: object) -> tuple[str, ...]:
    """Return what a client expects to be said, of lists that may hold anything, the first list before the next."""
    told = (item for each in lists if isinstance(each, list | tuple) for item in each[:MAX_EXPECTED])
    texts = (" ".join(item.split()) for item in told if isinstance(item, str) and len(item) <= MAX_EXPECTED_CHARS)
    return tuple(dict.fromkeys(text for text in texts if text.isprintable() and any(map(str.isalnum, text))))


class Guest(Protocol):
    """What a connection is beside a Wyoming client's: that of a Home Assistant with Hearth's own integration."""

    async def receive(self, event: Event) -> None:
        """Take an event whose type begins with `hearth-`."""

    def hearing(self, context: Context) -> contextlib.AbstractAsyncContextManager[None]:
        """Tell what is heard so far of an utterance, for the length of the block."""

    def heard(self, transcription: Transcription, watch: Stopwatch) -> None:
        """Take note of what was heard; the same words may come back as a command."""

    async def close(self) -> None:
        """The connection is over."""


class Utterance:
    """Audio of one client on its way to a transcript."""

    def __init__(self, client: Client, context: Context, names: tuple[str, ...] = ()) -> None:
        self.inbox = AudioInbox()
        self._names = names
        self._format: PcmFormat | None = None
        self._converter: Converter | None = None
        self.task = asyncio.create_task(self._transcribe(client, context))

    async def put(self, chunk: AudioChunk) -> None:
        """Add a chunk in any format; the format must stay the same.

        Raises:
            AudioError: a format that cannot be read, or that changed.
        """
        fmt = PcmFormat(chunk.rate, chunk.width, chunk.channels)
        if self._converter is None or self._format is None:
            self._format, self._converter = fmt, Converter(fmt)
        elif fmt != self._format:
            raise AudioError(f"the audio changed from {self._format} to {fmt} in the middle")
        await self.inbox.put(self._converter.feed(chunk.audio))

    async def end(self) -> None:
        """No more audio comes."""
        if self._converter is not None:
            await self.inbox.put(self._converter.flush())
        await self.inbox.end()

    async def _transcribe(self, client: Client, context: Context) -> None:
        try:
            watch = Stopwatch()
            async with client.hearing(context):
                transcription = await client.pipeline.listen(self.inbox, context, watch, self._names)
            client.heard(transcription, watch)
            facts = transcription_facts(transcription, context)
            # The client gets the words, because it has to send them back to be understood; the log does not get a PIN.
            shown = client.pipeline.dialogue.shown(transcription, context)
            log.info("%s transcribed %r for %s", context.command_id, shown.text, client.connection.peer)
            await client.connection.write(
                Transcript(transcription.text, context=facts, language=context.language).event()
            )
        except HearthError as error:
            log.warning("%s %s: %s", context.command_id, client.connection.peer, error)
            await client.connection.write(Error(error.message, error.code).event())
        finally:
            self.inbox.close()


class Client:
    """A connection from its first event to its last."""

    def __init__(self, connection: Connection, pipeline: Pipeline, language: str, guest: Guest | None = None) -> None:
        self.connection = connection
        self.pipeline = pipeline
        self.language = language
        self.connection_id = new_command_id()
        self.utterance: Utterance | None = None
        self._guest = guest

    def hearing(self, context: Context) -> contextlib.AbstractAsyncContextManager[None]:
        """Tell what is heard so far to whoever wants to know."""
        return self._guest.hearing(context) if self._guest is not None else contextlib.nullcontext()

    def heard(self, transcription: Transcription, watch: Stopwatch) -> None:
        """Tell what was heard to whoever wants to know."""
        if self._guest is not None:
            self._guest.heard(transcription, watch)

    async def run(self) -> None:
        """Serve the client until it leaves.

        Raises:
            WireError: it broke the framing.
            PeerError: it went away in the middle, or asked nothing for too long.
        """
        try:
            while (event := await self.connection.read(timeout=IDLE_S)) is not None:
                try:
                    await self._on(event)
                except (AudioError, InputError) as error:
                    await self._stop_utterance()
                    await self.connection.write(Error(error.message, error.code).event())
            if self.utterance is not None:  # a client may close its side and still wait for the answer
                await self.utterance.end()
                await self.utterance.task
        finally:
            await self._stop_utterance()
            if self._guest is not None:
                await self._guest.close()

    async def _on(self, event: Event) -> None:
        write = self.connection.write
        if AudioChunk.is_type(event.type):
            await self._on_audio(parse(AudioChunk, event))
        elif Describe.is_type(event.type):
            await write(describe(self.pipeline.engine.name, self.language).event())
        elif Ping.is_type(event.type):
            await write(Pong(text=parse(Ping, event).text).event())
        elif Transcribe.is_type(event.type):
            told = event.data or {}  # older versions of the wyoming package do not know these two
            names = expected(told.get("transcript_names"), told.get("transcript_terms"))
            await self._begin(parse(Transcribe, event).language, names)
        elif AudioStart.is_type(event.type):
            if self.utterance is None or self.utterance.inbox.closed:
                await self._begin(None)
        elif AudioStop.is_type(event.type):
            if self.utterance is not None:
                await self.utterance.end()
        elif Transcript.is_type(event.type):
            transcript = parse(Transcript, event)
            await self._on_text(transcript.text, transcript.language, transcript.context)
        elif Recognize.is_type(event.type):
            await self._on_recognize(parse(Recognize, event))
        elif event.type.startswith("hearth-") and self._guest is not None:
            await self._guest.receive(event)

    async def _begin(self, language: str | None, names: tuple[str, ...] = ()) -> None:
        await self._stop_utterance()
        self.utterance = Utterance(self, Context(language=self._language(language)), names)

    async def _on_audio(self, chunk: AudioChunk) -> None:
        if self.utterance is None:
            await self._begin(None)
        assert self.utterance is not None
        if not self.utterance.inbox.closed:
            await self.utterance.put(chunk)

    async def _on_text(self, text: str, language: str | None, facts: dict[str, Any] | None) -> None:
        facts = facts if isinstance(facts, dict) else {}
        answer = await self.pipeline.answer_text(_text(text), self._context(language, facts))
        told = {**facts, **answer_facts(answer)}
        understood = answer.response.kind in (ResponseKind.DONE, ResponseKind.ANSWER, ResponseKind.QUESTION)
        reply = (Handled if understood else NotHandled)(text=answer.response.text, context=told)
        await self.connection.write(reply.event())

    async def _on_recognize(self, recognize: Recognize) -> None:
        context = self._context(None, recognize.context if isinstance(recognize.context, dict) else {})
        matches = self.pipeline.understanding.matcher.match(_text(recognize.text), context)
        if matches:
            entities = [Entity(name, slot.value) for name, slot in matches[0].slots.items()]
            await self.connection.write(Intent(matches[0].intent, entities, context=recognize.context).event())
        else:
            await self.connection.write(NotRecognized(context=recognize.context).event())

    def _context(self, language: str | None, facts: dict[str, Any]) -> Context:
        satellite, area = facts.get("satellite_id"), facts.get("area")
        satellite = satellite if isinstance(satellite, str) else None
        conversation = facts.get("conversation_id")
        # Home Assistant connects anew for every sentence; a client that stays connected has one conversation.
        named = conversation if isinstance(conversation, str) and conversation else satellite
        return Context(
            language=self._language(language),
            satellite=satellite,
            area_id=self.pipeline.area_id(area) if isinstance(area, str) else None,
            conversation=f"wyoming:{named[:MAX_ID_CHARS]}" if named else f"connection:{self.connection_id}",
        )

    def _language(self, asked: str | None) -> str:
        """Return the language to work in; "en-US" is served by "en".

        Raises:
            InputError: a language that this server does not speak.
        """
        mine = self.language
        if asked is None or _text(asked).partition("-")[0] == mine.partition("-")[0]:
            return mine
        raise InputError(
            f"language {asked!r} is not spoken here, only {mine!r}", remedy="Set `language` in hearth.yaml"
        )

    async def _stop_utterance(self) -> None:
        if self.utterance is None:
            return
        utterance, self.utterance = self.utterance, None
        utterance.inbox.close()
        utterance.task.cancel()
        await asyncio.gather(utterance.task, return_exceptions=True)
