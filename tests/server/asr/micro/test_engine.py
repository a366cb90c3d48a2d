"""The micro engine as a whole, by sentences said in tones: what is heard, what is turned down, and when it is over."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hearth_core.command import EndReason, Hypothesis, Transcription
from hearth_core.errors import EngineError
from hearth_core.settings import MicroConfig, ServerConfig
from hearth_core.speech import EndpointSettings
from hearth_intents.grammar import Grammar
from hearth_intents.graph import WordGraph
from hearth_server.asr.engine import Outlook
from hearth_server.asr.micro import engine as module
from hearth_server.asr.micro import phone_graph
from hearth_server.asr.micro.engine import MAX_STREAMS, MicroEngine
from hearth_server.asr.registry import load_engine
from hearth_server.listen import Listening
from tests.fakes import RATE, LoudnessDetector, silence

from .tones import Tones, say

SAID = {
    "turn": "T ER N",
    "on": "AA N",
    "off": "AO F",
    "the": "DH AH",
    "light": "L AY T",
    "fan": "F AE N",
    "in": "IH N",
    "kitchen": "K IH CH AH N",
    "please": "P L IY Z",
    "stop": "S T AA P",
}
SENTENCES = (
    "turn on the light",
    "turn on the light in the kitchen",
    "turn off the light",
    "turn off the light in the kitchen",
    "turn on the fan",
    "turn on the fan please",
    "stop",
)
AUTHORED = "turn on the light in the kitchen"


def grammar_of(sentences: tuple[str, ...], language: str = "en") -> Grammar:
    """Return a grammar of these sentences alone; after "fan" only politeness follows, `AUTHORED` is an author's."""
    states: dict[tuple[str, ...], int] = {(): 0}
    words = sorted({word for sentence in sentences for word in sentence.split()})
    arcs, finals = [], []
    for sentence in sentences:
        said = tuple(sentence.split())
        for length in range(1, len(said) + 1):
            if said[:length] not in states:
                states[said[:length]] = len(states)
                arcs.append((states[said[: length - 1]], states[said[:length]], words.index(said[length - 1])))
        finals.append(states[said])
    graph = WordGraph(
        tuple(words),
        np.array(sorted(arcs), np.int32).reshape(-1, 3),
        np.array(sorted(finals), np.int32),
        len(states),
    )
    leads_on = {source for source, _, word in arcs if words[word] != "please"}
    closing = frozenset(final for final in finals if final not in leads_on)
    own = AUTHORED.split()
    begun = {tuple(own[:length]) for length in range(len(own))}
    authored = frozenset(states[said] for said in begun & states.keys())
    return Grammar(language, graph, closing=closing, authored=authored)


def spoken(sentence: str) -> bytes:
    return say(" ".join(SAID[word] for word in sentence.split()))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "tones.onnx"
    path.write_bytes(Tones().onnx())
    return path


@pytest.fixture(scope="module")
def engine(model: Path) -> Iterator[MicroEngine]:
    engine = MicroEngine(MicroConfig(model=str(model)))
    engine.use(grammar_of(SENTENCES))
    yield engine
    engine.close()


@pytest.fixture
def changing(model: Path) -> Iterator[MicroEngine]:
    """An engine of one test, which may give it other grammars."""
    engine = MicroEngine(MicroConfig(model=str(model)))
    engine.use(grammar_of(SENTENCES))
    yield engine
    engine.close()


def hear(engine: MicroEngine, pcm: bytes, size: int = 2048) -> tuple[Hypothesis, ...]:
    stream = engine.open()
    try:
        for start in range(0, len(pcm), size):
            stream.feed(pcm[start : start + size])
        return stream.finish()
    finally:
        stream.close()


def listen(engine: MicroEngine, pcm: bytes, size: int = 2048) -> Transcription:
    """Return what the server makes of the audio."""
    listening = Listening(engine, EndpointSettings(), LoudnessDetector())
    try:
        for start in range(0, len(pcm), size):
            if listening.feed(pcm[start : start + size]) is not None:
                break
        return listening.finish()
    finally:
        listening.close()


@pytest.mark.parametrize("sentence", SENTENCES)
@pytest.mark.parametrize("size", [320, 2048, 100_000])
def test_sentences(sentence: str, size: int, engine: MicroEngine) -> None:
    heard = hear(engine, silence(0.3) + spoken(sentence) + silence(0.3), size)
    assert heard[0].text == sentence
    assert heard[0].confidence is not None
    assert 0.5 <= heard[0].confidence <= 1


def test_the_reading_does_not_hang_on_the_chunks(engine: MicroEngine) -> None:
    pcm = silence(0.3) + spoken("turn off the light in the kitchen") + silence(0.3)
    assert len({hear(engine, pcm, size) for size in (2, 318, 2048, 5000, len(pcm))}) == 1


def test_readings_so_far(engine: MicroEngine) -> None:
    stream = engine.open()
    pcm = silence(0.3) + spoken("turn on the light in the kitchen") + silence(0.3)
    partials = [stream.feed(pcm[start : start + 2048]) for start in range(0, len(pcm), 2048)]
    texts = [partial.text for partial in partials if partial is not None]
    stream.close()
    assert texts
    assert all("turn on the light in the kitchen".startswith(text) for text in texts)
    assert 3 <= len(texts) <= len(pcm) / 2 / RATE / 0.25


# When the server takes it as over, seconds after the last sound; "turn on the" is open.
ENDS = {
    "turn on the fan": 0.15,
    "turn on the light in the kitchen": 0.15,
    "stop": 0.15,
    "turn on the light": 0.5,
    "turn off the light": 0.3,
    "turn on the": 0.9,
    "turn on the light in": 0.9,
}


@pytest.mark.parametrize(("sentence", "silence_s"), ENDS.items())
def test_how_soon_it_is_over(sentence: str, silence_s: float, engine: MicroEngine) -> None:
    pcm = silence(0.3) + spoken(sentence)
    heard = listen(engine, pcm + silence(3.0))
    assert heard.end is EndReason.SILENCE
    # Frames are 30 ms, what is asked comes every 32.
    assert heard.audio_seconds == pytest.approx(len(pcm) / 2 / RATE + silence_s, abs=0.1)
    assert heard.text == (sentence if silence_s < 0.9 else "")


@pytest.mark.parametrize("pause_s", [0.1, 0.3, 0.42])
def test_a_command_that_goes_on_is_not_cut(pause_s: float, engine: MicroEngine) -> None:
    pcm = silence(0.3) + spoken("turn on the light") + silence(pause_s) + spoken("in the kitchen") + silence(2.0)
    assert listen(engine, pcm).text == "turn on the light in the kitchen"


def test_nobody_is_waited_for_as_long_who_may_add_what_no_author_wrote(engine: MicroEngine) -> None:
    for pause_s, heard in ((0.2, "turn off the light in the kitchen"), (0.42, "turn off the light")):
        said = spoken("turn off the light") + silence(pause_s) + spoken("in the kitchen")
        assert listen(engine, silence(0.3) + said + silence(2.0)).text == heard


def test_an_open_sentence_may_be_thought_over(engine: MicroEngine) -> None:
    pcm = silence(0.3) + spoken("turn on the") + silence(0.7) + spoken("fan") + silence(2.0)
    assert listen(engine, pcm).text == "turn on the fan"


def test_asking_changes_nothing(engine: MicroEngine) -> None:
    pcm = silence(0.3) + spoken("turn on the light in the kitchen") + silence(0.3)
    stream = engine.open()
    for start in range(0, len(pcm), 1024):
        stream.feed(pcm[start : start + 1024])
        stream.ending(1.0)
    assert stream.finish() == hear(engine, pcm)
    stream.close()


def test_while_somebody_speaks_nothing_is_known(engine: MicroEngine) -> None:
    stream = engine.open()
    stream.feed(silence(0.3) + spoken("turn on the fan"))
    assert stream.ending(0.0).outlook is Outlook.UNKNOWN
    stream.close()


NOISES = {
    "nothing": b"",
    "one sample": b"\0\0",
    "silence": silence(2.0),
    "full scale": np.full(RATE, 32767, "<i2").tobytes(),
    "clipped": np.where(np.arange(RATE) // 40 % 2, 32767, -32768).astype("<i2").tobytes(),
    "noise": np.random.default_rng(0).integers(-32768, 32768, RATE).astype("<i2").tobytes(),
    "other words": say("ZH OY UH NG JH OW V Y HH M UW W SH"),
}


@pytest.mark.parametrize("name", NOISES)
def test_what_is_no_command_gives_none(name: str, engine: MicroEngine) -> None:
    assert hear(engine, NOISES[name]) == ()
    assert listen(engine, NOISES[name] + silence(2.0)).text == ""


def test_a_clipped_command_is_heard_or_turned_down(engine: MicroEngine) -> None:
    pcm = silence(0.3) + say(" ".join(SAID[w] for w in ("turn", "on", "the", "fan")), 200_000 / 8) + silence(0.3)
    assert {hypothesis.text for hypothesis in hear(engine, pcm)[:1]} <= {"turn on the fan"}


def test_half_a_sample_is_refused(engine: MicroEngine) -> None:
    stream = engine.open()
    with pytest.raises(EngineError, match="sample"):
        stream.feed(b"\0\0\0")
    stream.close()


def test_a_home_of_another_language(changing: MicroEngine) -> None:
    with pytest.raises(EngineError, match="hears 'en', not 'de'") as raised:
        changing.use(grammar_of(("stop",), language="de"))
    assert "whisper" in raised.value.remedy
    changing.use(grammar_of(("stop",), language="en-GB"))
    assert [heard.text for heard in hear(changing, silence(0.3) + spoken("stop") + silence(0.3))][:1] == ["stop"]


def test_a_home_without_sentences_keeps_the_last(changing: MicroEngine) -> None:
    with pytest.raises(EngineError, match="no sentence"):
        changing.use(grammar_of(()))
    assert hear(changing, silence(0.3) + spoken("stop") + silence(0.3))[0].text == "stop"


def test_a_home_that_is_too_large_keeps_the_last(changing: MicroEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone_graph, "MAX_ARC_PHONES", 10)
    with pytest.raises(EngineError, match="phones, more than the 10 that"):
        changing.use(grammar_of(("turn on the lamp", "stop")))
    assert hear(changing, silence(0.3) + spoken("stop") + silence(0.3))[0].text == "stop"


def test_a_word_that_no_dictionary_has_is_spelt(changing: MicroEngine) -> None:
    changing.use(grammar_of(("turn on the xyzzyplugh", "stop")))
    assert hear(changing, silence(0.3) + spoken("stop") + silence(0.3))[0].text == "stop"


@pytest.mark.parametrize("near", ["flour", "flower"])
def test_what_is_near_decides_between_what_sounds_alike(near: str, changing: MicroEngine) -> None:
    changing.use(grammar_of(("stop the flour", "stop the flower")))
    stream = changing.open()
    stream.prefer([], [f"{near} Mill"])
    stream.feed(silence(0.3) + say("S T AA P DH AH F L AW ER") + silence(0.3))
    first, second = stream.finish()
    assert first.text == f"stop the {near}"
    assert first.confidence is not None
    assert second.confidence is not None
    assert first.confidence > second.confidence > 0.3 * first.confidence  # near enough to be asked about
    stream.close()


def test_a_new_grammar_does_not_disturb_a_stream(changing: MicroEngine) -> None:
    pcm = silence(0.3) + spoken("turn on the fan") + silence(0.3)
    stream = changing.open()
    stream.feed(pcm[:8000])
    changing.use(grammar_of(("stop",)))
    stream.feed(pcm[8000:])
    assert stream.finish()[0].text == "turn on the fan"
    stream.close()
    assert "fan" not in " ".join(heard.text for heard in hear(changing, pcm))


def test_without_a_grammar(model: Path) -> None:
    with pytest.raises(EngineError, match="no grammar yet"):
        MicroEngine(MicroConfig(model=str(model))).open()


def test_so_many_speak_at_once_and_no_more(engine: MicroEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_STREAMS", 3)
    streams = [engine.open() for _ in range(3)]
    with pytest.raises(EngineError, match="speak at once"):
        engine.open()
    streams[0].close()
    streams[0].close()
    engine.open()
    with pytest.raises(EngineError, match="speak at once"):
        engine.open()
    assert MAX_STREAMS >= 50


def test_a_stream_that_is_closed(engine: MicroEngine) -> None:
    stream = engine.open()
    stream.close()
    for call in (lambda: stream.feed(b""), stream.finish):
        with pytest.raises(EngineError, match="over"):
            call()


def test_streams_on_threads_do_not_meet(engine: MicroEngine) -> None:
    heard: dict[str, str] = {}

    def speak(sentence: str) -> None:
        heard[sentence] = hear(engine, silence(0.3) + spoken(sentence) + silence(0.3), 1024)[0].text

    threads = [threading.Thread(target=speak, args=(sentence,)) for sentence in SENTENCES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == {sentence: sentence for sentence in SENTENCES}


def test_by_its_name(model: Path) -> None:
    engine = load_engine(ServerConfig(engine="micro", micro=MicroConfig(model=str(model))))
    assert engine.name == "micro"
    engine.close()


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"none\.onnx cannot be read"):
        load_engine(ServerConfig(engine="micro", micro=MicroConfig(model=str(tmp_path / "none.onnx"))))


def test_the_configuration_says_how_sure_it_must_be(model: Path) -> None:
    assert MicroEngine(MicroConfig(model=str(model), least_confidence=0.7)).judge.least_confidence == 0.7
