"""Both stages of a wake word, as the bench hears them: real models on real recordings."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.wake import blocks_of
from bench.wake_verified import hear_both

from hearth_core.audio import BYTES_PER_SECOND, read_recording
from hearth_satellite.wake_micro import MicroEngine
from tests.fakes import silence

DATA = Path(__file__).parent.parent / "data" / "satellite"


@pytest.mark.parametrize(
    ("recording", "accepted"), [("alexa-rms", 1), ("okay_nabu-rms", 0), ("turn_off_lights_in_the_office", 0)]
)
def test_the_word_is_accepted_once_and_nothing_else(recording: str, accepted: int) -> None:
    pcm = silence(1) + read_recording(DATA / f"{recording}.flac") + silence(2)
    heard = hear_both(MicroEngine(["alexa"]), [pcm], None)
    assert (heard.accepted, heard.sure) == (accepted, accepted)
    assert heard.audio_s == len(pcm) / BYTES_PER_SECOND


def test_what_is_heard_before_does_not_count() -> None:
    word = silence(1) + read_recording(DATA / "alexa-rms.flac") + silence(2)
    heard = hear_both(MicroEngine(["alexa"]), [silence(1)], None, [word])
    assert (heard.accepted, heard.audio_s) == (0, 1.0)


def test_each_pass_hears_all_in_another_order_after_what_comes_before() -> None:
    paths = [Path(str(number)) for number in range(120)]
    blocks = blocks_of(paths, 2)
    passes = [[path for block in blocks[at : at + 3] for path in block.paths] for at in (0, 3)]
    assert passes[0] == paths
    assert passes[1] != paths
    assert sorted(passes[1]) == sorted(paths)
    assert blocks[1].before == tuple(paths[40:50])
    assert blocks[0].before == tuple(paths[110:]), "a circle"
    assert blocks_of([], 2) == []
    assert blocks_of(paths[:2], 1)[0].before == tuple(paths[:2])
