"""The benches of the satellite: what they count is what they say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bench.endpoint import SERVER_RULES, WORDS, lead, probabilities, served, table, words
from bench.endpoint import Score as EndScore
from bench.idle import Idle, Wake, goals_missed, word_end_s
from bench.wake import Trace, missed, rows

from bench import pause, sound
from hearth_core.audio import RATE, read_recording
from hearth_core.command import EndReason
from hearth_core.errors import InputError
from hearth_core.speech import SileroDetector

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"


def test_the_snr_is_the_difference_of_the_levels_that_the_module_defines() -> None:
    speech = np.zeros(4 * RATE, np.float32)
    speech[RATE : 3 * RATE] = 1000.0 * np.sin(np.arange(2 * RATE) / 3.0)  # as loud all through: -3 dB of the peak
    assert sound.speech_db(speech) == pytest.approx(57.0, abs=0.2), "the silence around it does not count"
    noise = np.random.default_rng(0).normal(0, 77, len(speech)).astype(np.float32)
    mixed = sound.add(speech, noise, speech_level=sound.speech_db(speech), level=sound.noise_db(noise), snr_db=10.0)
    assert sound.noise_db(mixed[: RATE // 2]) == pytest.approx(47.0, abs=0.3)


def test_talkers_are_equally_loud(tmp_path: Path) -> None:
    paths = sorted((DATA / "satellite").glob("*.flac"))
    one = sound.talkers(paths, 1, 4 * RATE, seed=1)
    four = sound.talkers(paths, 4, 4 * RATE, seed=1)
    assert sound.speech_db(one) == pytest.approx(0.0, abs=2.5)
    assert 2.0 < sound.speech_db(four) - sound.speech_db(one) < 9.0
    assert np.array_equal(one, sound.talkers(paths, 1, 4 * RATE, seed=1)), "the same in every run"


def test_what_is_left_out_cannot_end_a_command_in_the_pause_after_the_word() -> None:
    speech = read_recording(DATA / "satellite" / "turn_off_lights_in_the_office.flac")
    quiet = sound.pcm(pause.room(pause.PAUSE_S, 1))
    assert pause.ends(speech + quiet, 0, SileroDetector())
    assert not pause.ends(speech + quiet, len(speech) // 32, SileroDetector())


def test_a_place_without_recordings_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no recordings"):
        sound.find([tmp_path], tmp_path)


def test_accepts_within_the_debounce_time_are_one() -> None:
    trace = Trace([(1.0, 0.9), (1.5, 0.95), (2.4, 0.9), (9.0, 0.97), (20.0, 0.6)], 30.0, 0.1)
    assert [trace.accepts(threshold) for threshold in (0.5, 0.8, 0.96, 0.99)] == [3, 2, 1, 0]


def test_rows_count_positives_once_and_negatives_with_their_hours() -> None:
    yes = [Trace([(1.0, 0.95), (5.0, 0.95)], 5.0, 0.0), Trace([], 5.0, 0.0)]
    no = [Trace([(1.0, 0.95), (5.0, 0.95)], 3600.0, 0.0), Trace([], 5400.0, 0.0)]
    (row,) = rows(yes, no, [], 0.9)
    assert (row.detected, row.positives, row.detected_percent, row.false_accepts, row.hours, row.own) == (
        1, 2, 50.0, 2, 2.5, True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("heard", "of", "accepts", "noisy", "told"),
    [
        (97, 100, 4, False, []),
        (96, 100, 5, False, ["96.0 % detected", "5 false accepts"]),
        (96, 100, 4, True, []),
        (92, 100, 0, True, ["92.0 % detected"]),
        (0, 0, 4, False, []),
    ],
)
def test_wake_goals_that_are_missed_are_told(heard: int, of: int, accepts: int, noisy: bool, told: list[str]) -> None:
    yes = [Trace([(1.0, 0.95)] if number < heard else [], 5.0, 0.0) for number in range(of)]
    no = [Trace([(60.0 * number, 0.95) for number in range(accepts)], 36000.0, 0.0)]
    found = missed(rows(yes, no, [0.97], 0.9), noisy=noisy)
    assert len(found) == len(told)
    assert all(words.startswith(part) for words, part in zip(found, told, strict=True))


def test_at_rest_only_what_no_busy_machine_changes_is_a_goal() -> None:
    idle, slow = Idle(60.0, 90.0, 79.0), Wake(200, 900.0, whole=True)
    assert goals_missed(idle, [slow], 0) == []
    torn = Wake(200, 9.0, whole=False)
    assert len(goals_missed(Idle(60.0, 1.0, 81.0), [slow, torn], 1)) == 3


def test_commands_that_are_cut_or_held_are_counted_apart_and_not_in_the_times() -> None:
    scores = [
        EndScore("r", "clean", False, False, False, 0.5),
        EndScore("r", "clean", True, False, False, -2.0),
        EndScore("r", "clean", True, True, False, -4.0),
        EndScore("r", "clean", False, False, True, 10.0),
        EndScore("r", "clean", False, False, False, 0.7),
    ]
    (row,) = table(scores)
    assert (row["cut_percent"], row["before_percent"], row["held_percent"]) == (40.0, 20.0, 20.0)
    assert row["after_s_median"] == 0.6


def test_first_and_last_word_are_found_past_a_long_pause() -> None:
    word = sound.load(DATA / "satellite" / "turn_off_lights_in_the_office.flac")
    pcm = sound.pcm(np.concatenate([word, np.zeros(2 * RATE, np.float32), word, np.zeros(RATE, np.float32)]))
    found = words(pcm, probabilities(pcm))
    assert found is not None
    begin, end = found
    assert begin < len(word)
    assert len(word) + 2 * RATE < end < 2 * len(word) + 2 * RATE + RATE // 2


def test_the_server_ends_a_command_after_the_word_that_is_sent_before_it() -> None:
    speech = sound.load(DATA / "satellite" / "turn_off_lights_in_the_office.flac")
    pcm = sound.pcm(np.concatenate([np.zeros(RATE // 2, np.float32), speech, np.zeros(3 * RATE, np.float32)]))
    spoken = words(pcm, probabilities(pcm))
    assert spoken is not None
    for rule in SERVER_RULES:
        said = lead(sound.load(WORDS[0]), rule, sound.speech_db(speech), np.zeros(RATE, np.float32))
        assert said is not None
        reason, samples = served(rule, said, pcm)
        assert reason is EndReason.SILENCE
        assert 0.3 < (samples - spoken[1]) / RATE < 1.2, rule


def test_a_words_end_is_its_last_sound() -> None:
    loud = (8000 * np.sin(np.arange(RATE) / 3)).astype("<i2").tobytes()
    assert word_end_s(bytes(16000) + loud + bytes(32000)) == pytest.approx(1.5, abs=0.02)


def test_bench_wake_runs_on_folders_and_says_what_it_heard(tmp_path: Path) -> None:
    yes, no = tmp_path / "yes", tmp_path / "no"
    for folder, pattern in ((yes, "alexa-*.flac"), (no, "turn_off*.flac")):
        folder.mkdir()
        for path in (DATA / "satellite").glob(pattern):
            (folder / path.name).write_bytes(path.read_bytes())
    command = [sys.executable, str(ROOT / "bench" / "wake.py"), "--positives", str(yes), "--negatives", str(no)]
    run = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=240, check=True)
    report = json.loads(run.stdout)
    own = next(row for row in report["rows"] if row["own"])
    assert (own["positives"], own["detected"], own["false_accepts"]) == (2, 2, 0)
    assert report["cpu_s_per_s"] > 0
    assert report["rss_mb"] > 0
