"""What the server knows of one home in one language, built together and swapped together."""

from __future__ import annotations

from dataclasses import dataclass

from hearth_core.errors import SentenceError
from hearth_core.home import Home
from hearth_intents.compile import compile_grammar
from hearth_intents.grammar import Grammar
from hearth_intents.matcher import Matcher
from hearth_intents.sentences import Sentences

from .phrasebook import Phrasebook


@dataclass(frozen=True, slots=True, eq=False)
class Understanding:
    """The grammar for the recogniser, the matcher and the phrasebook of the same home and the same sentences.

    `problems` are those of the author's sentence files, each with file and line.
    """

    grammar: Grammar
    matcher: Matcher
    phrasebook: Phrasebook
    problems: tuple[SentenceError, ...] = ()


def understand_home(sentences: Sentences, home: Home) -> Understanding:
    """Build it; pure computing that takes up to seconds for a large home, so servers call it in a thread.

    Raises:
        SentenceError: the sentences do not make a grammar.
    """
    return Understanding(
        grammar=compile_grammar(sentences, home),
        matcher=Matcher(sentences, home),
        phrasebook=Phrasebook(sentences),
        problems=sentences.problems,
    )
