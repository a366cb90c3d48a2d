"""The whisper engine on a real, tiny model: loading, decoding and what is said if there is no model."""

from __future__ import annotations

import logging
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import faster_whisper
import numpy as np
import pytest

from hearth_core.command import Hypothesis
from hearth_core.errors import EngineError
from hearth_core.settings import ServerConfig, WhisperConfig
from hearth_intents.grammar import Grammar
from hearth_intents.graph import WordGraph
from hearth_server.asr.registry import load_engine
from hearth_server.asr.whisper import MAX_HOTWORD_CHARS, MAX_SECONDS, WhisperEngine
from tests.fakes import silence, tone
from tests.server.asr.tiny_whisper import build

ENOUGH = 1.2  # the word is likelier than all else together, but not by much


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("whisper") / "lamp")


@pytest.fixture
def engine(model: Path) -> WhisperEngine:
    return WhisperEngine(WhisperConfig(model=str(model), beam_size=2, download=False))


@pytest.fixture
def copy(model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model, tmp_path / "model"))


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return what addresses were asked for or dialled; none is reached."""
    addresses: list[object] = []

    def refuse(*address: object, **_: object) -> None:
        addresses.append(address)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return addresses


def named(*names: str) -> Grammar:
    return Grammar("en", WordGraph((), np.zeros((0, 3), np.int32), np.zeros(0, np.int32), 1), names)


def hear(engine: WhisperEngine, pcm: bytes) -> tuple[Hypothesis, ...]:
    stream = engine.open()
    for start in range(0, len(pcm), 2048):
        assert stream.feed(pcm[start : start + 2048]) is None
        stream.pause()
    heard = stream.finish()
    stream.close()
    stream.close()
    return heard


def spy(engine: WhisperEngine, monkeypatch: pytest.MonkeyPatch, seen: Callable[..., None]) -> None:
    """Show every call of the real model's transcribe to `seen`, and read its segments through `seen` as well."""
    real = engine._model.transcribe

    def transcribe(samples: Any, **options: Any) -> Any:
        seen(samples=samples, **options)
        segments, info = real(samples, **options)

        def read() -> Iterator[Any]:
            for segment in segments:
                seen(segment=segment)
                yield segment

        return read(), info

    monkeypatch.setattr(engine._model, "transcribe", transcribe)


def test_speech_is_decoded(engine: WhisperEngine) -> None:
    (heard,) = hear(engine, tone(1.0))
    assert heard.text == "lamp"
    assert heard.confidence is not None
    assert heard.confidence > 0.9


def test_an_unsure_model_is_believed_less(tmp_path: Path) -> None:
    engine = WhisperEngine(WhisperConfig(model=str(build(tmp_path / "unsure", sure=ENOUGH)), beam_size=2))
    (heard,) = hear(engine, tone(1.0))
    assert heard.confidence is not None
    assert 0 < heard.confidence < 0.5


def test_what_the_model_takes_for_silence_is_nothing(tmp_path: Path) -> None:
    folder = build(tmp_path / "silent", sure=ENOUGH, speech=False)
    assert hear(WhisperEngine(WhisperConfig(model=str(folder), beam_size=2)), tone(1.0)) == ()


@pytest.mark.parametrize("pcm", [bytes(2), silence(0.01), silence(1)], ids=["one-sample", "10-ms", "silence"])
def test_any_audio_is_decoded(pcm: bytes, engine: WhisperEngine) -> None:
    assert len(hear(engine, pcm)) <= 1


def test_no_audio_is_nothing(engine: WhisperEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_model", None)
    assert hear(engine, b"") == ()


def test_only_half_a_minute_is_kept(engine: WhisperEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[int] = []
    spy(engine, monkeypatch, lambda **said: heard.extend([len(said["samples"])] if "samples" in said else []))
    hear(engine, silence(MAX_SECONDS + 2))
    assert heard == [MAX_SECONDS * 16_000]


def test_the_model_is_loaded_once(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[tuple[str, dict[str, Any]]] = []
    real = faster_whisper.WhisperModel

    def load(name: str, **options: Any) -> Any:
        loads.append((name, options))
        return real(name, **options)

    monkeypatch.setattr(faster_whisper, "WhisperModel", load)
    engine = load_engine(ServerConfig(engine="whisper", whisper=WhisperConfig(model=str(model), download=False)))
    assert isinstance(engine, WhisperEngine)
    for names in ("Lamp", "Kettle"):
        engine.use(named(names))
        assert [each.text for each in hear(engine, tone(0.5))] == ["lamp"]
    engine.close()
    ((name, options),) = loads
    assert name == str(model)
    assert options == {"device": "cpu", "compute_type": "int8", "local_files_only": True}


def test_names_are_hotwords(engine: WhisperEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[dict[str, Any]] = []
    spy(engine, monkeypatch, lambda **said: calls.append(said) if "samples" in said else None)
    hear(engine, tone(0.5))
    engine.use(named("Bed Light", "EcoBee", "Küche 💡"))
    (heard,) = hear(engine, tone(0.5))
    assert [call["hotwords"] for call in calls] == [None, "Bed Light, EcoBee, Küche 💡"]
    assert {(call["language"], call["beam_size"]) for call in calls} == {("en", 2)}
    assert heard.text == "lamp"


def test_names_of_an_utterance_go_before_those_of_the_home(
    engine: WhisperEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[dict[str, Any]] = []
    spy(engine, monkeypatch, lambda **said: calls.append(said) if "samples" in said else None)
    engine.use(named("Bed Light", "EcoBee"))
    stream = engine.open()
    stream.prefer(["EcoBee", "x" * (MAX_HOTWORD_CHARS - 30), "Late One"], ["Lava Lamp"])
    stream.feed(tone(0.5))
    stream.finish()
    hear(engine, tone(0.5))
    assert [call["hotwords"][:17] for call in calls] == ["Lava Lamp, EcoBee", "Bed Light, EcoBee"]
    assert len(calls[0]["hotwords"]) <= MAX_HOTWORD_CHARS


def test_hotwords_are_bounded(
    engine: WhisperEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[dict[str, Any]] = []
    spy(engine, monkeypatch, lambda **said: calls.append(said) if "samples" in said else None)
    names = [f"Lamp {number}" for number in range(500)]
    with caplog.at_level(logging.WARNING):
        engine.use(named(*names))
    (heard,) = hear(engine, tone(0.5))
    passed = calls[0]["hotwords"]
    assert MAX_HOTWORD_CHARS - 20 < len(passed) <= MAX_HOTWORD_CHARS
    assert passed.split(", ") == names[: len(passed.split(", "))]  # the first ones, whole
    assert "whisper prefers the first" in caplog.text
    assert heard.text == "lamp"


def test_one_endless_name_is_no_hotword(engine: WhisperEngine) -> None:
    engine.use(named("x" * 10_000))
    assert [each.text for each in hear(engine, tone(0.5))] == ["lamp"]


def test_the_work_is_done_in_the_thread_that_asks(engine: WhisperEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    reading: list[int] = []
    spy(engine, monkeypatch, lambda **said: reading.append(threading.get_ident()) if "segment" in said else None)

    def work() -> int:
        hear(engine, tone(0.5))
        assert len(reading) == 1  # read to its end before the result is there
        return threading.get_ident()

    with ThreadPoolExecutor(1) as threads:
        assert [threads.submit(work).result()] == reading


def test_several_speak_at_once(engine: WhisperEngine) -> None:
    with ThreadPoolExecutor(3) as threads:
        heard = list(threads.map(lambda _: hear(engine, tone(0.5)), range(3)))
    assert [[each.text for each in one] for one in heard] == [["lamp"]] * 3


def test_a_failing_model_is_one_line(engine: WhisperEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> None:
        raise RuntimeError("out of\nmemory " + "x" * 1000)

    spy(engine, monkeypatch, fail)
    with pytest.raises(EngineError, match="whisper failed: out of memory") as raised:
        hear(engine, tone(0.5))
    assert len(str(raised.value)) < 300
    monkeypatch.undo()
    assert hear(engine, tone(0.5))  # and its lock is free


def _refused(folder: Path | str, *, download: bool = False) -> str:
    with pytest.raises(EngineError) as raised:
        WhisperEngine(WhisperConfig(model=str(folder), download=download))
    text = str(raised.value)
    assert raised.value.remedy
    assert "\n" not in text
    assert "Traceback" not in text
    assert len(text) < 600
    return text


@pytest.mark.parametrize("name", ["model.bin", "vocabulary.json", "tokenizer.json"])
def test_a_folder_that_lacks_a_file(name: str, copy: Path, dialled: list[object]) -> None:
    (copy / name).unlink()
    assert str(copy) in _refused(copy)
    assert dialled == []


@pytest.mark.parametrize("name", ["model.bin", "config.json", "vocabulary.json", "tokenizer.json"])
@pytest.mark.parametrize("size", [0, 1, 5000])
def test_a_file_that_is_cut_off(name: str, size: int, copy: Path, dialled: list[object]) -> None:
    whole = (copy / name).read_bytes()
    (copy / name).write_bytes(whole[: min(size, len(whole) - 5)])
    _refused(copy)
    assert dialled == []


@pytest.mark.parametrize("download", [False, True])
def test_no_folder(download: bool, tmp_path: Path, dialled: list[object]) -> None:
    assert "there is no whisper model at" in _refused(tmp_path / "missing", download=download)
    file = tmp_path / "file"
    file.write_text("no folder")
    assert "there is no whisper model at" in _refused(file, download=download)
    _refused(tmp_path)  # empty
    assert dialled == []


@pytest.mark.parametrize("name", ["nobody/no-such-model", "no-such-size"])
def test_an_unknown_name_without_downloads(name: str, dialled: list[object]) -> None:
    assert name in _refused(name)
    assert dialled == []
