"""What of an utterance the recogniser hears, and when it is over."""

from __future__ import annotations

import pytest

from hearth_core.command import EndReason, Hypothesis, Transcription
from hearth_core.errors import EngineError
from hearth_core.speech import EndpointSettings
from hearth_server.listen import PAUSE_S, PREROLL_S, TAIL_S, Listening
from tests.fakes import RATE, FakeEngine, FakeStream, LoudnessDetector, silence, tone

# One window of the detector; what is cut is exact to that.
WINDOW_S = 0.032


class PausingStream(FakeStream):
    """A stream that notes how much audio it had whenever it was told of a pause."""

    def __init__(self, text: str, confidence: float | None) -> None:
        super().__init__(text, confidence)
        self.pauses: list[int] = []
        self.finished = 0

    def pause(self) -> None:
        self.pauses.append(len(self.pcm))

    def finish(self) -> tuple[Hypothesis, ...]:
        self.finished += 1
        return super().finish()


class PausingEngine(FakeEngine):
    """A FakeEngine with streams that note pauses."""

    def open(self) -> PausingStream:
        stream = PausingStream("turn on the lamp", 0.9)
        self.streams.append(stream)
        return stream


def listen(engine: FakeEngine, pcm: bytes, size: int = 1024, settings: EndpointSettings | None = None) -> Listening:
    """Return a listening that has heard the audio, up to the end of the utterance."""
    listening = Listening(engine, settings or EndpointSettings(), LoudnessDetector())
    for start in range(0, len(pcm), size):
        if listening.feed(pcm[start : start + size]) is not None:
            break
    return listening


def seconds(pcm: bytes) -> float:
    return len(pcm) / 2 / RATE


def _so_far(listening: Listening) -> Hypothesis | None:
    return listening.partial


@pytest.mark.parametrize("size", [2, 640, 1024, 2050, 32_000, 10_000_000])
def test_the_recogniser_hears_speech_with_what_is_around_it(size: int) -> None:
    engine = FakeEngine(["turn on the lamp"])
    pcm = silence(2.0) + tone(1.0) + silence(2.0)
    listening = listen(engine, pcm, size)
    said = listening.finish()
    assert (said.end, said.text, said.confidence, said.engine) == (EndReason.SILENCE, "turn on the lamp", 0.9, "fake")
    heard = engine.streams[0].pcm
    assert tone(1.0)[:-2048] in heard
    before = heard.index(tone(0.1)) / 2 / RATE
    after = seconds(heard) - before - 1.0
    # A chunk as large as the pre-roll is heard as a whole.
    assert PREROLL_S - 2 * WINDOW_S - 0.07 <= before <= max(PREROLL_S, size / 2 / RATE) + WINDOW_S
    assert TAIL_S - WINDOW_S <= after <= TAIL_S + WINDOW_S


def test_speech_from_the_first_sample_on() -> None:
    engine = FakeEngine(["lamp"])
    listen(engine, tone(1.0) + silence(1.0)).finish()
    assert engine.streams[0].pcm.startswith(tone(1.0)[:-2048])


def test_a_pause_in_a_sentence_is_heard_as_it_was() -> None:
    engine = FakeEngine(["lamp"])
    pcm = tone(0.5) + silence(0.448) + tone(0.5) + silence(1.0)
    said = listen(engine, pcm).finish()
    assert said.end is EndReason.SILENCE
    heard = engine.streams[0].pcm
    assert pcm.startswith(heard)
    assert seconds(heard) == pytest.approx(1.448 + TAIL_S, abs=WINDOW_S)


def test_silence_is_held_back_until_speech_goes_on() -> None:
    engine = PausingEngine()
    listening = listen(engine, tone(0.512) + silence(0.448))
    held = seconds(engine.streams[0].pcm)
    assert held == pytest.approx(0.512 + TAIL_S, abs=WINDOW_S)
    listening.feed(silence(0.032))
    assert seconds(engine.streams[0].pcm) == held
    assert listening.silence_s == pytest.approx(0.48, abs=WINDOW_S)


def test_a_pause_is_told_in_silence_only() -> None:
    engine = PausingEngine()
    listening = listen(engine, silence(0.512) + tone(1.024) + silence(PAUSE_S - 0.05))
    (stream,) = engine.streams
    assert isinstance(stream, PausingStream)
    assert stream.pauses == []
    listening.feed(silence(0.1))
    assert len(stream.pauses) == 1
    listening.feed(tone(0.512))
    listening.feed(tone(0.512))
    told = len(stream.pauses)
    listening.feed(tone(0.512))
    assert len(stream.pauses) == told == 1
    for _ in range(8):
        listening.feed(silence(0.032))
    assert len(stream.pauses) > 1


@pytest.mark.parametrize(
    ("pcm", "settings", "end", "text"),
    [
        (tone(1.0) + silence(0.6), EndpointSettings(), EndReason.SILENCE, "lamp"),
        (tone(3.0), EndpointSettings(max_s=2.0), EndReason.LIMIT, "lamp"),
        (tone(1.0), EndpointSettings(), EndReason.STOP, "lamp"),
        (tone(1.0) + silence(0.3), EndpointSettings(), EndReason.STOP, "lamp"),
        (silence(2.0), EndpointSettings(no_speech_s=1.0), EndReason.NO_SPEECH, ""),
        (silence(2.0), EndpointSettings(no_speech_s=None), EndReason.NO_SPEECH, ""),
        (silence(3.0), EndpointSettings(no_speech_s=None, max_s=2.0), EndReason.LIMIT, ""),
        (tone(0.032) + silence(2.0), EndpointSettings(no_speech_s=1.0), EndReason.NO_SPEECH, ""),  # a click
    ],
    ids=["silence", "limit", "stop", "stop-in-silence", "no-speech", "stopped", "limit-of-silence", "click"],
)
def test_why_it_is_over(pcm: bytes, settings: EndpointSettings, end: EndReason, text: str) -> None:
    engine = FakeEngine(["lamp"])
    said = listen(engine, pcm, settings=settings).finish()
    assert (said.end, said.text) == (end, text)
    assert bool(engine.streams[0].pcm) is bool(text)  # silence alone costs the recogniser nothing


def test_without_speech_the_recogniser_is_not_asked() -> None:
    engine = PausingEngine()
    listening = listen(engine, silence(3.0), settings=EndpointSettings(no_speech_s=1.0))
    assert listening.silence_s == 0.0
    assert listening.finish().hypotheses == ()
    (stream,) = engine.streams
    assert isinstance(stream, PausingStream)
    assert (stream.pcm, stream.pauses, stream.finished) == (b"", [], 0)


def test_finish_without_audio() -> None:
    listening = listen(FakeEngine(["lamp"]), b"")
    assert listening.finish() == Transcription((), "fake", EndReason.NO_SPEECH, 0.0)


def test_the_end_is_said_again_and_nothing_more_is_heard() -> None:
    engine = FakeEngine(["lamp"])
    listening = listen(engine, tone(1.0) + silence(1.0))
    heard, length = engine.streams[0].pcm, listening.finish().audio_seconds
    assert listening.feed(tone(1.0)) is EndReason.SILENCE
    assert engine.streams[0].pcm == heard
    assert listening.finish().audio_seconds == length == pytest.approx(1.5, abs=2 * WINDOW_S)


def test_a_long_wait_is_not_kept() -> None:
    engine = FakeEngine(["lamp"])
    listening = listen(engine, silence(60.0) + tone(1.0), settings=EndpointSettings(no_speech_s=None, max_s=120.0))
    assert seconds(engine.streams[0].pcm) <= 1.0 + PREROLL_S + WINDOW_S
    assert listening.finish().audio_seconds == pytest.approx(61.0)


def test_the_reading_so_far_stays_while_there_is_no_newer() -> None:
    engine = FakeEngine(["turn on the lamp"])
    listening = listen(engine, silence(0.5))
    assert _so_far(listening) is None
    listening.feed(tone(1.0))
    first = _so_far(listening)
    assert first is not None
    assert "turn on the lamp".startswith(first.text)
    listening.feed(silence(0.4))
    listening.feed(silence(0.064))
    last = _so_far(listening)
    assert last is not None
    assert len(last.text) >= len(first.text)


def test_the_stream_is_given_back() -> None:
    engine = FakeEngine(["lamp"])
    listening = listen(engine, tone(0.5))
    assert not engine.streams[0].closed
    listening.close()
    listening.close()
    assert engine.streams[0].closed


def test_an_engine_that_has_no_capacity_left() -> None:
    class Full(FakeEngine):
        def open(self) -> FakeStream:
            raise EngineError("8 people speak at once already")

    with pytest.raises(EngineError, match="speak at once"):
        Listening(Full(), EndpointSettings(), LoudnessDetector())
