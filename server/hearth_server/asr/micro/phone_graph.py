"""From the words that can be said to the phones that are heard: the graph in which the decoder moves.

Each word state gets a prefix tree of the words that leave it, so that words which begin alike are one path until they
differ. Then nodes from which the same can follow become one. Both steps work on whole arrays: a home of 1,000 entities
compiles in a fraction of a second, so a changed name simply compiles all of it again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from hearth_core.errors import EngineError
from hearth_core.g2p import guess
from hearth_core.phones import BLANK, numbers
from hearth_intents.graph import WordGraph

Ints = NDArray[np.int32]
_Longs = NDArray[np.int64]
_Hashes = NDArray[np.uint64]

NO_WORD: Final = -1

# Phones of all words on all arcs, before any are shared. A home of 1,000 entities has 1.5 million; compiling takes some
# 30 bytes for each at its peak, so this bounds it to half a gigabyte.
MAX_ARC_PHONES = 16_000_000

_BLOCK: Final = 65_536  # of what takes 64 bits for each on its way to 32
_Number = TypeVar("_Number", np.int64, np.uint64)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class PhoneGraph:
    """A finite automaton over phones. To enter a node is to say its phone; words are known where they end.

    Lists are flat: the arcs that leave node n are those from `arc_start[n]` to `arc_start[n + 1]`.

    Attributes:
        words: the vocabulary, index = word id.
        phone: shape (nodes,), int32: what each node says; `BLANK` for the nodes in which a word begins.
        arc_start: shape (nodes + 1,), int32: where each node's list of arcs begins.
        arc_node, arc_phone: shape (arcs,), int32: the node that an arc leads to, and what that says.
        arc_word: shape (arcs,), int32: the word that is completed by leaving on this arc; `NO_WORD` within a word.
        end_start: shape (nodes + 1,), int32: where each node's list of word ends begins.
        end_word, end_state: shape (ends,), int32: a word that is complete at the node, and the word state after it.
        root: shape (states,), int32: the node in which the words that leave each word state begin.
        final: shape (states,), bool: whether a sentence may end in a word state.
        closing: shape (states,), bool: whether nothing but politeness can follow in it.
        authored: shape (states,), bool: whether an author's sentence can go on in it.
        guessed: words that came without a pronunciation, and got one by the rules of spelling.
    """

    words: tuple[str, ...]
    phone: Ints
    arc_start: Ints
    arc_node: Ints
    arc_phone: Ints
    arc_word: Ints
    end_start: Ints
    end_word: Ints
    end_state: Ints
    root: Ints
    final: NDArray[np.bool_]
    closing: NDArray[np.bool_]
    authored: NDArray[np.bool_]
    guessed: tuple[str, ...] = ()

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return len(self.phone)

    @property
    def bytes(self) -> int:
        """Memory of the arrays."""
        arcs = (self.arc_start, self.arc_node, self.arc_phone, self.arc_word)
        ends = (self.end_start, self.end_word, self.end_state)
        states = (self.root, self.final, self.closing, self.authored)
        return sum(array.nbytes for array in (self.phone, *arcs, *ends, *states))


def compile_phones(
    graph: WordGraph,
    pronunciations: Mapping[str, Sequence[str]],
    closing: Collection[int] = (),
    authored: Collection[int] = (),
) -> PhoneGraph:
    """Return the phone graph of a word graph.

    Args:
        graph: deterministic, without circles.
        pronunciations: for each word one or several, as phones of CMUdict separated by blanks (`pronounce`). A word
            that has none is spelt by rule and listed in `guessed`.
        closing: states of the word graph after which nothing but politeness is said.
        authored: states in which an author's sentence goes on.

    Raises:
        EngineError: the graph holds no sentence, is too large, or a pronunciation has what is no English phone.
    """
    if not len(graph.finals):
        raise EngineError("the grammar holds no sentence", remedy="Give the home a device, or sentences of your own")
    said, guessed = _pronounced(graph.words, pronunciations)
    tree = _tree(graph, _Trie(said))
    final, closed, own = np.zeros((3, graph.states), dtype=np.bool_)
    final[graph.finals] = True
    closed[list(closing)] = True
    own[list(authored)] = True
    return _shared(tree, graph, guessed, final=final, closing=closed & final, authored=own)


def _pronounced(
    words: Sequence[str], pronunciations: Mapping[str, Sequence[str]]
) -> tuple[list[list[tuple[int, ...]]], tuple[str, ...]]:
    said: list[list[tuple[int, ...]]] = []
    guessed: list[str] = []
    for word in words:
        given = [each for each in pronunciations.get(word, ()) if each.strip()]
        if not given:
            guessed.append(word)
            given = [guess(word)]
        try:
            said.append(list(dict.fromkeys(map(numbers, given))))
        except KeyError as error:
            raise EngineError(
                f"the pronunciation of {word!r} has no English phone {error}", remedy="Use the phones of CMUdict"
            ) from error
    return said, tuple(guessed)


class _Trie:
    """The prefix tree of the vocabulary. Nodes are numbered so that a parent comes before its children; 0 is the root.

    Attributes:
        parent, phone, depth: shape (nodes,).
    """

    def __init__(self, said: list[list[tuple[int, ...]]]) -> None:
        known: dict[tuple[int, int], int] = {}
        self._ends: list[list[int]] = []
        for pronunciations in said:
            ends = []
            for phones in pronunciations:
                node = 0
                for phone in phones:
                    node = known.setdefault((node, phone), len(known) + 1)
                ends.append(node)
            self._ends.append(ends)
        self.parent = np.array([-1, *(parent for parent, _ in known)], dtype=np.int64)
        self.phone = np.array([BLANK, *(phone for _, phone in known)], dtype=np.int32)
        depth = [0]
        for parent, _ in known:
            depth.append(depth[parent] + 1)
        self.depth = np.array(depth, dtype=np.int32)

    def leaves_of(self, words: Ints) -> tuple[Ints, Ints]:
        """Return for each pronunciation of each arc the arc's number and the trie's node, given the arcs' words."""
        counts = np.array([len(ends) for ends in self._ends] or [0], dtype=np.int64)
        flat = np.array([end for ends in self._ends for end in ends], dtype=np.int32)
        arc, at = spans(np.concatenate(([0], np.cumsum(counts)))[words], counts[words])
        size = int(self.depth[flat][at].sum())
        if size > MAX_ARC_PHONES:
            raise EngineError(
                f"the grammar has {size:,} phones, more than the {MAX_ARC_PHONES:,} that compile in 1 GB",
                remedy="Leave sentences or names out of the grammar",
            )
        return arc.astype(np.int32), flat[at]


def spans(starts: NDArray[np.integer], counts: NDArray[np.integer]) -> tuple[_Longs, _Longs]:
    """Return the members of several ranges one after the other.

    Returns:
        The number of the range that each is in, and the members: `starts[i] ... starts[i] + counts[i] - 1`.
    """
    owner = np.repeat(np.arange(len(counts)), counts)
    before = np.cumsum(counts) - counts
    return owner, np.arange(len(owner)) - (before - starts)[owner]


@dataclass(slots=True, eq=False)
class _Tree:
    """The prefix trees of all word states. Nodes are sorted by depth; the first ones are the states' roots.

    Attributes:
        phone, parent: shape (nodes,).
        level: where each depth begins, and the number of nodes.
        end_node, end_word, end_state: shape (ends,): what ends where, sorted by node.
    """

    phone: Ints
    parent: Ints
    level: list[int]
    end_node: Ints
    end_word: Ints
    end_state: Ints


def _tree(graph: WordGraph, trie: _Trie) -> _Tree:
    """Return the trees: pairs of a word state and a node of the vocabulary's trie that a word there leads through."""
    arc, leaf = trie.leaves_of(graph.arcs[:, 2])
    phone, parent, level, end_node = _nodes(graph, trie, arc, leaf)
    order = np.argsort(end_node, kind="stable").astype(np.int32)
    said = arc[order]
    return _Tree(phone, parent, level, end_node[order], graph.arcs[said, 2], graph.arcs[said, 1])


def _nodes(graph: WordGraph, trie: _Trie, arc: Ints, leaf: Ints) -> tuple[Ints, Ints, list[int], Ints]:
    """Return the trees' phones, parents and levels, and the node in which each pronunciation of an arc ends."""
    size = len(trie.parent)
    ends = graph.arcs[arc, 0].astype(np.int64) * size + leaf
    by_depth = _by_depth(_distinct(ends), graph.states, trie)
    level = np.concatenate(([0], np.cumsum([len(each) for each in by_depth]))).tolist()
    phone = np.zeros(level[-1], dtype=np.int32)
    parent = np.full(level[-1], -1, dtype=np.int32)
    end_node = np.zeros(len(ends), dtype=np.int32)
    end_depth = trie.depth[leaf]
    for depth, here in enumerate(by_depth):
        node = here % size
        first, last = level[depth], level[depth + 1]
        if depth:
            phone[first:last] = trie.phone[node]
            parent[first:last] = level[depth - 1] + np.searchsorted(
                by_depth[depth - 1], here - node + trie.parent[node]
            )
        mine = end_depth == depth
        end_node[mine] = first + np.searchsorted(here, ends[mine])
    return phone, parent, level, end_node


def _by_depth(leaves: _Longs, states: int, trie: _Trie) -> list[_Longs]:
    """Return the nodes of the trees, sorted in each depth, from those in which words end: states * trie + node."""
    size = len(trie.parent)
    depths = trie.depth[leaves % size]
    by_depth: list[_Longs] = []
    below = np.zeros(0, dtype=np.int64)
    for depth in range(int(trie.depth.max(initial=0)), 0, -1):
        here = _distinct(np.concatenate((leaves[depths == depth], below)))
        by_depth.append(here)
        node = here % size
        below = _distinct(here - node + trie.parent[node])
    by_depth.append(np.arange(states, dtype=np.int64) * size)
    by_depth.reverse()
    return by_depth


def _distinct(values: NDArray[_Number]) -> NDArray[_Number]:
    """Return the values sorted, each once; numpy's own `unique` hashes, ten times slower for values like these."""
    values = np.sort(values)
    first = np.ones(len(values), dtype=np.bool_)
    first[1:] = values[1:] != values[:-1]
    return values[first]


def _mixed(values: NDArray[np.integer]) -> _Hashes:
    """Return 64 bits that depend on all bits of each value. Source: the finaliser of SplitMix64, Steele et al. 2014."""
    bits = values.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def _futures(tree: _Tree) -> _Hashes:
    """Return a hash of each node's phone and of all that can follow it.

    A node's hash adds up those of its children and ends, which are sets: the order does not matter. Among a million
    nodes two different ones meet with a chance of 3 in 100 million.
    """
    hashes = np.zeros(len(tree.phone), dtype=np.uint64)
    ends = np.searchsorted(tree.end_node, tree.level)
    below = slice(0, 0)  # the level of the children
    for depth in range(len(tree.level) - 2, -1, -1):
        here, ending = slice(*tree.level[depth : depth + 2]), slice(*ends[depth : depth + 2])
        following = np.zeros(here.stop - here.start, dtype=np.uint64)
        end = _mixed(_mixed(tree.end_word[ending]) + tree.end_state[ending].astype(np.uint64))
        np.add.at(following, tree.end_node[ending] - here.start, end)
        np.add.at(following, tree.parent[below] - here.start, _mixed(hashes[below]))
        hashes[here] = _mixed(_mixed(following) + tree.phone[here].astype(np.uint64))
        below = here
    return hashes


def _shared(tree: _Tree, graph: WordGraph, guessed: tuple[str, ...], **of_states: NDArray[np.bool_]) -> PhoneGraph:
    """Return the graph in which nodes with the same future are one; what is told of word states is as it was."""
    kept, number = _alike(_futures(tree))
    is_kept = np.zeros(len(tree.phone), dtype=np.bool_)
    is_kept[kept] = True

    child = np.flatnonzero(is_kept[tree.parent] & (tree.parent >= 0))
    source, target = number[tree.parent[child]], number[child]
    ends = np.flatnonzero(is_kept[tree.end_node])
    ends = ends[np.argsort(number[tree.end_node[ends]], kind="stable")]
    end_node, end_word, end_state = number[tree.end_node[ends]], tree.end_word[ends], tree.end_state[ends]

    # Out of a word's last phone right into the first ones of the next words: no steps that say nothing are left.
    order = np.argsort(source, kind="stable")
    source, target = source[order], target[order]
    begin = _starts(source, len(kept))
    entered = number[: graph.states][end_state]
    end, first = spans(begin[entered], begin[entered + 1] - begin[entered])
    source = np.concatenate((source, end_node[end]))
    order = np.argsort(source, kind="stable")
    node = np.concatenate((target, target[first]))[order]
    phone = tree.phone[kept]
    return PhoneGraph(
        words=graph.words,
        phone=phone,
        arc_start=_starts(source, len(kept)),
        arc_node=node,
        arc_phone=phone[node],
        arc_word=np.concatenate((np.full(len(target), NO_WORD, dtype=np.int32), end_word[end]))[order],
        end_start=_starts(end_node, len(kept)),
        end_word=end_word,
        end_state=end_state,
        root=number[: graph.states].copy(),
        guessed=guessed,
        **of_states,
    )


def _alike(hashes: _Hashes) -> tuple[Ints, Ints]:
    """Return the first member of each class of equal hashes, and each one's class: `np.unique` in less memory."""
    classes = _distinct(hashes)
    number = np.empty(len(hashes), dtype=np.int32)
    for start in range(0, len(hashes), _BLOCK):
        number[start : start + _BLOCK] = np.searchsorted(classes, hashes[start : start + _BLOCK])
    first = np.empty(len(classes), dtype=np.int32)
    first[number[::-1]] = np.arange(len(hashes) - 1, -1, -1, dtype=np.int32)  # the last one written is the first
    return first, number


def _starts(owners: Ints, count: int) -> Ints:
    return np.concatenate(([0], np.cumsum(np.bincount(owners, minlength=count)))).astype(np.int32)
