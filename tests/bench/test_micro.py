"""What the benches of the micro engine count, on sounds and numbers whose answer is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench import false_commands, latency, streams
from hearth_core.audio import RATE, read_recording

DATA = Path(__file__).parents[1] / "data"


def test_where_the_last_word_ends() -> None:
    rng = np.random.default_rng(0)
    parts = (rng.normal(0, 3, RATE), rng.normal(0, 2000, RATE), rng.normal(0, 3, RATE // 2))
    loud_end = latency.last_word(np.concatenate(parts).astype(np.float32))
    assert loud_end / RATE == pytest.approx(2.0, abs=0.02)


def test_shares_at_each_threshold() -> None:
    points = false_commands.roc([0.9, 0.8, 0.0, 0.4], [0.0, 0.0, 0.8, 0.2])
    assert points == [
        {"threshold": 0.2, "accepted": 0.75, "false_accepted": 0.5},
        {"threshold": 0.4, "accepted": 0.75, "false_accepted": 0.25},
        {"threshold": 0.8, "accepted": 0.5, "false_accepted": 0.25},
        {"threshold": 0.9, "accepted": 0.25, "false_accepted": 0.0},
    ]


def test_nothing_accepted_at_all() -> None:
    assert false_commands.roc([0.0], [0.0]) == [{"threshold": 1.0, "accepted": 0.0, "false_accepted": 0.0}]


def test_a_text_is_the_same_however_it_is_written() -> None:
    assert false_commands.alike("nevermind", "Never mind")
    assert false_commands.alike("what's the time", "whats the time")
    assert not false_commands.alike("the lights on", "the lights")
    assert not false_commands.alike("stop", "")


def test_what_all_of_english_hears() -> None:
    assert false_commands.dictated(read_recording(DATA / "replies" / "00118_an442-mmxg-b.flac")) == "yes"
    assert false_commands.dictated(read_recording(DATA / "replies" / "00013_an416-fjlp-b.flac")) == "no"


class Deaf:
    """A speaker's ears that fail in the middle."""

    threads = None  # asyncio's

    def __init__(self, *_: object) -> None:
        self._chunks = 0

    def feed(self, pcm: bytes) -> None:
        self._chunks += 1
        if self._chunks == 3:
            raise RuntimeError("no ears")


def test_a_stream_that_fails_is_not_one_that_is_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "listen", Deaf)
    with pytest.raises(RuntimeError, match="no ears"):
        streams.at_once(None, bytes(streams.CHUNK_BYTES * 5), 2)  # type: ignore[arg-type]


def score(way: str, after_s: float, silence_s: float, text: str = "stop") -> latency.Score:
    return latency.Score(way, text, True, after_s, 0.01, silence_s, silence_s < 0)


def test_a_row_for_each_way() -> None:
    heard = [
        [score("micro, early", 0.2, 0.15), score("micro, 0.5 s", 0.6, 0.5)],
        [score("micro, early", 0.6, 0.5), score("micro, 0.5 s", 0.6, 0.5)],
        [score("micro, early", -0.1, -0.1, "turn"), score("micro, 0.5 s", 0.6, 0.5)],
        [score("micro, early", 0.2, 0.16), score("micro, 0.5 s", 0.6, 0.5)],
    ]
    early, patient = latency.table(heard)
    assert (early["way"], early["commands"], early["cut_percent"], early["changed_percent"]) == (
        "micro, early",
        4,
        25,
        25,
    )
    assert (early["after_ms_p50"], early["early_percent"]) == (200, 75)
    assert (patient["after_ms_p50"], patient["early_percent"], patient["cut_percent"]) == (600, 0, 0)
