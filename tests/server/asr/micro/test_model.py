"""A model's file that is not what it should be is told, with the file and what to do; it never crashes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hearth_core.errors import EngineError
from hearth_core.phones import PHONES
from hearth_server.asr.micro import model as module
from hearth_server.asr.micro.model import MicroModel

from .tiny import Tiny

RAW = Tiny().onnx()


def written(folder: Path, raw: bytes) -> Path:
    path = folder / "en.onnx"
    path.write_bytes(raw)
    return path


def changed(change: Callable[[Any], Any]) -> bytes:
    """Return the tiny model with a change to its graph."""
    proto = onnx.ModelProto.FromString(RAW)
    change(proto)
    return bytes(proto.SerializeToString())


def test_a_model_and_its_card(tmp_path: Path) -> None:
    card = {"language": "en", "version": "3", "decoder": {"beam": 9.0}, "calibration": {"a": 1}, "new": "unknown"}
    model = MicroModel(written(tmp_path, Tiny(card=card).onnx()))
    assert (model.card.language, model.card.version, model.card.delay) == ("en", "3", Tiny().delay)
    assert (model.card.decoder, model.card.calibration) == ({"beam": 9.0}, {"a": 1})
    assert model.card.priors.shape == (40,)
    assert model.size == len(Tiny(card=card).onnx())


@pytest.mark.parametrize(
    ("card", "told"),
    [
        ({"format": 2}, "is of format 2, not 1"),
        ({"format": None}, "is of format None"),
        ({"phones": list(reversed(PHONES))}, "other phones"),
        ({"phones": PHONES[:-1]}, "other phones"),
        ({"phones": 3}, "other phones"),
        ({"mels": 80}, "other features"),
        ({"stack": 4}, "other features"),
        ({"floor": 1.0}, "other features"),
        ({"delay": -1}, "looks ahead -1 frames"),
        ({"delay": 17}, "looks ahead 17 frames"),
        ({"delay": 1.5}, "looks ahead 1.5"),
        ({"delay": "x" * 1000}, "looks ahead 'xxx"),
        ({"priors": [0.0]}, "priors"),
        ({"priors": ["a"] * 40}, "priors that are no numbers"),
        ({"priors": [[0.0], 1]}, "priors"),
        ({"priors": [float("nan")] * 40}, "priors"),
        ({"priors": [1.0] * 40}, "priors"),
        ({"language": 1}, "card that cannot be read"),
        ({"decoder": []}, "card that cannot be read"),
        ({"calibration": "x"}, "card that cannot be read"),
    ],
)
def test_a_card_of_another_model(card: dict[str, Any], told: str, tmp_path: Path) -> None:
    path = written(tmp_path, Tiny(card=card).onnx())
    with pytest.raises(EngineError, match=told) as raised:
        MicroModel(path)
    assert str(path) in raised.value.message
    assert raised.value.remedy
    assert len(raised.value.message) < 400


def _card_text(text: str) -> Callable[[Any], None]:
    def change(proto: Any) -> None:
        proto.metadata_props[0].value = text

    return change


def _renamed(proto: Any) -> None:
    proto.graph.input[0].name = "audio"
    proto.graph.node[0].input[0] = "audio"
    for node in proto.graph.node:
        for number, name in enumerate(node.input):
            if name == "features":
                node.input[number] = "audio"


def _weights(value: float) -> Callable[[Any], None]:
    def change(proto: Any) -> None:
        for tensor in proto.graph.initializer:
            if tensor.name == "b_out":
                tensor.raw_data = np.full(40, value, np.float32).tobytes()

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda proto: proto.metadata_props.pop(), "is not a speech model of Hearth"),
        (_card_text("{"), "card that cannot be read"),
        (_card_text("[1]"), "card that cannot be read"),
        (_card_text("[" * 100_000), "card that cannot be read"),
        (_renamed, "has other inputs and outputs"),
        (_weights(float("nan")), "gives what is no number"),
        (_weights(float("inf")), "gives what is no number"),
    ],
)
def test_a_model_that_is_otherwise(change: Callable[[Any], Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=told) as raised:
        MicroModel(written(tmp_path, changed(change)))
    assert "en.onnx" in raised.value.message
    assert raised.value.remedy


@pytest.mark.parametrize("size", [0, 1, 10, 1000, len(RAW) // 2, len(RAW) - 1])
def test_a_file_that_is_cut(size: int, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"en\.onnx"):
        MicroModel(written(tmp_path, RAW[:size]))


def test_a_card_with_a_damaged_byte(tmp_path: Path) -> None:
    place = RAW.index(b'"format"') + 2
    with pytest.raises(EngineError, match=r"en\.onnx"):
        MicroModel(written(tmp_path, RAW[:place] + b"\x80" + RAW[place + 1 :]))


@settings(max_examples=40)
@given(place=st.integers(0, len(RAW) - 1), value=st.integers(0, 255))
def test_a_file_with_a_wrong_byte_is_refused_or_works(
    place: int, value: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    raw = RAW[:place] + bytes([value]) + RAW[place + 1 :]
    try:
        MicroModel(written(tmp_path_factory.mktemp("wrong"), raw))
    except EngineError as error:
        assert "en.onnx" in error.message  # noqa: PT017


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    for raw in (b"", b"RIFF" * 100, bytes(1000)):
        with pytest.raises(EngineError, match=r"en\.onnx"):
            MicroModel(written(tmp_path, raw))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none.onnx", tmp_path):
        with pytest.raises(EngineError, match="cannot be read") as raised:
            MicroModel(path)
        assert "server: micro: model:" in raised.value.remedy


def test_a_file_that_is_far_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 100)
    with pytest.raises(EngineError, match="has more than 0 MB"):
        MicroModel(written(tmp_path, RAW))
