"""The path of one command through the server: `Pipeline.answer` is the whole of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hearth_core.command import (
    Context,
    EndReason,
    Hypothesis,
    IntentMatch,
    Outcome,
    Response,
    Stopwatch,
    Transcription,
)
from hearth_core.home import Home
from hearth_core.speech import Endpointer, EndpointSettings, SileroDetector, SpeechDetector

from .asr.engine import Engine
from .execute import execute
from .house import House
from .listen import Listening
from .plan import Plan, plan
from .understanding import Understanding

log = logging.getLogger("hearth.command")


@dataclass(frozen=True, slots=True)
class Partial:
    """What is heard so far."""

    context: Context
    hypothesis: Hypothesis


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A command from end to end, as it is logged, shown and told.

    `milliseconds` has an entry for each stage; `silence` is the audio time between the end of speech and the decision
    that it has ended, so that the sum is what the speaker waits.
    """

    context: Context
    transcription: Transcription
    response: Response
    matches: tuple[IntentMatch, ...] = ()
    plan: Plan | None = None
    outcomes: tuple[Outcome, ...] = ()
    before: Home = field(default_factory=Home)
    after: Home = field(default_factory=Home)
    milliseconds: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)  # what else is to be told, e.g. why this room answers


_Result = TypeVar("_Result")
Progress = Partial | Answer
Observer = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """The limits of one command."""

    endpoint: EndpointSettings = field(default_factory=EndpointSettings)
    action_timeout_s: float = 3.0


class Pipeline:
    """Audio or text in, an `Answer` out. One for the whole server; commands run through it side by side."""

    def __init__(
        self,
        engine: Engine,
        house: House,
        understanding: Understanding,
        settings: PipelineSettings | None = None,
        detector: Callable[[], SpeechDetector] = SileroDetector,
    ) -> None:
        self.engine = engine
        self.house = house
        self.understanding = understanding
        self.settings = settings or PipelineSettings()
        self.observers: list[Observer] = []
        self._detector = detector

    def area_id(self, name: str) -> str | None:
        """Return the id of the area that is called so, None if the home has none."""
        area = self.house.home.area_named(name) if name else None
        return area.area_id if area else None

    async def answer(
        self,
        audio: AsyncIterable[bytes],
        context: Context,
        heard: Callable[[Transcription], Any] = lambda _: None,
    ) -> Answer:
        """Listen to one utterance, do what it says, and return what to tell the speaker.

        Args:
            audio: 16 kHz s16le mono as it arrives; it is read until the end of speech.
            context: who speaks where.
            heard: called as soon as the text is known, before anything is done.

        Raises:
            PeerError: the audio broke off.
        """
        watch = Stopwatch()
        knowledge = self.understanding  # one snapshot for the whole command, whatever is swapped meanwhile
        transcription = await self.listen(audio, context, watch)
        heard(transcription)
        return await self._act(transcription, context, knowledge, watch)

    async def answer_heard(
        self, transcription: Transcription, context: Context, watch: Stopwatch, facts: Mapping[str, Any]
    ) -> Answer:
        """Do what was heard by `listen` before: the same path from the matcher on."""
        return await self._act(transcription, context, self.understanding, watch, facts)

    async def answer_text(self, text: str, context: Context) -> Answer:
        """Do what a text says: the same path from the matcher on."""
        transcription = Transcription((Hypothesis(text),), engine="text")
        return await self._act(transcription, context, self.understanding, Stopwatch())

    async def _act(
        self,
        transcription: Transcription,
        context: Context,
        knowledge: Understanding,
        watch: Stopwatch,
        facts: Mapping[str, Any] | None = None,
    ) -> Answer:
        phrasebook = knowledge.phrasebook
        before = self.house.home
        matches: tuple[IntentMatch, ...] = ()
        planned: Plan | None = None
        outcomes: tuple[Outcome, ...] = ()
        if transcription.end is EndReason.LIMIT:  # a television, not a command: never acted upon, but told
            response = phrasebook.too_long(self.settings.endpoint.max_s)
        else:
            with watch.stage("understand"):
                understood = knowledge.matcher.understand(transcription, context)
                matches = understood.clauses[0].matches if understood else ()
            response = phrasebook.not_understood()
        if matches:
            with watch.stage("plan"):
                planned = plan(matches, before, context)
            with watch.stage("act"):
                outcomes = await execute(planned, self.house, self.settings.action_timeout_s)
            with watch.stage("answer"):
                response = phrasebook.respond(planned, outcomes, self.house.home, context)
        answer = Answer(
            context=context,
            transcription=transcription,
            response=response,
            matches=matches,
            plan=planned,
            outcomes=outcomes,
            before=before,
            after=self.house.home,
            milliseconds=watch.milliseconds(),
            facts=facts or {},
        )
        _log(answer)
        self._tell(answer)
        return answer

    async def listen(
        self, audio: AsyncIterable[bytes], context: Context, watch: Stopwatch | None = None
    ) -> Transcription:
        """Read audio until the end of speech and return what was said.

        Raises:
            PeerError: the audio broke off.
        """
        watch = watch or Stopwatch()
        listening = Listening(self.engine, self.settings.endpoint, self._detector())
        try:
            partial: Hypothesis | None = None
            async for pcm in audio:
                end = await _to_its_end(listening.feed, pcm)
                if listening.partial is not None and listening.partial != partial:
                    partial = listening.partial
                    self._tell(Partial(context, partial))
                if end is not None:
                    break
            watch.add("silence", listening.silence_s)
            with watch.stage("recognise"):
                return await _to_its_end(listening.finish)
        finally:
            listening.close()

    def endpointer(self) -> Endpointer:
        """Return what finds the end of one utterance without recognising it."""
        return Endpointer(self.settings.endpoint, self._detector())

    def _tell(self, progress: Progress) -> None:
        for observer in self.observers:
            try:
                observer(progress)
            except Exception:  # an onlooker must not disturb the command
                log.exception("%s an observer failed", progress.context.command_id)


async def _to_its_end(call: Callable[..., _Result], *arguments: object) -> _Result:
    """Run a call in a thread and await its end even if cancelled: a recogniser must not be closed in the middle."""
    work = asyncio.create_task(asyncio.to_thread(call, *arguments))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise


def _log(answer: Answer) -> None:
    """Write one line per stage, each beginning with the command's id."""
    command = answer.context.command_id
    spent = answer.milliseconds
    heard = answer.transcription
    log.info(
        "%s heard %r by %s, %s, confidence %s, satellite %s, %.1f s of audio, %s ms",
        command, heard.text, heard.engine, heard.end,
        "-" if heard.confidence is None else f"{heard.confidence:.2f}",
        answer.context.satellite or "-", heard.audio_seconds, spent.get("recognise", 0),
    )  # fmt: skip
    for match in answer.matches[:1]:
        slots = {name: slot.value for name, slot in match.slots.items()}
        log.info("%s understood %s %s, %s ms", command, match.intent, slots, spent.get("understand", 0))
    for action in answer.plan.actions if answer.plan else ():
        log.info("%s planned %s %s", command, action.service, ", ".join(action.entity_ids))
    for outcome in answer.outcomes:
        log.info("%s %s %s %s", command, outcome.status, outcome.entity_id, outcome.detail)
    log.info("%s told %r (%s), stages %s ms", command, answer.response.text, answer.response.kind, dict(spent))
