"""What of an utterance the recogniser hears, and when it is over."""

from __future__ import annotations

import numpy as np
import pytest

from hearth_core.command import EndReason, Hypothesis, Transcription
from hearth_core.errors import EngineError
from hearth_core.speech import EndpointSettings
from hearth_server.asr.engine import Ending, Outlook
from hearth_server.listen import BEFORE_DOUBT_S, MOST_PREROLL_S, PAUSE_S, PREROLL_S, TAIL_S, Listening
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


class DoubtingDetector(LoudnessDetector):
    """A detector that is not sure of what is soft."""

    def __call__(self, window: bytes) -> float:
        return super().__call__(window) or (0.2 if np.frombuffer(window, "<i2").max() > 100 else 0.0)


@pytest.mark.parametrize("doubt_s", [0.1, 0.8, 1.2, 30.0])
def test_what_may_have_been_speech_is_heard_from_its_beginning_but_no_more_than_a_second_and_a_half(
    doubt_s: float,
) -> None:
    engine = FakeEngine(["lamp"])
    soft = (np.frombuffer(tone(doubt_s), "<i2") // 50).astype("<i2").tobytes()
    settings = EndpointSettings(no_speech_s=None, max_s=120.0)
    listening = Listening(engine, settings, DoubtingDetector())
    listening.feed(silence(2.0) + soft + tone(1.0))
    before = engine.streams[0].pcm.index(tone(0.1)) / 2 / RATE
    wanted = min(max(PREROLL_S, BEFORE_DOUBT_S + doubt_s), MOST_PREROLL_S)
    assert before == pytest.approx(wanted, abs=0.07 + 2 * WINDOW_S)


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
    assert stream.pauses
    listening.feed(tone(0.512))
    told = len(stream.pauses)
    listening.feed(tone(0.512))
    listening.feed(tone(0.512))
    assert len(stream.pauses) == told
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


class KnowingStream(FakeStream):
    """A stream that says in silence what it was told to say."""

    def __init__(self, outlook: Outlook) -> None:
        super().__init__("turn on the lamp", 0.9)
        self.outlook = outlook

    def ending(self, unspoken_s: float) -> Ending:
        heard = np.frombuffer(self.pcm, "<i2")
        loud = np.flatnonzero(np.abs(heard) > 1000)
        quiet_s = (len(heard) - (loud[-1] + 1 if len(loud) else 0)) / RATE
        return Ending(self.outlook, quiet_s) if quiet_s >= 0.03 else Ending()


class KnowingEngine(FakeEngine):
    """A FakeEngine whose streams know what may follow."""

    def __init__(self, outlook: Outlook) -> None:
        super().__init__()
        self.outlook = outlook

    def open(self) -> KnowingStream:
        stream = KnowingStream(self.outlook)
        self.streams.append(stream)
        return stream


class SlowDetector(LoudnessDetector):
    """A detector that takes what follows speech for speech, for a while."""

    def __init__(self, late: int) -> None:
        self._late = late
        self._left = 0

    def __call__(self, window: bytes) -> float:
        loud = super().__call__(window)
        self._left = self._late if loud else max(0, self._left - 1)
        return 1.0 if loud or self._left else 0.0


QUIET_ENDS = {
    Outlook.UNKNOWN: 0.5,
    Outlook.OPEN: 0.9,
    Outlook.EXTENDABLE: 0.4,
    Outlook.ENOUGH: 0.3,
    Outlook.COMPLETE: 0.13,
}


@pytest.mark.parametrize("size", [2, 640, 1024, 2048, 2050, 32_000, 10_000_000])
@pytest.mark.parametrize(("outlook", "quiet_s"), QUIET_ENDS.items())
def test_how_long_a_silence_ends_it(outlook: Outlook, quiet_s: float, size: int) -> None:
    listening = listen(KnowingEngine(outlook), silence(0.4) + tone(1.024) + silence(3.0), size)
    said = listening.finish()
    assert (said.end, said.text) == (EndReason.SILENCE, "turn on the lamp")
    assert said.audio_seconds == pytest.approx(1.424 + quiet_s, abs=2 * WINDOW_S)
    assert listening.silence_s == pytest.approx(quiet_s, abs=2 * WINDOW_S)


@pytest.mark.parametrize(("outlook", "quiet_s"), QUIET_ENDS.items())
def test_where_a_detector_that_is_late_ends_it(outlook: Outlook, quiet_s: float) -> None:
    engine = KnowingEngine(outlook)
    listening = Listening(engine, EndpointSettings(), SlowDetector(6))
    listening.feed(silence(0.4) + tone(1.024) + silence(3.0))
    late = 6 * WINDOW_S
    ends_s = quiet_s + late
    if outlook is Outlook.COMPLETE:
        ends_s = quiet_s
    elif outlook is Outlook.ENOUGH:  # for some of the time the detector must hear nobody either
        ends_s = max(quiet_s, late + PAUSE_S)
    assert listening.finish().audio_seconds == pytest.approx(1.424 + ends_s, abs=2 * WINDOW_S)


def test_a_sentence_that_goes_on_after_a_pause_is_not_cut() -> None:
    pauses = {Outlook.EXTENDABLE: 0.3, Outlook.ENOUGH: 0.2, Outlook.OPEN: 0.8, Outlook.COMPLETE: 0.1}
    for outlook, pause_s in pauses.items():
        listening = listen(KnowingEngine(outlook), tone(0.512) + silence(pause_s) + tone(0.512) + silence(2.0))
        said = listening.finish().audio_seconds
        assert said == pytest.approx(1.024 + pause_s + QUIET_ENDS[outlook], abs=2 * WINDOW_S)


def test_what_is_settled_is_waited_for_no_longer() -> None:
    """A slot that was open and is filled after a pause."""
    engine = KnowingEngine(Outlook.OPEN)
    listening = listen(engine, tone(0.512) + silence(0.7) + tone(0.512))
    (stream,) = engine.streams
    assert isinstance(stream, KnowingStream)
    stream.outlook = Outlook.COMPLETE
    listening.feed(silence(0.3))
    assert listening.finish().audio_seconds == pytest.approx(1.724 + 0.13, abs=2 * WINDOW_S)


@pytest.mark.parametrize(
    ("settings", "outlook", "quiet_s"),
    [
        (EndpointSettings(early_s=None), Outlook.COMPLETE, 0.5),
        (EndpointSettings(early_s=2.0), Outlook.COMPLETE, 0.5),  # never later than without
        (EndpointSettings(early_s=0.3), Outlook.COMPLETE, 0.3),
        (EndpointSettings(silence_s=1.2), Outlook.OPEN, 1.2),
        (EndpointSettings(open_s=0.1), Outlook.OPEN, 0.5),
        (EndpointSettings(open_s=2.0), Outlook.OPEN, 2.0),
        (EndpointSettings(enough_s=None), Outlook.ENOUGH, 0.4),  # as EXTENDABLE
        (EndpointSettings(enough_s=2.0), Outlook.ENOUGH, 0.4),
        (EndpointSettings(enough_s=0.1), Outlook.ENOUGH, PAUSE_S),
        (EndpointSettings(extendable_s=2.0), Outlook.EXTENDABLE, 0.5),
        (EndpointSettings(extendable_s=0.25), Outlook.EXTENDABLE, 0.25),
        (EndpointSettings(extendable_s=0.8, silence_s=0.8), Outlook.EXTENDABLE, 0.8),
    ],
)
def test_what_is_configured(settings: EndpointSettings, outlook: Outlook, quiet_s: float) -> None:
    listening = listen(KnowingEngine(outlook), tone(1.024) + silence(4.0), settings=settings)
    assert listening.finish().audio_seconds == pytest.approx(1.024 + quiet_s, abs=2 * WINDOW_S)


def test_an_open_sentence_is_no_longer_than_a_command_may_be() -> None:
    settings = EndpointSettings(max_s=1.5, open_s=5.0)
    said = listen(KnowingEngine(Outlook.OPEN), tone(1.024) + silence(6.0), settings=settings).finish()
    assert said.end is EndReason.LIMIT
    assert said.audio_seconds == pytest.approx(1.5, abs=WINDOW_S)


def test_a_short_word_that_is_complete_ends_early() -> None:
    """Of less speech than `min_speech_s` only a silence of a second is the end, unless it is known to be a command."""
    ends = {Outlook.COMPLETE: 0.13, Outlook.ENOUGH: 0.3, Outlook.EXTENDABLE: 1.0, Outlook.UNKNOWN: 1.0}
    for outlook, quiet_s in ends.items():
        said = listen(KnowingEngine(outlook), tone(0.128) + silence(2.0)).finish()
        assert said.audio_seconds == pytest.approx(0.128 + quiet_s, abs=2 * WINDOW_S)


@pytest.mark.parametrize(
    ("outlook", "word", "ends_s"),
    [
        (Outlook.UNKNOWN, b"", 2.0),
        (Outlook.UNKNOWN, tone(0.5), 4.5),
        (Outlook.COMPLETE, b"", 1.65),
        (Outlook.COMPLETE, tone(0.5), 4.15),
    ],
)
def test_a_television_that_pauses_does_not_end_it_if_the_wake_word_was_louder(
    outlook: Outlook, word: bytes, ends_s: float
) -> None:
    """Somebody soft speaks until 1.5 s, then the speaker of the wake word from 3 to 4 s."""
    pcm = silence(0.5) + tone(1.0, 1500) + silence(1.5) + tone(1.0) + silence(2.0)
    listening = Listening(KnowingEngine(outlook), EndpointSettings(), LoudnessDetector())
    listening.meet(word)
    for start in range(0, len(pcm), 1024):
        if listening.feed(pcm[start : start + 1024]) is not None:
            break
    assert listening.finish().audio_seconds == pytest.approx(ends_s, abs=0.1)
