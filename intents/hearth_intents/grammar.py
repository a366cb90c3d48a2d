"""Everything that can be said in a home, compiled once for recogniser and matcher alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .graph import WordGraph


@dataclass(frozen=True, slots=True, eq=False)
class Grammar:
    """A home's grammar in one language.

    Attributes:
        language: code, e.g. "en".
        graph: every sentence of a closed vocabulary (templates with free text are left to open engines).
        names: the home's names, for engines that are biased rather than bound.
        spoken: words of the graph that are not pronounced as written, with their "say it as" spelling.
        closing: states of the graph after which nothing is said but politeness ("please"): who is there is done.
        unspeakable: the home's names of which nothing can be said (signs alone), and which are not in the graph.
    """

    language: str
    graph: WordGraph
    names: tuple[str, ...] = ()
    spoken: Mapping[str, str] = field(default_factory=dict)
    unspeakable: tuple[str, ...] = ()
    closing: frozenset[int] = frozenset()
