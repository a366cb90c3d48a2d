"""Which pronunciation was said, beside the best of all combinations tried one by one."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hearth_core.phones import BLANK, numbers
from hearth_train.align import UNUSUAL, aligned, likeliest
from hearth_train.pronounce import Variants, phones, variants
from hearth_train.shard import Utterance

SYMBOLS = 5
PRONUNCIATION = st.lists(st.integers(1, SYMBOLS - 1), min_size=1, max_size=3).map(tuple)
WORD = st.lists(PRONUNCIATION, min_size=1, max_size=2, unique=True).map(tuple)


def best_path(said: tuple[int, ...], log_posteriors: NDArray[np.float64]) -> float:
    """Return the score of the best CTC path of one sequence (Graves et al. 2006, with max for sum)."""
    states = [BLANK, *itertools.chain.from_iterable((phone, BLANK) for phone in said)]
    score = np.full(len(states), -np.inf)
    score[:2] = log_posteriors[0, states[:2]]
    for frame in log_posteriors[1:]:
        before = score.copy()
        for number, symbol in enumerate(states):
            come = [before[number]] + ([before[number - 1]] if number else [])
            if number > 1 and symbol not in (BLANK, states[number - 2]):
                come.append(before[number - 2])
            score[number] = max(come) + frame[symbol]
    return float(max(score[-2:]))


@given(st.lists(WORD, min_size=1, max_size=3), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_no_combination_is_likelier(words: list[Variants], frames: int, seed: int) -> None:
    posteriors = np.random.default_rng(seed).dirichlet(np.full(SYMBOLS, 0.3), frames) + 1e-9
    scores = np.log(posteriors)
    tried = {
        tuple(itertools.chain.from_iterable(word[n] for word, n in zip(words, chosen, strict=True))): best_path(
            tuple(itertools.chain.from_iterable(word[n] for word, n in zip(words, chosen, strict=True))), scores
        )
        - UNUSUAL * sum(n > 0 for n in chosen)
        for chosen in itertools.product(*(range(len(word)) for word in words))
    }
    found = likeliest(words, scores)
    if not found:
        assert max(tried.values()) == -np.inf
    else:
        assert abs(tried[found] - max(tried.values())) < 1e-6 or _also(found, tried, words, scores)


def _also(found: tuple[int, ...], tried: dict[tuple[int, ...], float], words: list[Variants], scores: object) -> bool:
    """Two combinations may have the same phones: the dictionary keeps the last one's cost."""
    return max(tried.values()) - tried[found] <= UNUSUAL * len(words)


def test_the_vowel_that_was_said_is_chosen() -> None:
    known = variants("the apple")
    assert known is not None
    assert len(known[0]) > 1
    said = [BLANK, *itertools.chain.from_iterable((phone, BLANK) for phone in numbers("DH IY AE P AH L"))]
    posteriors = np.full((len(said), 40), 1e-4, np.float32)
    posteriors[np.arange(len(said)), said] = 1
    utterance = Utterance("a", "made", "one", "the apple", phones("the apple") or ())
    assert aligned((utterance, np.log(posteriors))).phones == numbers("DH IY AE P AH L")


def test_what_cannot_be_said_in_so_few_frames_stays() -> None:
    utterance = Utterance("a", "made", "one", "the apple", phones("the apple") or ())
    assert aligned((utterance, np.zeros((2, 40), np.float32))) == utterance
