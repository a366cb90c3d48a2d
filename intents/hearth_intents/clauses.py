"""Several commands in one sentence: where it may be parted, and what the parts leave unsaid.

"Turn off the kitchen lights and the bedroom fan, then close the blinds": the second command has no verb, so it takes the
first one's; "turn the kitchen and the bedroom lights off" shares its end as well. Nothing here knows a language but for
the conjunctions in `conjunctions.yaml`; whether a part makes sense is for the reader to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib import resources
from itertools import pairwise

import yaml

from hearth_core.command import Clause

from .spoken import UNSPACED_WORD

# More commands in one breath are not to be trusted.
MAX_CLAUSES = 6

# Words of a part that may take words of its neighbour; longer parts have their own.
_MAX_SHARED_WORDS = 9

Reader = Callable[[str], Clause]


def clauses(text: str, language: str, read: Reader, *, sharing: bool = True) -> tuple[Clause, ...]:
    """Return the commands of a sentence that has more than one, all of them understood; nothing if that fails.

    Args:
        text: the sentence.
        language: code, e.g. "en".
        read: understands one command.
        sharing: whether commands may share words.
    """
    parts = _parts(text, language)
    return tuple(_Parting(text, parts, read, sharing).from_part(0, None) or ()) if len(parts) > 1 else ()


def first_clauses(text: str, language: str, read: Reader) -> tuple[Clause, ...]:
    """Return the commands of a sentence of which only the beginning is understood, with the rest as a last clause.

    A conjunction says that the rest was meant as a command of its own; it has no matches, so that it can be told.
    """
    parts = _parts(text, language)
    for end in range(len(parts) - 1, 0, -1):
        known = _Parting(text, parts[:end], read, sharing=True).from_part(0, None)
        if known:
            return (*known, Clause(text[parts[end][0] : parts[-1][1]]))
    return ()


class _Parting:
    """The ways to part one sentence; a part that was read is not read again."""

    def __init__(self, text: str, parts: list[tuple[int, int]], read: Reader, sharing: bool) -> None:
        self._sharing = sharing
        self._text = text
        self._parts = parts
        self._read = read
        self._known: dict[str, Clause] = {}

    def from_part(self, at: int, before: Clause | None) -> list[Clause] | None:
        """Return the commands from a part on, None if they make no sense."""
        if at == len(self._parts):
            return []
        for end in range(at + 1, len(self._parts) + 1):
            text = self._text[self._parts[at][0] : self._parts[end - 1][1]]
            clause = self._clause(text, before)
            if clause is not None:
                rest = self.from_part(end, clause)
                if rest is not None:
                    return [clause, *rest]
            if self._sharing and at == 0 and end < len(self._parts):
                shared = self._with_shared_end(text, self._text[self._parts[end][0] : self._parts[end][1]])
                rest = self.from_part(end + 1, shared[-1]) if shared else None
                if rest is not None:
                    return [*shared, *rest]
        return None

    def _clause(self, text: str, before: Clause | None) -> Clause | None:
        """Return what a part means: with the beginning of the command before it, if that makes the same of it."""
        other = None
        if self._sharing and before is not None:
            for said in _continued(before.text, text):
                clause = self._one(said)
                if clause.matches and clause.matches[0].intent == before.matches[0].intent:
                    return clause
                other = other or (clause if clause.matches else None)
        alone = self._one(text)
        return alone if alone.matches else other

    def _with_shared_end(self, first: str, then: str) -> list[Clause]:
        """Return two commands of which the first ends as the second does: "the kitchen and bedroom lights off"."""
        start, words = first.split(), then.split()
        if max(len(start), len(words)) > _MAX_SHARED_WORDS:
            return []
        for cut in range(1, len(words)):
            clause = self._one(" ".join((*start, *words[cut:])))
            if clause.matches:
                for kept in range(len(start) - 1, 0, -1):
                    second = self._one(" ".join((*start[:kept], *words)))
                    if second.matches and second.matches[0].intent == clause.matches[0].intent:
                        return [clause, second]
        return []

    def _one(self, text: str) -> Clause:
        if text not in self._known:
            self._known[text] = self._read(text)
        return self._known[text]


def _continued(before: str, text: str) -> Iterator[str]:
    """Yield a part with the beginning of the command before it, then with its end too."""
    words, rest = before.split(), text.split()
    if max(len(words), len(rest)) > _MAX_SHARED_WORDS:
        return
    for kept in range(len(words) - 1, 0, -1):
        yield " ".join((*words[:kept], *rest))
    for kept in range(len(words) - 2, 0, -1):
        yield " ".join((*words[:kept], *rest, words[-1]))


def _parts(text: str, language: str) -> list[tuple[int, int]]:
    """Return the stretches between conjunctions, (start, end) in characters."""
    cuts = [(0, 0), *(match.span() for match in _joints(language).finditer(text)), (len(text), len(text))]
    parts = [(end, start) for (_, end), (start, _) in pairwise(cuts)]
    kept = [(start, end) for start, end in parts if text[start:end].strip()]
    return kept if len(kept) <= MAX_CLAUSES else []


@lru_cache(maxsize=64)
def _joints(language: str) -> re.Pattern[str]:
    data = yaml.safe_load(resources.files(__package__).joinpath("conjunctions.yaml").read_text(encoding="utf-8"))
    words = data.get(language) or data.get(language.replace("_", "-").partition("-")[0]) or ()
    either = [re.escape(w) if UNSPACED_WORD.match(w) else rf"(?<!\w){re.escape(w)}(?!\w)" for w in words]
    signs = r"[,;،、；，]|[.!?](?=\s)"
    return re.compile(rf"\s*(?:{signs}|{'|'.join(either) or signs})(?:\s|{signs}|{'|'.join(either) or signs})*", re.I)
