"""Both stages of a wake word, as the bench hears them: real models on real recordings."""

from __future__ import annotations

from pathlib import Path

import pytest
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
