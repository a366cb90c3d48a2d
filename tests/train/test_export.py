"""What quantising leaves of a model: the file must hear what the weights hear, on every processor."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from hearth_core.errors import InputError
from hearth_core.log_mel import MELS, STACK
from hearth_train import export, saved, train
from hearth_train.model import Encoder, Shape

SHAPE = Shape(channels=64, hidden=128, blocks=3, behind=4)
FRAMES = 60


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """An encoder that asks most of integers: all weights as large as the largest, and all activations high."""
    torch.manual_seed(5)
    made = Encoder(SHAPE)
    for name, parameter in made.named_parameters():
        if name.endswith(("wide.weight", "narrow.weight")):
            parameter.data = parameter.data.sign() * 0.05
        if name.endswith("wide.bias"):
            parameter.data.fill_(3.0)
    return made.eval()


def test_the_quantised_model_hears_the_same(encoder: Encoder, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    heard = [rng.normal(-4, 3, (FRAMES, STACK * MELS)).astype(np.float32) for _ in range(6)]
    export.write_model(encoder, tmp_path / "int8.onnx", heard)
    said = heard[0]
    with torch.no_grad():
        whole = encoder(torch.from_numpy(said)[None], torch.tensor([FRAMES]))[0][0].exp().numpy()
    session = onnxruntime.InferenceSession(str(tmp_path / "int8.onnx"), providers=["CPUExecutionProvider"])
    given = {
        "features": np.concatenate((said, np.zeros((SHAPE.delay, STACK * MELS), np.float32)))[None],
        "start": np.array([0]),
        "end": np.array([FRAMES]),
        "cache": np.zeros((1, SHAPE.blocks, SHAPE.channels, SHAPE.behind + 1), np.float32),
    }
    found = np.exp(session.run(["log_probs"], given)[0][0, SHAPE.delay :])
    # Eight-bit weights overflow on processors without VNNI: ten times as far off.
    assert np.abs(found - whole).sum(axis=1).mean() < 0.03


def test_matrices_that_blocks_share_are_weights_of_both(encoder: Encoder, tmp_path: Path) -> None:
    heard = [np.random.default_rng(1).normal(-4, 3, (FRAMES, STACK * MELS)).astype(np.float32)]
    sizes = {}
    for shared in (1, 2):
        torch.manual_seed(5)
        export.write_model(Encoder(replace(SHAPE, blocks=4, shared=shared)), tmp_path / "int8.onnx", heard)
        graph = onnx.load(str(tmp_path / "int8.onnx")).graph
        weights = {each.name for each in graph.initializer}
        made = {node.output[0]: node for node in graph.node}
        matrices = [made[node.input[1]] for node in graph.node if node.op_type == "MatMul"]
        assert len(matrices) == 2 * 4 + 2
        # Not quantised anew in every call.
        assert all(each.op_type == "DequantizeLinear" and each.input[0] in weights for each in matrices)
        sizes[shared] = len({each.input[0] for each in matrices})
    assert sizes == {1: 2 * 4 + 2, 2: 2 * 2 + 2}


@pytest.mark.parametrize("shared", [1, 2])
def test_a_model_file_gives_its_encoder_back(shared: int, encoder: Encoder, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    heard = [rng.normal(-4, 3, (FRAMES, STACK * MELS)).astype(np.float32) for _ in range(3)]
    torch.manual_seed(5)
    made = Encoder(replace(SHAPE, blocks=4, shared=shared)).eval()
    for quantised in (False, True):
        export.write_model(made, tmp_path / "en.onnx", heard, quantised=quantised)
        again = saved.read(tmp_path / "en.onnx")
        assert again.shape == made.shape
        with torch.no_grad():
            first, second = (
                each(torch.from_numpy(heard[0])[None], torch.tensor([FRAMES]))[0][0].exp() for each in (made, again)
            )
        assert float((first - second).abs().sum(1).mean()) < (0.02 if quantised else 1e-5)


def test_a_file_of_something_else_is_told(tmp_path: Path) -> None:
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "other", [], [])), str(tmp_path / "other.onnx"))
    with pytest.raises(InputError, match="no speech model"):
        saved.read(tmp_path / "other.onnx")


@pytest.mark.parametrize("name", ["model.pt", "en.onnx"])
@pytest.mark.parametrize("content", [None, b"", b"nothing that anybody could read"])
def test_a_file_that_is_missing_or_damaged_is_told(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=f"{name} (cannot be read|is no speech model)"):
        saved.read(tmp_path / name)


def test_weights_that_are_of_nothing_are_told(tmp_path: Path) -> None:
    torch.save({"shape": {"channels": 16}, "model": {}}, tmp_path / "model.pt")
    with pytest.raises(InputError, match="has no encoder"):
        saved.read(tmp_path / "model.pt")


def test_training_from_a_file_that_is_not_there_ends_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["train", "--teacher", str(tmp_path / "model.pt")])
    with pytest.raises(SystemExit, match=r"model\.pt cannot be read.*\n?.*Give a model.pt"):
        train.main()
