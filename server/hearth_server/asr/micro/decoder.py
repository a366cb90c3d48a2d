"""The search for the sentence of the home's grammar that was said, frame by frame, while the audio arrives.

Tokens move through the phone graph. Each stands in a node with the words behind it, and has two scores: that of the
best path that has just said the node's phone, and that of the best one silent since (CTC's blank). Whoever is too far
behind the best is dropped. All steps of a frame are taken by all tokens at once, and the result does not depend on how
the frames were cut into calls.

Source: token passing, Young et al. 1989; CTC's topology, Graves et al. 2006; its best path (Viterbi), not the sum.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hearth_core.errors import EngineError
from hearth_core.phones import BLANK

from .history import History
from .paths import Heard, read
from .phone_graph import NO_WORD, PhoneGraph, spans
from .readings import Reading, Result, Standing, weighed
from .scores import Scoring
from .tokens import SAID, SILENT, Hashes, Ints, Scores, Tokens, best_of_each, keys, longer, rank_in_node

_NO_STATE = -1

# An infinite beam drops only what is impossible.
_LOWEST = -1e300

# Readings beyond these have no share in the posteriors that anybody could see.
_MOST_READINGS = 32


@dataclass(frozen=True, slots=True)
class DecoderSettings:
    """How to decode.

    Attributes:
        scoring: how posteriors become scores.
        phone_bonus: nats given for each phone that is said, against the model's leaning to silence.
        word_bonus: the same for each word.
        beam: paths that are more nats behind the best are dropped.
        phone_beam: a phone more nats behind the likeliest symbol of a frame does not begin in it.
        max_active: no more tokens than about these live on, the best; 0 for no limit.
        per_node: no more tokens than these stand in one node, with other words behind each; 0 for no limit.
    """

    scoring: Scoring = field(default_factory=Scoring)
    phone_bonus: float = 0.0
    word_bonus: float = 0.0
    beam: float = 32.0
    phone_beam: float = 8.0
    max_active: int = 2000
    per_node: int = 4

    def __post_init__(self) -> None:
        if not (self.beam > 0 and self.phone_beam > 0) or self.max_active < 0 or self.per_node < 0:
            raise EngineError("beams and limits of a decoder cannot be negative", remedy="Get the model again")


class Decoder:
    """One utterance on its way through a grammar.

    Args:
        graph: the grammar.
        settings: how to decode.
        weights: nats added for words, by word id: what is near the speaker is likelier. Small ones only break ties.
    """

    def __init__(
        self, graph: PhoneGraph, settings: DecoderSettings, weights: Mapping[int, float] | None = None
    ) -> None:
        self._graph = graph
        self._settings = settings
        bonus = np.full(len(graph.words) + 1, settings.word_bonus)
        for word, weight in (weights or {}).items():
            bonus[word] += weight
        bonus[NO_WORD] = 0.0  # the last one, so that it can stand where a word's number does
        self._bonus = bonus
        self._most_bonus = float(bonus.max())
        self._history = History()
        self._heard = Heard()
        self._tokens = Tokens.start(int(graph.root[0]))

    @property
    def frames(self) -> int:
        """How many frames were heard."""
        return self._heard.frames

    @property
    def active(self) -> int:
        """How many tokens are alive."""
        return len(self._tokens.node)

    @property
    def graph(self) -> PhoneGraph:
        """The grammar."""
        return self._graph

    def copy(self) -> Decoder:
        """Return a decoder in the same state that goes on by itself."""
        other = Decoder.__new__(Decoder)
        other.__dict__.update(self.__dict__)
        other._history = self._history.copy()
        other._heard = self._heard.copy()
        return other

    def feed(self, log_probs: NDArray[np.floating]) -> None:
        """Hear the next frames.

        Args:
            log_probs: natural log posteriors of the phone model, shape (frames, 40), blank first.

        Raises:
            EngineError: another shape, or no probabilities; nothing was heard then.
        """
        scores = self._settings.scoring.scores(log_probs)
        if not len(scores):
            return
        entering = self._entering(scores)
        likeliest = entering.max(axis=1).tolist()
        first = self._heard.frames
        for number in range(len(scores)):
            self._step(first + number, scores[number], entering[number], likeliest[number])
        self._heard.add(scores)

    def snapshot(self) -> Standing:
        """Return where the best path stands."""
        return self._standing(self._stands())

    def result(self, limit: int = 8) -> Result:
        """Return what was said if the utterance ended now, at most so many readings; decoding can go on."""
        stands = self._stands()
        return Result(self._readings(stands, limit), self._standing(stands))

    # -- one frame -----------------------------------------------------------------------------------------------------

    def _entering(self, scores: Scores) -> Scores:
        """Return the scores of the phones that begin in a frame, minus infinity for those that do not."""
        entering = np.where(
            scores >= scores.max(axis=1, keepdims=True) - self._settings.phone_beam,
            scores + self._settings.phone_bonus,
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
        stayed = Tokens(tokens.node, tokens.words, tokens.key, score, step)
        floor = max(float(score.max()) - self._settings.beam, _LOWEST)
        movers = (before >= floor - likeliest - self._most_bonus).nonzero()[0]
        came = self._came(movers, stayed, before, entering, floor, frame) if len(movers) else None
        self._tokens = self._pruned(stayed, came)

    def _came(
        self, movers: NDArray[np.int64], stayed: Tokens, before: Scores, entering: Scores, floor: float, frame: int
    ) -> Tokens | None:
        """Enter the next nodes; return the tokens that are new, and put better paths into those that stayed."""
        graph, tokens = self._graph, self._tokens
        node = tokens.node[movers]
        first = graph.arc_start[node]
        mover, arc = spans(first, graph.arc_start[node + 1] - first)
        score = before[movers][mover] + entering[graph.arc_phone[arc]]
        fit = (score >= floor - self._most_bonus).nonzero()[0]
        if not len(fit):
            return None
        arc = arc[fit]
        token = movers[mover[fit]]
        phone, to, word = graph.arc_phone[arc], graph.arc_node[arc], graph.arc_word[arc]
        # The same phone again needs a blank between.
        again = phone == graph.phone[tokens.node[token]]
        left_with = np.where(again, tokens.score[SILENT, token], before[token]) + self._bonus[word]
        score = left_with + entering[phone]
        words = tokens.words[token]
        words = np.where(word == NO_WORD, words, longer(words, word))
        key = keys(words, to)
        best = best_of_each(key, score)
        key, best_score = key[best], score[best]
        at = stayed.key.searchsorted(key)
        at[at == len(stayed.key)] = 0
        known = stayed.key[at] == key
        better = (best_score > np.where(known, stayed.score[SAID, at], floor)).nonzero()[0]
        if not len(better):
            return None
        at, known, best = at[better], known[better], best[better]
        token, word, to = token[best], word[best], to[best]
        slot = (again[best] | (tokens.score[SILENT, token] > tokens.score[SAID, token])).astype(np.intp)
        steps = self._history.add(tokens.step[slot, token], to, word, frame, left_with[best])
        score = score[best]
        stayed.score[SAID, at[known]] = score[known]
        stayed.step[SAID, at[known]] = steps[known]
        new = (~known).nonzero()[0]
        if not len(new):
            return None
        scores = np.full((2, len(new)), -np.inf)
        scores[SAID] = score[new]
        return Tokens(to[new], words[best[new]], key[better[new]], scores, np.stack((steps[new], steps[new])))

    def _pruned(self, stayed: Tokens, came: Tokens | None) -> Tokens:
        """Return the tokens that live on."""
        settings = self._settings
        best = stayed.best()
        most = best.max() if came is None else max(best.max(), came.score[SAID].max())
        floor = max(float(most) - settings.beam, _LOWEST)
        keep = best >= floor
        if not keep.all():
            stayed = stayed.only(keep)
        if came is None:
            return stayed
        keep = came.score[SAID] >= floor
        tokens = stayed.joined(came if keep.all() else came.only(keep))
        best = tokens.best()
        if settings.per_node and len(best) > settings.per_node:
            keep = rank_in_node(tokens.node, best) < settings.per_node
            if not keep.all():
                tokens, best = tokens.only(keep), best[keep]
        if settings.max_active and len(best) > settings.max_active:
            tokens = tokens.only(best >= np.partition(best, -settings.max_active)[-settings.max_active])
        return tokens

    # -- what was heard ------------------------------------------------------------------------------------------------

    def _stands(self) -> _Stands:
        """Return the places where the utterance may end: in the middle of a word, or with a word that ends."""
        graph, tokens = self._graph, self._tokens
        best, first = tokens.best(), graph.end_start[tokens.node]
        counts = graph.end_start[tokens.node + 1] - first
        owner, end = spans(first, counts)
        # A word that may be complete is taken to be; one that is not will get its bonus, so that they can be compared.
        inside = np.flatnonzero(counts == 0)
        begun = graph.phone[tokens.node[inside]] != BLANK
        word = graph.end_word[end]
        return _Stands(
            np.concatenate((owner, inside)),
            np.concatenate((word, np.full(len(inside), NO_WORD, dtype=np.int32))),
            np.concatenate((graph.end_state[end], np.full(len(inside), _NO_STATE, dtype=np.int32))),
            np.concatenate((longer(tokens.words[owner], word), tokens.words[inside])),
            np.concatenate((best[owner] + self._bonus[word], best[inside] + begun * self._settings.word_bonus)),
        )

    def _standing(self, stands: _Stands) -> Standing:
        graph = self._graph
        best = int(np.argmax(stands.score))
        token, state = int(stands.token[best]), int(stands.state[best])
        others = stands.score[stands.words != stands.words[best]]
        path = self._history.path(self._last_step(token))
        said = [step.word for step in path if step.word != NO_WORD]
        if state != _NO_STATE:
            said.append(int(stands.word[best]))
        return Standing(
            words=tuple(graph.words[word] for word in said),
            complete=state != _NO_STATE and bool(graph.final[state]),
            extendable=self._extendable(token, state),
            inside_word=state == _NO_STATE and len(path) > 0,
            lead=float(stands.score[best] - others.max()) if len(others) else math.inf,
            frames=self.frames,
            silent_frames=self.frames - 1 - self._heard.last_frame(graph, path, len(path)),
        )

    def _readings(self, stands: _Stands, limit: int) -> tuple[Reading, ...]:
        """Return the sentences that are complete, each once, best first."""
        complete = np.flatnonzero((stands.state != _NO_STATE) & self._graph.final[stands.state])
        ordered = complete[np.argsort(-stands.score[complete], kind="stable")]
        _, first = np.unique(stands.words[ordered], return_index=True)
        best = ordered[np.sort(first)[: max(_MOST_READINGS, limit)]]
        return weighed([self._reading(stands, int(index)) for index in best])[:limit]

    def _reading(self, stands: _Stands, index: int) -> Reading:
        token, word = int(stands.token[index]), int(stands.word[index])
        score = float(stands.score[index])
        path = self._history.path(self._last_step(token))
        words = read(path, word, score, self._graph, self._heard, self._bonus, self._settings.phone_bonus)
        return Reading(words, score)

    def _last_step(self, token: int) -> int:
        said, silent = self._tokens.score[:, token].tolist()
        return int(self._tokens.step[SILENT if silent > said else SAID, token])

    def _extendable(self, token: int, state: int) -> bool:
        """Return whether a word can go on in a token's node, or another follow in a word state."""
        start, node = self._graph.arc_start, int(self._tokens.node[token])
        within = self._graph.arc_word[start[node] : start[node + 1]] == NO_WORD
        if state == _NO_STATE or within.any():
            return True
        root = int(self._graph.root[state])
        return bool(start[root + 1] > start[root])


@dataclass(frozen=True, slots=True, eq=False)
class _Stands:
    """Where the utterance may end: in a node (`state` is `_NO_STATE`), or with a word into a word state.

    Attributes:
        token, word, state, score: shape (stands,).
        words: hash of all words, with the one that is completed.
    """

    token: NDArray[np.int64]
    word: Ints
    state: Ints
    words: Hashes
    score: Scores
