"""What is published: the wheel, built as it is for that."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.core.test_imports import FOLDERS
from tests.real.python314 import call, uv

ROOT = Path(__file__).parents[2]
OUR_MODEL = "hearth_server/asr/micro/en.onnx"
MODEL_ENDINGS = {".bin", ".npz", ".onnx", ".pb", ".pt", ".safetensors", ".tflite"}
TFLITE = b"TFL3"
"""What a TensorFlow Lite model has in its bytes 4 to 8, whatever it is called."""
ONNX = b"\x08"
"""What an ONNX model begins with: its first field is its version."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """Return the files of the wheel, without what a compiler adds."""
    folder = tmp_path_factory.mktemp("dist")
    command = [uv(), "build", "--quiet", "--wheel", "--out-dir", str(folder), str(ROOT)]
    call(command, env={"HATCH_BUILD_NO_HOOKS": "true"})
    (path,) = folder.glob("hearth_voice-*.whl")
    with ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_every_part_is_in_it(wheel: Mapping[str, bytes]) -> None:
    for package, folder in FOLDERS.items():
        if package != "custom_components":
            files = {f"{package}/{path.relative_to(folder)}" for path in folder.rglob("*.py")}
            assert files <= wheel.keys()


def test_the_only_model_in_it_is_our_own(wheel: Mapping[str, bytes]) -> None:
    """openWakeWord's wake words are for non-commercial use: not one may be there, nor anybody else's model."""
    assert {name for name in wheel if Path(name).suffix.lower() in MODEL_ENDINGS} == {OUR_MODEL}
    assert [name for name, raw in wheel.items() if raw[4:8] == TFLITE] == []
    assert [name for name, raw in wheel.items() if raw[:1] == ONNX] == [OUR_MODEL]


def test_only_the_command_that_people_give_fetches_wake_words() -> None:
    importers = {
        path.name
        for folder in FOLDERS.values()
        for path in folder.rglob("*.py")
        if "wake_fetch" in (text := path.read_text("utf-8"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom) and "wake_fetch" in ast.dump(node)
    }
    assert importers == {"wake_cli.py"}
