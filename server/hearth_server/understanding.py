"""What the server knows of one home in one language."""

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
    """Matcher, follow-ups and phrasebook of the same home and the same sentences, swapped together.

    `grammar` is what the recogniser hears by: of the same home, or, until its graph is built, of the one before.
    `problems` are those of the author's sentence files, each with file and line.
    """

    grammar: Grammar
    matcher: Matcher
    followups: FollowUps
    phrasebook: Phrasebook
    problems: tuple[SentenceError, ...] = ()


def grammar_of(sentences: Sentences, home: Home, pin_digits: int = 0, before: Grammar | None = None) -> Grammar:
    """Return what the recogniser is to hear by; computing of up to seconds for a large home.

    Args:
        sentences: what can be said.
        home: whose names are meant.
        pin_digits: how many digits the PIN has that may be asked for, 0 if there is none.
        before: that of the home before, whose work is taken over where the sentences are the same.

    Raises:
        SentenceError: the sentences do not make a grammar.
    """
    return compile_grammar(sentences, home, talk=True, pin_digits=pin_digits, before=before)


def understand_home(
    sentences: Sentences, home: Home, before: Understanding | None = None, *, pin_digits: int = 0
) -> Understanding:
    """Return what a home's texts are understood by; computing, so servers call it in a thread.

    Args:
        sentences: what can be said.
        home: whose names are meant.
        before: of the home before. Its grammar is kept, and its work taken over where the sentences are the same; None
            for the first, which gets a grammar of its own.
        pin_digits: as for `grammar_of`.

    Raises:
        SentenceError: the sentences do not make a grammar.
    """
    return Understanding(
        grammar=before.grammar if before else grammar_of(sentences, home, pin_digits),
        matcher=Matcher(sentences, home, before.matcher if before else None),
        followups=FollowUps(sentences.language, home),
        phrasebook=Phrasebook(sentences),
        problems=sentences.problems,
    )
