"""Token passing in numpy: all steps of a frame are taken by all tokens at once.

`passing.c` takes the same steps with the same results to the bit, several times faster; this is what runs where it was
not compiled, and what it is held against. Who changes one changes both.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np

from hearth_core.phones import BLANK

from .history import History, Step
from .phone_graph import NO_WORD, PhoneGraph, spans
from .tokens import NOT_YET, SAID, SILENT, Scores, Tokens, best_of_each, keys, longer, rank_in_node

# With too many tokens, how much it counts that one is behind its peers; the rest is how far it is behind all. By all
# alone the right path goes beside talkers who were there before, by peers alone too many later beginnings stay.
PEER_SHARE = 0.8

# An infinite beam drops only what is impossible.
_LOWEST = -1e300


class DecoderLimits(Protocol):
    """What token passing needs of `DecoderSettings`, which says what they are."""

    @property
    def phone_bonus(self) -> float: ...
    @property
    def beam(self) -> float: ...
    @property
    def peer_beam(self) -> float: ...
    @property
    def phone_beam(self) -> float: ...
    @property
    def max_active(self) -> int: ...
    @property
    def per_node(self) -> int: ...


class TokenPassing(Protocol):
    """Tokens on their way through a graph; `ArrayPassing` and `CompiledPassing` are the same but for their speed."""

    @property
    def active(self) -> int:
        """How many tokens are alive."""

    @property
    def tokens(self) -> Tokens:
        """The tokens that are alive."""

    def feed(self, scores: Scores, frame: int) -> None:
        """Hear frames, shape (frames, 40), of which the first has this number."""

    def path(self, step: int) -> list[Step]:
        """Return all steps up to one of a token's, the first first."""

    def copy(self) -> TokenPassing:
        """Return tokens in the same state that go on by themselves."""


class ArrayPassing:
    """Token passing in numpy.

    Args:
        graph: the grammar.
        limits: how to decode.
        bonus: shape (words + 1,), nats for each word, and in the end 0 for no word.
    """

    def __init__(self, graph: PhoneGraph, limits: DecoderLimits, bonus: Scores) -> None:
        self._graph = graph
        self._limits = limits
        self._bonus = bonus
        self._most_bonus = float(bonus.max())
        self._history = History()
        self._tokens = Tokens.start(int(graph.root[0]))

    @property
    def active(self) -> int:
        """How many tokens are alive."""
        return len(self._tokens.node)

    @property
    def tokens(self) -> Tokens:
        """The tokens that are alive."""
        return self._tokens

    def copy(self) -> ArrayPassing:
        """Return tokens in the same state that go on by themselves."""
        other = ArrayPassing.__new__(ArrayPassing)
        other.__dict__.update(self.__dict__)
        other._history = self._history.copy()
        return other

    def path(self, step: int) -> list[Step]:
        """Return all steps up to one of a token's, the first first."""
        return self._history.path(step)

    def feed(self, scores: Scores, frame: int) -> None:
        """Hear frames, shape (frames, 40), of which the first has this number."""
        entering = self._entering(scores)
        likeliest = entering.max(axis=1).tolist()
        for number in range(len(scores)):
            self._step(frame + number, scores[number], entering[number], likeliest[number])

    def _entering(self, scores: Scores) -> Scores:
        """Return the scores of the phones that begin in a frame, minus infinity for those that do not."""
        entering = np.where(
            scores >= scores.max(axis=1, keepdims=True) - self._limits.phone_beam,
            scores + self._limits.phone_bonus,
            -np.inf,
        )
        entering[:, BLANK] = -np.inf
        return entering

    def _step(self, frame: int, scores: Scores, entering: Scores, likeliest: float) -> None:
        """Hear one frame; scores and entering have shape (40,)."""
        graph, tokens = self._graph, self._tokens
        said, silent = tokens.score
        before = np.maximum(said, silent)
        score = np.empty_like(tokens.score)
        np.add(said, scores[graph.phone[tokens.node]], out=score[SAID])
        np.add(before, scores[BLANK], out=score[SILENT])
        step = np.empty_like(tokens.step)
        step[SAID] = tokens.step[SAID]
        step[SILENT] = np.where(silent > said, tokens.step[SILENT], tokens.step[SAID])
        stayed = Tokens(tokens.node, tokens.words, tokens.key, tokens.began.copy(), score, step)
        peers = np.full(frame + 2, -np.inf)
        came = self._came(stayed, before, entering, likeliest, self._floors(peers, stayed), frame)
        tokens = self._pruned(stayed, came, peers)
        self._tokens = replace(tokens, step=self._history.forget(tokens.step))

    def _floors(self, peers: Scores, *alive: Tokens) -> Scores:
        """Return for each beginning below what a token is too far behind; `peers`, the best of each, is made higher."""
        for tokens in alive:
            np.maximum.at(peers, tokens.began, tokens.best())
        floor = max(float(peers.max()) - self._limits.beam, _LOWEST)
        floors: Scores = np.maximum(floor, peers - self._limits.peer_beam)
        return floors

    def _came(
        self, stayed: Tokens, before: Scores, entering: Scores, likeliest: float, floors: Scores, frame: int
    ) -> Tokens | None:
        """Enter the next nodes; return the tokens that are new, and put better paths into those that stayed."""
        graph, tokens = self._graph, self._tokens
        began = np.where(tokens.began == NOT_YET, np.int32(frame + 1), tokens.began)
        lowest = floors[began]
        movers = (before >= lowest - likeliest - self._most_bonus).nonzero()[0]
        node = tokens.node[movers]
        first = graph.arc_start[node]
        mover, arc = spans(first, graph.arc_start[node + 1] - first)
        score = before[movers][mover] + entering[graph.arc_phone[arc]]
        fit = (score >= (lowest[movers] - self._most_bonus)[mover]).nonzero()[0]
        if not len(fit):
            return None
        arc = arc[fit]
        token = movers[mover[fit]]
        phone, to, word = graph.arc_phone[arc], graph.arc_node[arc], graph.arc_word[arc]
        # The same phone again needs a blank between.
        again = phone == graph.phone[tokens.node[token]]
        left_with = np.where(again, tokens.score[SILENT, token], before[token]) + self._bonus[word]
        score = left_with + entering[phone]
        score[~(score > lowest[token])] = -np.inf
        words = tokens.words[token]
        words = np.where(word == NO_WORD, words, longer(words, word))
        key = keys(words, to)
        best = best_of_each(key, score)
        key, best_score = key[best], score[best]
        at = stayed.key.searchsorted(key)
        at[at == len(stayed.key)] = 0
        known = stayed.key[at] == key
        better = (best_score > np.where(known, stayed.score[SAID, at], -np.inf)).nonzero()[0]
        if not len(better):
            return None
        at, known, best = at[better], known[better], best[better]
        token, word, to = token[best], word[best], to[best]
        slot = (again[best] | (tokens.score[SILENT, token] > tokens.score[SAID, token])).astype(np.intp)
        steps = self._history.add(tokens.step[slot, token], to, word, frame, left_with[best])
        score, began = score[best], began[token]
        ahead = known & (score > stayed.best()[at])
        stayed.began[at[ahead]] = began[ahead]
        stayed.score[SAID, at[known]] = score[known]
        stayed.step[SAID, at[known]] = steps[known]
        new = (~known).nonzero()[0]
        if not len(new):
            return None
        scores = np.full((2, len(new)), -np.inf)
        scores[SAID] = score[new]
        return Tokens(
            to[new], words[best[new]], key[better[new]], began[new], scores, np.stack((steps[new], steps[new]))
        )

    def _pruned(self, stayed: Tokens, came: Tokens | None, peers: Scores) -> Tokens:
        """Return the tokens that live on; `peers` is the best score of each beginning, of who stayed."""
        limits = self._limits
        floors = self._floors(peers, stayed) if came is None else self._floors(peers, stayed, came)
        keep = stayed.best() >= floors[stayed.began]
        if not keep.all():
            stayed = stayed.only(keep)
        if came is None:
            return stayed
        keep = came.score[SAID] >= floors[came.began]
        tokens = stayed.joined(came if keep.all() else came.only(keep))
        best = tokens.best()
        if limits.per_node and len(best) > limits.per_node:
            keep = rank_in_node(tokens.node, best) < limits.per_node
            if not keep.all():
                tokens, best = tokens.only(keep), best[keep]
        if limits.max_active and len(best) > limits.max_active:
            worth = best - PEER_SHARE * peers[tokens.began]
            tokens = tokens.only(worth >= np.partition(worth, -limits.max_active)[-limits.max_active])
        return tokens
