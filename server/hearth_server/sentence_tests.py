"""Test sentences run through matcher, planner and answers; nothing is done to any device."""

from __future__ import annotations

from dataclasses import dataclass

from hearth_core.command import Context, Hypothesis, IntentMatch, Outcome, OutcomeStatus, Transcription
from hearth_core.home import Home, State
from hearth_intents.matcher import Matcher
from hearth_intents.sentences import Sentences
from hearth_intents.test_file import SentenceTest, differences

from .bus import written_to
from .phrasebook import Phrasebook
from .plan import Plan, plan


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one test sentence.

    Attributes:
        test: the sentence, and what was to come.
        heard: the text that was understood; the sentence itself unless it was spoken.
        match: what was understood, None for nothing.
        response: what would be answered.
        wrong: how it differs from what was to come; nothing if it is right.
    """

    test: SentenceTest
    heard: str
    match: IntentMatch | None
    response: str
    wrong: tuple[str, ...]


class Examiner:
    """Judges the tests of one home.

    Args:
        sentences: what can be said.
        home: in which it is said.
        answers: whether the answers are compared too.
    """

    def __init__(self, sentences: Sentences, home: Home, *, answers: bool = True) -> None:
        self._matcher = Matcher(sentences, home)
        self._phrasebook = Phrasebook(sentences)
        self._language = sentences.language
        self._home = home
        self._answers = answers

    def judge(self, test: SentenceTest, heard: Transcription | None = None) -> Verdict:
        """Return what became of a sentence, or of what was heard of it."""
        transcription = heard or Transcription((Hypothesis(test.text),), engine="text")
        area = self._home.area_named(test.area_id) if test.area_id else None
        context = Context(language=self._language, area_id=area.area_id if area else None)
        understood = self._matcher.understand(transcription, context)
        matches = understood.clauses[0].matches if understood else ()
        wrong = list(differences(test, matches, self._home))
        if len(understood.clauses) > 1:
            wrong.append(f"{len(understood.clauses)} commands in place of one")
        response = respond(plan(matches, self._home, context), self._home, self._phrasebook, context) if matches else ""
        told = bool(matches) and not wrong and self._answers and bool(test.responses)
        if told and _plain(response) not in map(_plain, test.responses):
            wrong.append(f"answers {response!r} in place of {' or '.join(map(repr, test.responses))}")
        return Verdict(test, transcription.text, matches[0] if matches else None, response, tuple(wrong))


def respond(planned: Plan, home: Home, phrasebook: Phrasebook, context: Context) -> str:
    """Return what would be answered if everything that is planned got done."""
    outcomes = [Outcome(entity_id, OutcomeStatus.DONE) for action in planned.actions for entity_id in action.entity_ids]
    return phrasebook.respond(planned, outcomes, imagined(planned, home), context).text


def imagined(planned: Plan, home: Home) -> Home:
    """Return the home as it would be after a plan, as far as the plan says."""
    states = {
        entity_id: State(action.expected, home.entities[entity_id].state.attributes)
        for action in planned.actions
        if action.expected is not None
        for entity_id in action.entity_ids
        if written_to(entity_id) is None and entity_id in home.entities
    }
    return home.with_states(states)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".")
