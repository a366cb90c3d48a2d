"""Wake words and the first speech, on recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pymicro_wakeword
import pytest

from hearth_core.audio import BYTES_PER_SECOND, read_recording
from hearth_core.command import Detection
from hearth_core.errors import ConfigError
from hearth_satellite.wake import MICRO_WORDS, AnySpeech, MicroWakeWord, WakeWord
from hearth_satellite.wake_micro import Floor, MicroEngine

DATA = Path(__file__).parent.parent / "data"
WAKE_WORDS = sorted((DATA / "satellite").glob("*-*.flac"))
COMMANDS = [DATA / "00007_turn_on_Standing_Light.flac", DATA / "satellite" / "turn_off_lights_in_the_office.flac"]
SECOND = bytes(BYTES_PER_SECOND)


def listen(wake: WakeWord, pcm: bytes, chunk_bytes: int = 1024) -> list[tuple[int, Detection]]:
    """Return the detections with the number of bytes that were heard up to each."""
    found = []
    for start in range(0, len(pcm), chunk_bytes):
        detection = wake.feed(pcm[start : start + chunk_bytes])
        if detection is not None:
            found.append((start + chunk_bytes, detection))
    return found


def test_the_known_words_are_those_of_the_package() -> None:
    assert set(MICRO_WORDS) == {model.value for model in pymicro_wakeword.Model}


@pytest.mark.parametrize("path", WAKE_WORDS, ids=lambda path: path.stem)
def test_each_wake_word_is_detected_once_and_by_its_own_model(path: Path) -> None:
    pcm = SECOND + read_recording(path) + 3 * SECOND
    found = listen(MicroWakeWord(MICRO_WORDS), pcm)
    assert [detection.wake_word for _, detection in found] == [path.stem.partition("-")[0]]
    (position, detection) = found[0]
    assert detection.timestamp_ms == position // (BYTES_PER_SECOND // 1000)
    assert detection.score is not None
    assert 0.8 < detection.score <= 1.0


@pytest.mark.parametrize("chunk_bytes", [62, 320, 1024, 5000])
def test_scores_are_those_of_the_wheel_itself(chunk_bytes: int) -> None:
    pcm = SECOND + b"".join(map(read_recording, WAKE_WORDS[:4])) + SECOND
    engine = MicroEngine(MICRO_WORDS)
    features = pymicro_wakeword.MicroWakeWordFeatures()
    models = [pymicro_wakeword.MicroWakeWord.from_builtin(pymicro_wakeword.Model(word)) for word in MICRO_WORDS]
    for _ in range(2):  # and once more after a reset
        found = [scores for at in range(0, len(pcm), chunk_bytes) for scores in engine.feed(pcm[at : at + chunk_bytes])]
        rows = [
            [model.process_streaming_prob(row) for model in models]
            for row in features.process_streaming(Floor().under(pcm))
        ]
        expected = rows[models[0].stride - 1 :: models[0].stride]  # in between the wheel says zero
        assert found == [pytest.approx(scores, abs=1e-12) for scores in expected]
        assert max(map(max, found)) > 0.9
        engine.reset()
        features.reset()
        for model in models:
            model.reset()


@pytest.mark.parametrize("speaker", ["kore", "michael"])
def test_in_a_dead_silence_a_word_is_heard_before_a_command_that_follows_at_once(speaker: str) -> None:
    pcm = SECOND + read_recording(DATA / "satellite" / "at_once" / f"alexa-{speaker}.flac") + SECOND
    assert len(listen(MicroWakeWord(["alexa"]), pcm)) == 1


def test_the_floor_is_soft_and_the_same_whatever_the_chunks() -> None:
    loud = np.array([32_767, -32_768] * 40_000, "<i2").tobytes()
    whole = Floor().under(loud)
    floor = Floor()
    assert b"".join(floor.under(loud[at : at + 320]) for at in range(0, len(loud), 320)) == whole
    samples = np.frombuffer(Floor().under(bytes(len(loud))), "<i2")
    assert 9.0 < samples.std() < 11.0
    assert abs(np.frombuffer(whole, "<i2").astype(int) - np.frombuffer(loud, "<i2")).max() < 60, (
        "it is cut, not wrapped"
    )


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_a_command_is_no_wake_word(path: Path) -> None:
    assert listen(MicroWakeWord(MICRO_WORDS), SECOND + read_recording(path) + SECOND) == []


@pytest.mark.parametrize("chunk_bytes", [2, 320, 1024, 5000])
def test_a_wake_word_is_detected_whatever_the_chunks(chunk_bytes: int) -> None:
    pcm = SECOND + read_recording(DATA / "satellite" / "alexa-slt.flac") + SECOND
    assert len(listen(MicroWakeWord(["alexa"]), pcm, chunk_bytes)) == 1


def test_a_word_said_again_is_detected_again() -> None:
    word = read_recording(DATA / "satellite" / "alexa-slt.flac")
    wake = MicroWakeWord(["alexa"])
    assert len(listen(wake, SECOND + word + 2 * SECOND + word + SECOND)) == 2
    wake.reset()
    assert len(listen(wake, 2 * SECOND + word + SECOND)) == 1


def test_without_sensitivity_nothing_is_detected_and_with_more_not_less() -> None:
    pcm = SECOND + read_recording(DATA / "satellite" / "alexa-rms.flac") + SECOND
    assert listen(MicroWakeWord(["alexa"], sensitivity=0.0), pcm) == []
    (usual, _), (sooner, _) = (listen(MicroWakeWord(["alexa"], sensitivity=s), pcm)[0] for s in (0.5, 1.0))
    assert sooner <= usual


@pytest.mark.parametrize(
    ("words", "sensitivity", "says"),
    [
        (["hal"], 0.5, "'hal'.*okay_nabu, hey_jarvis, alexa, hey_mycroft"),
        ([], 0.5, "no wake word"),
        (["alexa"], 2.0, "sensitivity"),
    ],
)
def test_a_wrong_choice_is_told_with_its_remedy(words: list[str], sensitivity: float, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        MicroWakeWord(words, sensitivity=sensitivity)


# Where the first word begins, in seconds, as the loudness of the recordings shows it.
@pytest.mark.parametrize(("path", "first_word_s"), [(COMMANDS[0], 0.60), (COMMANDS[1], 0.70)])
def test_any_speech_begins_a_command_and_its_first_word_is_in_the_preroll(path: Path, first_word_s: float) -> None:
    wake = AnySpeech()
    (position, detection), *_ = listen(wake, 2 * SECOND + read_recording(path))
    assert detection.wake_word == ""
    assert position / BYTES_PER_SECOND - 2 - wake.preroll_s < first_word_s - 0.1


def test_silence_is_no_speech() -> None:
    assert listen(AnySpeech(), 5 * SECOND) == []
