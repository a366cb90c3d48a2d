"""Commands understood, carried out one after the other: each is planned, guarded, done or asked about, and told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from hearth_core.command import (
    Clause,
    Context,
    IntentMatch,
    Outcome,
    OutcomeStatus,
    Response,
    ResponseKind,
    Slot,
    Stopwatch,
)
from hearth_core.home import Home, State
from hearth_intents.followup import Remembered
from hearth_intents.replies import Option, replies

from .conversation import Conversations, Done, Question, QuestionKind, Step
from .execute import execute
from .house import House
from .pin import PinGate
from .plan import Plan, plan
from .policy import Decision, Rule, Ruling, judge
from .schedule.commands import delayed
from .understanding import Understanding
from .wording import Wording

_DUPLICATES = ("duplicate_entities", "duplicate_targets")


class Scheduling(Protocol):
    """Timers, alarms and commands for later, as far as they are needed here."""

    async def handle(self, match: IntentMatch, context: Context) -> Response | None:
        """Do what a sentence about them says; None if it is about something else."""

    async def later(self, clause: Clause, context: Context) -> Response:
        """Put a command off to its `when`; a QUESTION asks for another time."""


@dataclass(frozen=True, slots=True)
class Part:
    """What became of one command.

    Attributes:
        response: what is said about it, None for nothing.
        clause: what it was.
        plan: what it came to, as far as that was come to; so the ruling and the outcomes.
        question: what has to be asked before it is done.
        quiet: whether it is no command of the speaker's own, but belongs to the next.
    """

    response: Response | None
    clause: Clause
    plan: Plan | None = None
    ruling: Ruling | None = None
    outcomes: tuple[Outcome, ...] = ()
    question: Question | None = None
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """What became of an utterance.

    Attributes:
        response: what the speaker is told.
        parts: one for each command.
        question: what is asked now, None if nothing is.
        secret: whether the words of the utterance are nobody's to read.
    """

    response: Response
    parts: tuple[Part, ...] = ()
    question: QuestionKind | None = None
    secret: bool = False


@dataclass(slots=True)
class Means:
    """What commands are carried out with; one for the whole server."""

    house: House
    rules: Sequence[Rule]
    gate: PinGate
    conversations: Conversations
    action_timeout_s: float
    schedule: Scheduling | None = None


@dataclass(frozen=True, slots=True)
class Carrying:
    """The commands of one utterance on their way."""

    means: Means
    context: Context
    knowledge: Understanding
    watch: Stopwatch
    wording: Wording
    before: dict[str, State] = field(default_factory=dict)

    async def carry_out(self, steps: Sequence[Step], told: Response | None = None) -> Turn:
        """Do commands in their order, and ask about the first that has to be asked about.

        The others of these wait for their turn, and are forgotten with the question if it is not answered.

        Args:
            steps: the commands.
            told: what is said before all else.
        """
        parts = [await self._step(step) for step in steps]
        self._remember(parts)
        asked = [part.question for part in parts if part.question is not None]
        question = replace(asked[0], rest=tuple(each.step for each in asked[1:])) if asked else None
        if question is not None and self.context.conversation is not None:
            self.means.conversations.ask(self.context.conversation, question)
        with self.watch.stage("answer"):
            responses = [each for each in (told, *(part.response for part in parts)) if each is not None]
            response = self.wording.several(responses, question.text if question else None)
        return Turn(response, tuple(parts), question.kind if question else None)

    def refusal(self, key: str, **values: object) -> Response:
        """Return why something is not done."""
        return Response(self.wording.text(key, **values), ResponseKind.FAILED)

    def words_of(self, text: str) -> str:
        """Return words to be said back; digits that may be a PIN are left out."""
        return replies(self.context.language).redacted(text) if self.means.gate.exists else text

    async def _step(self, step: Step) -> Part:
        home, schedule = self.means.house.home, self.means.schedule
        clause = delayed(step.clause, self.knowledge.matcher, self.context)
        step = replace(step, clause=clause)
        if not clause.matches:
            text = self.wording.text("not_understood_part", text=self.words_of(clause.text))
            return Part(Response(text, ResponseKind.NOT_UNDERSTOOD), clause)
        with self.watch.stage("plan"):
            planned = self._plan(step)
            unsure = bool(clause.rivals) or (planned.refusal is not None and planned.refusal.key in _DUPLICATES)
            possible = self._possible(clause, home) if unsure else ()
        if len(possible) > 1 and (clause.rivals or self.context.conversation is not None):
            return self._which(step, possible)
        if schedule is not None and clause.when is None:
            with self.watch.stage("schedule"):
                told = await schedule.handle(clause.matches[0], self.context)
            if told is not None:
                return Part(told, clause)
        if step.restores is not None and not planned.actions:
            return Part(self.refusal("nothing_to_undo"), clause, planned)
        ruling = judge(planned, home, self.context, self.means.rules)
        if clause.when is not None and planned.refusal is None and ruling.decision is not Decision.DENY:
            return await self._put_off(step, planned, ruling)
        return self._guard(step, planned, ruling) or await self._do(step, planned, ruling)

    def _plan(self, step: Step) -> Plan:
        if step.restores is None:
            return plan(step.clause.matches, self.means.house.home, self.context)
        matched = tuple(dict.fromkeys(i for action in step.restores for i in action.entity_ids))
        return Plan(step.clause.matches[0], ResponseKind.DONE, step.restores, matched)

    def _possible(self, clause: Clause, home: Home) -> tuple[IntentMatch, ...]:
        """Return the readings that can be done, each for one thing."""
        found: dict[tuple[object, ...], IntentMatch] = {}
        for match in (*clause.matches, *clause.rivals):
            for choice in _choices(match, home):
                if plan((choice,), home, self.context).refusal is None:
                    key = (choice.intent, *sorted((name, repr(slot.value)) for name, slot in choice.slots.items()))
                    found.setdefault(key, choice)
        return tuple(found.values())

    # -- the guard -----------------------------------------------------------------------------------------------------

    def _guard(self, step: Step, planned: Plan, ruling: Ruling) -> Part | None:
        """Return what keeps a plan from being done, None if nothing does."""
        home, context, gate = self.means.house.home, self.context, self.means.gate
        part = Part(None, step.clause, planned, ruling)
        if ruling.decision is Decision.DENY:
            return replace(part, response=self.refusal("denied"))
        if not step.named:
            # What is pointed at may be another thing than the speaker thinks: never for what is dangerous.
            strictest = max(ruling, judge(planned, home, context), key=lambda each: each.decision)
            if strictest.decision > Decision.ALLOW:
                unnamed = replace(strictest, decision=Decision.DENY, reason=f"{strictest.reason}, not named")
                return replace(part, response=self.refusal("say_name"), ruling=unnamed)
        asks_for = frozenset((s, entity_id) for s in ruling.services for entity_id in ruling.entity_ids or ("",))
        agreed = step.agreed >= ruling.decision and (not step.agreed_to or asks_for <= step.agreed_to)
        if ruling.decision is Decision.ALLOW or agreed:
            return None
        if ruling.decision is Decision.CONFIRM:
            names = [home.entities[i].name for i in ruling.entity_ids if i in home.entities]
            text = self.wording.confirm(ruling.services, names, self.words_of(step.clause.text))
            return self._ask(part, step, QuestionKind.CONFIRM, text, asks_for)
        if not gate.exists:
            return replace(part, response=self.refusal("no_pin"))
        if gate.locked_minutes:
            return replace(part, response=self.refusal("pin_locked", minutes=gate.locked_minutes))
        return self._ask(part, step, QuestionKind.PIN, self.wording.text("pin"), asks_for)

    # -- asking --------------------------------------------------------------------------------------------------------

    def _ask(
        self,
        part: Part,
        step: Step,
        kind: QuestionKind,
        text: str,
        asks_for: frozenset[tuple[str, str]] = frozenset(),
    ) -> Part:
        if self.context.conversation is None:
            return replace(part, response=self.refusal("cannot_ask"))
        return replace(part, question=Question(kind, step, text, asks_for=asks_for))

    def _which(self, step: Step, matches: tuple[IntentMatch, ...]) -> Part:
        home = self.means.house.home
        labels = [self.wording.label(match, home) for match in matches]
        if len(set(labels)) < len(labels):
            labels = [self.wording.label(match, home, with_area=True) for match in matches]
        options = tuple(_option(match, home, label) for match, label in zip(matches, labels, strict=True))
        part = self._ask(Part(None, step.clause), step, QuestionKind.WHICH, self.wording.which(labels))
        if part.question is None:
            return part
        return replace(part, question=replace(part.question, matches=matches, options=options))

    # -- doing ---------------------------------------------------------------------------------------------------------

    async def _put_off(self, step: Step, planned: Plan, ruling: Ruling) -> Part:
        """Put a command off; nobody may be there to answer then, so what has to be asked about cannot be."""
        part, when = Part(None, step.clause, planned, ruling), step.clause.when
        if self.means.schedule is None:
            return replace(part, response=self.refusal("no_later"))
        if ruling.decision > Decision.ALLOW:
            return replace(part, response=self.refusal("not_later"))
        if when is not None and when.unclear:
            return self._ask(part, step, QuestionKind.WHEN, self.wording.text("when"))
        with self.watch.stage("schedule"):
            told = await self.means.schedule.later(step.clause, self.context)
        if told.kind is ResponseKind.QUESTION:  # the time has passed
            return self._ask(part, step, QuestionKind.WHEN, told.text)
        return replace(part, response=told)

    async def _do(self, step: Step, planned: Plan, ruling: Ruling) -> Part:
        house = self.means.house
        for action in planned.actions:
            for entity_id in action.entity_ids:
                if entity_id in house.home.entities:
                    self.before.setdefault(entity_id, house.home.entities[entity_id].state)
        with self.watch.stage("act"):
            outcomes = await execute(planned, house, self.means.action_timeout_s)
        with self.watch.stage("answer"):
            response: Response | None = self.knowledge.phrasebook.respond(planned, outcomes, house.home, self.context)
        if step.restores is not None and all(outcome.status is OutcomeStatus.DONE for outcome in outcomes):
            response = None if step.quiet else Response(self.wording.text("undone"), ResponseKind.DONE)
        return Part(response, step.clause, planned, ruling, outcomes, quiet=step.restores is not None)

    def _remember(self, parts: Sequence[Part]) -> None:
        """Remember what was done or answered, if anything was."""
        done = [part.plan for part in parts if part.plan is not None and _came_about(part)]
        if done:
            things = tuple(tuple(dict.fromkeys((*each.matched, *each.unmatched))) for each in done)
            remembered = Remembered(tuple(each.match for each in done), things)
            self.means.conversations.remember(self.context.conversation, Done(remembered, self.before))


def _came_about(part: Part) -> bool:
    if part.plan is None or part.plan.refusal is not None or part.question is not None or part.quiet:
        return False
    return bool(part.outcomes) or part.plan.kind is ResponseKind.ANSWER


def _choices(match: IntentMatch, home: Home) -> Iterator[IntentMatch]:
    """Yield a reading for each of the things that have the name that was said."""
    name = match.slots.get("name")
    chosen = home.entities.get(str(name.value)) if name else None
    if name is None or chosen is None:
        yield match
        return
    heard = name.text.strip().casefold()
    for entity in home.entities.values():
        called = bool(heard) and entity.domain == chosen.domain and heard in (n.casefold() for n in entity.names)
        if entity is chosen or called:
            yield replace(match, slots={**match.slots, "name": Slot(entity.entity_id, "")})


def _option(match: IntentMatch, home: Home, label: str) -> Option:
    entity = home.entities.get(str(match.value("name")))
    area = home.area_of(entity.entity_id) if entity else None
    return Option(entity.names if entity else (label,), (area.name, *area.aliases) if area else ())
