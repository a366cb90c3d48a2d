"""openWakeWord's path with models of its shapes on the real runtime, and its files from a server of the test's own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from click.testing import CliRunner

from hearth_core.config import WakeConfig
from hearth_core.errors import ConfigError, EngineError, InputError
from hearth_satellite.ears import build_wake
from hearth_satellite.wake_cli import satellite_models
from hearth_satellite.wake_fetch import fetch, names
from hearth_satellite.wake_open import OpenEngine
from tests.satellite import tiny_wake

QUIET = bytes(2 * 16000)
LOUD = np.full(16000, 5000, "<i2").tobytes()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny_wake.write(folder)
    return folder


@pytest.mark.parametrize("chunk_bytes", [2, 1024, 2560, 50_000])
def test_a_step_of_80_ms_gives_a_score_whatever_the_chunks(models: Path, chunk_bytes: int) -> None:
    engine = OpenEngine([models / "hey_house.onnx"], models)
    sound = QUIET + LOUD + QUIET
    scores = [
        score
        for start in range(0, len(sound), chunk_bytes)
        for (score,) in engine.feed(sound[start : start + chunk_bytes])
    ]
    assert len(scores) == 3 * 16000 // 1280
    # The loud second begins in the middle of a step and fills the eleven after it.
    assert [index for index, score in enumerate(scores) if score > 0.5] == list(range(13, 25))


def test_a_reset_forgets_the_sound(models: Path) -> None:
    engine = OpenEngine([models / "hey_house.onnx"], models)
    before = engine.feed(QUIET + LOUD)
    engine.reset()
    assert engine.feed(QUIET + LOUD) == before


def test_a_word_of_ones_own_wakes_beside_those_of_the_other_engine(models: Path) -> None:
    config = WakeConfig.model_validate(
        {
            "words": ["alexa", {"model": str(models / "hey_house.onnx"), "language": "de", "area": "Küche"}],
            "features": str(models),
        }
    )
    wake = build_wake(config)
    assert [phrase.name for phrase in wake.phrases] == ["alexa", "hey_house"]
    found = [wake.feed((QUIET + LOUD)[start : start + 1024]) for start in range(0, 64000, 1024)]
    (detection,) = [detection for detection in found if detection is not None]
    assert detection.wake_word == "hey_house"
    assert detection.facts == {"language": "de", "area": "Küche"}


def test_missing_models_are_told_with_how_to_get_them(models: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"melspectrogram.onnx is not in .*hearth satellite-models"):
        OpenEngine([models / "hey_house.onnx"], tmp_path)
    with pytest.raises(ConfigError, match=r"nobody.onnx does not exist"):
        OpenEngine([tmp_path / "nobody.onnx"], models)


def test_a_model_of_something_else_is_told(models: Path, tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("not a model")
    with pytest.raises(EngineError, match="not an ONNX model"):
        OpenEngine([tmp_path / "text.onnx"], models)
    with pytest.raises(EngineError, match="no head of openWakeWord"):
        OpenEngine([models / "embedding_model.onnx"], models)


class Noting(SimpleHTTPRequestHandler):
    """A server that notes what it is asked for."""

    asked: ClassVar[list[str]] = []

    def log_message(self, format: str, *args: object) -> None:
        self.asked.append(self.path)


@pytest.fixture
def release(models: Path) -> Iterator[str]:
    def handler(*args: object) -> Noting:
        return Noting(*args, directory=str(models))  # type: ignore[arg-type]

    Noting.asked.clear()

    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_the_models_are_fetched_once_and_whole(release: str, tmp_path: Path) -> None:
    said: list[str] = []
    folder = tmp_path / "new" / "models"
    fetch(names((), accept_licence=False), folder, release=release, checksums={}, told=said.append)
    assert sorted(path.name for path in folder.iterdir()) == ["embedding_model.onnx", "melspectrogram.onnx"]
    fetch(names((), accept_licence=False), folder, release="https://unreachable.invalid", told=said.append)
    assert [line.rpartition(" ")[2] for line in said] == ["fetched", "fetched", "there", "there"]


def test_what_is_no_model_or_not_there_is_not_kept(release: str, models: Path, tmp_path: Path) -> None:
    (models / "page.onnx").write_text("<html>")
    with pytest.raises(EngineError, match="no ONNX model"):
        fetch(["page.onnx"], tmp_path, release=release)
    with pytest.raises(EngineError, match=r"cannot fetch .*nothing.onnx.*copy it into"):
        fetch(["nothing.onnx"], tmp_path, release=release)
    with pytest.raises(EngineError, match="not the model that was expected"):
        fetch(["melspectrogram.onnx"], tmp_path, release=release)
    assert list(tmp_path.iterdir()) == []


def test_non_commercial_words_are_fetched_only_by_who_says_so() -> None:
    with pytest.raises(InputError, match=r"CC BY-NC-SA.*--accept-non-commercial"):
        names(("hey_rhasspy_v0.1",), accept_licence=False)
    assert names(("hey_rhasspy_v0.1",), accept_licence=True)[-1] == "hey_rhasspy_v0.1.onnx"
    with pytest.raises(InputError, match="not the name"):
        names(("../../etc/passwd",), accept_licence=True)


def test_a_non_commercial_word_is_asked_for_only_by_its_name(release: str, models: Path, tmp_path: Path) -> None:
    (models / "hey_rhasspy_v0.1.onnx").write_bytes((models / "hey_house.onnx").read_bytes())
    fetch(names((), accept_licence=True), tmp_path, release=release, checksums={}, told=lambda line: None)
    assert Noting.asked == ["/melspectrogram.onnx", "/embedding_model.onnx"]
    wanted = names(("hey_rhasspy_v0.1",), accept_licence=True)
    fetch(wanted, tmp_path, release=release, checksums={}, told=lambda line: None)
    assert Noting.asked[2:] == ["/hey_rhasspy_v0.1.onnx"]


def test_a_satellite_fetches_nothing_by_itself(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*where: object) -> None:
        raise AssertionError(f"it connects to {where}")

    monkeypatch.setattr("socket.socket.connect", connect)
    for model, features in (("hey_rhasspy_v0.1.onnx", models), (str(models / "hey_house.onnx"), tmp_path)):
        with pytest.raises(ConfigError):
            build_wake(WakeConfig.model_validate({"words": [model], "features": str(features)}))


def test_the_command_asks_for_the_licence() -> None:
    result = CliRunner().invoke(satellite_models, ["--head", "alexa_v0.1"])
    assert isinstance(result.exception, InputError)
