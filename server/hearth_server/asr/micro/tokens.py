"""The paths that are alive in the decoder, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .history import NO_STEP

Scores = NDArray[np.float64]
Ints = NDArray[np.int32]
Hashes = NDArray[np.uint64]

SAID, SILENT = 0, 1  # the two scores of a token
NOT_YET = 0  # when who has not spoken began

# Odd numbers without a pattern; words are digits of a number to this base, cut to 64 bits.
_BASE = np.uint64(0x9E3779B97F4A7C15)
_NODE = np.uint64(0xD1342543DE82EF95)


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """Paths sorted by `key`. Never changed after a frame, so that copies of a decoder can share them.

    Attributes:
        node: shape (tokens,): where each stands.
        words: hash of the words completed.
        key: of node and words in one: no two tokens have the same.
        began: 1 + the frame in which the better of the two paths spoke first, `NOT_YET` if it did not.
        score: shape (2, tokens): of the path that has just said the node's phone, and of that silent since.
        step: shape (2, tokens): the last step of either path.
    """

    node: Ints
    words: Hashes
    key: Hashes
    began: Ints
    score: Scores
    step: Ints

    @staticmethod
    def start(node: int) -> Tokens:
        """Return a path that is silent so far."""
        nodes, words = np.array([node], dtype=np.int32), np.zeros(1, dtype=np.uint64)
        score, step = np.array([[-np.inf], [0.0]]), np.full((2, 1), NO_STEP, dtype=np.int32)
        return Tokens(nodes, words, keys(words, nodes), np.zeros(1, dtype=np.int32), score, step)

    def best(self) -> Scores:
        """Return the better score of each."""
        best: Scores = np.maximum(self.score[SAID], self.score[SILENT])
        return best

    def only(self, index: NDArray[np.integer] | NDArray[np.bool_]) -> Tokens:
        """Return some of them."""
        if index.dtype == np.bool_:
            index = index.nonzero()[0]
        return Tokens(
            self.node[index],
            self.words[index],
            self.key[index],
            self.began[index],
            self.score.take(index, axis=1),
            self.step.take(index, axis=1),
        )

    def joined(self, other: Tokens) -> Tokens:
        """Return these and others with other keys."""
        key = np.concatenate((self.key, other.key))
        order = key.argsort()
        return Tokens(
            np.concatenate((self.node, other.node))[order],
            np.concatenate((self.words, other.words))[order],
            key[order],
            np.concatenate((self.began, other.began))[order],
            np.concatenate((self.score, other.score), axis=1).take(order, axis=1),
            np.concatenate((self.step, other.step), axis=1).take(order, axis=1),
        )


def longer(words: Hashes, word: Ints) -> Hashes:
    """Return the hashes of sequences with one more word each."""
    return words * _BASE + (word + 2).astype(np.uint64)


def keys(words: Hashes, node: Ints) -> Hashes:
    """Return the keys of tokens."""
    return words + node.astype(np.uint64) * _NODE


def best_of_each(key: Hashes, score: Scores) -> NDArray[np.int64]:
    """Return the index of the best score for each key, in the order of the keys; of equal ones the first."""
    order = np.lexsort((-score, key))
    ordered = key[order]
    first = np.empty(len(order), dtype=np.bool_)
    first[:1] = True
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return order[first]


def rank_in_node(node: Ints, score: Scores) -> NDArray[np.int64]:
    """Return for each token how many better ones stand in its node."""
    order = np.lexsort((-score, node))
    ordered = node[order]
    start = np.zeros(len(order), dtype=np.int64)
    changes = (ordered[1:] != ordered[:-1]).nonzero()[0] + 1
    start[changes] = changes
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order)) - np.maximum.accumulate(start)
    return rank
