"""Everything that can be said in a home, compiled once for recogniser and matcher alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .graph import WordGraph

if TYPE_CHECKING:
    from .compile import Compiler


@dataclass(frozen=True, slots=True, eq=False)
class Grammar:
    """A home's grammar in one language.

    Attributes:
        language: code, e.g. "en".
        graph: every sentence of a closed vocabulary (templates with free text are left to open engines).
        names: the home's names, for engines that are biased rather than bound.
        spoken: words of the graph that are not pronounced as written, with their "say it as" spelling.
        compiler: what made it, to make that of the home's next names from; None if it was made otherwise.
        closing: states of the graph after which nothing is said but what adds nothing ("please", "now").
        authored: states in which an author's sentence may go on with more than that.
        numbers: words that numbers are said with, but for those that stand in sentences, too ("the other one").
        unspeakable: the home's names of which nothing can be said (signs alone), and which are not in the graph.
    """

    language: str
    graph: WordGraph
    names: tuple[str, ...] = ()
    spoken: Mapping[str, str] = field(default_factory=dict)
    numbers: frozenset[str] = frozenset()
    unspeakable: tuple[str, ...] = ()
    closing: frozenset[int] = frozenset()
    authored: frozenset[int] = frozenset()
    compiler: Compiler | None = field(default=None, repr=False)
