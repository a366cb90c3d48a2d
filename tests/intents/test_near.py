"""What comes near to a text, and what is missing or too much."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from hearth_core.home import Entity, Home
from hearth_intents.home_sentences import HomeSentences
from hearth_intents.near import Near, near
from hearth_intents.sentences import load_sentences

HOME = Home.of([], [], [Entity("light.bed", "Bed Light"), Entity("switch.kettle", "Kettle")])


@pytest.fixture
def sentences(tmp_path: Path) -> HomeSentences:
    (tmp_path / "own.yaml").write_text(
        "language: en\nintents:\n  Start:\n    data:\n      - sentences:\n"
        "          - 'start [up] [the] {name} [for me]'\n          - 'get {name} going'\n"
        "  Free:\n    data:\n      - sentences: ['say {any}']\nlists: {any: {wildcard: true}}\n"
    )
    return HomeSentences(load_sentences("en", [tmp_path], builtin=False), HOME)


@pytest.mark.parametrize(
    ("text", "said", "missing", "extra"),
    [
        ("start the kettle", "start the kettle", (), ()),
        ("please start the kettle", "start the kettle", (), ("please",)),
        ("start the", "start the kettle", ("kettle",), ()),
        ("start up the bet light", "start up the bed light", ("bed",), ("bet",)),
        ("get the kettle going", "get kettle going", (), ("the",)),
        ("START THE KETTLE FOR ME", "start the kettle for me", (), ()),
    ],
)
def test_nearest_sentence_and_its_difference(
    text: str, said: str, missing: tuple[str, ...], extra: tuple[str, ...], sentences: HomeSentences
) -> None:
    first, *_ = near(sentences, text)
    assert (first.said, first.missing, first.extra) == (said, missing, extra)
    assert (first.score == 1) == (not missing and not extra)
    assert first.intent == "Start"
    assert first.where.endswith((":6", ":7"))


def test_nearer_goes_first_and_scores_higher(sentences: HomeSentences) -> None:
    found = near(sentences, "start the kettle now", 10)
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    assert all(0 <= each.score <= 1 for each in found)
    assert len(near(sentences, "start the kettle now", 1)) == 1


@pytest.mark.parametrize("text", ["", "   "])
def test_nothing_is_near_nothing(text: str, sentences: HomeSentences) -> None:
    assert near(sentences, text) == ()


def test_long_noise_is_bounded(sentences: HomeSentences) -> None:
    found = near(sentences, "word " * 2_000)
    assert all(isinstance(each, Near) and len(each.extra) <= 40 for each in found)


def test_templates_beyond_the_time_are_left_out(sentences: HomeSentences) -> None:
    clock = count()
    assert near(sentences, "start the kettle", budget_s=0.5, clock=lambda: float(next(clock))) == ()
    assert len(near(sentences, "start the kettle", budget_s=1.5, clock=lambda: 0.0)) == 2
