"""The search for the sentence of the home's grammar that was said, frame by frame, while the audio arrives.

Tokens move through the phone graph. Each stands in a node with the words behind it, and has two scores: that of the
best path that has just said the node's phone, and that of the best one silent since (CTC's blank). Whoever is too far
behind the best is dropped. The result does not depend on how the frames were cut into calls.

Source: token passing, Young et al. 1989; CTC's topology, Graves et al. 2006; its best path (Viterbi), not the sum.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hearth_core.errors import EngineError
from hearth_core.phones import BLANK

from .compiled import Begin, passing
from .forward import log_probability
from .history import Step
from .paths import Heard, Reader
from .phone_graph import NO_WORD, PhoneGraph, spans
from .readings import Reading, Result, Standing, shared, weighed
from .scores import Scoring
from .tokens import SAID, SILENT, Hashes, Ints, Scores, Tokens, longer

_NO_STATE = -1

# Readings beyond these have no share in the posteriors that anybody could see.
_MOST_READINGS = 32
# So many frames after the last phone are a pause: nobody makes one within a word.
_PAUSE = 4
# Paths within a word are looked at if they are no more nats behind the best sentence; if more are, nobody pauses.
_NEAR = 3.0
_MOST_PAUSED = 32


@dataclass(frozen=True, slots=True)
class DecoderSettings:
    """How to decode.

    Attributes:
        scoring: how posteriors become scores.
        phone_bonus: nats given for each phone that is said, against the model's leaning to silence.
        word_bonus: the same for each word.
        beam: paths that are more nats behind the best are dropped.
        peer_beam: so are paths that are more nats behind the best of those that began to speak when they did. What
            sounded before the speaker may put all paths that began in it ahead of the right one, by up to `beam`.
        phone_beam: a phone more nats behind the likeliest symbol of a frame does not begin in it.
        max_active: no more tokens than about these live on, the least behind their peers; 0 for no limit.
        per_node: no more tokens than these stand in one node, with other words behind each; 0 for no limit.
    """

    scoring: Scoring = field(default_factory=Scoring)
    phone_bonus: float = 0.0
    word_bonus: float = 0.0
    beam: float = 60.0
    peer_beam: float = 18.0
    phone_beam: float = 8.0
    max_active: int = 1200
    per_node: int = 3

    def __post_init__(self) -> None:
        beams = (self.beam, self.peer_beam, self.phone_beam)
        if not all(beam > 0 for beam in beams) or self.max_active < 0 or self.per_node < 0:
            raise EngineError("beams and limits of a decoder cannot be negative", remedy="Get the model again")


class Decoder:
    """One utterance on its way through a grammar.

    Args:
        graph: the grammar.
        settings: how to decode.
        weights: nats added for words, by word id: what is near the speaker is likelier. Small ones only break ties.
        begin: makes the tokens, compiled or not.
    """

    def __init__(
        self,
        graph: PhoneGraph,
        settings: DecoderSettings,
        weights: Mapping[int, float] | None = None,
        begin: Begin = passing,
    ) -> None:
        self._graph = graph
        self._settings = settings
        bonus = np.full(len(graph.words) + 1, settings.word_bonus)
        for word, weight in (weights or {}).items():
            bonus[word] += weight
        bonus[NO_WORD] = 0.0  # the last one, so that it can stand where a word's number does
        self._bonus = bonus
        self._passing = begin(graph, settings, bonus)
        self._heard = Heard()

    @property
    def frames(self) -> int:
        """How many frames were heard."""
        return self._heard.frames

    @property
    def active(self) -> int:
        """How many tokens are alive."""
        return self._passing.active

    @property
    def graph(self) -> PhoneGraph:
        """The grammar."""
        return self._graph

    def copy(self) -> Decoder:
        """Return a decoder in the same state that goes on by itself."""
        other = Decoder.__new__(Decoder)
        other.__dict__.update(self.__dict__)
        other._passing = self._passing.copy()
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
        self._passing.feed(scores, self._heard.frames)
        self._heard.add(scores, log_probs)

    def snapshot(self) -> Standing:
        """Return where the best path stands."""
        return self._standing(self._stands())

    def result(self, limit: int = 8, *, by_word: bool = True) -> Result:
        """Return what was said if the utterance ended now; decoding can go on.

        Args:
            limit: at most so many readings.
            by_word: whether words get posteriors of their own, for which all readings are looked at; else they have 1.
        """
        stands = self._stands()
        best = _best(stands, max(_MOST_READINGS, limit))
        return Result(
            self._readings(stands, best, limit, by_word),
            self._standing(stands),
            enough=_share(stands.score[best], stands.enough[best]),
            closed=_share(stands.score[best], stands.settled[best]),
        )

    # -- what was heard ------------------------------------------------------------------------------------------------

    def _stands(self) -> _Stands:
        """Return the places where the utterance may end: in the middle of a word, or with a word that ends."""
        graph, tokens = self._graph, self._passing.tokens
        best, first = tokens.best(), graph.end_start[tokens.node]
        counts = graph.end_start[tokens.node + 1] - first
        owner, end = spans(first, counts)
        # A word that may be complete is taken to be; one that is not will get its bonus, so that they can be compared.
        inside = np.flatnonzero(counts == 0)
        begun = graph.phone[tokens.node[inside]] != BLANK
        word = graph.end_word[end]
        state = np.concatenate((graph.end_state[end], np.full(len(inside), _NO_STATE, dtype=np.int32)))
        complete = (state != _NO_STATE) & graph.final[state]
        return _Stands(
            tokens,
            token=np.concatenate((owner, inside)),
            word=np.concatenate((word, np.full(len(inside), NO_WORD, dtype=np.int32))),
            state=state,
            words=np.concatenate((longer(tokens.words[owner], word), tokens.words[inside])),
            score=np.concatenate((best[owner] + self._bonus[word], best[inside] + begun * self._settings.word_bonus)),
            complete=complete,
            enough=complete & ~graph.authored[state],
            settled=complete & graph.closing[state],
        )

    def _standing(self, stands: _Stands) -> Standing:
        graph = self._graph
        best = int(np.argmax(stands.score))
        token, state = int(stands.token[best]), int(stands.state[best])
        others = stands.score[stands.words != stands.words[best]]
        complete, enough, settled = stands.complete, stands.enough, stands.settled
        whole = stands.score[complete]
        going_on = ~self._paused(stands)
        path = self._path(stands, best)
        said = [step.word for step in path if step.word != NO_WORD]
        if state != _NO_STATE:
            said.append(int(stands.word[best]))
        return Standing(
            words=tuple(graph.words[word] for word in said),
            complete=bool(complete[best]),
            extendable=self._extendable(int(stands.tokens.node[token]), state),
            inside_word=state == _NO_STATE and len(path) > 0,
            lead=float(stands.score[best] - others.max()) if len(others) else math.inf,
            ahead=float(stands.score[best] - whole.max()) if len(whole) else math.inf,
            whole=_lead(stands.score, complete, ~complete & going_on),
            enough=_lead(stands.score, enough, ~enough & going_on),
            settled=_lead(stands.score, settled, ~settled & going_on),
            frames=self.frames,
            silent_frames=self.frames - 1 - self._heard.last_frame(graph, path, len(path)),
        )

    def _paused(self, stands: _Stands) -> NDArray[np.bool_]:
        """Return which paths pause in the middle of a word, of those that are about as good as a sentence."""
        paused = np.zeros(len(stands.score), dtype=np.bool_)
        whole = stands.score[stands.complete].max(initial=-np.inf)
        inside = ((stands.state == _NO_STATE) & (stands.score > whole - _NEAR)).nonzero()[0].tolist()
        if whole == -np.inf or len(inside) > _MOST_PAUSED:
            return paused
        for index in inside:
            path = self._path(stands, index)
            if path:  # else nothing has been said yet
                paused[index] = self.frames - self._heard.last_frame(self._graph, path, len(path)) > _PAUSE
        return paused

    def _path(self, stands: _Stands, index: int) -> list[Step]:
        return self._passing.path(_last_step(stands.tokens, int(stands.token[index])))

    def _readings(self, stands: _Stands, best: NDArray[np.int64], limit: int, by_word: bool) -> tuple[Reading, ...]:
        """Return the sentences that end there, all or only the first of them."""
        reader = Reader(self._graph, self._heard, self._bonus, self._settings.phone_bonus)
        paths = [(int(index), self._path(stands, int(index))) for index in (best if by_word else best[:limit])]
        read = [self._reading(reader, stands, index, path) for index, path in paths]
        if read:
            phones = [int(self._graph.phone[step.node]) for step in paths[0][1]]
            read[0] = replace(read[0], log_probability=log_probability(self._heard.given, phones))
        return weighed(read, limit) if by_word else shared(read, stands.score[best].tolist())

    def _reading(self, reader: Reader, stands: _Stands, index: int, path: Sequence[Step]) -> Reading:
        score, last = float(stands.score[index]), _last_step(stands.tokens, int(stands.token[index]))
        return Reading(reader.words(path, last, int(stands.word[index]), score), score)

    def _extendable(self, node: int, state: int) -> bool:
        """Return whether a word can go on in a node, or another follow in a word state."""
        start = self._graph.arc_start
        within = self._graph.arc_word[start[node] : start[node + 1]] == NO_WORD
        if state == _NO_STATE or within.any():
            return True
        root = int(self._graph.root[state])
        return bool(start[root + 1] > start[root])


@dataclass(frozen=True, slots=True, eq=False)
class _Stands:
    """Where the utterance may end: in a node (`state` is `_NO_STATE`), or with a word into a word state.

    Attributes:
        tokens: all that are alive.
        token, word, state, score: shape (stands,).
        words: hash of all words, with the one that is completed.
        complete: shape (stands,): where a sentence may end.
        enough: where one may end that no author's goes on from.
        settled: where one may end that nothing but politeness follows.
    """

    tokens: Tokens
    token: NDArray[np.int64]
    word: Ints
    state: Ints
    words: Hashes
    score: Scores
    complete: NDArray[np.bool_]
    enough: NDArray[np.bool_]
    settled: NDArray[np.bool_]


def _best(stands: _Stands, most: int) -> NDArray[np.int64]:
    """Return where the sentences end that are complete, each once, best first."""
    complete = np.flatnonzero(stands.complete)
    ordered = complete[np.argsort(-stands.score[complete], kind="stable")]
    _, first = np.unique(stands.words[ordered], return_index=True)
    return ordered[np.sort(first)[:most]]


def _lead(scores: Scores, chosen: NDArray[np.bool_], others: NDArray[np.bool_]) -> float:
    """Return by how much the best of those chosen are better than the best others."""
    chosen_best, best = (float(scores[part].max(initial=-math.inf)) for part in (chosen, others))
    return -math.inf if chosen_best == -math.inf else chosen_best - best


def _share(scores: Scores, chosen: NDArray[np.bool_]) -> float:
    """Return which share those chosen have of what all are likely."""
    weights = np.exp(scores - scores.max(initial=-math.inf))
    return float(weights[chosen].sum() / weights.sum()) if len(weights) else 0.0


def _last_step(tokens: Tokens, token: int) -> int:
    said, silent = tokens.score[:, token].tolist()
    return int(tokens.step[SILENT if silent > said else SAID, token])
