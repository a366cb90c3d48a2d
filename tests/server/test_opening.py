"""What a satellite says as it opens a command, from honest ones and from others."""

from __future__ import annotations

from typing import Any

import pytest
from wyoming.event import Event

from hearth_core.command import Detection
from hearth_satellite import events
from hearth_server.opening import Opening, read


def run(context: Any, wake_word: str | None = "alexa") -> Event:
    return Event("run-pipeline", {"wake_word_name": wake_word, "context": context})


def test_what_the_satellite_of_this_tree_says_is_understood() -> None:
    facts = {"language": "de", "area": "Küche", "user": "Ann"}
    opened = events.beginning(Detection("alexa", 0.9, facts=facts), "abc", lead_ms=608)[1]
    assert read(opened) == Opening(skip_ms=308, tail_ms=300, language="de", area="Küche", user="Ann")


@pytest.mark.parametrize(
    ("context", "skip_ms", "tail_ms"),
    [
        ({"lead_ms": 100}, 0, 100),
        ({"lead_ms": 300}, 0, 300),
        ({"lead_ms": 10**9}, 4700, 300),
        ({"lead_ms": -5}, 0, 0),
        ({}, 0, 0),
        ({"lead_ms": 608, "word_end_ms": 440}, 440, 168),
        ({"lead_ms": 608, "word_end_ms": 200}, 308, 300),
        ({"lead_ms": 608, "word_end_ms": 900}, 608, 0),
        ({"lead_ms": 608, "word_end_ms": True}, 308, 300),
        ({"lead_ms": 608, "word_end_ms": "9"}, 308, 300),
        ({"word_end_ms": 440}, 0, 0),
    ],
)
def test_the_wake_words_own_sound_is_told_apart_within_bounds(
    context: dict[str, Any], skip_ms: int, tail_ms: int
) -> None:
    opened = read(run(context))
    assert (opened.skip_ms, opened.tail_ms) == (skip_ms, tail_ms)


def test_a_command_without_a_wake_word_begins_at_its_beginning() -> None:
    assert read(run({"lead_ms": 1000}, None)).skip_ms == 0


@pytest.mark.parametrize(
    "context",
    [None, "x", [], {"language": 5, "area": [], "user": {}}, {"lead_ms": True}, {"lead_ms": "9"},
     {"language": "not a code", "area": "x" * 101}],
)  # fmt: skip
def test_junk_says_nothing(context: Any) -> None:
    assert read(run(context)) == Opening()
