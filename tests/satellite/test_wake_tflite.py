"""A `.tflite` head on the real runtime, beside the same head as `.onnx`."""

from __future__ import annotations

from pathlib import Path

import pytest

from hearth_core.config import WakeConfig
from hearth_core.errors import EngineError
from hearth_satellite.ears import build_wake
from hearth_satellite.wake_open import OpenEngine
from tests.satellite import tiny_tflite, tiny_wake
from tests.satellite.hidden import hide
from tests.satellite.test_wake_open import LOUD, QUIET


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny_wake.write(folder)
    tiny_tflite.write(folder / "hey_lite.tflite")
    return folder


@pytest.mark.parametrize("embeddings", [16, 3])
def test_its_scores_are_those_of_the_same_head_as_onnx(models: Path, tmp_path: Path, embeddings: int) -> None:
    lite = tiny_tflite.write(tmp_path / "lite.TFLITE", embeddings=embeddings)
    engine = OpenEngine([models / "hey_house.onnx", lite], models)
    scores = engine.feed(QUIET + LOUD + QUIET)
    assert max(score for _, score in scores) > 0.8
    for onnx, tflite in scores:
        assert tflite == pytest.approx(onnx, abs=1e-3)


def test_a_word_of_ones_own_wakes_as_tflite(models: Path) -> None:
    config = WakeConfig.model_validate({"words": [str(models / "hey_lite.tflite")], "features": str(models)})
    wake = build_wake(config)
    assert [(phrase.name, phrase.phrase) for phrase in wake.phrases] == [("hey_lite", "hey lite")]
    found = [wake.feed((QUIET + LOUD)[start : start + 1024]) for start in range(0, 64000, 1024)]
    assert [detection.wake_word for detection in found if detection is not None] == ["hey_lite"]


def test_what_is_no_head_is_told(models: Path, tmp_path: Path) -> None:
    (tmp_path / "text.tflite").write_text("not a model")
    with pytest.raises(EngineError, match="not a TensorFlow Lite model"):
        OpenEngine([tmp_path / "text.tflite"], models)
    with pytest.raises(EngineError, match="no head of openWakeWord"):
        OpenEngine([tiny_tflite.write(tmp_path / "other.tflite", size=32)], models)
    with pytest.raises(EngineError, match=r"takes int8.*without quantising"):
        OpenEngine([tiny_tflite.write(tmp_path / "small.tflite", dtype="INT8")], models)


def test_without_the_runtime_both_remedies_are_told_before_anything_is_to_be_fetched(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch, "ai_edge_litert")
    says = r"hey_lite.tflite runs on it.*'hearth-voice\[openwakeword\]'.*words to \[\]"
    with pytest.raises(EngineError, match=says):
        OpenEngine([models / "hey_lite.tflite"], tmp_path)
