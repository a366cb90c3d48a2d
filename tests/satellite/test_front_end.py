"""Echo, noise and gain on a simulated room; and that the satellite never hears itself."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pyroomacoustics
import pytest
from numpy.typing import NDArray

from hearth_core.audio import PcmFormat, read_recording
from hearth_core.config_front_end import FrontEndConfig
from hearth_core.errors import EngineError
from hearth_core.speech import Endpointer, EndpointSettings, SileroDetector
from hearth_satellite.chime import CHIME_RATE, Chime, render
from hearth_satellite.front_end import EchoCanceller, FrontEnd, NoiseGain, Reference, build
from hearth_satellite.speaker import FileSpeaker, NullSpeaker
from hearth_satellite.wake import MicroWakeWord
from tests.satellite.fakes import Clock

DATA = Path(__file__).parent.parent / "data" / "satellite"
CHUNK = 1024
RATE = 16000
LATENCY = 960  # samples, 60 ms: what a device's buffer holds back


@pytest.fixture(scope="module")
def impulse() -> NDArray[np.float64]:
    """Return a living room from the satellite's speaker to its microphone, 12 cm apart."""
    room = pyroomacoustics.ShoeBox(
        [4.0, 5.0, 2.6], fs=RATE, materials=pyroomacoustics.Material(0.3), max_order=10, use_rand_ism=False
    )
    room.add_source([1.0, 1.0, 1.0])
    room.add_microphone([1.1, 1.06, 1.0])
    room.compute_rir()
    return np.asarray(room.rir[0][0])


def echo_of(played: NDArray[np.float64], impulse: NDArray[np.float64], peak: float = 12000.0) -> NDArray[np.float64]:
    """Return what the microphone hears of it, with the noise of a quiet room."""
    heard = np.concatenate([np.zeros(LATENCY), np.convolve(played, impulse)])[: len(played)]
    heard *= peak / np.abs(heard).max()
    return heard + np.random.default_rng(0).normal(0, 4, len(heard))


def pcm(samples: NDArray[np.float64]) -> bytes:
    return np.rint(np.clip(samples, -32768, 32767)).astype("<i2").tobytes()


def samples(raw: bytes) -> NDArray[np.float64]:
    return np.frombuffer(raw, "<i2").astype(np.float64)


def through(microphone: bytes, played: bytes | None) -> bytes:
    """Return the microphone's sound without its echo, chunk by chunk as they come."""
    reference = Reference()
    front = FrontEnd([EchoCanceller(reference)], reference)
    out = b""
    for start in range(0, len(microphone), CHUNK):
        if played is not None:
            reference.add(played[start : start + CHUNK])
        out += front.feed(microphone[start : start + CHUNK])
    return out


def own_voice() -> NDArray[np.float64]:
    """Return what a satellite may play: its chime, then an answer in which every wake word is said."""
    import soxr

    chime = soxr.resample(samples(render(Chime.WAKE)), CHIME_RATE, RATE)
    words = [samples(read_recording(path)) for path in sorted(DATA.glob("*-*.flac"))]
    gap = np.zeros(RATE // 2)
    return np.concatenate([chime, gap, *[part for word in words for part in (word, gap, gap)]])


def test_the_echo_is_at_least_20_db_weaker(impulse: NDArray[np.float64]) -> None:
    speech = np.tile(samples(read_recording(DATA / "turn_off_lights_in_the_office.flac")), 3)
    heard = pcm(echo_of(speech, impulse))
    cleaned = samples(through(heard, pcm(speech)))
    settled = slice(2 * RATE, None)
    erle = 10 * np.log10((samples(heard)[settled] ** 2).mean() / (cleaned[settled] ** 2).mean())
    assert erle > 20.0
    unaided = samples(through(heard, None))
    assert (unaided[settled] ** 2).mean() > 0.5 * (samples(heard)[settled] ** 2).mean(), "nothing else takes it out"


def test_the_satellites_own_voice_does_not_wake_it(impulse: NDArray[np.float64]) -> None:
    voice = own_voice()
    heard = pcm(echo_of(voice, impulse))

    def wakes(sound: bytes) -> int:
        wake = MicroWakeWord(["okay_nabu", "hey_jarvis", "alexa", "hey_mycroft"])
        return sum(wake.feed(sound[start : start + CHUNK]) is not None for start in range(0, len(sound), CHUNK))

    assert wakes(heard) >= 4, "without echo cancellation it wakes itself: else this test shows nothing"
    assert wakes(through(heard, pcm(voice))) == 0


def test_a_wake_word_is_heard_over_what_is_played(impulse: NDArray[np.float64]) -> None:
    played = np.tile(samples(read_recording(DATA / "turn_off_lights_in_the_office.flac")), 4)[: 9 * RATE]
    heard = echo_of(played, impulse, peak=8000.0)
    word = samples(read_recording(DATA / "alexa-rms.flac"))
    word *= 4000.0 / np.abs(word).max()
    at = 6 * RATE
    heard[at : at + len(word)] += word

    def wakes(sound: bytes) -> int:
        wake = MicroWakeWord(["alexa"])
        return sum(wake.feed(sound[start : start + CHUNK]) is not None for start in range(0, len(sound), CHUNK))

    assert wakes(through(pcm(heard), pcm(played))) == 1


def test_steady_noise_is_taken_out() -> None:
    noise = np.random.default_rng(0).normal(0, 800, 4 * RATE)
    front = FrontEnd([NoiseGain(3, 0)])
    cleaned = samples(front.feed(pcm(noise)))[2 * RATE :]
    assert 10 * np.log10((noise[2 * RATE :] ** 2).mean() / (cleaned**2).mean()) > 8.0


def test_quiet_speech_is_brought_up() -> None:
    quiet = 0.02 * np.tile(samples(read_recording(DATA / "turn_off_lights_in_the_office.flac")), 3)
    raised = samples(FrontEnd([NoiseGain(0, 3)]).feed(pcm(quiet)))
    assert (raised[-RATE * 3 :] ** 2).mean() > 4 * (quiet[-RATE * 3 :] ** 2).mean()


@pytest.mark.parametrize("size", [2, 320, 1000, 5000])
def test_sound_keeps_its_length_whatever_the_chunks(size: int) -> None:
    front = FrontEnd([lambda frame: frame])
    raw = bytes(range(256)) * 100
    out = b"".join(front.feed(raw[start : start + size]) for start in range(0, len(raw), size))
    assert out == raw[: len(raw) // 320 * 320]


async def test_the_speaker_tells_the_reference_what_it_plays_in_the_microphones_form(tmp_path: Path) -> None:
    class Audible(FileSpeaker):
        audible = True

    reference = Reference()
    speaker = FrontEnd([], reference).plays(Audible(tmp_path / "out.wav"))
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(22050) / 22050)).astype("<i2").tobytes()
    async with speaker:
        await speaker.start(PcmFormat(22050, 2, 1))
        await speaker.write(tone)
        await speaker.finish()
        heard = samples(reference.take(2 * RATE))
        assert np.abs(np.fft.rfft(heard)).argmax() == 440
        await speaker.start(PcmFormat(16000, 2, 1))
        await speaker.write(tone)
        await speaker.stop()
        assert reference.take(100) == bytes(100), "what was stopped is not heard any more"


def test_a_reference_that_nobody_takes_stays_small() -> None:
    reference = Reference()
    for _ in range(100):
        reference.add(bytes(64000))
    assert len(reference.take(10**8).rstrip(b"\0")) == 0
    reference.add(b"\1" * 64000 * 40)
    assert reference.take(10**8).count(1) == 60 * 32000


def test_what_was_played_while_the_microphone_was_away_is_no_echo() -> None:
    clock, reference = Clock(), Reference()
    played: list[bytes] = []

    def stage(frame: bytes) -> bytes:
        played.append(reference.take(len(frame)))
        return frame

    front = FrontEnd([stage], reference, clock=clock)
    reference.add(b"\1" * 320 * 100 + b"\2" * 320 * 400 + b"\3" * 320 * 100)
    for _ in range(100):
        front.feed(bytes(320))
        clock.now += 0.01
    clock.now += 4.0
    front.feed(bytes(320))
    assert [frame[:1] for frame in played] == [b"\1"] * 100 + [b"\3"], "it goes on in step"


def test_a_microphone_that_was_away_for_days_costs_no_memory() -> None:
    clock, reference = Clock(), Reference()
    front = FrontEnd([lambda frame: reference.take(len(frame))], reference, clock=clock)
    reference.add(b"\1" * 3200)
    clock.now += 3e5
    tracemalloc.start()
    assert front.feed(bytes(320)) == bytes(320)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 1_000_000


def test_a_microphone_that_is_late_loses_nothing_of_the_reference() -> None:
    clock, reference = Clock(), Reference()
    front = FrontEnd([lambda frame: reference.take(len(frame))], reference, clock=clock)
    reference.add(b"\1" * 320 * 200)
    clock.now += 2.0
    assert front.feed(bytes(320 * 200)) == b"\1" * 320 * 200


def test_nothing_is_between_where_nothing_is_switched_on() -> None:
    front, speaker = build(FrontEndConfig()), NullSpeaker()
    assert front.plays(speaker) is speaker
    microphone = object()
    assert front.hears(microphone) is microphone  # type: ignore[arg-type]


def test_a_missing_package_is_told_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pywebrtc_audio", None)
    with pytest.raises(EngineError, match=r"hearth-voice\[front-end\]"):
        build(FrontEndConfig(echo_cancellation=True))


def test_the_satellites_own_voice_is_no_speech_to_be_transcribed(impulse: NDArray[np.float64]) -> None:
    voice = own_voice()
    heard = pcm(echo_of(voice, impulse))

    def speech(sound: bytes) -> bool:
        endpointer = Endpointer(EndpointSettings(max_s=1e6, no_speech_s=None), SileroDetector())
        endpointer.feed(sound)
        return endpointer.speech_started

    assert speech(heard), "without echo cancellation it is: else this test shows nothing"
    assert not speech(through(heard, pcm(voice)))
