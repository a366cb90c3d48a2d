"""What the voices say, and its phones."""

import itertools
from random import Random

from hearth_core.phones import PHONES, numbers
from hearth_train.pronounce import phones, words
from hearth_train.texts import texts, vocabulary


def test_every_text_has_phones() -> None:
    for text in itertools.islice(texts(Random(1), ["the quick brown fox", "room 101"]), 400):
        said = phones(text)
        assert said, text
        assert all(1 <= phone <= len(PHONES) for phone in said)


def test_texts_are_those_of_the_seed() -> None:
    first, second = (list(itertools.islice(texts(Random(5), ()), 50)) for _ in range(2))
    assert first == second


def test_what_cannot_be_a_target_is_none() -> None:
    assert words("room 101") is None
    assert words("qqzzx light") is None
    assert words("") is None
    assert words("Printing, then: for OUR purpose!") == ("printing", "then", "for", "our", "purpose")


def test_a_spelled_a_is_a_letter() -> None:
    assert phones("a b", spelled=True) == numbers("EY B IY")
    assert phones("a b") == numbers("AH B IY")


def test_the_vocabulary_is_of_words_that_are_said() -> None:
    known = vocabulary()
    assert {"light", "kitchen", "percent"} <= set(known)
    assert len(known) == len(set(known))
