"""Where a wake word ended: a table of levels, and real words through the real model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hearth_core.audio import BYTES_PER_SECOND, RATE, read_recording
from hearth_core.loudness import FrameLevels
from hearth_satellite.loudness import Loudness, word_end_ms
from hearth_satellite.session import Session
from hearth_satellite.wake import MicroWakeWord
from tests.satellite.fakes import ByteEnd, Clock, Peer, Sounds

DATA = Path(__file__).parent.parent / "data" / "satellite"
CHUNK = 1024


def lead(*parts: tuple[int, float]) -> bytes:
    """Return noise: so many milliseconds at a level in dBFS, one part after the other."""
    random = np.random.default_rng(0)
    return b"".join(
        np.rint(random.normal(0, 32768 * 10 ** (level / 20), ms * RATE // 1000)).astype("<i2").tobytes()
        for ms, level in parts
    )


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([(480, -20), (120, -60)], 480),
        ([(480, -20), (120, -30)], None),  # no pause, but a softer sound: it may be the command
        ([(600, -20)], None),
        ([(540, -20), (60, -60)], None),  # a closed mouth within a word is as long
        ([(400, -20), (100, -60), (100, -20)], 400),  # the command has begun since
        ([(320, -20), (80, -60), (40, -20), (160, -60)], 320),
        ([(100, -20), (500, -60)], 300),  # nothing ends so long before its detection
        ([(480, -20), (120, -45)], 480),  # a noisy room
    ],
)
def test_a_pause_after_the_word_is_its_end(parts: list[tuple[int, float]], expected: int | None) -> None:
    found = word_end_ms(lead(*parts))
    assert found == expected or (found is not None and expected is not None and abs(found - expected) <= 20)


@pytest.mark.parametrize("chunk_bytes", [640, 1024, 50_000])
def test_the_level_of_the_word_and_of_the_room_before_it(chunk_bytes: int) -> None:
    pcm, loudness = lead((5000, -70), (1200, -30)), Loudness()
    for start in range(0, len(pcm), chunk_bytes):
        loudness.hear(pcm[start : start + chunk_bytes])
    levels = FrameLevels().feed(pcm)[-150:]  # 3 s of them
    facts = loudness.facts()
    assert facts["level_dbfs"] == pytest.approx(float(np.percentile(levels[-60:], 90)), abs=0.06)
    assert facts["noise_dbfs"] == pytest.approx(float(np.percentile(levels[:-60], 25)), abs=0.06)
    assert facts == loudness.facts(), "asking changes nothing"


def test_no_sound_has_no_end() -> None:
    assert word_end_ms(b"") is None


def opened(pause_s: float) -> list[tuple[float, float]]:
    """Say each wake word and a command; return where the server is told that the word ended, and where it did."""
    found = []
    for path in sorted(DATA.glob("*-*.flac")):
        word, random = read_recording(path), np.random.default_rng(1)
        powers = np.frombuffer(word, "<i2").astype(float)[: len(word) // 320 * 160].reshape(-1, 160) ** 2
        end = int(np.flatnonzero(powers.mean(axis=1) > powers.mean(axis=1).max() / 1000)[-1] + 1) * 320
        command = read_recording(DATA / "turn_off_lights_in_the_office.flac")[round(0.7 * BYTES_PER_SECOND) :]
        quiet = [np.rint(random.normal(0, 8, round(s * RATE))).astype("<i2").tobytes() for s in (2.0, pause_s, 1.0)]
        sound = quiet[0] + word[:end] + quiet[1] + command + quiet[2]
        peer = Peer()
        session = Session(MicroWakeWord([path.stem.partition("-")[0]]), ByteEnd(), Sounds(), clock=Clock())
        session.run(peer)
        for start in range(0, len(sound), CHUNK):
            session.hear(sound[start : start + CHUNK])
        if not peer.events:
            continue  # not every word is detected if another follows without a breath
        begins = sound.find(peer.heard()[: 4 * CHUNK])
        told = peer.events[0].data["context"].get("word_end_ms", -1)
        found.append((told, (len(quiet[0]) + end - begins) * 1000 / BYTES_PER_SECOND))
    return found


def test_where_the_speaker_pauses_the_server_is_told_where_each_word_ended() -> None:
    words = opened(0.5)
    assert len(words) == 5
    known = [(told, ended) for told, ended in words if told >= 0]
    assert len(known) >= 3, "one that is detected before its last sound has no pause yet"
    for told, ended in known:
        assert ended - 160 <= told <= ended + 20, "its last sound may fade longer than it is worth hearing"


def test_nothing_of_a_command_that_follows_at_once_is_left_out() -> None:
    words = opened(0.0)
    assert len(words) >= 3
    for told, ended in words:
        assert told <= ended
