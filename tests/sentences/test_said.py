"""What people say, in the words of four languages: the intent, the slots, what is planned, and the answer."""

from __future__ import annotations

from functools import cache

import pytest

from hearth_core.command import Outcome, OutcomeStatus
from hearth_intents.matcher import Matcher
from hearth_intents.sentences import load_sentences
from hearth_server.phrasebook import Phrasebook
from hearth_server.plan import plan

from .official_form import Said, context, home, meant, sentences

LANGUAGES = ("en", "de", "fr", "nl")
# So many sentences each file set holds at least; fewer would mean that files were lost.
AT_LEAST = {"en": 150, "de": 60, "fr": 60, "nl": 60}
SAID = [said for language in LANGUAGES for said in sentences(language)]


@cache
def _matcher(language: str) -> Matcher:
    return Matcher(load_sentences(language), home(language))


@cache
def _book(language: str) -> Phrasebook:
    return Phrasebook(load_sentences(language))


@pytest.mark.parametrize("said", SAID, ids=str)
def test_sentence_is_understood_and_planned(said: Said) -> None:
    matches = _matcher(said.language).match(said.text, context(said))
    assert [(match.intent, _values(match.slots, said.language)) for match in matches] == [(said.intent, said.slots)]
    made = plan(matches, home(said.language), context(said))
    assert made.refusal is None
    if said.response:
        done = [Outcome(entity_id, OutcomeStatus.DONE) for action in made.actions for entity_id in action.entity_ids]
        answer = _book(said.language).respond(made, done, home(said.language), context(said))
        assert answer.text == said.response


def _values(slots: object, language: str) -> dict[str, object]:
    assert isinstance(slots, dict)
    return meant({name: slot.value for name, slot in slots.items()}, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_as_many_sentences_as_there_should_be(language: str) -> None:
    assert sum(said.language == language for said in SAID) >= AT_LEAST[language]
