"""How the words of a grammar are pronounced."""

from __future__ import annotations

from pathlib import Path

import pytest

from hearth_core.g2p import guess
from hearth_core.phones import PHONES
from hearth_server.asr.pronounce import _ALSO as also  # noqa: N811
from hearth_server.asr.pronounce import guessed, pronounce, respelled


@pytest.fixture
def dictionary(tmp_path: Path) -> Path:
    path = tmp_path / "words.dict"
    path.write_text(
        "a AH\na(2) EY\nlamp L AE M P\nread R EH D\nread(2) R IY D\nt T IY\nv V IY\ntv T IH V\nc's S IY Z\n",
        encoding="utf-8",
    )
    return path


def test_many_are_said_as_each_alone(dictionary: Path) -> None:
    words = ["a", "c's", "lamp", "read", "t", "tv", "v", "s", "2", "amp", "lam", "rea"]
    alone = {word: said for word in words for said in pronounce([word], {}, dictionary).values()}
    assert pronounce(words, {}, dictionary) == alone
    assert guessed(words, {}, dictionary) == tuple(w for w in sorted(words) if guessed([w], {}, dictionary))


@pytest.mark.parametrize(
    ("word", "spoken", "said"),
    [
        ("lamp", {}, ["L AE M P"]),
        ("read", {}, ["R EH D", "R IY D"]),  # all that the dictionary has
        ("a", {}, ["AH", "EY"]),
        ("c's", {}, ["S IY Z"]),
        ("tv", {}, ["T IH V"]),
        ("tv", {"tv": "t v"}, ["T IY V IY"]),  # the home's word goes before the dictionary's
        ("av", {"av": "a v"}, ["EY V IY"]),  # the letter, not the article
        ("desklamp", {"desklamp": "lamp lamp"}, ["L AE M P L AE M P"]),
    ],
)
def test_what_the_dictionary_or_the_home_says(
    word: str, spoken: dict[str, str], said: list[str], dictionary: Path
) -> None:
    assert pronounce([word], spoken, dictionary) == {word: said}


def test_what_is_said_elsewhere_is_known_too(dictionary: Path) -> None:
    with dictionary.open("a", encoding="utf-8") as lines:
        lines.write("bathroom B AE TH R UW M\ngarage G ER AA ZH\ngarage(2) G AE R IH JH\n")
    assert pronounce(["bathroom", "garage", "half"], {}, dictionary) == {
        "bathroom": ["B AE TH R UW M", "B AA TH R UW M"],
        "garage": ["G ER AA ZH", "G AE R IH JH", "G AE R AA ZH"],  # each once
        "half": [guess("half")],  # only beside what the dictionary has
    }


def test_what_is_said_elsewhere_can_be_read() -> None:
    lines = also.read_text("utf-8").splitlines()
    assert lines == sorted(set(lines))
    assert {phone for line in lines for phone in line.split()[1:]} <= set(PHONES)
    assert len(lines) > 30


@pytest.mark.parametrize("word", ["ecobee", "wohnzimmer", "💡", "küche", "x1", "(2)"])
def test_what_neither_says_is_guessed(word: str, dictionary: Path) -> None:
    assert pronounce([word, "lamp"], {}, dictionary) == {word: [guess(word)], "lamp": ["L AE M P"]}
    assert guessed([word, "lamp"], {}, dictionary) == (word,)


def test_parts_of_a_spelling_are_guessed_too(dictionary: Path) -> None:
    spoken = {"qtv": "kyoo t v"}
    assert pronounce(["qtv"], spoken, dictionary) == {"qtv": [f"{guess('kyoo')} T IY V IY"]}
    assert guessed(["qtv", "read"], spoken, dictionary) == ("kyoo",)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("tv", ["L AE M P"]),  # before what the language says, and instead of what the dictionary has
        ("tv's", ["L AE M P S"]),
        ("v", ["R EH D", "R IY D", "T IY"]),  # all spellings, in all ways in which the dictionary has them
        ("v's", ["R EH D Z", "R IY D Z", "T IY Z"]),
        ("c", ["L AE M P T IY"]),
        ("c's", [guess("lass") + " IH Z"]),  # a key of its own
        ("a", [f"EY {guess('zeta')}"]),  # the letter, as elsewhere
        ("lamp", ["L AE M P"]),
    ],
)
def test_what_is_configured_goes_before_all_else(word: str, said: list[str], dictionary: Path) -> None:
    say_as = {"tv": ["lamp"], "v": ["read", "t"], "c": ["lamp t"], "c's": ["lasses"], "a": ["a zeta"], "none": ["t"]}
    assert pronounce([word, "read"], {"tv": "t v", "v": "v v"}, dictionary, say_as)[word] == said


@pytest.mark.parametrize(
    ("spelling", "ending"),
    [("lamp", "S"), ("tee", "Z"), ("read", "Z"), ("maze", "IH Z"), ("puff", "S"), ("rich", "IH Z")],
)
def test_a_possessive_ends_as_english_does(spelling: str, ending: str, dictionary: Path) -> None:
    say_as = {"xiao": [spelling]}
    (alone, owning) = (pronounce([word], {}, dictionary, say_as)[word][0] for word in ("xiao", "xiao's"))
    assert owning == f"{alone} {ending}"


def test_no_more_ways_are_made_of_a_spelling_than_eight(dictionary: Path) -> None:
    ways = pronounce(["x"], {}, dictionary, {"x": ["read read read read"]})["x"]
    assert len(set(ways)) == len(ways) == 8
    assert ways[0] == " ".join(["R EH D"] * 4)


def test_a_text_is_respelled_for_who_reads_it_aloud() -> None:
    say_as = {"xiao": ("show", "shee ow"), "o'neil": ("o'neel",)}
    assert respelled("turn on Xiao’s lamp, not o'neil's xiaomi", say_as) == "turn on show's lamp, not o'neel's xiaomi"
    assert respelled("turn on 2 lamps", {}) == "turn on 2 lamps"


def test_guessed_words_are_sorted_and_named_once(dictionary: Path) -> None:
    assert guessed(["zeta", "lamp", "beta", "zeta"], {}, dictionary) == ("beta", "zeta")


def test_no_words(dictionary: Path) -> None:
    assert pronounce([], {}, dictionary) == {}
    assert guessed([], {}, dictionary) == ()
