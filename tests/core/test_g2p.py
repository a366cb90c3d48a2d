"""Guesses at the pronunciation of words that no dictionary has."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pocketsphinx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_core import g2p
from hearth_core.g2p import guess

# The phones of CMUdict.
PHONES = frozenset({
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY",
    "JH", "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y",
    "Z", "ZH",
})  # fmt: skip


def _forget() -> None:
    g2p._by_espeak.cache_clear()
    g2p._library.cache_clear()


@pytest.fixture
def without_espeak(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """espeakng_loader cannot be imported."""
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    _forget()
    yield
    _forget()


def _distance(one: list[str], other: list[str]) -> int:
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, start=1):
        diagonal, row[0] = row[0], i
        for j, right in enumerate(other, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (left != right))
    return row[-1]


def _known_words(count: int) -> list[tuple[str, list[str]]]:
    path = Path(pocketsphinx.get_model_path("en-us")) / "cmudict-en-us.dict"
    entries = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    plain = [(entry[0], entry[1:]) for entry in entries if entry[0].isalpha()]
    return Random(7).sample(plain, count)


def _phone_error(words: list[tuple[str, list[str]]]) -> float:
    wrong = sum(_distance(guess(word).split(), phones) for word, phones in words)
    return wrong / sum(len(phones) for _, phones in words)


def test_there_are_39_phones() -> None:
    assert len(PHONES) == 39


def test_phone_error_of_dictionary_words() -> None:
    assert _phone_error(_known_words(300)) < 0.15


@pytest.mark.usefixtures("without_espeak")
def test_letters_are_worse_but_no_nonsense() -> None:
    error = _phone_error(_known_words(300))
    assert 0.15 < error < 0.6


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("ship", "SH IH P"),
        ("lamp", "L AE M P"),
        ("green", "G R IY N"),
        ("night", "N AY T"),
        ("boy", "B OY"),
        ("judge", "JH AH JH"),
        ("church", "CH ER CH"),
        ("thing", "TH IH NG"),
        ("measure", "M EH ZH ER"),
    ],
)
def test_words(word: str, said: str) -> None:
    assert guess(word) == said


@pytest.mark.usefixtures("without_espeak")
@pytest.mark.parametrize(
    ("word", "said"), [("lamp", "L AE M P"), ("ship", "SH IH P"), ("Box", "B AA K S"), ("quick", "K W IH K")]
)
def test_words_by_their_letters(word: str, said: str) -> None:
    assert guess(word) == said


@given(st.text(max_size=30))
def test_any_text_has_a_pronunciation(text: str) -> None:
    phones = guess(text).split()
    assert phones
    assert set(phones) <= PHONES


@pytest.mark.usefixtures("without_espeak")
@pytest.mark.parametrize("text", ["", "💡", "42", "Wohnzimmer", "zażółć", "\0", "a\0b", "ß", "EcoBee", "тест"])
def test_any_text_has_a_pronunciation_without_espeak(text: str) -> None:
    phones = guess(text).split()
    assert phones
    assert set(phones) <= PHONES
