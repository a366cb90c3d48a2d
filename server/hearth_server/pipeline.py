"""The path of one command through the server: `Pipeline.answer` is the whole of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
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
from hearth_core.errors import HearthError
from hearth_core.home import Home
from hearth_core.speech import Endpointer, EndpointSettings, SileroDetector, SpeechDetector

from .asr.engine import Recogniser, Verifying
from .carrying import Scheduling, Turn
from .conversation import QuestionKind
from .dialogue import Dialogue, TalkSettings
from .hearing import Word
from .house import House
from .listen import listen, threads
from .plan import Plan
from .policy import Ruling
from .understanding import Understanding

log = logging.getLogger("hearth.command")


@dataclass(frozen=True, slots=True)
class Partial:
    """What is heard so far."""

    context: Context
    hypothesis: Hypothesis


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A command from end to end, as it is logged, shown and told: no PIN is in it.

    Of a sentence with several commands, `matches` and `plan` are those of the first; `plans`, `rulings` and `outcomes`
    are of all. `question` says what is asked, if the response asks.
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
    plans: tuple[Plan, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    question: QuestionKind | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)  # what else is to be told, e.g. why this room answers


_Result = TypeVar("_Result")
Progress = Partial | Answer
Observer = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """The limits of one command."""

    endpoint: EndpointSettings = field(default_factory=EndpointSettings)
    action_timeout_s: float = 3.0
    talk: TalkSettings = field(default_factory=TalkSettings)


class Pipeline:
    """Audio or text in, an `Answer` out. One for the whole server; commands run through it side by side."""

    def __init__(
        self,
        engine: Recogniser,
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
        self.dialogue = Dialogue(house, self.settings.talk, self.settings.action_timeout_s)
        # Reads the sentence files again and tells what is wrong in them; set by whoever read them.
        self.renew: Callable[[], Awaitable[tuple[HearthError, ...]]] | None = None
        self._detector = detector

    @property
    def schedule(self) -> Scheduling | None:
        """Timers, alarms and commands for later; whoever runs them puts them here."""
        return self.dialogue.schedule

    @schedule.setter
    def schedule(self, schedule: Scheduling | None) -> None:
        self.dialogue.schedule = schedule

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
            heard: called as soon as the text is known, before anything is done; a PIN is not in it.

        Raises:
            PeerError: the audio broke off.
        """
        watch = Stopwatch()
        knowledge = self.understanding  # one snapshot for the whole command, whatever is swapped meanwhile
        transcription = await self.listen(audio, context, watch)
        heard(self.dialogue.shown(transcription, context))
        return await self._act(transcription, context, knowledge, watch)

    async def answer_heard(
        self,
        transcription: Transcription,
        context: Context,
        watch: Stopwatch,
        heard: Callable[[Transcription], Any] = lambda _: None,
        facts: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Do what was heard by `listen` before: the same path from there on, with the `facts` told beside it."""
        heard(self.dialogue.shown(transcription, context))
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
        before = self.house.home
        if transcription.end is EndReason.LIMIT:  # a television, not a command: never acted upon, but told
            self.dialogue.forget_question(context)
            turn = Turn(knowledge.phrasebook.too_long(self.settings.endpoint.max_s))
        else:
            turn = await self.dialogue.turn(transcription, context, knowledge, watch)
        parts = [part for part in turn.parts if not part.quiet] or turn.parts
        plans = tuple(part.plan for part in turn.parts if part.plan is not None)
        answer = Answer(
            context=context,
            transcription=self.dialogue.told(transcription, context, turn),
            response=turn.response,
            matches=parts[0].clause.matches if parts else (),
            plan=parts[0].plan if parts else None,
            plans=plans,
            rulings=tuple(part.ruling for part in turn.parts if part.ruling is not None),
            outcomes=tuple(outcome for part in turn.parts for outcome in part.outcomes),
            question=turn.question,
            before=before,
            after=self.house.home,
            milliseconds=watch.milliseconds(),
            facts=facts or {},
        )
        _log(answer)
        self._tell(answer)
        return answer

    async def listen(
        self,
        audio: AsyncIterable[bytes],
        context: Context,
        watch: Stopwatch | None = None,
        names: Sequence[str] = (),
        word: Word | None = None,
    ) -> Transcription:
        """Read audio until the end of speech and return what was said.

        Args:
            audio: 16 kHz s16le mono.
            context: of the command.
            watch: gets the times of the stages.
            names: are expected in it.
            word: the wake word, which tells how loud the speaker is.

        Raises:
            PeerError: the audio broke off.
        """
        watch = watch or Stopwatch()
        near = self.house.home.names_in(context.area_id) if context.area_id else ()
        reply = self.dialogue.has_asked(context)
        listening = listen(self.engine, self.settings.endpoint, self._detector, names, near, reply=reply)
        try:
            partial: Hypothesis | None = None
            met = False
            async for pcm in audio:
                if not met and word is not None:
                    met = True
                    listening.meet(bytes(word.pcm), word.tail_s)
                end = await _to_its_end(listening.threads, listening.feed, pcm)
                if listening.partial is not None and listening.partial != partial:
                    partial = listening.partial
                    self._tell(Partial(context, self.dialogue.shown_reading(partial, context)))
                if end is not None:
                    break
            watch.add("silence", listening.silence_s)
            with watch.stage("recognise"):
                return await _to_its_end(listening.threads, listening.finish)
        finally:
            listening.close()

    @property
    def verifies(self) -> bool:
        """True if the recogniser can tell whether a wake word was said."""
        return isinstance(self.engine, Verifying)

    async def phrase_fit(self, phrase: str, pcm: bytes) -> float | None:
        """Return how a phrase fits a sound, as `Verifying` does; None if the recogniser cannot say.

        Raises:
            EngineError: it failed.
        """
        if not isinstance(self.engine, Verifying):
            return None
        return await _to_its_end(threads(), self.engine.phrase_fit, phrase, pcm)

    def endpointer(self) -> Endpointer:
        """Return what finds the end of one utterance without recognising it."""
        return Endpointer(self.settings.endpoint, self._detector())

    def _tell(self, progress: Progress) -> None:
        for observer in self.observers:
            try:
                observer(progress)
            except Exception:  # an onlooker must not disturb the command
                log.exception("%s an observer failed", progress.context.command_id)


async def _to_its_end(where: Executor, call: Callable[..., _Result], *arguments: object) -> _Result:
    """Run a call in a thread and await its end even if cancelled: a recogniser must not be closed in the middle."""
    work = asyncio.get_running_loop().run_in_executor(where, call, *arguments)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        while not work.done():
            with contextlib.suppress(asyncio.CancelledError):  # again; the thread cannot be left alone
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
    for action in (action for plan in answer.plans for action in plan.actions):
        log.info("%s planned %s %s", command, action.service, ", ".join(action.entity_ids))
    for ruling in answer.rulings:
        log.info("%s policy: %s by %s (%s)", command, ruling.decision, ruling.rule or "no rule", ruling.reason)
    for outcome in answer.outcomes:
        log.info("%s %s %s %s", command, outcome.status, outcome.entity_id, outcome.detail)
    log.info("%s told %r (%s), stages %s ms", command, answer.response.text, answer.response.kind, dict(spent))
