"""What else might have been said: one word away, sounding alike, and scored as the search scores it."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hearth_core.phones import BLANK, numbers
from hearth_train.data import Batch, targets
from hearth_train.pronounce import Word, dictionary, phones, said, segmented, variants
from hearth_train.rivals import Rivals, distances, nearest
from hearth_train.shard import Utterance
from hearth_train.train import PHONE_BONUS, PRIOR_WEIGHT, contrast

PHONES = st.lists(st.integers(1, 39), min_size=1, max_size=5).map(tuple)


def test_words_are_told_apart_in_the_phones_that_were_said() -> None:
    text = "the second coffee"
    known = variants(text)
    assert known is not None
    spoken = (numbers("DH IY"), numbers("S EH K AH N"), numbers("K AO F IY"))
    assert segmented(known, tuple(itertools.chain(*spoken))) == ()  # nobody's "second" ends there
    spoken = (numbers("DH IY"), numbers("S EH K AH N D"), numbers("K AO F IY"))
    assert segmented(known, tuple(itertools.chain(*spoken))) == spoken


@pytest.mark.parametrize("text", ["turn on the lights", "a quarter to eleven", "read the record"])
def test_the_words_of_a_text_make_up_its_phones(text: str) -> None:
    usual = phones(text)
    assert usual is not None
    words = said(Utterance("one", "made", "", text, usual))
    assert len(words) == len(text.split())
    assert tuple(itertools.chain(*words)) == usual


def test_what_the_text_does_not_tell_is_one_word() -> None:
    assert said(Utterance("one", "made", "", "route 66", (3, 4, 5))) == ((3, 4, 5),)


@given(PHONES, PHONES)
def test_distances_are_those_of_the_textbook(first: Word, second: Word) -> None:
    """Without groups, Levenshtein's; with them, not more and at least half of it."""
    rows = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        new = [i]
        for j, b in enumerate(second, 1):
            new.append(min(rows[j] + 1, new[-1] + 1, rows[j - 1] + (a != b)))
        rows = new
    padded = np.array([[*second, *[0] * (5 - len(second))]])
    found = float(distances(first, padded, np.array([len(second)]))[0])
    assert rows[-1] / 2 <= found <= rows[-1]


def test_phones_of_one_group_are_nearer() -> None:
    table = np.array([numbers("P IH N"), numbers("S IH N"), numbers("B IH N")])
    assert distances(numbers("B IH N"), table, np.array([3, 3, 3])).tolist() == [0.5, 1.0, 0.0]


def test_the_nearest_words_sound_alike_and_are_others() -> None:
    light = dictionary()["light"][0]
    rivals = Rivals(np.random.default_rng(1))
    found = {rivals.words[number] for number in nearest(light)}
    assert light not in found
    assert {dictionary()[word][0] for word in ("right", "late", "like")} <= found


def test_a_rival_is_one_change_away() -> None:
    words = [dictionary()[word][0] for word in ("turn", "on", "the", "light")]
    right = tuple(itertools.chain(*words))
    rivals = Rivals(np.random.default_rng(3)).of(words, 200)
    assert len(rivals) == 200
    assert right not in rivals
    for rival in rivals:
        # What is before and after the changed word is as it was.
        kept = [
            place
            for place in range(len(words) + 1)
            for gap in (0, 1)
            if rival[: len(before := tuple(itertools.chain(*words[:place])))] == before
            and _ends_with(rival[len(before) :], tuple(itertools.chain(*words[place + gap :])))
        ]
        assert kept
    assert tuple(itertools.chain(*words[:2], words[3])) in rivals  # "the" is lost
    assert any(len(rival) > len(right) for rival in rivals)


def _ends_with(phones: Word, end: Word) -> bool:
    return len(phones) >= len(end) and phones[len(phones) - len(end) :] == end


def test_a_single_word_is_never_lost() -> None:
    assert all(Rivals(np.random.default_rng(4)).of([dictionary()["on"][0]], 100))


def total(sequence: Word, scores: np.ndarray) -> float:
    """Return the log of the sum over all CTC paths of a sequence, each tried."""
    found = -math.inf
    for path in itertools.product(range(scores.shape[1]), repeat=len(scores)):
        merged = tuple(symbol for symbol, _ in itertools.groupby(path) if symbol != BLANK)
        if merged == sequence:
            found = np.logaddexp(found, sum(scores[frame, symbol] for frame, symbol in enumerate(path)))
    return float(found)


def test_the_contrast_is_the_share_of_what_was_said_among_all_paths() -> None:
    rng = np.random.default_rng(5)
    symbols, frames = 4, 5
    log_probs = np.log(rng.dirichlet(np.ones(symbols), (2, frames)))
    log_priors = np.log(rng.dirichlet(np.ones(symbols)))
    words = (((1, 2), (3,)), ((2,),))
    rivals = [[(1, 3), (1, 2, 3, 3, 2)], [(1,), (2, 2), (3, 1)]]  # the second does not fit in: 6 frames with the pause
    batch = Batch(torch.zeros(0), torch.zeros(0), torch.tensor([5, 4]), *targets(words), words)
    expected = 0.0
    for row, (right, others) in enumerate(zip([(1, 2, 3), (2,)], rivals, strict=True)):
        scores = (log_probs[row] - PRIOR_WEIGHT * log_priors)[: (5, 4)[row]]
        reached = np.array([total(each, scores) + PHONE_BONUS * len(each) for each in (right, *others)])
        expected += np.logaddexp.reduce(reached) - reached[0]
    given_probs = torch.tensor(log_probs, requires_grad=True)
    found = contrast(given_probs, batch, rivals, torch.tensor(log_priors))
    assert float(found.detach()) == pytest.approx(expected, rel=1e-4)


def test_the_gradient_of_the_contrast_is_that_of_its_value() -> None:
    """Torch's CTC takes scores for posteriors in its gradient; in the difference of readings it has to cancel."""
    torch.manual_seed(6)
    words = (((1, 2), (3,)),)
    batch = Batch(torch.zeros(0), torch.zeros(0), torch.tensor([6]), *targets(words), words)
    log_priors = torch.log_softmax(torch.randn(4, dtype=torch.float64), 0)
    logits = torch.randn(1, 6, 4, dtype=torch.float64, requires_grad=True)

    def value(given: torch.Tensor) -> torch.Tensor:
        return contrast(torch.log_softmax(given, -1), batch, [[(1, 3), (2, 3)]], log_priors)

    assert torch.autograd.gradcheck(value, (logits,))
