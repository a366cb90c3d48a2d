"""From what was heard to what is to be done: replies, follow-ups, and sentences with several commands.

An utterance is tried in this order: as the answer to an open question; as a sentence said to the letter; as a
follow-up of the last command; as a sentence that the matcher forgives. Of a sentence with several commands those that
are understood are done, one after the other, and those that are not are told; but if words that were not understood
could take back or limit the rest ("but not the kitchen"), nothing is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hearth_core.command import (
    Clause,
    Context,
    EndReason,
    Hypothesis,
    IntentMatch,
    Response,
    ResponseKind,
    Stopwatch,
    Transcription,
    Understood,
)
from hearth_intents.followup import FollowUp, Kind, Remembered, is_strict, names_target
from hearth_intents.replies import Replies, replies

from .carrying import Carrying, Means, Part, Scheduling, Turn
from .conversation import Conversations, Done, Question, QuestionKind, Step
from .house import House
from .pin import PinGate
from .policy import BUILTIN, Decision, Rule
from .restore import restoring
from .understanding import Understanding
from .wording import Wording

# Commands in one sentence; more is a recital, not a command.
MAX_CLAUSES = 8
# A yes that the recogniser is less sure of is asked for again.
SURE = 0.5
UNDO = "HearthUndo"
HIDDEN = "…"

_HINTS = {
    QuestionKind.CONFIRM: "hint_confirm",
    QuestionKind.PIN: "hint_pin",
    QuestionKind.WHICH: "which_hint",
    QuestionKind.WHEN: "when_hint",
}


@dataclass(frozen=True, slots=True)
class TalkSettings:
    """What is guarded, and how long what was said is remembered, in seconds."""

    rules: Sequence[Rule] = BUILTIN
    gate: PinGate = field(default_factory=PinGate)
    reply_s: float = 30.0
    followup_s: float = 60.0


class Dialogue:
    """The conversations of one server.

    Args:
        house: to act in.
        settings: what is guarded and remembered.
        action_timeout_s: how long to wait for a device to confirm.
        conversations: in the place of new ones.
    """

    def __init__(
        self,
        house: House,
        settings: TalkSettings | None = None,
        action_timeout_s: float = 3.0,
        conversations: Conversations | None = None,
    ) -> None:
        settings = settings or TalkSettings()
        kept = conversations if conversations is not None else Conversations(settings.reply_s, settings.followup_s)
        self._means = Means(house, settings.rules, settings.gate, kept, action_timeout_s)

    @property
    def schedule(self) -> Scheduling | None:
        """Timers, alarms and commands for later; None: there are none."""
        return self._means.schedule

    @schedule.setter
    def schedule(self, schedule: Scheduling | None) -> None:
        self._means.schedule = schedule

    def guard(self, rules: Sequence[Rule]) -> None:
        """Judge by these rules from now on."""
        self._means.rules = rules

    def shown(self, heard: Transcription, context: Context) -> Transcription:
        """Return what may be told of an utterance before it is understood: never a PIN."""
        return replace(heard, hypotheses=tuple(self.shown_reading(h, context) for h in heard.hypotheses))

    def shown_reading(self, reading: Hypothesis, context: Context) -> Hypothesis:
        """Return what may be told of a reading, or of the beginning of one."""
        if not self._means.gate.exists:
            return reading
        if self._means.conversations.awaits_pin(context.conversation):
            return replace(reading, text=HIDDEN)
        return replace(reading, text=replies(context.language).redacted(reading.text))

    def told(self, heard: Transcription, context: Context, turn: Turn) -> Transcription:
        """Return what may be told of an utterance once it is understood."""
        if turn.secret:
            return hidden(heard)
        if not self._means.gate.exists or any(is_strict(part.clause.matches) for part in turn.parts):
            return heard
        known = replies(context.language)
        return replace(heard, hypotheses=tuple(replace(h, text=known.redacted(h.text)) for h in heard.hypotheses))

    def has_asked(self, context: Context) -> bool:
        """Return whether a question waits for its answer."""
        return self._means.conversations.question(context.conversation) is not None

    def forget_question(self, context: Context) -> None:
        """Drop what was asked: what was said is no answer, and no command either."""
        self._means.conversations.take_question(context.conversation)

    async def turn(self, heard: Transcription, context: Context, knowledge: Understanding, watch: Stopwatch) -> Turn:
        """Do what an utterance says; never raises for a device, and never waits for the speaker."""
        listener = _Listener(self._means, context, knowledge, watch)
        question = self._means.conversations.take_question(context.conversation)
        if question is not None:
            answered = await listener.reply(question, heard)
            if answered is not None:
                return answered
        return await listener.command(heard)


def hidden(heard: Transcription) -> Transcription:
    """Return an utterance without its words."""
    return replace(heard, hypotheses=tuple(replace(h, text=HIDDEN) for h in heard.hypotheses))


class _Listener:
    """One utterance, from its words to its commands."""

    def __init__(self, means: Means, context: Context, knowledge: Understanding, watch: Stopwatch) -> None:
        self.carrying = Carrying(means, context, knowledge, watch, Wording(context.language))
        self._means = means
        self._context = context
        self._knowledge = knowledge
        self._watch = watch
        self._replies: Replies = replies(context.language)
        self._wording = self.carrying.wording

    # -- commands ------------------------------------------------------------------------------------------------------

    async def command(self, heard: Transcription) -> Turn:
        """Do what is said, as a sentence or as a follow-up."""
        conversations, key = self._means.conversations, self._context.conversation
        last = conversations.last(key)
        with self._watch.stage("understand"):
            followed = self._follow(heard, last.remembered) if last else None
            understood = Understood() if followed else self._knowledge.matcher.understand(heard, self._context)
        if followed is not None and last is not None:
            return await self.carrying.carry_out(self._following(followed, last))
        if not understood or self._pointless(understood, heard):
            secret = self._means.gate.exists and key is not None and conversations.awaits_pin(key)
            return Turn(self._knowledge.phrasebook.not_understood(), secret=secret)
        doubt = self._doubt(understood)
        if doubt is not None:
            said = self._wording.text("nothing_done", text=self.carrying.words_of(doubt))
            return Turn(Response(said, ResponseKind.NOT_UNDERSTOOD), tuple(Part(None, c) for c in understood.clauses))
        return await self.carrying.carry_out([Step(clause) for clause in understood.clauses])

    def _pointless(self, understood: Understood, heard: Transcription) -> bool:
        """Return whether "turn it off" was forgiven into a sentence about the room: nobody knows what "it" is."""
        if not self._knowledge.followups.points(heard.text) or is_strict(self._matches(heard.text)):
            return False
        return not any(names_target(match) for clause in understood.clauses for match in clause.matches)

    def _matches(self, text: str) -> tuple[IntentMatch, ...]:
        return self._knowledge.matcher.match(text, self._context)

    def _doubt(self, understood: Understood) -> str | None:
        """Return the words for which nothing of a sentence is done, None if there are none."""
        if len(understood.clauses) > MAX_CLAUSES:
            return understood.clauses[MAX_CLAUSES].text
        unclear = [clause.text for clause in understood.clauses if not clause.matches]
        return next((text for text in unclear if self._replies.may_qualify(text)), None)

    def _follow(self, heard: Transcription, last: Remembered) -> FollowUp | None:
        """Return the follow-up that the best reading is, None if it is none, or is a sentence of its own."""
        text, matcher = heard.text, self._knowledge.matcher
        followed = self._knowledge.followups.read(text, last, matcher, self._means.house.home, self._context)
        if followed is None:
            return None
        matches = self._matches(text)
        # "brighter" may be a sentence too, about the room; after "turn on the lamp" it is about the lamp.
        pointing = followed.kind in (Kind.STEP, Kind.UNDO)
        return None if is_strict(matches) and (names_target(matches[0]) or not pointing) else followed

    def _following(self, followed: FollowUp, last: Done) -> list[Step]:
        steps = [Step(clause, followed.named) for clause in followed.understood.clauses]
        if followed.kind in (Kind.UNDO, Kind.CORRECT):
            back = restoring(last.before, self._means.house.home.entities)
            text = steps[0].clause.text if steps else ""
            clause = Clause(text, (IntentMatch(UNDO, {}, text, self._context.language),))
            if back or followed.kind is Kind.UNDO:
                quiet = followed.kind is Kind.CORRECT
                steps.insert(0, Step(clause, named=False, restores=back, quiet=quiet))
            self._means.conversations.remember(self._context.conversation, None)
        return steps

    # -- replies -------------------------------------------------------------------------------------------------------

    async def reply(self, question: Question, heard: Transcription) -> Turn | None:
        """Take an utterance as the answer to a question; None if it is a command of its own."""
        text, pin = heard.text, question.kind is QuestionKind.PIN
        if heard.end is EndReason.NO_SPEECH:  # silence is no agreement, and the question is over
            return Turn(self._knowledge.phrasebook.not_understood(), secret=pin)
        if self._replies.yes_or_no(text) is False:
            declined = Response(self._wording.text("declined"), ResponseKind.DONE)
            return await self.carrying.carry_out(question.rest, declined)
        if pin and (digits := self._replies.digits(text)) is not None:
            return replace(await self._pin(question, digits), secret=True)
        steps = None if pin else self._answer(question, heard)
        if steps is not None:
            return await self.carrying.carry_out([*steps, *question.rest])
        if text and self._is_command(question, heard):
            return None
        return replace(self._ask_again(question), secret=pin)

    async def _pin(self, question: Question, digits: str) -> Turn:
        gate = self._means.gate
        if gate.check(digits):
            right = replace(question.step, agreed=Decision.PIN, agreed_to=question.asks_for)
            return await self.carrying.carry_out([right, *question.rest])
        if gate.locked_minutes:
            locked = self.carrying.refusal("pin_locked", minutes=gate.locked_minutes)
            return await self.carrying.carry_out(question.rest, locked)
        return self._ask(question, self._wording.text("wrong_pin"))  # as often as the gate allows

    def _answer(self, question: Question, heard: Transcription) -> list[Step] | None:
        """Return what follows from an answer, None if it is none."""
        step, text = question.step, heard.text
        if question.kind is QuestionKind.CONFIRM:
            agreed = replace(step, agreed=Decision.CONFIRM, agreed_to=question.asks_for)
            return [agreed] if self._replies.yes_or_no(text) and self._is_sure(heard) else None
        if question.kind is QuestionKind.WHICH:
            chosen = self._replies.choose(text, question.options) or ()
            clauses = [replace(step.clause, matches=(question.matches[i],), rivals=()) for i in chosen]
            return [replace(step, clause=clause, named=True) for clause in clauses] or None
        if self._replies.means_now(text):
            return [replace(step, clause=replace(step.clause, when=None))]
        return self._at(step, text)

    def _is_sure(self, heard: Transcription) -> bool:
        """Return whether the recogniser is sure of a yes; "okay" and "ok" sound alike, and share what is one chance."""
        if heard.confidence is None:
            return True
        agreeing = (each for each in heard.hypotheses if self._replies.yes_or_no(each.text))
        return sum(each.confidence or 0.0 for each in agreeing) >= SURE

    def _at(self, step: Step, text: str) -> list[Step] | None:
        """Return the command at the time that was said, by understanding the whole sentence again with it."""
        clause = step.clause
        unread = clause.when.text if clause.when else ""
        for moment in self._replies.moments(text) if text else ():
            inside = unread and unread in clause.text
            whole = clause.text.replace(unread, moment) if inside else f"{clause.text} {moment}"
            again = self._knowledge.matcher.understand(Transcription((Hypothesis(whole),), "text"), self._context)
            for found in again.clauses if len(again.clauses) == 1 else ():
                same = bool(found.matches) and found.matches[0].intent == clause.matches[0].intent
                if same and found.when is not None and not found.when.unclear:
                    return [replace(step, clause=replace(clause, when=found.when))]
        return None

    def _is_command(self, question: Question, heard: Transcription) -> bool:
        if question.kind is QuestionKind.PIN:  # a mangled PIN must not be forgiven into a command
            return is_strict(self._knowledge.matcher.match(heard.text, self._context))
        return bool(self._knowledge.matcher.understand(heard, self._context))

    def _ask_again(self, question: Question) -> Turn:
        if question.repeated:
            return Turn(Response(self._wording.text("dropped"), ResponseKind.NOT_UNDERSTOOD))
        said = self._wording.text(_HINTS[question.kind], question=question.text)
        return self._ask(replace(question, repeated=True), said)

    def _ask(self, question: Question, text: str) -> Turn:
        assert self._context.conversation is not None  # else there was no question
        self._means.conversations.ask(self._context.conversation, question)
        return Turn(Response(text, ResponseKind.QUESTION), question=question.kind)
