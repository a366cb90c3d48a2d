"""What the server knows of one home in one language, built together and swapped together."""

from __future__ import annotations

from dataclasses import dataclass

from hearth_core.errors import SentenceError
from hearth_core.home import Home
from hearth_intents.compile import compile_grammar
from hearth_intents.followup import FollowUps
from hearth_intents.grammar import Grammar
from hearth_intents.matcher import Matcher
from hearth_intents.sentences import Sentences

from .phrasebook import Phrasebook


@dataclass(frozen=True, slots=True, eq=False)
class Understanding:
    """Grammar, matcher, follow-ups and phrasebook of the same home and the same sentences.

    `problems` are those of the author's sentence files, each with file and line.
    """

    grammar: Grammar
    matcher: Matcher
    followups: FollowUps
    phrasebook: Phrasebook
    problems: tuple[SentenceError, ...] = ()


def understand_home(sentences: Sentences, home: Home, pin_digits: int = 0) -> Understanding:
    """Build it; pure computing that takes up to seconds for a large home, so servers call it in a thread.

    Args:
        sentences: what can be said.
        home: whose names are meant.
        pin_digits: how many digits the PIN has that may be asked for, 0 if there is none.

    Raises:
        SentenceError: the sentences do not make a grammar.
    """
    return Understanding(
        grammar=compile_grammar(sentences, home, talk=True, pin_digits=pin_digits),
        matcher=Matcher(sentences, home),
        followups=FollowUps(sentences.language, home),
        phrasebook=Phrasebook(sentences),
        problems=sentences.problems,
    )
