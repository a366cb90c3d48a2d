"""Small grammars, and every sentence of them scored the long way: what the decoder has to find."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hearth_core.phones import BLANK, numbers
from hearth_intents.automaton import Automata
from hearth_intents.graph import WordGraph
from hearth_server.asr.micro.decoder import DecoderSettings

EXACT = {"beam": float("inf"), "peer_beam": float("inf"), "phone_beam": float("inf"), "max_active": 0, "per_node": 0}

HOME = {
    "turn": ["T ER N"],
    "on": ["AA N", "AO N"],
    "off": ["AO F"],
    "the": ["DH AH", "DH IY"],
    "light": ["L AY T"],
    "lights": ["L AY T S"],
    "lamp": ["L AE M P"],
    "hall": ["HH AO L"],
    "wall": ["W AO L"],
    "in": ["IH N"],
    "to": ["T UW"],
    "two": ["T UW"],
}


def word_graph(sentences: Iterable[str | Sequence[str]]) -> WordGraph:
    """Return the minimal graph of some sentences."""
    split = [each.split() if isinstance(each, str) else list(each) for each in sentences]
    words = sorted({word for sentence in split for word in sentence})
    number = {word: index for index, word in enumerate(words)}
    automata = Automata()
    start = automata.of_sequences(
        [[number[word] for word in sentence] for sentence in dict.fromkeys(map(tuple, split))]
    )
    nodes = automata.reachable(start)
    state = {node: index for index, node in enumerate(nodes)}
    arcs = [(state[node], state[to], word) for node in nodes for word, to in automata.arcs(node).items()]
    finals = [state[node] for node in nodes if automata.final(node)]
    return WordGraph(
        tuple(words), np.array(arcs, dtype=np.int32).reshape(-1, 3), np.array(finals, dtype=np.int32), len(nodes)
    )


def pronounced(sentence: Sequence[str], pronunciations: Mapping[str, Sequence[str]]) -> Iterator[tuple[int, ...]]:
    """Yield the phones of a sentence, in all its pronunciations."""
    for choice in itertools.product(*(pronunciations[word] for word in sentence)):
        yield tuple(phone for part in choice for phone in numbers(part))


def best_path(phones: Sequence[int], scores: NDArray[np.floating]) -> float:
    """Return the score of the best way to say phones in these frames, by CTC's rules written out, state by state."""
    symbols = [BLANK]
    for phone in phones:
        symbols += [phone, BLANK]
    here = [0.0] + [-np.inf] * (len(symbols) - 1)
    # Before the first frame nothing is said: the first frame may be blank or the first phone.
    for number, frame in enumerate(scores):
        after = []
        for index, symbol in enumerate(symbols):
            ways = [here[index]] if index or number else [here[0]]
            if index >= 1:
                ways.append(here[index - 1])
            if index >= 2 and symbol != BLANK and symbol != symbols[index - 2]:
                ways.append(here[index - 2])
            after.append(max(ways) + float(frame[symbol]))
        here = after
    return max(here[-1], here[-2])


def by_hand(
    sentences: Iterable[Sequence[str]],
    pronunciations: Mapping[str, Sequence[str]],
    log_probs: NDArray[np.floating],
    settings: DecoderSettings,
    weights: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """Return the score of each sentence that fits into the frames."""
    scores = settings.scoring.scores(log_probs)
    found: dict[str, float] = {}
    for sentence in sentences:
        given = sum(settings.word_bonus + (weights or {}).get(word, 0.0) for word in sentence)
        best = max(
            best_path(phones, scores) + settings.phone_bonus * len(phones)
            for phones in pronounced(sentence, pronunciations)
        )
        if best > -np.inf:
            found[" ".join(sentence)] = best + given
    return found
