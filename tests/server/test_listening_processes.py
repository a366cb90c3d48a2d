"""Listening in processes of their own: the same words, and what becomes of an utterance whose process ends."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from hearth_core.audio import read_recording
from hearth_core.command import Context, EndReason, Transcription
from hearth_core.config import Config
from hearth_core.errors import EngineError
from hearth_core.home import Home
from hearth_core.settings import MicroConfig, ServerConfig
from hearth_core.speech import EndpointSettings, SileroDetector
from hearth_intents.compile import compile_grammar
from hearth_intents.grammar import Grammar
from hearth_intents.sentences import load_sentences
from hearth_server import listening_processes
from hearth_server.asr.engine import Verifying
from hearth_server.asr.registry import load_engine
from hearth_server.demo_home import DemoHome
from hearth_server.listen import Utterance, listen
from hearth_server.listening_processes import EngineProcesses
from hearth_server.server import running_pipeline
from tests.fakes import silence
from tests.server.conftest import chunks

RECORDINGS = Path(__file__).parents[2] / "examples" / "recordings"
LOCK = read_recording(RECORDINGS / "lock_the_front_door.flac") + silence(1)
MICRO = ServerConfig(engine="micro")


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return compile_grammar(load_sentences("en", []), DemoHome().home)


@pytest.fixture(scope="module")
def two(grammar: Grammar) -> Iterator[EngineProcesses]:
    """Two processes with micro and the demo home; each test leaves two that live."""
    engine = EngineProcesses(2, MICRO, "en")
    engine.use(grammar)
    yield engine
    engine.close()


def fed(utterance: Utterance, start: int, end: int) -> EndReason | None:
    """Let a part of the recording be heard, in the thread where that belongs."""
    return utterance.threads.submit(utterance.feed, LOCK[start:end]).result()


def begun(engine: EngineProcesses) -> Utterance:
    """Return an utterance of which half a second was heard."""
    utterance = listen(engine, EndpointSettings(), SileroDetector)
    fed(utterance, 0, 16_000)
    return utterance


def heard(utterance: Utterance, start: int = 0) -> Transcription:
    for at in range(start, len(LOCK), 2048):
        if fed(utterance, at, at + 2048) is not None:
            break
    said = utterance.threads.submit(utterance.finish).result()
    utterance.close()
    return said


def process_of(engine: EngineProcesses, utterance: Utterance) -> psutil.Process:
    """Return the process that hears an utterance; each has begun another number of them."""
    (worker,) = (each for each in engine._workers if each.thread is utterance.threads)
    assert worker._process is not None
    assert worker._process.pid is not None
    return psutil.Process(worker._process.pid)


def test_it_hears_what_the_server_itself_would(two: EngineProcesses, grammar: Grammar) -> None:
    own = load_engine(MICRO)
    own.use(grammar)
    there = heard(listen(two, EndpointSettings(), SileroDetector))
    assert there == heard(listen(own, EndpointSettings(), SileroDetector))
    assert (there.text, there.engine, there.end) == ("lock the front door", "micro", EndReason.SILENCE)


def test_utterances_are_spread_over_the_processes(two: EngineProcesses) -> None:
    first, second = begun(two), begun(two)
    assert process_of(two, first) != process_of(two, second)
    assert [heard(each, 16_000).text for each in (first, second)] == ["lock the front door"] * 2


def test_what_a_process_heard_that_is_killed_is_told_as_lost_and_nothing_else(
    two: EngineProcesses, caplog: pytest.LogCaptureFixture
) -> None:
    lost, other = begun(two), begun(two)
    killed = process_of(two, lost)
    killed.kill()
    with pytest.raises(EngineError, match="the process that heard this ended"):
        fed(lost, 16_000, 18_048)
    with pytest.raises(EngineError, match="Say it again"):
        lost.threads.submit(lost.finish).result()
    assert heard(other, 16_000).text == "lock the front door"
    lost.close()
    both = [begun(two) for _ in range(2)]  # one of them in a new process, which knows the home
    processes = {process_of(two, each) for each in both}
    assert len(processes) == 2
    assert killed not in processes
    assert [heard(each, 16_000).text for each in both] == ["lock the front door"] * 2
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_a_process_that_hangs_is_given_up(two: EngineProcesses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening_processes, "ANSWER_S", 0.2)
    lost = begun(two)
    hanging = process_of(two, lost)
    hanging.send_signal(signal.SIGSTOP)
    with pytest.raises(EngineError, match="Say it again"):
        fed(lost, 16_000, 18_048)
    assert not hanging.is_running() or hanging.status() == psutil.STATUS_ZOMBIE
    monkeypatch.undo()
    lost.close()
    assert [heard(begun(two), 16_000).text for _ in range(2)] == ["lock the front door"] * 2


def test_a_new_home_is_heard_in_all_of_them_though_one_has_just_ended(two: EngineProcesses, grammar: Grammar) -> None:
    ended = begun(two)
    process_of(two, ended).kill()
    ended.close()
    two.use(compile_grammar(load_sentences("en", [RECORDINGS.parent / "barista" / "sentences"], builtin=False), Home()))
    texts = [heard(begun(two), 16_000).text for _ in range(2)]
    two.use(grammar)
    assert texts == ["", ""]
    assert heard(begun(two), 16_000).text == "lock the front door"


def test_audio_does_not_wait_for_a_home_that_is_taken(two: EngineProcesses) -> None:
    utterance = begun(two)
    (worker,) = (each for each in two._workers if each.thread is utterance.threads)
    with worker._starting:  # as while a large grammar is on its way
        assert utterance.threads.submit(utterance.feed, LOCK[16_000:18_048]).result(20) is None
    assert heard(utterance, 18_048).text == "lock the front door"


def test_words_are_verified_if_the_engine_does(two: EngineProcesses) -> None:
    assert isinstance(two, Verifying)
    door, alexa = (two.phrase_fit(phrase, LOCK) for phrase in ("front door", "Alexa"))
    assert door is not None
    assert alexa is not None
    assert door > alexa + 1


def test_an_engine_that_cannot_be_had_is_told_and_leaves_no_process(tmp_path: Path) -> None:
    before = set(psutil.Process().children())
    missing = ServerConfig(engine="micro", micro=MicroConfig(model=str(tmp_path / "none.onnx")))
    with pytest.raises(EngineError, match=r"none\.onnx"):
        EngineProcesses(2, missing, "en")
    assert set(psutil.Process().children()) == before


async def test_a_server_with_a_process_answers_and_ends_it() -> None:
    config = Config(server=ServerConfig(engine="pocketsphinx", processes=1))
    before = set(psutil.Process().children())
    async with running_pipeline(config) as pipeline:
        assert len(set(psutil.Process().children()) - before) >= 1
        assert not pipeline.verifies
        answer = await pipeline.answer(chunks(LOCK), Context(area_id="hall"))
        assert (answer.transcription.engine, answer.transcription.text) == ("pocketsphinx", "lock the front door")
        listening = asyncio.create_task(pipeline.listen(chunks(LOCK[:16_000]), Context()))
        await asyncio.sleep(0)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        assert (await pipeline.answer(chunks(LOCK), Context(area_id="hall"))).matches
    living = [each for each in set(psutil.Process().children()) - before if each.status() != psutil.STATUS_ZOMBIE]
    assert [each for each in living if "spawn_main" in " ".join(each.cmdline())] == []
