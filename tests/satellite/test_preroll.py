"""The command's sound begins before the wake word's end, and nothing after it is lost: real models, to the sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hearth_core.audio import BYTES_PER_SECOND, RATE, read_recording
from hearth_satellite.session import Session
from hearth_satellite.wake import MicroWakeWord
from tests.satellite.fakes import ByteEnd, Clock, Peer, Sounds

DATA = Path(__file__).parent.parent / "data" / "satellite"
WORDS = sorted(DATA.glob("*-*.flac"))
CHUNK = 1024


def room(seconds: float, seed: int) -> bytes:
    return np.random.default_rng(seed).normal(0, 8, round(seconds * RATE)).astype("<i2").tobytes()


def word_end(pcm: bytes) -> int:
    """Return where the word ends in bytes: its last 10 ms within 30 dB of the loudest."""
    samples = np.frombuffer(pcm, "<i2").astype(float)
    powers = (samples[: len(samples) // 160 * 160].reshape(-1, 160) ** 2).mean(axis=1)
    return int(np.flatnonzero(powers > powers.max() / 1000)[-1] + 1) * 320


@pytest.mark.parametrize("path", WORDS, ids=lambda path: path.stem)
def test_all_since_before_the_wake_words_end_is_sent_without_a_pause(path: Path) -> None:
    word = read_recording(path)
    before = room(2.0, 1)
    # The command follows at once: no pause between the word and it.
    command = read_recording(DATA / "turn_off_lights_in_the_office.flac")
    sound = before + word[: word_end(word)] + command + room(1.0, 2)
    peer, ends = Peer(), ByteEnd()
    session = Session(MicroWakeWord([path.stem.partition("-")[0]]), ends, Sounds(), clock=Clock())
    session.run(peer)
    for start in range(0, len(sound), CHUNK):
        session.hear(sound[start : start + CHUNK])
    assert peer.types().count("detection") == 1
    heard = peer.heard()
    begins = sound.find(heard[: 4 * CHUNK])
    assert 0 <= begins <= len(before) + word_end(word) - 0.3 * BYTES_PER_SECOND
    assert sound[begins:] == heard, "to the end, and not a sample twice"
    detected = begins + peer.events[0].data["context"]["lead_ms"] * BYTES_PER_SECOND // 1000
    assert b"".join(ends.fed) == sound[detected:], "the wake word's own sound is no speech of the command's"


def test_how_much_before_is_a_choice() -> None:
    word = MicroWakeWord(["alexa"])
    assert word.preroll_s == pytest.approx(0.6), "0.3 s, and the 0.3 s that the model may be late"
